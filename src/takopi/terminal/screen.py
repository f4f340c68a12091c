"""Where a person watches: live on a terminal, line by line anywhere else."""

import os
import sys
from collections.abc import Hashable
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TextIO

from takopi.core.richtext import RichText
from takopi.logging import route_terminal
from takopi.terminal.paint import harmless, to_plain, to_rich
from takopi.terminal.wrapping import wrapped

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live

__all__ = ["LiveScreen", "PlainScreen", "Screen", "can_redraw", "make_screen"]

STEP_MARKS = ("▸ ", "↻ ", "✓ ", "✗ ", "• ", "☑ ", "☐ ", "⚠ ")


class Screen(Protocol):
    """Show what goes on and keep what was said; use it as a context manager."""

    def __enter__(self) -> "Screen": ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def progress(self, key: Hashable, body: RichText) -> None:
        """Show the present state of something that goes on."""
        ...

    def clear(self, key: Hashable) -> None:
        """Take the state of something that has ended away."""
        ...

    def say(self, body: RichText) -> None:
        """Write an answer, to stay."""
        ...

    def note(self, text: str) -> None:
        """Write a remark, to stay, apart from the answers."""
        ...


class PlainScreen:
    """Write answers to one stream and each new line of progress once to another.

    Args:
        answers: Where answers go.
        notes: Where progress and remarks go, as long as it takes them: no turn fails for them.
    """

    def __init__(self, answers: TextIO, notes: TextIO) -> None:
        self._answers = answers
        self._notes: TextIO | None = notes
        self._seen: dict[Hashable, set[str]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> "PlainScreen":
        self._stack.enter_context(route_terminal(self.note))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def progress(self, key: Hashable, body: RichText) -> None:
        """Write the steps that are new; of the header, which holds a clock, the label counts."""
        header, *lines = to_plain(body).split("\n")
        seen = self._seen.setdefault(key, set())
        label = header.partition(" · ")[0]
        if label not in seen:
            seen.add(label)
            self._write_note(header)
        for line in lines:
            # The rest is the answer as it is being written: it would come in a hundred lengths.
            # That a step goes on with news is no line of its own.
            step = line.replace("↻ ", "▸ ", 1) if line.startswith("↻ ") else line
            if line.startswith(STEP_MARKS) and step not in seen:
                seen.add(step)
                self._write_note(line)

    def clear(self, key: Hashable) -> None:
        """Forget which lines were written."""
        self._seen.pop(key, None)

    def say(self, body: RichText) -> None:
        """Write an answer."""
        self._write(self._answers, to_plain(body).rstrip("\n"))

    def note(self, text: str) -> None:
        """Write a remark."""
        self._write_note(harmless(text))

    def _write_note(self, line: str) -> None:
        if self._notes is None:
            return
        try:
            self._write(self._notes, line)
        except OSError:
            self._notes = None  # a full disk, say, or whoever read it has gone

    def _write(self, stream: TextIO, line: str) -> None:
        stream.write(line + "\n")
        stream.flush()


class LiveScreen:
    """Redraw progress in place at the foot of a terminal.

    Args:
        console: A terminal.
    """

    def __init__(self, console: "Console") -> None:
        self._console = console
        self._shown: dict[Hashable, RichText] = {}
        self._live: Live | None = None
        self._stack = ExitStack()

    def __enter__(self) -> "LiveScreen":
        self._stack.enter_context(route_terminal(self.note))
        self._stack.callback(self._stop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def progress(self, key: Hashable, body: RichText) -> None:
        """Draw the state of something that goes on."""
        from rich.console import Group
        from rich.live import Live

        self._shown[key] = body
        drawn = Group(*(to_rich(item) for item in self._shown.values()))
        if self._live is None:
            self._live = Live(
                drawn,
                console=self._console,
                transient=True,
                auto_refresh=False,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start(refresh=True)
        else:
            self._live.update(drawn, refresh=True)

    def clear(self, key: Hashable) -> None:
        """Take the state of something away."""
        if self._shown.pop(key, None) is None:
            return
        self._stop()
        for other, body in list(self._shown.items()):
            self.progress(other, body)

    def say(self, body: RichText) -> None:
        """Write an answer above what goes on."""
        text = to_rich(body)
        text.rstrip()
        self._console.print(text)

    def note(self, text: str) -> None:
        """Write a remark above what goes on."""
        self._console.print(
            "\n".join(wrapped(harmless(text), self._console.width)),
            style="dim",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def can_redraw() -> bool:
    """Tell whether the process's terminal can move its cursor; an editor's shell, say, cannot."""
    return os.environ.get("TERM", "dumb") not in ("dumb", "unknown")


def make_screen(*, live: bool, stderr: bool) -> PlainScreen | LiveScreen:
    """Make a screen on the process's own streams.

    Args:
        live: Redraw in place; wants a terminal.
        stderr: Draw on standard error, so that standard output carries nothing but the answer.
    """
    if not live:
        return PlainScreen(sys.stdout, sys.stderr)
    from rich.console import Console

    return LiveScreen(Console(stderr=stderr))
