"""A live turn of a JSON lines engine, over a scripted host."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from contract.scripted import ENGINE, HELLO, Script, ScriptedHost, ToyRunner
from takopi.backends import EngineBackend
from takopi.errors import EngineMissing, RunFailed, WorkDirMissing
from takopi.jsonl_fold import CANCELLED
from takopi.model import CompletedEvent, ResumeToken, StartedEvent, TakopiEvent
from takopi.run_host import RunExit
from takopi.runner import (
    RunnerRuntime,
    bind_runtime,
    open_turn,
)
from takopi.session_lock import session_lock
from takopi.turn import LiveTurn, TurnRequest

pytestmark = pytest.mark.anyio

S1 = ResumeToken(ENGINE, "s1")
BACKEND = EngineBackend(ENGINE, lambda config, path: ToyRunner(), install_cmd="get toy")


class Stage:
    """Hold the host of one test and open turns on it."""

    host: ScriptedHost

    def scripts(self, *scripts: Script | Exception) -> ScriptedHost:
        self.host.scripts = list(scripts)
        return self.host

    def open(self, resume: ResumeToken | None = None, runner: Any = None, **more: Any) -> LiveTurn:
        request = TurnRequest(**{"prompt": "hi", "resume": resume, "cwd": Path("/w")} | more)
        return open_turn(runner or ToyRunner(), request)


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    stage.host = ScriptedHost()
    with bind_runtime(RunnerRuntime(host=stage.host)):
        yield stage


async def read(turn: LiveTurn) -> list[TakopiEvent]:
    """Return all events of a turn and close it."""
    events = [event async for event in turn]
    await turn.aclose()
    return events


async def test_a_turn_runs_to_its_final_and_settles(stage: Stage) -> None:
    """The plain way: events as they come, then a normal end."""
    host = stage.scripts(Script(HELLO, settled=RunExit(code=0, ended=("npm run dev",))))
    turn = stage.open()
    assert turn.run_id is None
    events = [event async for event in turn]
    assert [e.type for e in events] == ["started", "action", "action", "completed"]
    (run,) = host.runs
    assert (turn.run_id, run.log, run.sessions) == ("run-1", [], [S1])
    assert session_lock(S1).locked  # the process may still work in the session
    await turn.aclose()
    assert run.log == ["settle"]
    assert run.following_closed
    assert turn.ended_background == ("npm run dev",)
    assert not session_lock(S1).locked
    await turn.aclose()
    assert run.log == ["settle"]
    assert [event async for event in turn] == []


async def test_turns_of_one_session_never_overlap(stage: Stage) -> None:
    """The second starts when the first one's process has ended, not when its final came."""
    gate = anyio.Event()
    host = stage.scripts(Script(HELLO, close_gate=gate), Script(HELLO))
    first, second = stage.open(S1), stage.open(S1)
    assert len([e async for e in first]) == 4
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read, second)
        await anyio.wait_all_tasks_blocked()
        assert len(host.runs) == 1
        tasks.start_soon(first.aclose)
        await anyio.wait_all_tasks_blocked()
        assert len(host.runs) == 1
        gate.set()
    assert [run.log for run in host.runs] == [["settle"], ["settle"]]


async def test_a_new_session_is_locked_before_it_is_reported(stage: Stage) -> None:
    """Who learns of the session from the event cannot get in before the turn ends."""
    stage.scripts(Script(HELLO))
    held = session_lock(S1)
    await held.acquire()
    seen: list[TakopiEvent] = []

    async def first(turn: LiveTurn) -> None:
        seen.append(await anext(turn))  # type: ignore[call-overload]

    turn = stage.open()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(first, turn)
        await anyio.wait_all_tasks_blocked()
        assert seen == []
        held.release()
    assert seen == [StartedEvent(ENGINE, S1)]
    assert session_lock(S1).locked
    await turn.aclose()
    assert not session_lock(S1).locked


async def test_closing_early_ends_the_run_and_frees_the_session(stage: Stage) -> None:
    """Nobody reads on: the engine must not go on either."""
    host = stage.scripts(Script([HELLO[0], anyio.Event()]))
    turn = stage.open()
    async for event in turn:
        assert isinstance(event, StartedEvent)
        break
    await turn.aclose()
    assert host.runs[0].log == ["cancel"]
    assert not session_lock(S1).locked
    assert [event async for event in turn] == []


