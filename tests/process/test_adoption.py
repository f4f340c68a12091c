"""A run survives the death of takopi: the next one replays it, follows it and ends it."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from contract.scripted import ENGINE
from process.engines import TREE, Named, first_line, holder_command
from process.takopi_child import Scripted, TakopiChild, engine_script
from takopi.errors import RunFailed, RunIdTaken
from takopi.jsonl_fold import CANCELLED, replay
from takopi.model import ActionEvent, CompletedEvent, ResumeToken, TakopiEvent
from takopi.process.host import LocalRunHost
from takopi.process.identity import is_alive
from takopi.process.run_directory import RunDirectory
from takopi.runner import RunnerRuntime, adopt_turn, bind_runtime, open_turn
from takopi.session_lock import session_lock
from takopi.turn import LiveTurn, TurnRequest

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120), pytest.mark.long]

S1 = ResumeToken(ENGINE, "s1")
WORK = """
tell(session="s1")
tell(tool="before", id="t1")
wait("go")
tell(tool="after", id="t2")
tell(result="the answer to " + prompt)
"""

# A holder that stops between its claim and its engine, until the fifo is read and written.
SLOW_HOLDER = """
import sys; from takopi.process import holding as h
old = h.become_subreaper
def slow():
    open(sys.argv[1], "w").close()
    open(sys.argv[1]).read()
    return old()
