"""The runner over real processes: holder, files and signals included."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from contract.scripted import ENGINE, ToyRunner
from takopi.jsonl_fold import CANCELLED
from takopi.model import ActionEvent, CompletedEvent, ResumeToken, StartedEvent, TakopiEvent
from takopi.runner import open_turn
from takopi.session_lock import session_lock
from takopi.turn import LiveTurn, TurnRequest

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

S1 = ResumeToken(ENGINE, "s1")
PRELUDE = """
import json, os, sys, time, subprocess
def tell(**data): print(json.dumps(data), flush=True)
prompt = sys.stdin.read()
"""


@dataclass
class Script(ToyRunner):
    """Run a Python script as the engine."""

    path: Path = Path()
    missing: bool = False

    def command(self) -> str:
        return "no-such-engine-anywhere" if self.missing else sys.executable

    def build_args(self, prompt: str, resume: ResumeToken | None, *, state: Any) -> list[str]:
        return ["-I", "-S", str(self.path)]


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    """Make an engine of a script's text."""

    def make(source: str) -> Script:
        path = tmp_path / "engine.py"
        path.write_text(PRELUDE + source)
        return Script(path=path)

    return make


def open_(runner: Script, resume: ResumeToken | None = None, prompt: str = "hi") -> LiveTurn:
    return open_turn(runner, TurnRequest(prompt=prompt, resume=resume, cwd=runner.path.parent))


async def read(turn: LiveTurn) -> list[TakopiEvent]:
    events = [event async for event in turn]
    await turn.aclose()
    return events


def alive(pid: int) -> bool:
    """Say whether a process runs; a zombie does not."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]
    except OSError:
        return False


async def test_a_prompt_goes_in_and_an_answer_comes_out(engine: Any) -> None:
    """The prompt on standard input, whole; the directory is the one asked for."""
    runner = engine("tell(session='s1'); tell(result=f'{len(prompt)} {os.getcwd()}')")
    events = await read(open_(runner, prompt="ü" * 200_000))
    assert events[-1] == CompletedEvent(ENGINE, True, f"200000 {runner.path.parent}", S1)


async def test_a_result_without_newline_right_before_the_end_counts(engine: Any) -> None:
    """So does one of several hundred kilobytes."""
    runner = engine("tell(session='s1'); sys.stdout.write(json.dumps({'result': 'x' * 300_000}))")
    final = (await read(open_(runner)))[-1]
    assert len(final.answer) == 300_000  # type: ignore[union-attr]


async def test_a_bad_end_has_the_reason(engine: Any) -> None:
    """Exit status, standard error, session."""
    runner = engine("tell(session='s1'); sys.exit('Error: not logged in')")
    final = (await read(open_(runner)))[-1]
    assert final == CompletedEvent(
        ENGINE, False, "", S1,
        "toy failed with exit status 1 without a result\n\nError: not logged in",
    )  # fmt: skip


async def test_a_missing_program_or_directory_is_a_final(engine: Any, tmp_path: Path) -> None:
    """Before anything starts."""
    missing = engine("")
    missing.missing = True
    (final,) = await read(open_(missing, S1))
    assert "`no-such-engine-anywhere` is not on PATH" in str(final.error)  # type: ignore[union-attr]
    gone = TurnRequest(prompt="hi", cwd=tmp_path / "gone")
    (final,) = await read(open_turn(engine(""), gone))
    assert "gone does not exist" in str(final.error)  # type: ignore[union-attr]


TOOL = """
tool = subprocess.Popen(
    [sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"], start_new_session=True
)
tell(session="s1"); tell(tool=str(tool.pid), id="t1")
time.sleep(600)
"""


@pytest.mark.parametrize("how", ["interrupt", "close", "cancel"])
async def test_whatever_ends_a_turn_leaves_no_process(engine: Any, how: str) -> None:
    """Neither the engine nor a tool that it started in a session of its own."""
    turn = open_(engine(TOOL))
    pids: list[int] = []
    last: list[TakopiEvent] = []

    async def reader() -> None:
        async for event in turn:
            last[:] = [event]
            if isinstance(event, ActionEvent) and not pids:
                pids.append(int(event.action.title))
                if how == "close":
                    break
                if how == "cancel":
                    tasks.cancel_scope.cancel()
                if how == "interrupt":
                    tasks.start_soon(turn.interrupt)
        await turn.aclose()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(reader)
    assert len(pids) == 1
    assert not alive(pids[0])
    assert not session_lock(S1).locked
    if how == "interrupt":
        assert last == [CompletedEvent(ENGINE, False, "", S1, CANCELLED)]


async def test_a_background_process_is_ended_and_named(engine: Any) -> None:
    """After a normal end, when the turn is closed."""
    runner = engine(TOOL.replace("time.sleep(600)\n", "tell(result='done')\n"))
    turn = open_(runner)
    events = [event async for event in turn]
    assert isinstance(events[-1], CompletedEvent)
    assert events[-1].ok
    pid = next(int(e.action.title) for e in events if isinstance(e, ActionEvent))
    await turn.aclose()
    assert not alive(pid)
    (named,) = turn.ended_background
    assert "time.sleep(600)" in named


ALONE = """
os.close(os.open("inside", os.O_CREAT | os.O_EXCL))  # fails where another one is inside
tell(session="s1"); tell(result=os.getcwd())
os.unlink("inside")
"""


async def test_a_session_resumes_where_it_began_and_one_at_a_time(
    engine: Any, tmp_path: Path
) -> None:
    """The later turns' directory is the first one's, and each starts after the last ended."""
    runner = engine(ALONE)
    other = tmp_path / "other"
    other.mkdir()
    await read(open_(runner, S1))
    answers: list[str] = []

    async def turn() -> None:
        request = TurnRequest(prompt="hi", resume=S1, cwd=other)
        final = (await read(open_turn(runner, request)))[-1]
        assert isinstance(final, CompletedEvent)
        answers.append(final.answer or str(final.error))

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(turn)
    assert answers == [str(tmp_path)] * 4


async def test_run_by_itself_needs_no_app(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plug-in's author tries the runner in a shell."""
    runner = engine("tell(session='s1'); tell(result=os.getcwd())")
    monkeypatch.chdir(runner.path.parent)
    events = [event async for event in runner.run("hi", None)]
    assert events == [
        StartedEvent(ENGINE, S1),
        CompletedEvent(ENGINE, True, os.fspath(runner.path.parent), S1),
    ]
