"""Turns of runners that make their events themselves, foreign ones included."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import anyio
import pytest

from contract.scripted import ENGINE, HELLO, Script, ScriptedHost, ToyRunner
from takopi.jsonl_fold import CANCELLED
from takopi.model import Action, ActionEvent, CompletedEvent, ResumeToken, StartedEvent, TakopiEvent
from takopi.runner import (
    BaseRunner,
    ResumeTokenMixin,
    Runner,
    RunnerRuntime,
    bind_runtime,
    current_request,
    current_runtime,
    open_turn,
)
from takopi.session_lock import session_lock
from takopi.turn import EngineCapabilities, LiveTurn, TurnRequest

pytestmark = pytest.mark.anyio

S1 = ResumeToken(ENGINE, "s1")
STARTED = StartedEvent(ENGINE, S1)
DONE = CompletedEvent(ENGINE, True, "done", S1)
Source = Callable[[str, ResumeToken | None], AsyncIterator[TakopiEvent]]


class InProcess(ResumeTokenMixin, BaseRunner):
    """Run a function as an engine."""

    engine = ENGINE
    resume_re = ToyRunner.resume_re

    def __init__(self, source: Source) -> None:
        self.source = source

    def run_impl(self, prompt: str, resume: ResumeToken | None) -> AsyncIterator[TakopiEvent]:
        return self.source(prompt, resume)


class Foreign:
    """Have nothing but what the protocol asks for."""

    engine = ENGINE

    def __init__(self, source: Source) -> None:
        self.run = source

    def format_resume(self, token: ResumeToken) -> str:
        return token.value

    def extract_resume(self, text: str | None) -> ResumeToken | None:
        return None

    def is_resume_line(self, line: str) -> bool:
        return False


async def good(prompt: str, resume: ResumeToken | None) -> AsyncIterator[TakopiEvent]:
    yield STARTED
    yield DONE


def open_(runner: Any, resume: ResumeToken | None = None) -> LiveTurn:
    return open_turn(runner, TurnRequest(prompt="hi", resume=resume))


async def read(turn: LiveTurn) -> list[TakopiEvent]:
    events = [event async for event in turn]
    await turn.aclose()
    return events


@pytest.mark.parametrize("make", [InProcess, Foreign])
async def test_a_turn_gives_the_events_of_the_iterator(make: Any) -> None:
    """Under the rules, whoever wrote it."""

    async def twice(prompt: str, resume: ResumeToken | None) -> AsyncIterator[TakopiEvent]:
        for event in (STARTED, STARTED, DONE, DONE):
            yield event

    runner = make(twice)
    assert isinstance(runner, Runner)
    turn = open_(runner)
    assert await read(turn) == [STARTED, DONE]
    assert (turn.run_id, turn.ended_background) == (None, ())


async def test_a_runner_without_any_events_says_what_is_missing() -> None:
    """The text names the method."""

    class Empty(BaseRunner):
        engine = ENGINE

    (final,) = await read(open_(Empty()))
    assert "the runner of toy must have run_impl()" in str(final.error)  # type: ignore[union-attr]


async def test_an_in_process_runner_can_be_run_too() -> None:
    """`run` is `open` with defaults."""
    runner = InProcess(good)
    assert [event async for event in runner.run("hi", S1)] == [STARTED, DONE]
    assert runner.capabilities == EngineCapabilities()
    assert not session_lock(S1).locked


async def test_in_process_turns_of_one_session_do_not_overlap() -> None:
    """The lock is held until the iterator has done all it does."""
    inside, most = 0, 0

    async def count(prompt: str, resume: ResumeToken | None) -> AsyncIterator[TakopiEvent]:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        try:
            yield STARTED
            await anyio.lowlevel.checkpoint()
            yield DONE
        finally:
            inside -= 1

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(read, open_(InProcess(count), S1))
    assert (inside, most) == (0, 1)


async def test_a_runner_that_hands_on_to_ours_does_not_wait_for_itself() -> None:
    """A foreign runner brings its own lock, or that of the runner it uses."""
    inner = InProcess(good)
    assert await read(open_(Foreign(inner.run), S1)) == [STARTED, DONE]


@pytest.mark.parametrize("make", [InProcess, Foreign])
async def test_an_iterator_without_result_gets_an_end(make: Any) -> None:
    """It ends, raises, or yields what is no event: there is one final."""

    async def nothing(prompt: str, resume: ResumeToken | None) -> AsyncIterator[TakopiEvent]:
        yield STARTED

    async def bug(prompt: str, resume: ResumeToken | None) -> AsyncIterator[TakopiEvent]:
        yield STARTED
        raise LookupError("key")

    async def junk(prompt: str, resume: ResumeToken | None) -> AsyncIterator[TakopiEvent]:
        yield "hello"  # type: ignore[misc]

    assert (await read(open_(make(nothing))))[-1].error == "toy ended without a result"
    assert "LookupError: key" in (await read(open_(make(bug))))[-1].error
    warning, final = await read(open_(make(junk)))
    assert "may not yield str" in warning.action.title
    assert final.error == "toy ended without a result"


async def test_a_token_of_another_engine_starts_nothing() -> None:
    """The iterator is not even made."""
    (final,) = await read(open_(Foreign(good), ResumeToken("codex", "s1")))
    assert "belongs to codex" in str(final.error)  # type: ignore[union-attr]


@pytest.mark.parametrize("make", [InProcess, Foreign])
async def test_an_interrupt_cancels_the_iterator(make: Any) -> None:
    """It cleans up, and the turn ends with a final."""
    cleaned = anyio.Event()

    async def endless(prompt: str, resume: ResumeToken | None) -> AsyncIterator[TakopiEvent]:
        try:
            yield STARTED
            await anyio.sleep_forever()
        finally:
            cleaned.set()

    turn = open_(make(endless), S1)
    events: list[TakopiEvent] = []
    async with anyio.create_task_group() as tasks:

        async def reader() -> None:
            events.extend(await read(turn))

        tasks.start_soon(reader)
        await anyio.wait_all_tasks_blocked()
        await turn.interrupt()
    assert events == [STARTED, CompletedEvent(ENGINE, False, "", S1, CANCELLED)]
    assert cleaned.is_set()
    assert not session_lock(S1).locked


async def test_an_interrupt_between_two_events_counts() -> None:
    """The next step is not taken any more."""

    async def endless(prompt: str, resume: ResumeToken | None) -> AsyncIterator[TakopiEvent]:
        yield STARTED
        while True:
            await anyio.lowlevel.checkpoint()
            yield ActionEvent(ENGINE, Action("a", "tool", "t"), "updated")

    turn = open_(InProcess(endless))
    assert await anext(turn) == STARTED  # type: ignore[call-overload]
    await turn.interrupt()
    assert await read(turn) == [CompletedEvent(ENGINE, False, "", S1, CANCELLED)]


async def test_an_iterator_may_work_on_after_its_result() -> None:
    """A normal end lets it finish; a lingering one is closed."""
    steps: list[str] = []

    async def tidy(prompt: str, resume: ResumeToken | None) -> AsyncIterator[TakopiEvent]:
        yield DONE
        await anyio.lowlevel.checkpoint()
        steps.append("after")
        yield DONE

    assert await read(open_(InProcess(tidy), S1)) == [STARTED, DONE]
    assert steps == ["after"]


async def test_an_iterator_that_is_no_generator_will_do() -> None:
    """Nothing but `__anext__` is asked of it."""

    class Plain:
        def __init__(self, *_: object) -> None:
            self.events = [STARTED, DONE]

        def __aiter__(self) -> "Plain":
            return self

        async def __anext__(self) -> TakopiEvent:
            if not self.events:
                raise StopAsyncIteration
            return self.events.pop(0)

    assert await read(open_(Foreign(Plain), S1)) == [STARTED, DONE]  # type: ignore[arg-type]
    await open_(Foreign(Plain), S1).aclose()  # type: ignore[arg-type]


async def test_a_cancelled_reader_closes_the_iterator() -> None:
    """The session is free afterwards."""
    closed = anyio.Event()

    async def endless(prompt: str, resume: ResumeToken | None) -> AsyncIterator[TakopiEvent]:
        try:
            yield STARTED
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.lowlevel.checkpoint()
                assert session_lock(S1).locked
                closed.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read, open_(InProcess(endless)))
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert closed.is_set()
    assert not session_lock(S1).locked


async def test_what_breaks_while_closing_is_logged_and_frees_the_session() -> None:
    """A module's bug after the final is no longer the person's matter."""

    async def sore(prompt: str, resume: ResumeToken | None) -> AsyncIterator[TakopiEvent]:
        yield DONE
        raise LookupError("after the end")

    assert await read(open_(InProcess(sore), S1)) == [STARTED, DONE]
    assert not session_lock(S1).locked


async def test_an_iterator_that_exits_ends_its_own_turn_only() -> None:
    """Before its result that is the turn's error, after it a line of the log."""

    async def exits(prompt: str, resume: ResumeToken | None) -> AsyncIterator[TakopiEvent]:
        raise BaseExceptionGroup("tasks", [SystemExit(3)])
        yield DONE

    async def exits_late(prompt: str, resume: ResumeToken | None) -> AsyncIterator[TakopiEvent]:
        yield DONE
        raise SystemExit(3)

    (final,) = await read(open_(InProcess(exits)))
    assert "failed with BaseExceptionGroup: tasks (1 sub-exception)" in str(
        final.error  # type: ignore[union-attr]
    )
    assert await read(open_(InProcess(exits_late), S1)) == [STARTED, DONE]
    assert not session_lock(S1).locked


