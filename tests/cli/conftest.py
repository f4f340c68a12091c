"""The command line as a person uses it: a process of its own."""

import io
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import pytest

from fakes.bot_process import untraced
from fakes.toy_engine import install_toy_engine
from takopi.bridge.records import TurnPut, TurnRecord
from takopi.cli import main
from takopi.logging import _sink
from takopi.process.identity import send_signal
from takopi.process.run_directory import RunDirectory
from takopi.process.run_views import RunView, look_at_run, run_names
from takopi.store.opening import open_journal

Result = subprocess.CompletedProcess[str]
Cli = Callable[..., Result]


@pytest.fixture
def environment(takopi_home: Path, tmp_path: Path) -> dict[str, str]:
    """An environment in which no engine of this machine is found.

    Coverage is not measured in processes: what they do is tested inside as well, and they start
    in a third of the time.
    """
    foreign = ("CODEX", "CLAUDE", "OPENAI")
    kept = {k: v for k, v in untraced(os.environ).items() if not k.startswith(foreign)}
    return kept | {
        "TAKOPI_HOME": str(takopi_home),
        "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "HOME": str(tmp_path),
        "COLUMNS": "200",
    }


@pytest.fixture
def traced(environment: dict[str, str]) -> None:
    """Measure coverage in processes all the same, for what nothing but a process reaches."""
    environment |= {name: value for name, value in os.environ.items() if name.startswith("COV")}


@pytest.fixture
def argv() -> list[str]:
    """What starts takopi."""
    return [sys.executable, "-m", "takopi"]


@pytest.fixture
def cli(argv: list[str], environment: dict[str, str], tmp_path: Path) -> Cli:
    """Run a command and return what it said."""
    (tmp_path / "here").mkdir(exist_ok=True)

    def run(*arguments: str, stdin: str = "", cwd: Path | None = None, **changes: str) -> Result:
        return subprocess.run(
            [*argv, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=environment | changes,
            cwd=cwd or tmp_path / "here",
            timeout=60,
        )

    return run


@pytest.fixture
def inside(
    environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Cli:
    """Run a command in this process, which is quicker; for what has no process of its own."""
    (tmp_path / "here").mkdir(exist_ok=True)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str, stdin: str = "", cwd: Path | None = None, **changes: str) -> Result:
        for name, value in changes.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(cwd or tmp_path / "here")
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        status = main(list(arguments))
        said = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, status, said.out, said.err)

    return run


@pytest.fixture
def toy(takopi_home: Path, tmp_path: Path) -> None:
    """Install the scripted engine as a drop-in."""
    install_toy_engine(takopi_home, tmp_path / "bin")


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Leave this process's logging as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    _sink.close_file()


@pytest.fixture
def journal(takopi_home: Path) -> Callable[..., None]:
    """Write turns down as a bot does."""

    def write(*turns: TurnRecord) -> None:
        async def commit() -> None:
            path = takopi_home / "takopi.db"
            store = open_journal(path, rebuild=tuple, now=time.time())
            await store.commit([TurnPut(turn) for turn in turns])
            await store.close()

        anyio.run(commit)

    return write


@pytest.fixture
def left_run(
    argv: list[str], environment: dict[str, str], takopi_home: Path, tmp_path: Path
) -> Iterator[Callable[[str], RunView]]:
    """Start a turn of the toy whose takopi is killed at once, and return its run."""
    runs = takopi_home / "runs"
    made: list[RunView] = []

    def start(prompt: str) -> RunView:
        before = set(run_names(runs))
        with subprocess.Popen(
            [*argv, "toy", prompt],
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as takopi:
            assert takopi.stderr is not None
            while "▸" not in (line := takopi.stderr.readline()):
                assert line, "the turn ended before it began a step"
            takopi.kill()
        (name,) = set(run_names(runs)) - before
        view = look_at_run(runs, name)
        assert view is not None
        made.append(view)
        return view

    yield start
    for view in made:
        facts = RunDirectory(view.directory).process_facts()
        for one in (facts.holder, facts.engine):
            if one is not None:
                send_signal(*one, signal.SIGKILL)
