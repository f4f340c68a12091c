"""One session, two takopis: the second waits, says so, and cannot be fooled by a crash.

contract/test_two_takopis.py shows the same lock between two processes without an engine.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from contract.scripted import ENGINE
from process.engines import holder_command
from process.takopi_child import Scripted, TakopiChild, engine_script
from process.test_adoption import SLOW_HOLDER
from takopi.file_lock import FileLock
from takopi.jsonl_fold import CANCELLED
from takopi.model import ActionEvent, CompletedEvent, ResumeToken, StartedEvent, TakopiEvent
from takopi.process.host import LocalRunHost
from takopi.runner import RunnerRuntime, adopt_turn, bind_runtime, open_turn
from takopi.session_hold import session_file
from takopi.turn import LiveTurn, TurnRequest

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120), pytest.mark.long]

S1 = ResumeToken(ENGINE, "s1")

# Fails where another one works at the same time.
ALONE = """
os.close(os.open("inside", os.O_CREAT | os.O_EXCL))
tell(session="s1"); tell(tool="up", id="t1")
if "slow" in sys.argv[0]: wait("go")
os.unlink("inside")
tell(result="done")
"""


class Two:
    """Be a takopi of this process beside one in a process and a folder of its own."""

    def __init__(self, folder: Path, runs: Path, home_id: str) -> None:
        self.folder, self.runs, self.home_id = folder, runs, home_id
        self.slow = engine_script(folder / "slow.py", ALONE)
        self.quick = engine_script(folder / "quick.py", ALONE)
        os.mkfifo(folder / "go")

    def other(self, **config: Any) -> TakopiChild:
        """Start the other takopi; its engine waits for `go`."""
        config = {"runs": self.runs, "home_id": self.home_id, **config}
        return TakopiChild(engine=self.slow.path, **config)

    def open(self, resume: ResumeToken | None = S1) -> LiveTurn:
        """Open a turn here."""
        return open_turn(self.quick, TurnRequest(prompt="hi", resume=resume, cwd=self.folder))

    def adopt(self) -> LiveTurn:
        """Adopt what the other left."""
        runner, request = Scripted(path=self.slow.path), TurnRequest(prompt="hi", resume=S1)
        turn = adopt_turn(runner, request, "r1")
        assert turn is not None
        return turn

    def go(self) -> None:
        """Let the other's engine go on."""
        (self.folder / "go").write_text("x")


@pytest.fixture
def two(host: LocalRunHost, runs_dir: Path, home_id: str, tmp_path: Path) -> Iterator[Two]:
    """Bind a host with a folder of its own; the other's marks are looked after by `host`."""
    own = LocalRunHost(tmp_path / "own", home_id, holder_command=holder_command())
    with bind_runtime(RunnerRuntime(host=own)):
        yield Two(tmp_path, runs_dir, home_id)
    left = tmp_path / "inside"
    assert not left.exists()


async def note(turn: LiveTurn) -> str:
    """Return the note with which a turn begins."""
    event: TakopiEvent = await anext(turn)  # type: ignore[call-overload]
    assert isinstance(event, ActionEvent)
    assert (event.action.kind, event.phase) == ("note", "started")
    return event.action.title


async def rest(turn: LiveTurn) -> list[TakopiEvent]:
    events = [event async for event in turn]
    await turn.aclose()
    return events


async def test_the_second_waits_and_says_for_whom(two: Two) -> None:
    """Then it has the session, and the note is closed."""
    other = two.other(resume="s1")
    await other.until("action up")
    turn = two.open()
    said = f"waits for another takopi that uses this session (process {other.process.pid})"
    assert await note(turn) == said
    two.go()
    closed, *events = await rest(turn)
    assert isinstance(closed, ActionEvent)
    assert (closed.action.title, closed.phase, closed.ok) == (said, "completed", True)
    assert events[0] == StartedEvent(ENGINE, S1)
    assert events[-1] == CompletedEvent(ENGINE, True, "done", S1)
    assert (await other.rest())[-1] == "closed"
    assert not session_file(S1).exists()


@pytest.mark.parametrize("how", ["interrupt", "close", "cancel"])
async def test_who_waits_can_be_sent_away(two: Two, how: str) -> None:
    """At once, and without touching the other."""
    other = two.other(resume="s1")
    await other.until("action up")
    turn = two.open()
    await note(turn)
    events: list[TakopiEvent] = []

    async def reader() -> None:
        events.extend(await rest(turn))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(reader)
        await anyio.wait_all_tasks_blocked()
        if how == "cancel":
            tasks.cancel_scope.cancel()
        else:
            await (turn.interrupt() if how == "interrupt" else turn.aclose())
    if how != "cancel":
        assert events == [CompletedEvent(ENGINE, False, "", S1, CANCELLED)]
    two.go()
    assert (await other.rest())[-1] == "closed"
    assert isinstance((await rest(two.open()))[-1], CompletedEvent)