async def test_what_is_written_over_run_impl_is_not_lost() -> None:
    """The other place in which plug-ins add events; the session's lock is taken once."""

    @dataclass(slots=True)
    class Wrapped(ToyRunner):
        async def run_impl(  # type: ignore[override]
            self, prompt: str, resume: ResumeToken | None
        ) -> AsyncIterator[TakopiEvent]:
            async for event in ToyRunner.run_impl(self, prompt, resume):
                yield event
                if isinstance(event, StartedEvent):
                    assert session_lock(S1).locked
                    yield ActionEvent(ENGINE, Action("extra", "note", "added"), "completed")

    host = ScriptedHost(Script(HELLO), Script(HELLO))
    with bind_runtime(RunnerRuntime(host=host)):
        for resume in (None, S1):
            events = await read(open_(Wrapped(), resume))
            assert next(e.action.title for e in events if isinstance(e, ActionEvent)) == "added"
    assert [run.log for run in host.runs] == [["settle"], ["settle"]]


async def test_what_is_written_over_run_is_not_lost() -> None:
    """A subclass that adds events in `run` is used through it; hooks see the whole request."""
    requests: list[Any] = []

    class Wrapped(ToyRunner):
        async def run(  # type: ignore[override]
            self, prompt: str, resume: ResumeToken | None
        ) -> AsyncIterator[TakopiEvent]:
            async for event in super().run(prompt + "!", resume):
                if isinstance(event, CompletedEvent):
                    yield ActionEvent(ENGINE, Action("extra", "note", "added"), "completed")
                yield event

        def build_args(self, prompt: str, resume: ResumeToken | None, *, state: Any) -> list[str]:
            requests.append(current_request())
            return []

    with bind_runtime(RunnerRuntime(host=ScriptedHost(Script(HELLO)))):
        turn = open_turn(Wrapped(), TurnRequest(prompt="hi", model="big", permission_mode="plan"))
        events = await read(turn)
    assert [e.action.title for e in events if isinstance(e, ActionEvent)][-1] == "added"
    assert requests == [TurnRequest(prompt="hi!", model="big", permission_mode="plan")]


def test_a_runtime_is_bound_for_good_or_for_a_block() -> None:
    """The app binds once; a test takes it back."""
    outer, inner = RunnerRuntime(host=ScriptedHost()), RunnerRuntime(host=ScriptedHost())
    with bind_runtime(outer):
        assert current_runtime() is outer
        bind_runtime(inner)
        assert current_runtime() is inner
    with bind_runtime(outer):
        assert current_runtime() is outer


def test_without_an_app_the_default_host_is_used() -> None:
    """A runner can be used by itself."""
    assert current_runtime().host is current_runtime().host
    assert current_runtime().env_pass == {}
