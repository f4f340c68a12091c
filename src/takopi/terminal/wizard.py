"""Questions on a terminal, answered with arrow keys, numbers and Enter."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from takopi.core.keyboard import Key, Line, edit, move
from takopi.core.onboarding import Choice, Mood
from takopi.core.qr_code import QrCode, half_blocks
from takopi.logging import route_terminal
from takopi.terminal.paint import harmless
from takopi.terminal.wizard_keys import Keyboard
from takopi.terminal.wrapping import wrapped

__all__ = ["MARKS", "Wizard"]

MARKS: dict[Mood, str] = {"plain": " ", "good": "✓", "bad": "✗", "warning": "!", "hint": " "}
STYLES: dict[Mood, str] = {
    "plain": "",
    "good": "green",
    "bad": "red",
    "warning": "yellow",
    "hint": "dim",
}
INPUT = "› "
HOW_TO = "↑ ↓ and Enter, or a number and Enter"
MAX_WIDTH = 100
MAX_DOTS = 24
MARK_COLUMNS = 2


class Wizard:
    """Ask on the process's own terminal; use it as a context manager.

    Args:
        keyboard: Where keys come from.
    """

    def __init__(self, keyboard: Keyboard | None = None) -> None:
        self._keyboard = keyboard or Keyboard()
        console = Console(highlight=False)
        if console.width > MAX_WIDTH:  # longer lines are hard to read
            console = Console(highlight=False, width=MAX_WIDTH)
        self._console = console
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(self._keyboard)
        self._stack.enter_context(route_terminal(lambda line: self.say(line, "warning")))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def step(self, number: int, total: int, title: str) -> None:
        """Begin a step."""
        self._console.print()
        self._console.print(Text.assemble((f"{number}/{total} ", "bold cyan"), (title, "bold")))

    def say(self, text: str, mood: Mood = "plain") -> None:
        """Tell something."""
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        lines = wrapped(harmless(text), max(8, self._console.width - MARK_COLUMNS))
        grid.add_row(Text(MARKS[mood], STYLES[mood]), Text("\n".join(lines), STYLES[mood]))
        self._console.print(grid)

    def show(self, text: str) -> None:
        """Show a link or command whole: the terminal breaks it, so that it can be copied."""
        self._console.print(Text(harmless(text), "bold"), soft_wrap=True)

    def draw(self, code: QrCode) -> None:
        """Draw a picture for a phone's camera, where there is room for it."""
        lines = half_blocks(code)
        fits = len(lines[0]) <= self._console.width and len(lines) < self._console.height
        if fits and self._console.encoding.startswith("utf"):
            self.say("The camera of your phone reads this; the link below is the same:")
            # Light on dark whatever the terminal's colours are.
            picture = Text("\n".join(lines), "bright_white on black", no_wrap=True)
            self._console.print(picture, soft_wrap=True)

    def ask(self, question: str, default: str = "") -> str:
        """Ask for a line; an empty one means the default."""
        self.say(f"{question} [{default}]" if default else question)
        answer = self._line(hidden=False).strip()
        return answer or default

    def ask_secret(self, question: str) -> str:
        """Ask for a line that is not shown."""
        self.say(question)
        return self._line(hidden=True)

    def choose(self, question: str, choices: Sequence[Choice], default: int = 0) -> int:
        """Ask for one of several answers and return its number, from 0."""
        chosen = default
        with Live(
            _menu(question, choices, chosen),
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="visible",
        ) as live:
            live.refresh()
            while (key := self._key()).name != "enter":
                chosen = move(chosen, len(choices), key)
                live.update(_menu(question, choices, chosen), refresh=True)
        answer = Text.assemble(("  " + question + " ", ""), (choices[chosen].label, "bold"))
        self._console.print(answer)
        return chosen

    def forget(self) -> None:
        """Drop what was typed during a wait: it was not meant for the next question."""
        self._keyboard.forget()

    def _key(self) -> Key:
        key = self._keyboard.read()
        if key.name == "leave":
            raise KeyboardInterrupt
        return key

    def _line(self, *, hidden: bool) -> str:
        line = Line()
        self._draw(line, hidden=hidden)
        while (key := self._key()).name != "enter":
            line = edit(line, key)
            self._draw(line, hidden=hidden)
        sys.stdout.write("\n")
        sys.stdout.flush()
        return line.text

    def _draw(self, line: Line, *, hidden: bool) -> None:
        """Draw the line that is typed; of a long one the part around the cursor."""
        text, cursor = line.text, line.cursor
        if hidden:
            text = "•" * min(len(text), MAX_DOTS)
            cursor = len(text)
        room = max(8, self._console.width - len(INPUT) - 1)
        before, after = text[:cursor], text[cursor:]
        while cell_len(before) > room:
            before = before[1:]
        while cell_len(before + after) > room:
            after = after[:-1]
        back = cell_len(after)
        moved = f"\x1b[{back}D" if back else ""
        sys.stdout.write(f"\r\x1b[K{INPUT}{before}{after}{moved}")
        sys.stdout.flush()


def _menu(question: str, choices: Sequence[Choice], chosen: int) -> RenderableType:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for number, choice in enumerate(choices):
        here = number == chosen
        words = Text(harmless(choice.label), "bold cyan" if here else "")
        if choice.note:
            words.append("\n" + harmless(choice.note), "dim")
        grid.add_row(Text("❯" if here else " ", "bold cyan"), Text(str(number + 1)), words)
    return Group(Text("  " + question), grid, Text("  " + HOW_TO, "dim"))
