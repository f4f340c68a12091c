"""How a turn ended, as its driver hands it to whoever writes the final."""

from dataclasses import dataclass
from typing import Any

from takopi.bridge.records import OfferRecord
from takopi.core.chat import Button
from takopi.core.turn_state import TurnEnd
from takopi.logging import redact

__all__ = ["Ending"]


@dataclass(frozen=True, slots=True)
class Ending:
    """Say how a turn ended.

    Args:
        outcome: The end.
        answer: The whole answer, Markdown.
        error: Why it failed.
        resume_line: The line that resumes its session, when that is known.
        usage: Numbers of the turn.
        quiet: Whether the person knows already: the final then edits the progress message.
        buttons: What the person can decide now.
        offer: The decision that they are for.
    """

    outcome: TurnEnd
    answer: str = ""
    error: str | None = None
    resume_line: str | None = None
    usage: dict[str, Any] | None = None
    quiet: bool = False
    buttons: tuple[tuple[Button, ...], ...] = ()
    offer: OfferRecord | None = None

    @property
    def reason(self) -> str:
        """Give why it failed, without the secrets that an engine may have said with it."""
        return redact(self.error or "")