h.become_subreaper = slow
sys.exit(h.Holder(sys.argv[2]).main())
"""


@pytest.fixture
def place(host: LocalRunHost, runs_dir: Path, home_id: str, tmp_path: Path) -> Iterator["Place"]:
    """Give children and the host that adopts what they leave."""
    os.mkfifo(tmp_path / "go")
    with bind_runtime(RunnerRuntime(host=host)):
        yield Place(host, runs_dir, home_id, tmp_path)


class Place:
    """Be where the runs of one test are."""

    def __init__(self, host: LocalRunHost, runs: Path, home_id: str, folder: Path) -> None:
        self.host, self.runs, self.home_id, self.folder = host, runs, home_id, folder
        self.runner = engine_script(folder / "engine.py", WORK)

    def child(self, source: str = WORK, **config: Any) -> TakopiChild:
        """Start a takopi that plays a turn of an engine."""
        self.runner = engine_script(self.folder / "engine.py", source)
        config = {"runs": self.runs, "home_id": self.home_id, **config}
        return TakopiChild(engine=self.runner.path, **config)

    def adopt(self, resume: ResumeToken | None = None, run_id: str = "r1") -> LiveTurn | None:
        """Adopt the turn of a run, with a runner that knows nothing."""
        self.runner = Scripted(path=self.runner.path)
        request = TurnRequest(prompt="hi", resume=resume, cwd=Path("/"))
        return adopt_turn(self.runner, request, run_id)

    def go(self) -> None:
        """Let the engine go on."""
        (self.folder / "go").write_text("x")

    @property
    def directory(self) -> RunDirectory:
        """Give the run directory of the turn."""
        return RunDirectory(self.runs / "r1")

    def replayed(self, rc: int | None = 0, resume: ResumeToken | None = None) -> list[TakopiEvent]:
        """Return what somebody who never left would have seen."""
        output = self.directory.stdout.read_bytes()
        return replay(Scripted(), [output], resume, rc, prompt="hi")


async def read(turn: LiveTurn | None) -> list[TakopiEvent]:
    assert turn is not None
    events = [event async for event in turn]
    await turn.aclose()
    return events


async def test_a_turn_goes_on_where_the_dead_takopi_left_it(place: Place) -> None:
    """Replayed from the start and followed: the events are those of an undisturbed turn."""
    child = place.child()
    await child.until("action before")
    child.kill()
    turn = place.adopt()
    assert turn is not None
    assert turn.run_id == "r1"
    seen: list[TakopiEvent] = []
    async for event in turn:
        seen.append(event)
        if isinstance(event, ActionEvent) and event.action.title == "before" and event.ok:
            assert session_lock(S1).locked
            place.go()
    await turn.aclose()
    assert seen == place.replayed()
    assert seen[-1] == CompletedEvent(ENGINE, True, "the answer to hi", S1)
    assert turn.output_bytes == place.directory.written_bytes()
    assert not turn.lost
    assert place.runner.starts == 0
    assert not session_lock(S1).locked
    assert place.host.session_cwd(S1) == place.folder


async def test_an_engine_that_ended_meanwhile_is_delivered(place: Place) -> None:
    """Its whole output is there, and so is its exit status."""
    child = place.child(WORK.replace("tell(result", "tell(nothing"))
    await child.until("action before")
    child.kill()
    place.go()
    run = place.host.attach("r1")
    assert run is not None
    await run.wait()
    turn = place.adopt()
    assert await read(turn) == place.replayed()
    assert turn is not None
    assert not turn.lost


async def test_what_the_engine_was_started_with_is_known_again(place: Place) -> None:
    """The session found since is not what was asked for then; the prompt is that of run.json."""
    child = place.child()
    await child.until("action before")
    child.kill()
    place.go()
    asked: list[Any] = []

    class Asking(Scripted):
        def new_state(self, prompt: str, resume: ResumeToken | None) -> Any:
            asked.append((prompt, resume))
            return super().new_state(prompt, resume)

    turn = adopt_turn(Asking(), TurnRequest(prompt="forgotten", resume=S1), "r1")
    assert await read(turn) == place.replayed()
    assert asked == [("hi", None)]


async def test_a_resumed_session_is_resumed_again(place: Place) -> None:
    """The rules of the turn hold for the replay: another session is refused as it was live."""
    child = place.child(WORK.replace('"s1"', '"s2"'), resume="s1")
    assert "completed" in await child.rest()
    events = await read(place.adopt())
    assert events == place.replayed(None, S1)
    assert "answered in session s2" in str(events[-1].error)  # type: ignore[union-attr]


async def test_a_cancel_after_the_adoption_ends_the_whole_tree(place: Place) -> None:
    """Tools in sessions of their own, orphans, daemons without environment."""
    (place.folder / "pids").touch()
    tree = f"tell(session='s1'); subprocess.run(['sh', '-c', {TREE!r}, 'x', 'pids'], stdout=2)"
    child = place.child(f"{tree}; tell(tool='up', id='t'); time.sleep(600)")
    await child.until("action up")
    child.kill()
    named = Named.written_in(place.folder / "pids")
    assert len(named.alive()) == 4
    turn = place.adopt()
    assert turn is not None
    events: list[TakopiEvent] = []
    async for event in turn:
        events.append(event)
        if isinstance(event, ActionEvent):
            await turn.interrupt()
    assert events[-1] == CompletedEvent(ENGINE, False, "", S1, CANCELLED)
    assert not turn.lost
    assert not named.alive()
    await turn.aclose()


async def test_a_run_whose_holder_is_gone_too_is_followed_to_its_end(place: Place) -> None:
    """No exit status is invented, and a result counts whatever became of the holder."""
    child = place.child()
    await child.until("action before")
    child.kill()
    kill_holder(place.directory)
    place.go()
    turn = place.adopt()
    events = await read(turn)
    assert events == place.replayed(None)
    assert events[-1].ok  # type: ignore[union-attr]
    assert turn is not None
    assert not turn.lost


async def test_an_end_that_nobody_saw_is_lost(place: Place) -> None:
    """Engine and holder died without a word: the turn says so, for the person to be asked."""
    child = place.child()
    await child.until("action before")
    child.kill()
    engine = place.directory.process_facts().engine
    kill_holder(place.directory)
    assert engine
    os.kill(engine.pid, signal.SIGKILL)
    turn = place.adopt()
    events = await read(turn)
    assert events == place.replayed(None)
    assert events[-1].error == "toy ended without a result"  # type: ignore[union-attr]
    assert turn is not None
    assert turn.lost


async def test_after_a_reboot_nothing_is_signalled(place: Place) -> None:
    """Pids of another boot are somebody else's, even if everything else is right."""
    child = place.child()
    await child.until("action before")
    child.kill()
    facts = place.directory.process_facts()
    path = place.directory.path / "process.json"
    before = path.read_text()
    # The mark would still give it away, which it does not after a real reboot.
    stranger = place.directory.path.rename(place.runs / "r2")
    (stranger / "process.json").write_text(before.replace(facts.boot, "another-boot"))
    turn = place.adopt(run_id="r2")
    assert turn is not None
    events: list[TakopiEvent] = [event async for event in turn]
    await turn.aclose()
    assert turn.lost
    assert events[-1].error == "toy ended without a result"  # type: ignore[union-attr]
    assert facts.engine
    assert is_alive(*facts.engine)
    stranger.rename(place.directory.path)
    path.write_text(before)
    run = place.host.attach("r1")
    assert run is not None
    await run.cancel()


async def test_a_takopi_killed_before_its_holder_claimed_started_nothing(place: Place) -> None:
    """The claim is taken by whoever asks, so the late holder starts nothing either."""
    gate = place.folder / "gate"
    os.mkfifo(gate)
    late = ("sh", "-c", f'echo launched > "{gate}"; read x < "{gate}"; exec "$@"', "sh")
    child = place.child(holder=(*late, *holder_command()))
    assert await anyio.to_thread.run_sync(gate.read_text) == "launched\n"
    child.kill()
    assert place.adopt() is None
    await anyio.to_thread.run_sync(gate.write_text, "x\n")
    assert place.adopt() is not None  # somebody has the claim now: nobody else decides
    run = place.host.attach("r1")
    assert run is not None
    assert (await run.wait()).lost
    assert not (place.directory.path / "process.json").exists()
    assert place.directory.stdout.read_bytes() == b""