async def test_run_is_the_same_as_a_plain_iterator(stage: Stage) -> None:
    """Closing the iterator early ends the run; reading it to the end settles it."""
    host = stage.scripts(Script([HELLO[0], anyio.Event()]), Script(HELLO))
    events = ToyRunner().run("hi", None)
    assert isinstance(await anext(events), StartedEvent)
    await events.aclose()  # type: ignore[attr-defined]
    assert host.runs[0].log == ["cancel"]
    assert len([e async for e in ToyRunner().run("hi", S1)]) == 4
    assert host.runs[1].log == ["settle"]
    assert not session_lock(S1).locked


async def test_a_cancelled_reader_ends_the_run_before_it_goes(stage: Stage) -> None:
    """Also when ending it takes time: the clean-up is shielded."""
    gate = anyio.Event()
    host = stage.scripts(Script([HELLO[0], anyio.Event()], close_gate=gate))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read, stage.open())
        await anyio.wait_all_tasks_blocked()
        assert session_lock(S1).locked
        tasks.cancel_scope.cancel()
        tasks.start_soon(set_when_cancelled, host, gate)
    assert host.runs[0].log == ["cancel"]
    assert not session_lock(S1).locked


async def set_when_cancelled(host: ScriptedHost, gate: anyio.Event) -> None:
    """Let the process end once it was told to."""
    with anyio.CancelScope(shield=True):
        await host.runs[0].cancelled.wait()
        assert session_lock(S1).locked
        gate.set()


async def test_a_reader_cancelled_while_it_waits_starts_nothing(stage: Stage) -> None:
    """It leaves the line; those behind go on."""
    host = stage.scripts(Script(HELLO))
    lock = session_lock(S1)
    await lock.acquire()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read, stage.open(S1))
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    lock.release()
    assert not lock.locked
    assert host.runs == []


async def test_a_reader_cancelled_during_the_start_leaves_no_process(stage: Stage) -> None:
    """The start is finished first, so that there is a run to end."""
    host = stage.scripts(Script([anyio.Event()]))
    host.start_gate = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read, stage.open(S1))
        await host.starting.wait()
        tasks.cancel_scope.cancel()
        host.start_gate.set()
    assert host.runs[0].log == ["cancel"]
    assert not session_lock(S1).locked


async def test_an_interrupt_ends_the_turn_with_a_final(stage: Stage) -> None:
    """Cancel in the chat: the run ends, the session stays known."""
    host = stage.scripts(Script([HELLO[0], anyio.Event()]))
    turn = stage.open()
    async with anyio.create_task_group() as tasks:
        events: list[TakopiEvent] = []

        async def reader() -> None:
            events.extend(await read(turn))

        tasks.start_soon(reader)
        await anyio.wait_all_tasks_blocked()
        await turn.interrupt()
    assert events == [
        StartedEvent(ENGINE, S1),
        CompletedEvent(ENGINE, False, "", S1, CANCELLED),
    ]
    assert host.runs[0].log == ["cancel", "cancel"]
    assert turn.ended_background == ()


async def test_an_interrupt_reaches_a_turn_that_waits_for_its_session(stage: Stage) -> None:
    """Its final comes at once and the line behind it moves on."""
    host = stage.scripts()
    lock = session_lock(S1)
    await lock.acquire()
    turn = stage.open(S1)
    events: list[TakopiEvent] = []
    async with anyio.create_task_group() as tasks:

        async def reader() -> None:
            events.extend(await read(turn))

        tasks.start_soon(reader)
        await anyio.wait_all_tasks_blocked()
        await turn.interrupt()
    assert events == [CompletedEvent(ENGINE, False, "", S1, CANCELLED)]
    assert (host.runs, lock.waiting) == ([], 0)
    lock.release()


async def test_an_interrupt_reaches_a_new_session_that_waits_for_its_lock(stage: Stage) -> None:
    """The event is held back by the lock; the final is not."""
    stage.scripts(Script(HELLO[:1]), Script([b"".join(HELLO)]))
    lock = session_lock(S1)
    await lock.acquire()
    finals: list[TakopiEvent] = []
    for _ in range(2):
        turn = stage.open()
        async with anyio.create_task_group() as tasks:

            async def reader(turn: LiveTurn = turn) -> None:
                finals.extend(await read(turn))

            tasks.start_soon(reader)
            await anyio.wait_all_tasks_blocked()
            await turn.interrupt()
    assert finals == [
        CompletedEvent(ENGINE, False, "", S1, CANCELLED),
        CompletedEvent(ENGINE, True, "done", S1),  # it was there before the interrupt
    ]
    lock.release()


