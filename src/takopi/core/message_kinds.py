"""What a message is to takopi, once its words were read and nothing that waits takes it in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from takopi.core.chat import MessageReceived
from takopi.core.commands import takes_text
from takopi.core.decisions import Command, Ignored, Prompt, Route
from takopi.core.gathering import LONG_UNITS
from takopi.core.preferences import Trigger
from takopi.core.richtext import utf16_len
from takopi.core.triggers import begins_with_own_word, speaks_to_bot

__all__ = ["MessageKind", "SaidMessage", "is_meant", "kind_of", "stands_alone"]
MessageKind: TypeAlias = Literal["album", "aside", "prompt", "cut", "files", "answered"]
"""A part of an album that has no words, words for others, a prompt, a command whose text may go on,
files without a word, and what has an answer of its own."""


@dataclass(frozen=True, slots=True)
class SaidMessage:
    """Be a message, and what its words ask for.

    Args:
        message: The message.
        decision: What it asks for.
        meant: Whether it is for the bot.
    """

    message: MessageReceived
    decision: Route
    meant: bool


def kind_of(said: SaidMessage) -> MessageKind:
    """Say what a message is: the first kind of the table that fits."""
    return next((kind for kind, fits in _KINDS if fits(said)), "answered")


def stands_alone(message: MessageReceived, decision: Route) -> bool:
    """Tell whether a message cannot be a piece of a prompt: a command, or another bot's."""
    if isinstance(decision, Command):
        return utf16_len(message.text) < LONG_UNITS
    return isinstance(decision, Ignored)


def is_meant(message: MessageReceived, decision: Route, trigger: Trigger) -> bool:
    """Tell whether a message is for the bot, as far as it says so itself.

    Args:
        message: The message.
        decision: What it asks for.
        trigger: Which messages count where it was written.
    """
    return speaks_to_bot(message, trigger) or begins_with_own_word(message, decision)


def _may_go_on(said: SaidMessage) -> bool:
    command = said.decision
    if not isinstance(command, Command) or not takes_text(command.name):
        return False
    return not stands_alone(said.message, command)


def _is_wordless_part(said: SaidMessage) -> bool:
    return said.message.album is not None and not said.message.text.strip()


_KINDS: tuple[tuple[MessageKind, Callable[[SaidMessage], bool]], ...] = (
    ("album", _is_wordless_part),  # also one for others: the part with the words may be meant
    ("aside", lambda said: not said.meant),
    ("prompt", lambda said: isinstance(said.decision, Prompt)),
    ("cut", _may_go_on),
    ("files", lambda said: bool(said.message.files) and not said.message.text),
)
