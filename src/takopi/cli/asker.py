"""Ask the person at the terminal: with arrow keys, or line by line where it has none."""

import os
import shutil
import termios
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from takopi.core.onboarding import Choice, Mood
from takopi.core.qr_code import QrCode
from takopi.terminal.wizard_keys import wait_for_input
from takopi.terminal.wrapping import wrapped

__all__ = ["TerminalAsker", "can_draw", "open_asker"]

LOCAL_MODES = 3
MAX_LINE_BYTES = 65536
MARKS: dict[Mood, str] = {"plain": "", "good": "ok: ", "bad": "no: ", "warning": "! ", "hint": ""}


def can_draw(environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether the terminal can move its cursor."""
    return environment.get("TERM", "") not in ("", "dumb", "unknown")


def open_asker() -> AbstractContextManager[Any]:
    """Return what asks on this terminal, for a `with` block that leaves it as it was."""
    if not can_draw():
        return nullcontext(TerminalAsker())
    from takopi.terminal.wizard import Wizard

    return Wizard()


class TerminalAsker:
    """Ask on the process's own terminal, line by line."""

    def step(self, number: int, total: int, title: str) -> None:
        """Begin a step."""
        self.say(f"\n{number}/{total} {title}")

    def say(self, text: str, mood: Mood = "plain") -> None:
        """Tell something."""
        self.show(_wrapped(MARKS[mood] + text))

    def show(self, text: str) -> None:
        """Show a link or command."""
        from takopi.terminal.paint import harmless

        print(harmless(text), flush=True)

    def draw(self, code: QrCode) -> None:
        """Do nothing: the link is there as a text."""

    def ask(self, question: str, default: str = "") -> str:
        """Ask for a line; an empty one means the default, the end of the input means leaving."""
        shown = f"{question} [{default}]:" if default else f"{question}:"
        print(_wrapped(shown) + " ", end="", flush=True)
        wait_for_input(0)
        line = os.read(0, MAX_LINE_BYTES)
        if not line:
            raise KeyboardInterrupt
        return line.decode("utf-8", "replace").strip() or default

    def ask_secret(self, question: str) -> str:
        """Ask for a line that is not shown."""
        # Not getpass: it throws away what was typed ahead, and a paste can be quicker than it.
        with _unseen(0):
            answer = self.ask(question)
        print(flush=True)
        return answer

    def choose(self, question: str, choices: Sequence[Choice], default: int = 0) -> int:
        """Ask for one of several answers and return its number, from 0."""
        for number, choice in enumerate(choices, 1):
            note = f" - {choice.note}" if choice.note else ""
            self.say(f"  {number}. {choice.label}{note}")
        while True:
            answer = self.ask(question, str(default + 1))
            if answer.isascii() and answer.isdecimal() and 0 < int(answer) <= len(choices):
                return int(answer) - 1
            self.say(f"a number from 1 to {len(choices)}", "bad")

    def forget(self) -> None:
        """Drop what was typed during a wait: it was not meant for the next question."""
        termios.tcflush(0, termios.TCIFLUSH)


def _wrapped(text: str) -> str:
    return "\n".join(wrapped(text, shutil.get_terminal_size().columns - 1))


@contextmanager
def _unseen(descriptor: int) -> Iterator[None]:
    saved = termios.tcgetattr(descriptor)
    modes = termios.tcgetattr(descriptor)
    modes[LOCAL_MODES] &= ~termios.ECHO
    try:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, modes)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, saved)