@pytest.mark.parametrize("when", ["before", "during"])
async def test_an_interrupt_before_the_engine_runs_ends_it_too(stage: Stage, when: str) -> None:
    """Nothing is started, or what starts is ended."""
    host = stage.scripts(Script([anyio.Event()]))
    host.start_gate = anyio.Event()
    turn = stage.open(S1)
    if when == "before":
        await turn.interrupt()
        host.start_gate.set()
        assert (await read(turn))[-1].error == CANCELLED  # type: ignore[union-attr]
        assert host.runs == []
        return
    async with anyio.create_task_group() as tasks:
        events: list[TakopiEvent] = []

        async def reader() -> None:
            events.extend(await read(turn))

        tasks.start_soon(reader)
        await host.starting.wait()
        await turn.interrupt()
        host.start_gate.set()
    assert events == [CompletedEvent(ENGINE, False, "", S1, CANCELLED)]
    assert host.runs[0].log[0] == "cancel"


async def test_an_interrupt_during_start_run_starts_nothing(stage: Stage) -> None:
    """A hook that takes long is no excuse."""

    @dataclass
    class Slow(ToyRunner):
        turn: Any = None

        def start_run(self, prompt: str, resume: ResumeToken | None, *, state: Any) -> None:
            self.turn._interrupted = True  # what `interrupt` does from a thread's point of view

    runner = Slow()
    runner.turn = stage.open(runner=runner)
    assert (await read(runner.turn))[-1].error == CANCELLED
    assert stage.host.runs == []


async def test_closing_from_another_task_waits_for_the_reader(stage: Stage) -> None:
    """The reader gets its final, the closer returns when all is released."""
    host = stage.scripts(Script([HELLO[0], anyio.Event()]))
    turn = stage.open()
    events: list[TakopiEvent] = []

    async def reader() -> None:
        events.extend([event async for event in turn])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(reader)
        await anyio.wait_all_tasks_blocked()
        async with anyio.create_task_group() as closers:
            closers.start_soon(turn.aclose)
            closers.start_soon(turn.aclose)
        assert not session_lock(S1).locked
    assert events[-1] == CompletedEvent(ENGINE, False, "", S1, CANCELLED)
    assert host.runs[0].cancelled.is_set()


async def test_a_turn_is_read_in_one_place(stage: Stage) -> None:
    """Two readers would each miss events."""
    stage.scripts(Script([anyio.Event()]))
    turn = stage.open()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read, turn)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(RuntimeError, match="one place"):
            await anext(turn)  # type: ignore[call-overload]
        await turn.interrupt()


async def test_what_the_engine_cannot_do_is_no(stage: Stage) -> None:
    """The bridge queues instead."""
    turn = stage.open()
    assert not await turn.steer("more")
    assert not await turn.answer("ask", "yes")
    await turn.aclose()
    assert stage.host.runs == []


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (EngineMissing(ENGINE, "toy", "get toy"), "install it with `get toy`"),
        (WorkDirMissing(Path("/gone")), "the working directory /gone does not exist"),
        (RunFailed("the disk is full"), "the disk is full"),
        (OSError(28, "No space left on device"), "No space left on device"),
    ],
)
async def test_a_failed_start_is_a_final_with_its_text(
    stage: Stage, error: Exception, text: str
) -> None:
    """Neither `open` nor `run` raises for what goes wrong with an engine."""
    stage.scripts(error, error)
    (final,) = await read(stage.open(S1))
    (same,) = [event async for event in ToyRunner().run("hi", S1)]
    assert final == same
    assert isinstance(final, CompletedEvent)
    assert final.resume == S1
    assert text in str(final.error)
    assert not session_lock(S1).locked


@pytest.mark.parametrize("hook", ["command", "build_args", "new_state", "env", "start_run"])
async def test_a_bug_in_a_hook_is_a_final_that_names_it(stage: Stage, hook: str) -> None:
    """One bad module ends its own turn and nothing else."""

    def broken(*args: Any, **more: Any) -> Any:
        raise LookupError(hook)

    runner = type("Broken", (ToyRunner,), {hook: broken})()
    (final,) = await read(stage.open(runner=runner))
    assert f"the module of the engine toy failed with LookupError: {hook}" in str(
        final.error  # type: ignore[union-attr]
    )