@pytest.mark.parametrize("resume", ["s1", None])
@pytest.mark.parametrize("how", ["killed", "detached"])
async def test_an_engine_without_takopi_still_has_its_session(
    two: Two, resume: str | None, how: str
) -> None:
    """Whoever comes between a crash and the adoption waits for the run, a new session's too."""
    other = two.other(resume=resume, detach=how == "detached")
    await other.until("action up")
    if how == "killed":
        other.kill()
    else:
        assert (await other.rest())[-1] == "closed"
    turn = two.open()
    assert await note(turn) == (
        "waits for the run r1, which works in this session although its takopi is gone"
    )
    two.go()
    assert (await rest(turn))[-1] == CompletedEvent(ENGINE, True, "done", S1)


async def test_a_session_is_busy_before_its_engine_has_a_name(two: Two) -> None:
    """Also between the claim and process.json nobody else gets in."""
    gate = two.folder / "gate"
    os.mkfifo(gate)
    other = two.other(resume="s1", holder=(sys.executable, "-c", SLOW_HOLDER, gate))
    await anyio.to_thread.run_sync(gate.read_text)
    other.kill()
    turn = two.open()
    assert "waits for the run r1" in await note(turn)
    await anyio.to_thread.run_sync(gate.write_text, "")
    await anyio.to_thread.run_sync(two.go)
    assert isinstance((await rest(turn))[-1], CompletedEvent)


async def test_an_adoption_takes_the_session_over(
    two: Two, host: LocalRunHost, tmp_path: Path
) -> None:
    """It does not wait for its own run, and others wait for it."""
    other = two.other(resume="s1")
    await other.until("action up")
    other.kill()
    with bind_runtime(RunnerRuntime(host=host)):
        adopted = two.adopt()
        assert await anext(adopted) == StartedEvent(ENGINE, S1)  # type: ignore[call-overload]
        assert not FileLock(session_file(S1)).acquire()
        waiting = two.open()
        seen: list[TakopiEvent] = []
        async with anyio.create_task_group() as tasks:

            async def reader() -> None:
                seen.extend(await rest(waiting))

            tasks.start_soon(reader)
            await anyio.wait_all_tasks_blocked()
            assert seen == []
            await anyio.to_thread.run_sync(two.go)
            assert (await rest(adopted))[-1] == CompletedEvent(ENGINE, True, "done", S1)
    assert seen[-1] == CompletedEvent(ENGINE, True, "done", S1)


async def test_an_answer_does_not_wait_for_whoever_has_the_session_now(
    two: Two, host: LocalRunHost
) -> None:
    """A run that ended while takopi was away is delivered although a terminal goes on with it."""
    other = two.other(resume="s1")
    await other.until("action up")
    other.kill()
    run = host.attach("r1")
    assert run is not None
    two.go()
    await run.wait()
    terminal = FileLock(session_file(S1))
    assert terminal.acquire()
    with bind_runtime(RunnerRuntime(host=host)):
        events = await rest(two.adopt())
    assert events[-1] == CompletedEvent(ENGINE, True, "done", S1)
    assert terminal.held
    assert session_file(S1).exists()


async def test_without_a_folder_for_locks_nothing_is_resumed(
    two: Two, host: LocalRunHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What works already is not ended for it."""
    other = two.other(resume="s1")
    await other.until("action up")
    other.kill()
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    (final,) = await rest(two.open())
    assert "file/takopi/sessions" in str(final.error)  # type: ignore[union-attr]
    assert "move it away" in str(final.error)  # type: ignore[union-attr]
    with bind_runtime(RunnerRuntime(host=host)):
        turn = two.adopt()
        two.go()
        assert (await rest(turn))[-1] == CompletedEvent(ENGINE, True, "done", S1)
    assert (await rest(two.open(None)))[-1] == CompletedEvent(ENGINE, True, "done", S1)


def test_the_file_of_a_session_is_the_same_for_all_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lies in the user's state folder; engine and id name it, whatever they contain."""
    assert session_file(S1).parent == Path(os.environ["XDG_STATE_HOME"]) / "takopi" / "sessions"
    tokens = [S1, ResumeToken("other", "s1"), ResumeToken(ENGINE, "../../x\n")]
    assert len({session_file(token) for token in tokens}) == 3
    assert len({session_file(token).parent for token in tokens}) == 1
    monkeypatch.setenv("HOME", "/home/somebody")
    assert session_file(S1, {}).is_relative_to("/home/somebody/.local/state/takopi")