async def test_a_takopi_killed_right_after_the_claim_loses_nothing(place: Place) -> None:
    """The holder goes on alone; whoever adopts in between waits for the engine."""
    gate = place.folder / "gate"
    os.mkfifo(gate)
    child = place.child(holder=(sys.executable, "-c", SLOW_HOLDER, gate))
    await anyio.to_thread.run_sync(gate.read_text)
    child.kill()
    assert not (place.directory.path / "process.json").exists()
    turn = place.adopt()
    events: list[TakopiEvent] = []

    async def reader() -> None:
        events.extend(await read(turn))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(reader)
        await anyio.wait_all_tasks_blocked()
        await anyio.to_thread.run_sync(gate.write_text, "")
        await anyio.to_thread.run_sync(place.go)
    assert events == place.replayed()
    assert events[-1].ok  # type: ignore[union-attr]


async def test_a_holder_killed_right_after_its_claim_is_lost(place: Place) -> None:
    """It started nothing, and nobody else will: the turn ends instead of waiting for ever."""
    gate = place.folder / "gate"
    os.mkfifo(gate)
    pid = place.folder / "pid"
    command = ("sh", "-c", 'echo $$ > "$0"; exec "$@"', pid, sys.executable, "-c", SLOW_HOLDER)
    child = place.child(holder=(*command, gate))
    await anyio.to_thread.run_sync(gate.read_text)
    child.kill()
    os.kill(int(pid.read_text()), signal.SIGKILL)
    turn = place.adopt()
    assert [event.type for event in await read(turn)] == ["completed"]
    assert turn is not None
    assert turn.lost


async def test_an_engine_that_could_not_start_is_not_lost(place: Place) -> None:
    """What the holder wrote down is what the person reads."""
    broken = place.folder / "broken"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)

    class Broken(Scripted):
        def command(self) -> str:
            return str(broken)

    request = TurnRequest(prompt="hi", cwd=place.folder, run_id="r1")
    assert "interpreter" in str((await read(open_turn(Broken(), request)))[-1])
    turn = place.adopt()
    (final,) = await read(turn)
    assert str(final.error).startswith("the program could not be started: No such file")  # type: ignore[union-attr]
    assert turn is not None
    assert not turn.lost


async def test_a_detached_turn_is_adopted(place: Place) -> None:
    """A takopi that leaves lets the engine go on, and holds nothing back."""
    child = place.child(detach=True)
    assert await child.rest() == ["started", "action before", "detached True", "closed"]
    turn = place.adopt()
    assert turn is not None
    place.go()
    assert await read(turn) == place.replayed()


async def test_there_is_one_run_for_an_id(place: Place) -> None:
    """An id is used once, and names nothing outside of the folder."""
    for run_id in ("../r1", "a/b", "", ".", "..", "a.b", "-a", "x" * 101, "ä"):
        request = TurnRequest(prompt="hi", cwd=place.folder, run_id=run_id)
        (final,) = await read(open_turn(place.runner, request))
        assert "cannot name a run: letters, digits" in str(final.error)  # type: ignore[union-attr]
        assert place.host.attach(run_id) is None
    assert place.host.attach("unknown") is None
    assert not list(place.runs.iterdir())
    (place.runs / "file").touch()
    assert place.host.attach("file") is None
    place.runner = engine_script(place.folder / "engine.py", "tell(session='s1')")
    request = TurnRequest(prompt="hi", cwd=place.folder, run_id="r1")
    await read(open_turn(place.runner, request))
    (final,) = await read(open_turn(place.runner, request))
    assert "r1 is there already, and a run is never started twice; send the prompt again" in str(
        final.error  # type: ignore[union-attr]
    )


async def test_a_claim_that_the_disk_refuses_is_told(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it is not known whether an engine starts, and nothing is decided."""
    place.directory.path.mkdir()
    system_open = os.open

    def refuse(path: Any, flags: int, *more: int) -> int:
        if str(path).endswith("claim"):
            raise OSError(28, "No space left on device")
        return system_open(path, flags, *more)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(RunFailed, match="r1 could not be looked into: No space left on device"):
        place.adopt()
    assert issubclass(RunIdTaken, RunFailed)


async def test_a_run_without_its_files_ends(place: Place) -> None:
    """A power cut may leave a claim and nothing else."""
    place.directory.path.mkdir()
    (place.directory.path / "claim").touch()
    turn = place.adopt()
    (final,) = await read(turn)
    assert final.error == "toy ended without a result"  # type: ignore[union-attr]
    assert turn is not None
    assert turn.lost


async def test_output_is_followed_by_two(place: Place) -> None:
    """`takopi logs` and the turn read the same file."""
    child = place.child()
    await child.until("action before")
    child.kill()
    run = place.host.attach("r1")
    assert run is not None
    assert run.record["prompt"] == "hi"
    chunks = run.follow()
    assert b"s1" in await first_line(chunks)
    place.go()
    await read(place.adopt())
    assert b"the answer" in b"".join([chunk async for chunk in chunks])


def kill_holder(directory: RunDirectory) -> None:
    holder = directory.process_facts().holder
    assert holder
    os.kill(holder.pid, signal.SIGKILL)
