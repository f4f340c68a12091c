"""The how-to on engines works as it stands: taken from the page, in all three places."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runners.page_engine import PAGE_ENGINE, block
from takopi.app.engines import EngineShelf
from takopi.engines import find_engines
from takopi.settings import parse_settings

ROOT = Path(__file__).parent.parent.parent

# Two turns of one session, then one of a session that does not exist; all events as JSON lines.
DRIVER = """
import sys
from pathlib import Path

import anyio
import msgspec

from takopi.engines import find_engines
from takopi.model import ResumeToken
from takopi.runner import open_turn
from takopi.turn import TurnRequest


async def main():
    home, work = map(Path, sys.argv[1:])
    catalogue = find_engines(home)
    print(msgspec.json.encode({"place": catalogue.place("parrot")}).decode())
    runner = catalogue.load("parrot").build_runner({"model": "scarlet"}, home / "takopi.toml")

    async def turn(prompt, resume):
        live = open_turn(runner, TurnRequest(prompt=prompt, resume=resume, cwd=work))
        events = [event async for event in live]
        await live.aclose()
        for event in events:
            print(msgspec.json.encode(event).decode())
        return events[-1].resume

    token = runner.extract_resume(runner.format_resume(await turn("hello", None)))
    await turn("again", token)
    await turn("lost", ResumeToken("parrot", "p-99"))


anyio.run(main)
"""


class Machine:
    """Be a machine on which the agent is installed."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.home = home
        self.site = folder / "site"
        self.work = folder / "work"
        tools = folder / "bin"
        for path in (self.site, self.work, tools, folder / "person"):
            path.mkdir()
        (tools / "parrot").write_text(block("python", "parrot"))
        (tools / "parrot").chmod(0o755)
        # `python3` of the script's first line is whatever runs the tests.
        (tools / "python3").symlink_to(sys.executable)
        self.env = {
            **os.environ,
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder / "person"),
            "TAKOPI_HOME": str(home),
            "PYTHONPATH": str(self.site),
        }

    def turns(self) -> list[dict[str, Any]]:
        """Run the turns in a fresh interpreter and return place and events."""
        done = subprocess.run(
            [sys.executable, "-c", DRIVER, str(self.home), str(self.work)],
            env=self.env,
            cwd=self.work,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def machine(tmp_path: Path, takopi_home: Path) -> Machine:
    return Machine(tmp_path, takopi_home)


def installed_in(home: Path) -> Path:
    """Put the module of the page where a person's own modules are."""
    (home / "runners").mkdir(mode=0o700)
    path = home / "runners" / "parrot.py"
    path.write_text(block("python", "parrot.py"))
    path.chmod(0o600)
    return home


def check(records: list[dict[str, Any]], place: str) -> None:
    """Say that the turns went as the page promises."""
    head, *events = records
    assert place in head["place"]
    kinds = ["started", "action", "action", "completed"]
    assert [e["type"] for e in events] == [*kinds, *kinds, "completed"]
    first, second, lost = (e for e in events if e["type"] == "completed")
    assert events[0]["meta"] == {"model": "scarlet"}
    assert (first["ok"], first["answer"]) == (True, "You said: hello")
    assert (second["ok"], second["answer"]) == (True, "You said: hello, then again")
    assert first["resume"] == second["resume"] == {"engine": "parrot", "value": "p-1"}
    assert not lost["ok"]
    assert "failed with exit status 1 without a result" in lost["error"]
    assert "parrot: I know no session p-99" in lost["error"]


@pytest.mark.anyio
async def test_the_agent_tells_its_version(machine: Machine) -> None:
    """It is asked by `takopi doctor` and `/status`, and no session comes of it."""
    settings = parse_settings({}, machine.home / "takopi.toml", {})
    shelf = EngineShelf(find_engines(installed_in(machine.home)), settings, machine.env)
    assert await shelf.version(PAGE_ENGINE) == "1.0"
    assert not (Path(machine.env["HOME"]) / ".parrot").exists()


@pytest.mark.long
@pytest.mark.timeout(120)
def test_as_a_file_in_the_persons_folder(machine: Machine) -> None:
    """`~/.takopi/runners/parrot.py` is an engine."""
    home = installed_in(machine.home)
    check(machine.turns(), str(home / "runners" / "parrot.py"))


@pytest.mark.long
@pytest.mark.timeout(120)
def test_as_a_module_of_takopi(machine: Machine) -> None:
    """`src/takopi/runners/parrot.py` is an engine, without any other change."""
    shutil.copytree(
        ROOT / "src" / "takopi",
        machine.site / "takopi",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    path = machine.site / "takopi" / "runners" / "parrot.py"
    path.write_text(block("python", "parrot.py"))
    check(machine.turns(), str(path))


@pytest.mark.long
@pytest.mark.timeout(120)
def test_as_an_installed_package(machine: Machine) -> None:
    """An entry point of the group `takopi.engine_backends` is an engine."""
    (machine.site / "takopi_parrot.py").write_text(block("python", "parrot.py"))
    info = machine.site / "takopi_parrot-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: takopi-parrot\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[takopi.engine_backends]\nparrot = takopi_parrot:BACKEND\n"
    )
    check(machine.turns(), "entry point parrot = takopi_parrot:BACKEND of takopi-parrot 1.0")


@pytest.mark.long
def test_the_tests_of_the_page_pass(machine: Machine) -> None:
    """Replay, resume line and a stream that breaks off."""
    (machine.site / "parrot.py").write_text(block("python", "parrot.py"))
    (machine.site / "test_parrot.py").write_text(block("python", "test_parrot.py"))
    source = (
        "import test_parrot as t\nfor n in dir(t):\n    if n.startswith('test_'): getattr(t, n)()"
    )
    done = subprocess.run(
        [sys.executable, "-c", source], env=machine.env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
