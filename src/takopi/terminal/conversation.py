"""What a terminal knows of its one conversation, and how what is typed there is read."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from takopi.core.chat import Button, ChatMessage
from takopi.core.replies import CANCEL_PREFIX
from takopi.core.richtext import RichText, utf16_len

__all__ = [
    "ABSENT",
    "FORGOTTEN",
    "HELP",
    "HELPING",
    "NO_BEGINNINGS",
    "PLANNING",
    "TAKEN_UP",
    "Beginnings",
    "Conversation",
    "Shown",
    "asks",
    "begins_anew",
    "cancel_data",
    "choices_of",
    "ends_in_resume_line",
    "offer_words",
    "read_choice",
]

HELP = (
    "Here each line goes on in the same session; /new starts another. Where a message offers /1 or "
    "/2, that chooses."
)
HELPING = ("/help", "/start")
FORGOTTEN = "What is planned here is forgotten when this chat ends; the bot keeps what it is told."
TAKEN_UP = "the next line goes on in that session"
PLANNING = ("/every", "/at")
ABSENT = {
    "/topic": "a terminal has no topics",
    "/file": "no file needs to be sent here; name its path in the prompt",
}
_MAX_OFFER_LINE = 60
_CHOICE = re.compile(r"/([1-9][0-9]?)", re.ASCII)


def _names_none(_text: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Beginnings:
    """Say what a line can begin with that is not for the session of the line before.

    Args:
        engines: Their ids.
        projects: Their names.
        names_session: Tells whether a text has a resume line.
    """

    engines: Sequence[str] = ()
    projects: Sequence[str] = ()
    names_session: Callable[[str], bool] = _names_none

    @property
    def names(self) -> frozenset[str]:
        """Give what counts behind a slash."""
        return frozenset(name.lower() for name in (*self.engines, *self.projects))


NO_BEGINNINGS = Beginnings()


@dataclass(slots=True)
class Shown:
    """Remember a message of the bot.

    Args:
        text: What it said last.
        prompt: The prompt it belongs to, or None.
        cancel: What its Cancel button sends; None when it goes on no more.
        waits: Whether its turn waits.
        choices: Its other buttons.
        pressed: Whether its Cancel button was pressed.
    """

    text: str
    prompt: int | None
    cancel: str | None
    waits: bool = False
    choices: tuple[Button, ...] = ()
    pressed: bool = False


@dataclass(slots=True)
class Conversation:
    """Remember where the conversation stands.

    Args:
        last: The message that the next line goes on from.
        asked: The newest line that asks an engine; it stands for its turn until that is shown.
        since: What belongs to an earlier line is gone on from no more.
        open: Prompts that wait for their answer.
        shown: What the bot said.
        offering: The newest message that has buttons to choose from.
        taking_up: The newest line that names a session.
        chosen: Whether a button was pressed since the last line.
    """

    last: int | None = None
    asked: int | None = None
    since: int = 0
    open: set[int] = field(default_factory=set)
    shown: dict[int, Shown] = field(default_factory=dict)
    offering: int | None = None
    taking_up: int | None = None
    chosen: bool = False

    def forget(self, since: int) -> None:
        """Go on from nothing that is known, nor from what comes of a line before this one."""
        self.last = self.asked = None
        self.since = since

    def going_on(self) -> list[int]:
        """List the messages of turns that run or wait."""
        return [number for number, item in self.shown.items() if item.cancel is not None]

    def interrupted(self) -> list[int]:
        """List what Ctrl-C means: what runs, or else what waits."""
        going_on = self.going_on()
        return [number for number in going_on if not self.shown[number].waits] or going_on

    def target(self) -> int | None:
        """Name what the next line goes on from: a message, or the person's own last line."""
        shown = None if self.last is None else self.shown[self.last].prompt
        return self.asked if self.asked in self.open and self.asked != shown else self.last

    def goes_on_from(self, message_id: int) -> None:
        """Let the next line go on from a message, unless a newer line is gone on from."""
        prompt = self.shown[message_id].prompt or 0
        if self.chosen or prompt >= self.since:
            self.last, self.since = message_id, prompt


def asks(text: str, beginnings: Beginnings) -> bool:
    """Tell whether a line asks an engine, and is no command.

    Args:
        text: Not empty.
        beginnings: What is known here.
    """
    first, *rest = text.split(maxsplit=1)
    name = first.removeprefix("/")
    if name == first or "/" in name:
        return True
    return bool(rest) and name.lower() in {*beginnings.names, "new", "resume"}


def begins_anew(text: str, beginnings: Beginnings) -> bool:
    """Tell whether a line is one of another session: by a directive, or by its resume line.

    Args:
        text: Not empty.
        beginnings: What is known here.
    """
    first = text.split(maxsplit=1)[0]
    if first.startswith("@"):
        return bool(beginnings.projects)  # without any it is text
    if first.startswith("/"):
        return first.removeprefix("/").lower() in beginnings.names
    return beginnings.names_session(text)


def read_choice(text: str) -> int | None:
    """Return the number of the button that a line presses; None for any other line."""
    found = _CHOICE.fullmatch(text)
    return int(found[1]) if found else None


def offer_words(choices: Sequence[Button]) -> str:
    """Show buttons as the words that press them."""
    words = [
        # A list has numbers of its own.
        f"/{number} {choice.label.removeprefix(f'{number}. ')}"
        for number, choice in enumerate(choices, 1)
    ]
    line = "   ".join(words)
    return line if len(line) <= _MAX_OFFER_LINE else "\n".join(words)


def cancel_data(message: ChatMessage) -> str | None:
    """Return what the Cancel button sends; only a message that goes on has one."""
    sends = (button.data for row in message.buttons for button in row)
    return next((data for data in sends if data.startswith(CANCEL_PREFIX)), None)


def choices_of(message: ChatMessage) -> tuple[Button, ...]:
    """Return the buttons of a message but Cancel, which `/cancel` presses."""
    return tuple(
        button
        for row in message.buttons
        for button in row
        if not button.data.startswith(CANCEL_PREFIX)
    )


def ends_in_resume_line(body: RichText) -> bool:
    """Tell whether the last line is wholly one to be copied, and no command of takopi."""
    line = body.text.rpartition("\n")[2]
    start = utf16_len(body.text) - utf16_len(line)
    codes = (one for one in body.entities if one.kind == "code")
    return not line.startswith("/") and any(
        one.offset == start and one.length == utf16_len(line) for one in codes
    )
