"""What takopi itself says: answers to commands, hints, the message of a turn that waits."""

import re
from collections.abc import Sequence

import msgspec

from takopi.core.chat import Button, ChatMessage
from takopi.core.context_replies import context_reply
from takopi.core.decisions import (
    BadBranch,
    ContextExplained,
    ContextTwice,
    EngineConflict,
    EngineExplained,
    NothingSaid,
    Route,
    UnknownCommand,
)
from takopi.core.missing_engines import MissingEngine, missing_line
from takopi.core.richtext import Entity, EntityKind, RichText, utf16_len
from takopi.core.split import MAX_ENTITIES, cap_entities
from takopi.core.texts import tr
from takopi.model import EngineId

__all__ = [
    "CANCEL_PREFIX",
    "PICK_PREFIX",
    "bold",
    "cancel_data",
    "code",
    "conflict_reply",
    "engine_reply",
    "hint_reply",
    "marked",
    "message",
    "route_reply",
    "unknown_reply",
]

CANCEL_PREFIX = "cancel:"
PICK_PREFIX = "pick:"
"""Begins the data of a choice between turns to cancel; its message shows what was picked."""

# Stands for a piece with a look of its own until a text is in its language.
_SLOT = "\x00"
_TYPED = re.compile(r"`([^`\n]+)`")


class Styled(msgspec.Struct, frozen=True):
    """Be a piece of text with one look; made by `bold` and `code`."""

    text: str
    kind: EntityKind


def bold(text: str) -> Styled:
    """Show a piece of text as a heading."""
    return Styled(text, "bold")


def code(text: str) -> Styled:
    """Show a piece of text as something to type."""
    return Styled(text, "code")


def marked(text: str) -> list[str | Styled]:
    """Take a text apart: what stands in backticks is something to type."""
    return [code(part) if n % 2 else part for n, part in enumerate(_TYPED.split(text))]


def message(*pieces: str | Styled, buttons: tuple[tuple[Button, ...], ...] = ()) -> ChatMessage:
    """Put pieces together to a message; what stands in backticks is something to type."""
    parts = [p for piece in pieces for p in (marked(piece) if isinstance(piece, str) else [piece])]
    text, entities, offset = [], [], 0
    for piece in parts:
        words = piece if isinstance(piece, str) else piece.text
        length = utf16_len(words)
        if not isinstance(piece, str) and length:
            entities.append(Entity(piece.kind, offset, length))
        text.append(words)
        offset += length
    body = RichText("".join(text), tuple(entities))
    return ChatMessage(cap_entities(body, MAX_ENTITIES), buttons)


def cancel_data(turn_id: str) -> str:
    """Make what the Cancel button of a turn sends back."""
    return CANCEL_PREFIX + turn_id


def hint_reply() -> ChatMessage:
    """Say what to do instead of sending nothing that can be read."""
    return message(
        tr(
            "There is no text in this message, and nothing else that reaches an engine. Write what "
            "you want done, or {help}.",
            help="/help",
        )
    )


def engine_reply(
    engine: EngineId, default_engine: EngineId, missing: MissingEngine | None = None
) -> ChatMessage:
    """Explain an engine's directive, and say what is missing where it cannot run."""
    standing = (
        tr("It is the default here, so the directive may be left out.")
        if engine == default_engine
        else tr("Without it {engine} is asked.", engine=default_engine)
    )
    return message(
        tr("/{engine} at the start of a message asks {engine}, for example:", engine=engine),
        "\n",
        code(tr("/{engine} explain this repository", engine=engine)),
        f"\n{standing}",
        *(() if missing is None else ("\n", missing_line([missing]))),
    )


def unknown_reply(unknown: UnknownCommand) -> ChatMessage:
    """Answer a command that nobody knows."""
    near = ", ".join(f"/{name}" for name in unknown.nearest)
    meant = (
        tr("Did you mean {near}?", near=near)
        if near
        else tr("{help} lists what there is.", help="/help")
    )
    text = tr(
        "Nobody here knows {word}, so nothing was sent. {meant} To send it as text, double the "
        "slash: {doubled}",
        word=_SLOT,
        meant=meant,
        doubled=_SLOT,
    )
    words = (code(f"/{unknown.word[:64]}"), code(f"//{unknown.word[:64]}"))
    return message(*_with_slots(text, words))


def conflict_reply(conflict: EngineConflict) -> ChatMessage:
    """Answer a message that names two engines."""
    if not conflict.in_session:
        return message(
            tr(
                "This names two engines, {held} and {wanted}; nothing was sent. Name one.",
                held=conflict.held,
                wanted=conflict.wanted,
            )
        )
    return message(
        tr(
            "This session belongs to {held}, and {wanted} cannot continue it; nothing was sent. "
            "Leave /{wanted} out to go on with {held}, or send it as a message of its own to start "
            "anew with {wanted}.",
            held=conflict.held,
            wanted=conflict.wanted,
        )
    )


def route_reply(decision: Route, default_engine: EngineId) -> ChatMessage | None:
    """Answer a message that is neither a prompt nor a command; None when it gets no answer."""
    match decision:
        case UnknownCommand():
            return unknown_reply(decision)
        case EngineConflict():
            return conflict_reply(decision)
        case EngineExplained(engine):
            return engine_reply(engine, default_engine)
        case NothingSaid():
            return hint_reply()
        case ContextExplained() | ContextTwice() | BadBranch():
            return context_reply(decision)
        case _:
            return None


def _with_slots(text: str, pieces: Sequence[Styled]) -> list[str | Styled]:
    """Put pieces with a look where a translation has them."""
    plain, *others = text.split(_SLOT)
    found: list[str | Styled] = [plain]
    for piece, after in zip(pieces, others, strict=False):
        found += [piece, after]
    return found
