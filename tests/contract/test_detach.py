"""Leaving an engine to itself, and going on with one that was left."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from contract.scripted import ENGINE, HELLO, Script, ScriptedHost, ScriptedRun, ToyRunner, line
from contract.stage import S1, Stage, read
from takopi.errors import RunIdTaken
from takopi.jsonl_fold import CANCELLED
from takopi.model import CompletedEvent, ResumeToken, StartedEvent, TakopiEvent
from takopi.run_host import RunExit, RunSpec
from takopi.runner import BaseRunner, adopt_turn, open_turn
from takopi.session_lock import session_lock
from takopi.turn import LiveTurn, TurnRequest

pytestmark = pytest.mark.anyio


async def blocked(turn: LiveTurn, events: list[TakopiEvent], tasks: Any) -> None:
    """Read a turn in a task until it waits."""

    async def reader() -> None:
        events.extend([event async for event in turn])

    tasks.start_soon(reader)
    await anyio.wait_all_tasks_blocked()


async def test_a_reader_that_waits_is_let_go(stage: Stage) -> None:
    """The iterator ends without a final, the run is not touched, the session is free."""
    host = stage.scripts(Script([HELLO[0], anyio.Event()]))
    turn, events = stage.open(), []
    async with anyio.create_task_group() as tasks:
        await blocked(turn, events, tasks)
        assert session_lock(S1).locked
        assert turn.detach()
    assert events == [StartedEvent(ENGINE, S1)]
    assert turn.output_bytes == len(HELLO[0])
    assert not session_lock(S1).locked
    await turn.interrupt()
    await turn.aclose()
    assert host.runs[0].log == []
    assert host.runs[0].following_closed
    assert not turn.detach()


async def test_what_was_not_given_yet_stays_for_the_next_one(stage: Stage) -> None:
    """Also a final: whoever goes on sees everything from the start."""
    host = stage.scripts(Script([b"".join(HELLO)]))
    turn = stage.open()
    assert await anext(turn) == StartedEvent(ENGINE, S1)  # type: ignore[call-overload]
    assert turn.detach()
    assert [event async for event in turn] == []
    assert host.runs[0].log == []


async def test_a_cancelled_reader_ends_nothing_either(stage: Stage) -> None:
    """A takopi that stops cancels its tasks."""
    host = stage.scripts(Script([HELLO[0], anyio.Event()]))
    turn, events = stage.open(), []
    async with anyio.create_task_group() as tasks:
        await blocked(turn, events, tasks)
        turn.detach()
        tasks.cancel_scope.cancel()
    assert host.runs[0].log == []
    assert not session_lock(S1).locked


async def test_before_the_start_there_is_nothing_to_leave(stage: Stage) -> None:
    """Neither in the queue of its session."""
    host = stage.scripts(Script(HELLO))
    lock = session_lock(S1)
    await lock.acquire()
    turn, events = stage.open(S1), []
    assert not turn.detach()
    async with anyio.create_task_group() as tasks:
        await blocked(turn, events, tasks)
        assert not turn.detach()
        lock.release()
    await turn.aclose()
    assert isinstance(events[-1], CompletedEvent)
    assert host.runs[0].log == ["settle"]


async def test_a_start_on_its_way_is_left_too(stage: Stage) -> None:
    """The engine will run, so it is not ended behind the caller's back."""
    host = stage.scripts(Script(HELLO))
    host.start_gate = anyio.Event()
    turn, events = stage.open(), []
    async with anyio.create_task_group() as tasks:
        await blocked(turn, events, tasks)
        assert turn.detach()
        host.start_gate.set()
    assert events == []
    await turn.aclose()
    assert host.runs[0].log == []


async def test_a_start_that_fails_meanwhile_is_told_as_ever(stage: Stage) -> None:
    """Nothing was started that could be left."""
    host = stage.scripts(RunIdTaken("there is one"))
    host.start_gate = anyio.Event()
    turn, events = stage.open(), []
    async with anyio.create_task_group() as tasks:
        await blocked(turn, events, tasks)
        assert turn.detach()
        host.start_gate.set()
    assert events == []


async def test_after_the_result_the_engine_may_end_by_itself(stage: Stage) -> None:
    """Closing does not wait for it any more."""
    host = stage.scripts(Script(HELLO, close_gate=anyio.Event()))
    turn = stage.open()
    assert len([event async for event in turn]) == 4
    assert turn.detach()
    await turn.aclose()
    assert host.runs[0].log == []
    assert not session_lock(S1).locked


async def test_a_turn_that_is_being_closed_cannot_be_left(stage: Stage) -> None:
    """Its end has begun."""
    gate = anyio.Event()
    host = stage.scripts(Script(HELLO, close_gate=gate))
    turn = stage.open()
    assert len([event async for event in turn]) == 4
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(turn.aclose)
        await anyio.wait_all_tasks_blocked()
        assert not turn.detach()
        gate.set()
    assert host.runs[0].log == ["settle"]


def left_run(host: ScriptedHost, *chunks: bytes, **script: Any) -> ScriptedRun:
    """Leave a run behind."""
    spec = RunSpec(engine=ENGINE, argv=("toy",), cwd=Any, env={}, record={"prompt": "asked"})
    run = host.left["r1"] = ScriptedRun(Script(chunks, **script), spec, 1)
    return run