async def test_another_session_ends_the_engine_at_once(stage: Stage) -> None:
    """It works in a session that nobody asked for."""
    host = stage.scripts(Script([*HELLO, anyio.Event()]))
    turn = stage.open(ResumeToken(ENGINE, "mine"))
    (final,) = [event async for event in turn]
    assert "session s1, not in mine" in str(final.error)  # type: ignore[union-attr]
    assert host.runs[0].log == ["cancel"]
    await turn.aclose()
    assert "settle" not in host.runs[0].log


async def test_a_token_of_another_engine_starts_nothing(stage: Stage) -> None:
    """It is told with which engine the session goes on, and not shown as ours."""
    (final,) = await read(stage.open(ResumeToken("codex", "s1")))
    assert isinstance(final, CompletedEvent)
    assert "session s1 belongs to codex, not to toy" in str(final.error)
    assert final.resume is None
    assert stage.host.runs == []


async def test_an_engine_without_result_says_why(stage: Stage) -> None:
    """Exit status and the end of standard error are in the final."""
    stage.scripts(Script([HELLO[0]], RunExit(code=1), "Error: not logged in\n"))
    final = (await read(stage.open()))[-1]
    assert final == CompletedEvent(
        ENGINE, False, "", S1,
        "toy failed with exit status 1 without a result\n\nError: not logged in",
    )  # fmt: skip


async def test_what_breaks_while_following_is_a_final(stage: Stage) -> None:
    """A run that grew too big is ended and says why."""

    class Full(ScriptedHost):
        async def start(self, spec: Any) -> Any:
            run = await super().start(spec)

            async def follow() -> Any:
                yield HELLO[0]
                raise RunFailed("the run wrote more than 1,024 MB")

            run.follow = follow  # type: ignore[method-assign]
            return run

    host = Full(Script())
    with bind_runtime(RunnerRuntime(host=host)):
        events = await read(stage.open())
    assert events[-1] == CompletedEvent(ENGINE, False, "", S1, "the run wrote more than 1,024 MB")
    assert host.runs[0].log == ["cancel", "cancel"] or host.runs[0].log == ["cancel", "settle"]


async def test_a_run_that_the_host_ended_says_why(stage: Stage) -> None:
    """The host's reason takes the place of the signal's name."""
    stage.scripts(Script([HELLO[0]], RunExit(signal=15, reason="the run wrote too much")))
    assert (await read(stage.open()))[-1].error == "the run wrote too much"  # type: ignore[union-attr]


async def test_errors_of_the_disk_do_not_lose_the_answer(stage: Stage) -> None:
    """The session cannot be noted and the run not be ended: the events come all the same."""

    class FullDisk(ScriptedHost):
        async def start(self, spec: Any) -> Any:
            run = await super().start(spec)

            def note_session(token: ResumeToken) -> None:
                raise OSError(28, "No space left on device")

            async def cancel() -> RunExit:
                run.cancelled.set()
                raise OSError(28, "No space left on device")

            run.note_session, run.cancel = note_session, cancel  # type: ignore[method-assign]
            return run

    with bind_runtime(RunnerRuntime(host=FullDisk(Script([HELLO[0], anyio.Event()])))):
        turn = stage.open()
        assert await anext(turn) == StartedEvent(ENGINE, S1)  # type: ignore[call-overload]
        await turn.interrupt()
        assert (await read(turn))[-1].error == CANCELLED  # type: ignore[union-attr]
    assert not session_lock(S1).locked


async def test_a_close_that_hangs_frees_the_session_in_the_end(stage: Stage) -> None:
    """A process that cannot be killed does not block its session for ever."""
    stage.scripts(Script(HELLO, close_gate=anyio.Event()))
    turn: Any = stage.open()
    turn.close_limit_s = 0.01
    assert len([event async for event in turn]) == 4
    await turn.aclose()
    assert not session_lock(S1).locked


async def test_a_close_that_fails_frees_the_session(stage: Stage) -> None:
    """The log has the error; the next turn has the session."""

    class Failing(ScriptedHost):
        async def start(self, spec: Any) -> Any:
            run = await super().start(spec)

            async def settle(grace_s: float) -> RunExit:
                raise OSError("gone")

            run.settle = settle  # type: ignore[method-assign]
            return run

    with bind_runtime(RunnerRuntime(host=Failing(Script(HELLO)))):
        await read(stage.open())
    assert not session_lock(S1).locked
