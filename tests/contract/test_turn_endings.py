"""Ways to end a live turn early: interrupted, closed, cancelled; nothing is left of any."""

from dataclasses import dataclass
from typing import Any

import anyio
import pytest

from contract.scripted import ENGINE, HELLO, Script, ScriptedHost, ToyRunner
from contract.stage import S1, Stage, read
from takopi.jsonl_fold import CANCELLED
from takopi.model import CompletedEvent, ResumeToken, StartedEvent, TakopiEvent
from takopi.run_host import RunExit
from takopi.runner import RunnerRuntime, bind_runtime
from takopi.session_lock import session_lock
from takopi.turn import LiveTurn

pytestmark = pytest.mark.anyio


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
