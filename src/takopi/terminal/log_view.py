"""A run as text, from its first event on: what was done, what was said, how it ended."""

from collections.abc import Callable
from pathlib import Path

from takopi.core.progress import STEP_KINDS, StreamedText, advance, start_progress
from takopi.core.progress_view import ProgressHeader, render_progress
from takopi.model import ActionEvent, CompletedEvent, TakopiEvent
from takopi.runner import Runner
from takopi.terminal.paint import harmless, to_plain
from takopi.terminal.screen import STEP_MARKS

__all__ = ["LogView"]


class LogView:
    """Write each event of a run once, with what the agent says between its steps.

    Args:
        write: Takes text that ends in a newline.
        runner: Writes the resume line.
        cwd: Paths are shown relative to it.
    """

    def __init__(self, write: Callable[[str], object], runner: Runner, cwd: Path) -> None:
        self._write = write
        self._runner = runner
        self._cwd = cwd
        self._state = start_progress(runner.engine)
        self._said: StreamedText | None = None
        self._written = 0
        self._last_plan: list[str] = []

    def take(self, event: TakopiEvent) -> None:
        """Write an event."""
        self._state = advance(self._state, event)
        message = self._state.message
        if self._said is not None and (message is None or message.id != self._said.id):
            self._flush()
            self._written = 0
        self._said = message
        if isinstance(event, CompletedEvent):
            self._end(event)
        elif isinstance(event, ActionEvent):
            if event.action.kind in STEP_KINDS:
                self._flush()
            self._step(event)

    def _step(self, event: ActionEvent) -> None:
        if event.phase == "updated" and event.action.kind != "plan":
            return
        # Of a state that knows this event alone, the lines are those of this event.
        alone = advance(start_progress(self._runner.engine), event)
        header = ProgressHeader(label="", engine=self._runner.engine, elapsed_s=0)
        body = render_progress(alone, header, cwd=self._cwd, cancel_data=None).body
        lines = [line for line in to_plain(body).split("\n")[1:] if line.startswith(STEP_MARKS)]
        if event.action.kind == "plan":
            if lines == self._last_plan:
                return
            self._last_plan = lines
        for line in lines:
            self._write(line + "\n")

    def _flush(self) -> None:
        """Write what was said since the last time."""
        if self._said is None:
            return
        fresh = self._said.text[self._written :].strip("\n")
        self._written = len(self._said.text)
        if fresh.strip():
            self._write(harmless(fresh) + "\n")

    def _end(self, event: CompletedEvent) -> None:
        if self._said is not None and self._said.text.strip() not in event.answer:
            self._flush()
        if event.answer.strip():
            self._write("\n" + harmless(event.answer.strip("\n")) + "\n")
        if not event.ok:
            self._write(f"takopi: {harmless(event.error or 'the turn failed')}\n")
        if event.resume is not None:
            # Inline code in a chat; in a terminal the quotes would run it.
            self._write(harmless(self._runner.format_resume(event.resume).strip("`")) + "\n")