def adopt(resume: ResumeToken | None = None) -> LiveTurn:
    """Adopt the run that was left behind."""
    turn = adopt_turn(ToyRunner(), TurnRequest(prompt="hi", resume=resume), "r1")
    assert turn is not None
    return turn


async def test_an_adopted_turn_is_released_as_any_other(stage: Stage) -> None:
    """A normal end is waited for; nothing was started."""
    run = left_run(stage.host, *HELLO)
    assert [event.type for event in await read(adopt())][::3] == ["started", "completed"]
    assert run.log == ["settle"]
    assert stage.host.runs == []


async def test_an_adopted_turn_of_a_known_session_waits_for_it(stage: Stage) -> None:
    """The lock is taken before a line is read; an interrupt meanwhile ends the run."""
    run = left_run(stage.host, *HELLO)
    lock = session_lock(S1)
    await lock.acquire()
    turn, events = adopt(S1), []
    async with anyio.create_task_group() as tasks:
        await blocked(turn, events, tasks)
        await turn.interrupt()
    lock.release()
    assert events == [CompletedEvent(ENGINE, False, "", S1, CANCELLED)]
    await turn.aclose()
    assert "cancel" in run.log


async def test_an_adopted_turn_that_is_never_read_is_ended_or_left(stage: Stage) -> None:
    """Whoever adopts has the choice."""
    run = left_run(stage.host, *HELLO)
    turn = adopt()
    assert turn.detach()
    await turn.aclose()
    assert run.log == []
    await adopt().aclose()
    assert run.log == ["cancel"]


@pytest.mark.parametrize(
    ("end", "chunks", "lost"),
    [
        (RunExit(lost=True), HELLO[:1], True),
        (RunExit(lost=True), HELLO, False),
        (RunExit(), HELLO[:1], False),
        (RunExit(code=1), (), False),
    ],
)
async def test_lost_is_a_run_without_end_and_without_result(
    stage: Stage, end: RunExit, chunks: tuple[bytes, ...], lost: bool
) -> None:
    """Only then the person is asked what to do."""
    left_run(stage.host, *chunks, exit=end)
    turn = adopt()
    await read(turn)
    assert turn.lost is lost


async def test_facts_of_the_caller_that_look_like_ours_do_no_harm(stage: Stage) -> None:
    """A record may hold anything under any name."""
    run = left_run(stage.host, *HELLO)
    for record in ({}, {"prompt": 1}, {"prompt": "x", "model": [1], "resume": 2}):
        run.spec = RunSpec(engine=ENGINE, argv=(), cwd=Any, env={}, record=record)
        assert isinstance((await read(adopt()))[-1], CompletedEvent)


async def good(prompt: str, resume: ResumeToken | None) -> AsyncIterator[TakopiEvent]:
    """Be an engine inside of takopi."""
    yield StartedEvent(ENGINE, S1)
    await anyio.lowlevel.checkpoint()
    yield CompletedEvent(ENGINE, True, "done", S1)


class Foreign:
    """Have nothing but `run`."""

    engine = ENGINE
    run = staticmethod(good)


class InProcess(BaseRunner):
    """Make events itself."""

    engine = ENGINE

    def run_impl(self, prompt: str, resume: ResumeToken | None) -> AsyncIterator[TakopiEvent]:
        return good(prompt, resume)


@pytest.mark.parametrize("kind", [Foreign, InProcess])
async def test_a_runner_without_run_directories_can_neither_leave_nor_adopt(kind: Any) -> None:
    """What lives in takopi's process ends with it."""
    assert adopt_turn(kind(), TurnRequest(prompt="hi"), "r1") is None
    turn = open_turn(kind(), TurnRequest(prompt="hi"))
    assert await anext(turn) == StartedEvent(ENGINE, S1)  # type: ignore[call-overload]
    assert not turn.detach()
    assert (turn.lost, turn.output_bytes) == (False, 0)
    assert isinstance((await read(turn))[-1], CompletedEvent)


class Twice(ToyRunner):
    """Try a second time when the first gave nothing."""

    async def run(  # type: ignore[override]
        self, prompt: str, resume: ResumeToken | None
    ) -> AsyncIterator[TakopiEvent]:
        async for event in super().run(prompt, resume):
            if not isinstance(event, CompletedEvent) or event.ok:
                yield event
        async for event in super().run(prompt, resume):
            yield event


async def test_a_turn_made_of_two_runs_gives_its_id_to_the_first(stage: Stage) -> None:
    """The second gets one of its own, and the answer arrives."""
    crash = Script([line(nothing=1)], RunExit(code=1))
    host = stage.scripts(crash, RunIdTaken("there is one"), Script(HELLO))
    events = await read(stage.open(runner=Twice(), run_id="r1"))
    assert events[-1] == CompletedEvent(ENGINE, True, "done", S1)
    assert [run.spec.run_id for run in host.runs] == ["r1", None]


async def test_a_plain_turn_is_not_started_twice(stage: Stage) -> None:
    """An id that is taken is an error then."""
    host = stage.scripts(RunIdTaken("there is one"), Script(HELLO))
    (final,) = await read(stage.open(run_id="r1"))
    assert str(final.error) == "there is one"  # type: ignore[union-attr]
    assert host.runs == []
