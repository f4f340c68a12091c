"""How the set-up talks with a person, whatever draws it."""

from collections.abc import Sequence
from typing import Protocol

from takopi.core.onboarding import Choice, Mood
from takopi.core.qr_code import QrCode

__all__ = ["Asker"]


class Asker(Protocol):
    """Talk with the person at the terminal; every question may raise `KeyboardInterrupt`."""

    def step(self, number: int, total: int, title: str) -> None:
        """Begin a step."""
        ...

    def say(self, text: str, mood: Mood = "plain") -> None:
        """Tell something."""
        ...

    def show(self, text: str) -> None:
        """Show a link or command as it is, so that it can be copied."""
        ...

    def draw(self, code: QrCode) -> None:
        """Draw a picture for a phone's camera, where there is room for it."""
        ...

    def ask(self, question: str, default: str = "") -> str:
        """Ask for a line; an empty one means the default."""
        ...

    def ask_secret(self, question: str) -> str:
        """Ask for a line that is not shown."""
        ...

    def choose(self, question: str, choices: Sequence[Choice], default: int = 0) -> int:
        """Ask for one of several answers and return its number, from 0."""
        ...

    def forget(self) -> None:
        """Drop what was typed so far."""
        ...
