"""The commands a person can type, as data: one list for routing, the menu, help and the docs."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

import msgspec

__all__ = [
    "COMMANDS",
    "GREETING",
    "PRESS_PREFIX",
    "CommandGroup",
    "CommandSpec",
    "command_names",
    "may_change",
    "nearest_names",
    "press_data",
    "read_press",
    "takes_text",
]

CommandGroup: TypeAlias = Literal[
    "Work", "Look", "Place", "Session", "Choose", "Files", "Time", "Plug-ins"
]

PRESS_PREFIX = "x:"
_MAX_PRESS_BYTES = 64


class CommandSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Describe one command.

    Args:
        name: `[a-z0-9_]{1,32}`, without the slash.
        description: One line for the menu and for help.
        group: Heading under which help lists it.
        example: What a person would type.
        changes: Whether it decides where or how later messages run: those that came in the same
            answer of the service are read after it.
        text: Whether a text of any length follows it, so that a client may cut it. `/new` is none
            of these: its prompt has a turn, which gathers.
    """

    name: str
    description: str
    group: CommandGroup
    example: str
    changes: bool = False
    text: bool = False


COMMANDS: tuple[CommandSpec, ...] = (
    CommandSpec(
        name="cancel",
        description="Cancel a running or waiting turn",
        group="Work",
        example="/cancel all",
    ),
    CommandSpec(
        name="ctx",
        description="Show or set the project and branch of this chat or topic",
        group="Place",
        example="/ctx set /project @branch",
        changes=True,
    ),
    CommandSpec(
        name="worktrees",
        description="List, open and remove the worktrees of a project",
        group="Place",
        example="/worktrees remove @branch",
        changes=True,
    ),
    CommandSpec(
        name="diff",
        description="Show what was changed; commit it or put it back",
        group="Work",
        example="/diff @branch",
    ),
    CommandSpec(
        name="topic",
        description="Make or bind a topic for a project or a branch",
        group="Place",
        example="/topic shop @feat/login",
        changes=True,
    ),
    CommandSpec(
        name="file",
        description="Put a file into the project, or have one sent",
        group="Files",
        example="/file get docs/plan.md",
    ),
    CommandSpec(
        name="new",
        description="Begin a new session with the next prompt, or with the one behind it",
        group="Session",
        example="/new fix the failing test",
        changes=True,
    ),
    CommandSpec(
        name="sessions",
        description="Show the sessions of this project and branch, to go on with one",
        group="Session",
        example="/sessions",
    ),
    CommandSpec(
        name="resume",
        description="Go on with a session that you name",
        group="Session",
        example="/resume 0199c8a2-5b1e-7c30-9d5e-3f6a8e1b2c4d",
        changes=True,
    ),
    CommandSpec(
        name="agent",
        description="Show or choose the engine of prompts that name none",
        group="Choose",
        example="/agent claude",
        changes=True,
    ),
    CommandSpec(
        name="model",
        description="Show or choose the model of an engine",
        group="Choose",
        example="/model gpt-5",
        changes=True,
    ),
    CommandSpec(
        name="reasoning",
        description="Show or choose how much an engine thinks",
        group="Choose",
        example="/reasoning high",
        changes=True,
    ),
    CommandSpec(
        name="mode",
        description="Show or choose what an engine may do without asking",
        group="Choose",
        example="/mode plan",
        changes=True,
    ),
    CommandSpec(
        name="trigger",
        description="Show or choose which messages of a group count",
        group="Choose",
        example="/trigger mentions",
        changes=True,
    ),
    CommandSpec(
        name="verbose",
        description="Show or choose how much messages show",
        group="Choose",
        example="/verbose full",
        changes=True,
    ),
    CommandSpec(
        name="status",
        description="Show what runs, what waits, and versions",
        group="Look",
        example="/status",
    ),
    CommandSpec(
        name="queue",
        description="Show what waits, and say what is next",
        group="Look",
        example="/queue",
    ),
    CommandSpec(
        name="usage",
        description="Show what turns cost",
        group="Look",
        example="/usage week",
    ),
    CommandSpec(
        name="every",
        description="Ask something again and again",
        group="Time",
        example="/every weekday 9:00 summarise the new issues",
        text=True,
    ),
    CommandSpec(
        name="at",
        description="Ask something once, later",
        group="Time",
        example="/at 18:30 run the slow tests",
        text=True,
    ),
    CommandSpec(
        name="schedules",
        description="Show what is asked when; run, pause or delete it",
        group="Time",
        example="/schedules",
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


def may_change(text: str) -> bool:
    """Tell whether a message is a command after which others may mean something else."""
    first, _, _ = text.strip().partition(" ")
    word = first.partition("\n")[0].removeprefix("/").lower()
    return first.startswith("/") and any(spec.changes and spec.name == word for spec in COMMANDS)


def takes_text(name: str) -> bool:
    """Tell whether a text of any length may follow a command; it may follow every plug-in's."""
    return all(spec.text for spec in COMMANDS if spec.name == name)


def press_data(command: str, *args: str) -> str:
    """Write what a button of a command's answer carries.

    Args:
        command: The command's first name.
        args: Short words without a colon; a place or turn is named by its id.

    Raises:
        ValueError: It would be longer than the 64 bytes that Telegram takes.
    """
    data = PRESS_PREFIX + ":".join((command, *args))
    if len(data.encode()) > _MAX_PRESS_BYTES:
        raise ValueError(f"a button of /{command} carries more than {_MAX_PRESS_BYTES} bytes")
    return data


def read_press(data: str) -> tuple[str, tuple[str, ...]] | None:
    """Return command and words of a button; None when no command made it."""
    if not data.startswith(PRESS_PREFIX):
        return None
    command, *args = data.removeprefix(PRESS_PREFIX).split(":")
    return command, tuple(args)


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
