"""What takopi itself says: answers to commands, hints, the message of a turn that waits."""

from collections.abc import Sequence

import msgspec

from takopi.core.chat import Button, ChatMessage
from takopi.core.context_replies import context_reply
from takopi.core.durations import format_elapsed
from takopi.core.richtext import Entity, EntityKind, RichText, utf16_len
from takopi.core.route import (
    BranchRefused,
    ContextExplained,
    ContextTwice,
    EngineConflict,
    EngineExplained,
    NothingSaid,
    Route,
    UnknownCommand,
)
from takopi.core.shorten import one_line
from takopi.core.texts import tr
from takopi.core.turn_queue import Place
from takopi.model import EngineId

__all__ = [
    "CANCEL_PREFIX",
    "PICK_PREFIX",
    "EngineVersion",
    "TurnLine",
    "bold",
    "cancel_choice",
    "cancel_data",
    "code",
    "conflict_reply",
    "engine_reply",
    "hint_reply",
    "message",
    "queued_message",
    "route_reply",
    "status_reply",
    "unknown_reply",
]

CANCEL_PREFIX = "cancel:"
PICK_PREFIX = "pick:"
"""Begins the data of a choice between turns to cancel; its message shows what was picked."""

_PREVIEW_UNITS = 60
_MAX_LINES = 15
# Stands for a piece with a look of its own until a text is in its language.
_SLOT = "\x00"


class Styled(msgspec.Struct, frozen=True):
    """Be a piece of text with one look; made by `bold` and `code`."""

    text: str
    kind: EntityKind


class TurnLine(msgspec.Struct, frozen=True, kw_only=True):
    """Say of one turn what a list of turns shows.

    Args:
        turn_id: Names it in button data.
        engine: Its engine.
        prompt: The person's words.
        elapsed_s: Seconds since it started; None while it waits.
        place: Why it waits.
        cancelling: Whether somebody asked to cancel it.
    """

    turn_id: str
    engine: EngineId
    prompt: str
    elapsed_s: float | None = None
    place: Place | None = None
    cancelling: bool = False


class EngineVersion(msgspec.Struct, frozen=True):
    """Say which version of an engine's CLI is installed, if any."""

    engine: EngineId
    version: str | None


def bold(text: str) -> Styled:
    """Show a piece of text as a heading."""
    return Styled(text, "bold")


def code(text: str) -> Styled:
    """Show a piece of text as something to type."""
    return Styled(text, "code")


def message(*pieces: str | Styled, buttons: tuple[tuple[Button, ...], ...] = ()) -> ChatMessage:
    """Put pieces together to a message."""
    text, entities, offset = [], [], 0
    for piece in pieces:
        words = piece if isinstance(piece, str) else piece.text
        length = utf16_len(words)
        if not isinstance(piece, str) and length:
            entities.append(Entity(piece.kind, offset, length))
        text.append(words)
        offset += length
    return ChatMessage(RichText("".join(text), tuple(entities)), buttons)


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


def engine_reply(engine: EngineId, default_engine: EngineId) -> ChatMessage:
    """Explain an engine's directive."""
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
        case ContextExplained() | ContextTwice() | BranchRefused():
            return context_reply(decision)
        case _:
            return None


def queued_message(engine: EngineId, place: Place | None, turn_id: str) -> ChatMessage:
    """Be the message of a turn that waits; it becomes the progress message."""
    words = [tr("queued"), engine]
    if place is not None and place.why == "session":
        words.append(tr("{count} before it in this session", count=place.ahead))
    elif place is not None and place.why == "person":
        words.append(tr("waits for a decision"))
    elif place is not None and place.why == "limit":
        words.append(tr("as many turns run as may at once") + _ahead(place))
    return message(" · ".join(words), buttons=_cancel_row(tr("Cancel"), turn_id))


def cancel_choice(turns: Sequence[TurnLine]) -> ChatMessage:
    """Ask which of several turns is meant."""
    rows = [
        (Button(one_line(_line(turn), _PREVIEW_UNITS), PICK_PREFIX + turn.turn_id),)
        for turn in turns[:_MAX_LINES]
    ]
    return message(tr("Several turns run here. Which one?"), buttons=tuple(rows))


def status_reply(
    turns: Sequence[TurnLine], takopi_version: str, versions: Sequence[EngineVersion]
) -> ChatMessage:
    """Say what runs, what waits, and versions."""
    running = [turn for turn in turns if turn.elapsed_s is not None]
    waiting = [turn for turn in turns if turn.elapsed_s is None]
    pieces: list[str | Styled] = []
    for heading, group in ((tr("Running"), running), (tr("Waiting"), waiting)):
        if group:
            pieces += [bold(heading), "\n", *_listed(group), "\n"]
    if not pieces:
        pieces += [tr("Nothing runs and nothing waits."), "\n\n"]
    pieces += [bold(tr("Versions")), f"\ntakopi {takopi_version}\n"]
    pieces += [f"{found.engine} {found.version or tr('not installed')}\n" for found in versions]
    return message(*pieces[:-1], str(pieces[-1]).rstrip("\n"))


def _listed(turns: Sequence[TurnLine]) -> list[str]:
    lines = [f"{_line(turn)}\n" for turn in turns[:_MAX_LINES]]
    if len(turns) > _MAX_LINES:
        lines.append(tr("and {count} more", count=len(turns) - _MAX_LINES) + "\n")
    return lines


def _line(turn: TurnLine) -> str:
    words = [turn.engine]
    if turn.elapsed_s is not None:
        words.append(tr("cancelling") if turn.cancelling else format_elapsed(turn.elapsed_s))
    elif turn.place is not None:
        words.append(_why(turn.place))
    return " · ".join((*words, one_line(turn.prompt, _PREVIEW_UNITS)))


def _why(place: Place) -> str:
    """Say in brief what a turn waits for."""
    match place.why:
        case "session":
            return tr("{count} before it in this session", count=place.ahead)
        case "limit":
            return tr("waits for a free run") + _ahead(place)
        case "gathering":
            return tr("waits for the rest of it")
        case "person":
            return tr("waits for a decision")


def _ahead(place: Place) -> str:
    return tr(", {count} before it", count=place.ahead) if place.ahead else ""


def _with_slots(text: str, pieces: Sequence[Styled]) -> list[str | Styled]:
    """Put pieces with a look where a translation has them."""
    plain, *others = text.split(_SLOT)
    found: list[str | Styled] = [plain]
    for piece, after in zip(pieces, others, strict=False):
        found += [piece, after]
    return found


def _cancel_row(label: str, turn_id: str) -> tuple[tuple[Button, ...], ...]:
    return ((Button(label, cancel_data(turn_id)),),)
