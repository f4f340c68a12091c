"""What takopi itself says: answers to commands, hints, the message of a turn that waits."""

from collections.abc import Sequence

import msgspec

from takopi.core.chat import Button, ChatMessage
from takopi.core.commands import COMMANDS, CommandSpec
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
    "help_reply",
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
_MAX_PLUGINS = 20


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


def help_reply(
    engines: Sequence[EngineId], default_engine: EngineId, plugins: Sequence[CommandSpec] = ()
) -> ChatMessage:
    """Say what can be done in this chat.

    Args:
        engines: Those that can be named.
        default_engine: The one that need not be named.
        plugins: The commands that packages bring.
    """
    pieces: list[str | Styled] = [
        "Write what you want done. ",
        f"{default_engine} starts on it, shows its progress in one message and answers in a new "
        "one. Reply to any of its messages to go on in the same session.\n",
    ]
    for group in dict.fromkeys(spec.group for spec in COMMANDS):
        pieces += ["\n", bold(group), "\n"]
        for spec in COMMANDS:
            if spec.group == group:
                pieces += [f"/{spec.name} – {spec.description}\n"]
    pieces += _plugin_lines(plugins)
    pieces += ["\n", bold("Engines"), "\n"]
    pieces += [
        f"/{engine}{' (default)' if engine == default_engine else ''}\n" for engine in engines
    ]
    example = engines[0] if engines else default_engine
    pieces += [
        "\n",
        bold("Examples"),
        "\n",
        code("fix the failing test in parser.py"),
        "\n",
        code(f"/{example} explain this repository"),
        "\n",
        code("//compact"),
        " – the text /compact, not a command",
    ]
    return message(*pieces)


def _plugin_lines(plugins: Sequence[CommandSpec]) -> list[str | Styled]:
    """List the commands of plug-ins; others decide how many there are, so a part must do."""
    shown = plugins[:_MAX_PLUGINS]
    lines: list[str | Styled] = ["\n", bold(tr("Plug-ins")), "\n"] if shown else []
    for spec in shown:
        lines += [f"/{spec.name} – {one_line(spec.description, _PREVIEW_UNITS)}\n"]
    if len(plugins) > len(shown):
        lines += [tr("and {count} more: `takopi plugins` lists them all",
                     count=len(plugins) - len(shown)) + "\n"]  # fmt: skip
    return lines


def hint_reply() -> ChatMessage:
    """Say what to do instead of sending nothing that can be read."""
    return message(
        "There is no text in this message, and nothing else that reaches an engine. Write what you "
        "want done, or ",
        "/help",
        ".",
    )


def engine_reply(engine: EngineId, default_engine: EngineId) -> ChatMessage:
    """Explain an engine's directive."""
    standing = (
        "It is the default here, so the directive may be left out."
        if engine == default_engine
        else f"Without it {default_engine} is asked."
    )
    return message(
        f"/{engine} at the start of a message asks {engine}, for example:\n",
        code(f"/{engine} explain this repository"),
        f"\n{standing}",
    )


def unknown_reply(unknown: UnknownCommand) -> ChatMessage:
    """Answer a command that nobody knows."""
    near = ", ".join(f"/{name}" for name in unknown.nearest)
    meant = f"Did you mean {near}? " if near else "/help lists what there is. "
    return message(
        "Nobody here knows ",
        code(f"/{unknown.word[:64]}"),
        f", so nothing was sent. {meant}To send it as text, double the slash: ",
        code(f"//{unknown.word[:64]}"),
    )


def conflict_reply(conflict: EngineConflict) -> ChatMessage:
    """Answer a message that names two engines."""
    if not conflict.in_session:
        return message(
            f"This names two engines, {conflict.held} and {conflict.wanted}; nothing was sent. "
            "Name one."
        )
    return message(
        f"This session belongs to {conflict.held}, and {conflict.wanted} cannot continue it; "
        f"nothing was sent. Leave /{conflict.wanted} out to go on with {conflict.held}, or send "
        f"it as a message of its own to start anew with {conflict.wanted}."
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
    why = ""
    if place is not None and place.why == "session":
        why = f" · {place.ahead} before it in this session"
    elif place is not None and place.why == "person":
        why = " · waits for a decision"
    elif place is not None and place.why == "limit":
        ahead = f", {place.ahead} before it" if place.ahead else ""
        why = f" · as many turns run as may at once{ahead}"
    return message(f"queued · {engine}{why}", buttons=_cancel_row("Cancel", turn_id))


def cancel_choice(turns: Sequence[TurnLine]) -> ChatMessage:
    """Ask which of several turns is meant."""
    rows = [
        (Button(one_line(_line(turn), _PREVIEW_UNITS), PICK_PREFIX + turn.turn_id),)
        for turn in turns[:_MAX_LINES]
    ]
    return message("Several turns run here. Which one?", buttons=tuple(rows))


def status_reply(
    turns: Sequence[TurnLine], takopi_version: str, versions: Sequence[EngineVersion]
) -> ChatMessage:
    """Say what runs, what waits, and versions."""
    running = [turn for turn in turns if turn.elapsed_s is not None]
    waiting = [turn for turn in turns if turn.elapsed_s is None]
    pieces: list[str | Styled] = []
    for heading, group in (("Running", running), ("Waiting", waiting)):
        if group:
            pieces += [bold(heading), "\n", *_listed(group), "\n"]
    if not pieces:
        pieces += ["Nothing runs and nothing waits.\n\n"]
    pieces += [bold("Versions"), f"\ntakopi {takopi_version}\n"]
    pieces += [f"{found.engine} {found.version or 'not installed'}\n" for found in versions]
    return message(*pieces[:-1], str(pieces[-1]).rstrip("\n"))


def _listed(turns: Sequence[TurnLine]) -> list[str]:
    lines = [f"{_line(turn)}\n" for turn in turns[:_MAX_LINES]]
    if len(turns) > _MAX_LINES:
        lines.append(f"and {len(turns) - _MAX_LINES} more\n")
    return lines


def _line(turn: TurnLine) -> str:
    words = [turn.engine]
    if turn.elapsed_s is not None:
        words.append("cancelling" if turn.cancelling else format_elapsed(turn.elapsed_s))
    elif turn.place is not None:
        words.append(_why(turn.place))
    return " · ".join((*words, one_line(turn.prompt, _PREVIEW_UNITS)))


def _why(place: Place) -> str:
    """Say in brief what a turn waits for."""
    match place.why:
        case "session":
            return f"{place.ahead} before it in this session"
        case "limit":
            before = f", {place.ahead} before it" if place.ahead else ""
            return f"waits for a free run{before}"
        case "gathering":
            return "waits for the rest of it"
        case "person":
            return "waits for a decision"


def _cancel_row(label: str, turn_id: str) -> tuple[tuple[Button, ...], ...]:
    return ((Button(label, cancel_data(turn_id)),),)
