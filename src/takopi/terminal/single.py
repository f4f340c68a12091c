"""One turn, watched from a terminal and answered on standard output."""

import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TextIO

import anyio
import msgspec
from anyio.abc import TaskStatus

from takopi.bridge.waiting import plain_errors
from takopi.core.progress import advance, start_progress
from takopi.core.progress_view import ProgressHeader, render_progress
from takopi.model import CompletedEvent, ResumeToken, TakopiEvent
from takopi.runner import Runner
from takopi.terminal.screen import Screen
from takopi.turn import LiveTurn

__all__ = ["EXIT_INTERRUPTED", "JsonView", "TurnView", "View", "follow_turn"]

EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143
TICK_S = 1.0
KEY = "turn"


class View(Protocol):
    """Show a turn in one way or another."""

    def take(self, event: TakopiEvent) -> None:
        """Show an event."""
        ...

    def tick(self) -> None:
        """Show that time goes on."""
        ...

    def close(self, ended_background: tuple[str, ...]) -> None:
        """Show what is known only after the end."""
        ...


class JsonView:
    """Write every event as a line of JSON.

    Args:
        out: Where the lines go.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def take(self, event: TakopiEvent) -> None:
        """Write the event."""
        self._out.write(msgspec.json.encode(event).decode() + "\n")
        self._out.flush()

    def tick(self) -> None:
        """Do nothing."""

    def close(self, ended_background: tuple[str, ...]) -> None:
        """Do nothing: there are three events and no more."""


class TurnView:
    """Show progress while the turn runs, then write the answer and the resume line.

    Args:
        screen: Where progress and remarks go.
        answer: Writes the answer, Markdown as the engine wrote it.
        runner: Writes the resume line.
        cwd: Paths are shown relative to it.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        screen: Screen,
        answer: Callable[[str], None],
        runner: Runner,
        cwd: Path,
        clock: Callable[[], float],
    ) -> None:
        self._screen = screen
        self._answer = answer
        self._runner = runner
        self._cwd = cwd
        self._clock = clock
        self._started_at = clock()
        self._state = start_progress(runner.engine)
        self._over = False

    def take(self, event: TakopiEvent) -> None:
        """Show what the event changed; the last one brings the answer."""
        self._state = advance(self._state, event)
        if isinstance(event, CompletedEvent):
            self._over = True
            self._screen.clear(KEY)
            self._finish(event)
        else:
            self.tick()

    def tick(self) -> None:
        """Draw the progress with the time that has passed."""
        if self._over:
            return
        header = ProgressHeader(
            label="working",
            engine=self._runner.engine,
            elapsed_s=self._clock() - self._started_at,
        )
        message = render_progress(self._state, header, cwd=self._cwd, cancel_data=None)
        self._screen.progress(KEY, message.body)

    def close(self, ended_background: tuple[str, ...]) -> None:
        """Name the processes that were ended after the turn."""
        if ended_background:
            count = len(ended_background)
            noun = "process" if count == 1 else "processes"
            self._screen.note(f"ended {count} background {noun}: {', '.join(ended_background)}")

    def _finish(self, event: CompletedEvent) -> None:
        try:
            if event.answer.strip():
                self._answer(event.answer)
        finally:
            # An answer that cannot be written is still to be had from its session.
            if not event.ok:
                self._screen.note(f"takopi: {event.error or 'the turn failed'}")
            if event.resume is not None:
                self._screen.note(self._resume_line(event.resume))

    def _resume_line(self, token: ResumeToken) -> str:
        # Inline code in a chat; in a terminal the quotes would run it.
        return self._runner.format_resume(token).strip("`")


async def follow_turn(
    turn: LiveTurn, view: View, signals: Sequence[signal.Signals], leave: Callable[[int], None]
) -> int:
    """Follow a turn to its end and return the exit status.

    Args:
        turn: The turn.
        view: Shows it.
        signals: The first of these ends the turn and everything it started.
        leave: Is called with the exit status at the second one; ends the process.
    """
    received: list[int] = []
    with plain_errors():
        async with anyio.create_task_group() as tasks:
            await tasks.start(_watch_signals, turn, received, signals, leave)
            tasks.start_soon(_tick, view)
            ok = await _read(turn, view)
            view.close(turn.ended_background)
            tasks.cancel_scope.cancel()
    return _signal_status(received) if received else int(not ok)


async def _read(turn: LiveTurn, view: View) -> bool:
    """Show all events and release the turn, whatever happens; tell whether it succeeded."""
    ok = False
    try:
        async for event in turn:
            view.take(event)
            ok = isinstance(event, CompletedEvent) and event.ok
    finally:
        with anyio.CancelScope(shield=True):
            await turn.aclose()
    return ok


def _signal_status(received: Sequence[int]) -> int:
    return EXIT_INTERRUPTED if received[0] == signal.SIGINT else EXIT_TERMINATED


async def _watch_signals(
    turn: LiveTurn,
    received: list[int],
    signals: Sequence[signal.Signals],
    leave: Callable[[int], None],
    *,
    task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    async with anyio.create_task_group() as tasks:
        with anyio.open_signal_receiver(*signals) as incoming:
            task_status.started()
            async for number in incoming:
                received.append(number)
                if len(received) > 1:
                    leave(_signal_status(received))
                tasks.start_soon(turn.interrupt)


async def _tick(view: View) -> None:
    while True:
        await anyio.sleep(TICK_S)
        view.tick()
