"""Views of one turn: progress, the answer, what comes after it."""

import errno
import io
import signal
from pathlib import Path

import anyio
import pytest

from fakes.outside import holds
from takopi.model import Action, ActionEvent, CompletedEvent, ResumeToken, StartedEvent
from takopi.runners.mock import MockRunner
from takopi.terminal.screen import PlainScreen
from takopi.terminal.single import JsonView, TurnView, follow_turn

pytestmark = pytest.mark.anyio
TOKEN = ResumeToken("mock", "mock-abc")
STARTED = StartedEvent("mock", TOKEN)
STEP = ActionEvent("mock", Action("a", "command", "ls"), "started")


class Watch:
    """Hold a view and what it wrote."""

    def __init__(self) -> None:
        self.notes, self.answers = io.StringIO(), []
        self.now = 0.0
        screen = PlainScreen(io.StringIO(), self.notes)
        self.view = TurnView(screen, self.answers.append, MockRunner(), Path("/"), lambda: self.now)


class ScriptedTurn:
    """Yield events until interrupted."""

    run_id = None

    def __init__(self, events, *, background=()) -> None:
        self._events = list(events)
        self.ended_background = background
        self.interrupted = anyio.Event()
        self.closed = False

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self._events:
            raise StopAsyncIteration
        if self._events[0] is None:
            await self.interrupted.wait()
            self._events = [CompletedEvent("mock", ok=False, answer="", error="cancelled")]
        return self._events.pop(0)

    async def interrupt(self) -> None:
        self.interrupted.set()

    async def aclose(self) -> None:
        self.closed = True


async def follow(turn: ScriptedTurn, view) -> int:
    with anyio.fail_after(20):
        return await follow_turn(turn, view, [signal.SIGUSR1, signal.SIGINT], lambda _status: None)


async def test_the_answer_is_written_and_then_the_rest() -> None:
    """Answer first, then the resume line, then what was ended."""
    watch = Watch()
    events = [STARTED, STEP, CompletedEvent("mock", ok=True, answer="**42**\n", resume=TOKEN)]
    turn = ScriptedTurn(events, background=("npm run dev",))
    assert await follow(turn, watch.view) == 0
    assert watch.answers == ["**42**\n"]
    assert watch.notes.getvalue().splitlines() == [
        "working · mock · 0s",
        "▸ ls",
        "mock --resume mock-abc",
        "ended 1 background process: npm run dev",
    ]
    assert turn.closed
    watch.view.tick()
    assert len(watch.notes.getvalue().splitlines()) == 4


async def test_a_failure_is_told_after_what_was_answered() -> None:
    """A turn that failed may have said something; without a session there is no resume line."""
    watch = Watch()
    turn = ScriptedTurn(
        [CompletedEvent("mock", ok=False, answer="half", error="out of tokens")],
        background=("a", "b"),
    )
    assert await follow(turn, watch.view) == 1
    assert watch.answers == ["half"]
    assert watch.notes.getvalue().splitlines() == [
        "takopi: out of tokens",
        "ended 2 background processes: a, b",
    ]
    silent = Watch()
    await follow(ScriptedTurn([CompletedEvent("mock", ok=False, answer=" ")]), silent.view)
    assert silent.answers == []
    assert silent.notes.getvalue() == "takopi: the turn failed\n"


async def test_an_answer_that_cannot_be_written_is_to_be_had_from_its_session() -> None:
    """The error is raised, and the resume line is told all the same."""
    watch = Watch()

    def refuse(_answer: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    screen = PlainScreen(io.StringIO(), watch.notes)
    view = TurnView(screen, refuse, MockRunner(), Path("/"), lambda: 0.0)
    turn = ScriptedTurn([CompletedEvent("mock", ok=True, answer="42", resume=TOKEN)])
    with pytest.raises(OSError, match="No space left"):
        await follow(turn, view)
    assert watch.notes.getvalue() == "mock --resume mock-abc\n"
    assert turn.closed


async def test_the_clock_goes_on_while_nothing_happens() -> None:
    """A tick redraws with the time that has passed."""
    watch = Watch()
    watch.view.take(STARTED)
    watch.now = 61.0
    watch.view.tick()
    assert "0s" in watch.notes.getvalue()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGUSR1, 143)])
async def test_a_signal_interrupts_the_turn(number: signal.Signals, status: int) -> None:
    """The turn ends by itself, and the status says how it was ended."""
    out = io.StringIO()
    view = JsonView(out)

    class Signalling(ScriptedTurn):
        async def __anext__(self):
            if self._events and self._events[0] is None:
                signal.raise_signal(number)
            return await super().__anext__()

    turn = Signalling([STARTED, None])
    assert await follow(turn, view) == status
    assert '"error":"cancelled"' in out.getvalue()
    view.tick()
    view.close(("x",))


async def test_a_second_signal_leaves() -> None:
    """Whoever asks twice does not wait for the turn."""
    left: list[int] = []

    class Stubborn(ScriptedTurn):
        async def interrupt(self) -> None:
            signal.raise_signal(signal.SIGINT)
            await holds(lambda: left, 5)
            self.interrupted.set()

    class First(Stubborn):
        async def __anext__(self):
            if self._events and self._events[0] is None:
                signal.raise_signal(signal.SIGINT)
            return await super().__anext__()

    with anyio.fail_after(20):
        turn = First([None])
        await follow_turn(turn, JsonView(io.StringIO()), [signal.SIGINT], left.append)
    assert left == [130]
