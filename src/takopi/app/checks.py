"""What the doctor finds, as values."""

from typing import Literal, TypeAlias

import msgspec

__all__ = ["Check", "State"]

State: TypeAlias = Literal["ok", "note", "warning", "wrong"]


class Check(msgspec.Struct, frozen=True):
    """Be one line of the doctor's table.

    Args:
        subject: What was looked at.
        state: `wrong` makes the exit status 1.
        text: What was found and, where something is to be done, what.
    """

    subject: str
    state: State
    text: str
