"""The commands a person can type, as data: one list for routing, the menu, help and the docs."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

import msgspec

__all__ = [
    "COMMANDS",
    "GREETING",
    "CommandGroup",
    "CommandSpec",
    "command_names",
    "nearest_names",
]

CommandGroup: TypeAlias = Literal["Work", "Look"]


class CommandSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Describe one command.

    Args:
        name: `[a-z0-9_]{1,32}`, without the slash.
        description: One line for the menu and for help.
        group: Heading under which help lists it.
        example: What a person would type.
    """

    name: str
    description: str
    group: CommandGroup
    example: str


COMMANDS: tuple[CommandSpec, ...] = (
    CommandSpec(
        name="cancel",
        description="Cancel a running or waiting turn",
        group="Work",
        example="/cancel all",
    ),
    CommandSpec(
        name="status",
        description="Show what runs, what waits, and versions",
        group="Look",
        example="/status",
    ),
    CommandSpec(
        name="help",
        description="Show what you can do here",
        group="Look",
        example="/help",
    ),
)

# Known, answered like help, and kept out of the menu: every chat sends it once by itself.
GREETING = "start"


def command_names() -> tuple[str, ...]:
    """List every command that is answered, those outside the menu included."""
    return (*(spec.name for spec in COMMANDS), GREETING)


def nearest_names(word: str, names: Iterable[str], *, limit: int = 3) -> tuple[str, ...]:
    """Find the known names that a mistyped word may have meant, the best first.

    Args:
        word: What was typed, without the slash.
        names: What is known.
        limit: At most so many.
    """
    known: Sequence[str] = sorted(set(names))
    lowered = word.lower()
    close = difflib.get_close_matches(lowered, known, n=limit, cutoff=0.6)
    begun = [name for name in known if len(lowered) > 1 and name.startswith(lowered)]
    return tuple(dict.fromkeys((*close, *begun)))[:limit]
