"""Lists of turns: what runs, what waits and for what; and the message of one that waits."""

from collections.abc import Sequence

import msgspec

from takopi.core.chat import Button, ChatMessage
from takopi.core.commands import press_data
from takopi.core.durations import format_about, format_elapsed
from takopi.core.missing_engines import UNKNOWN_VERSION
from takopi.core.replies import PICK_PREFIX, Styled, bold, cancel_data, message
from takopi.core.shorten import one_line
from takopi.core.split import split_rich
from takopi.core.texts import tr, tr_n
from takopi.core.turn_queue import QueuePlace
from takopi.model import EngineId

__all__ = [
    "EngineVersion",
    "TurnLine",
    "cancel_choice",
    "is_queued",
    "queue_reply",
    "queued_message",
    "status_reply",
]

_PREVIEW_UNITS = 60
_WHERE_UNITS = 40
_VERSION_UNITS = 300
_MAX_LINES = 15
_MAX_UNITS = 4096
_BUTTONS_A_ROW = 4


class TurnLine(msgspec.Struct, frozen=True, kw_only=True):
    """Say of one turn what a list of turns shows.

    Args:
        turn_id: Names it in button data.
        engine: Its engine.
        prompt: The person's words.
        elapsed_s: Seconds since it started; None while it waits.
        place: Why it waits.
        cancelling: Whether somebody asked to cancel it.
        waited_s: Seconds since it was asked for; None once it has started.
        where: Project and branch; empty for none.
        steps: What its engine has done so far.
    """

    turn_id: str
    engine: EngineId
    prompt: str
    elapsed_s: float | None = None
    place: QueuePlace | None = None
    cancelling: bool = False
    waited_s: float | None = None
    where: str = ""
    steps: int = 0


class EngineVersion(msgspec.Struct, frozen=True):
    """Say which version of an engine's CLI is installed, if any."""

    engine: EngineId
    version: str | None


def queued_message(engine: EngineId, place: QueuePlace | None, turn_id: str) -> ChatMessage:
    """Be the message of a turn that waits; it becomes the progress message."""
    why = ""
    if place is not None and place.why != "gathering":
        why = f" · {_why(place)}"
    row = [Button(tr("Cancel"), cancel_data(turn_id))]
    if place is not None and place.waiting:
        row.append(Button(tr("Run next"), press_data("queue", "go", turn_id)))
    return message(tr("queued · {engine}", engine=engine) + why, buttons=(tuple(row),))


def is_queued(shown: ChatMessage) -> bool:
    """Tell whether a message is one of a turn that waits."""
    return shown.body.text.startswith(tr("queued · {engine}", engine=""))


def cancel_choice(turns: Sequence[TurnLine]) -> ChatMessage:
    """Ask which of several turns is meant."""
    rows = [
        (Button(one_line(_line(turn, brief=True), _PREVIEW_UNITS), PICK_PREFIX + turn.turn_id),)
        for turn in turns[:_MAX_LINES]
    ]
    return message(tr("Several turns run here. Which one?"), buttons=tuple(rows))


def status_reply(
    turns: Sequence[TurnLine], takopi_version: str, versions: Sequence[EngineVersion]
) -> ChatMessage:
    """Say what runs, what waits and for how long, and versions; all of it in one message."""
    running = [turn for turn in turns if turn.elapsed_s is not None]
    waiting = [turn for turn in turns if turn.elapsed_s is None]
    pieces: list[str | Styled] = []
    buttons: list[Button] = []
    for heading, group in ((tr("Running"), running), (tr("Waiting"), waiting)):
        if group:
            listed = _numbered(group, len(buttons) + 1)
            pieces += [bold(heading), "\n", *listed, "\n"]
            buttons += [
                Button(
                    tr("Cancel {number}", number=number),
                    press_data("status", "end", turn.turn_id),
                )
                for number, turn in enumerate(group[:_MAX_LINES], len(buttons) + 1)
                if not turn.cancelling
            ]
    if not pieces:
        pieces += [tr("Nothing runs and nothing waits."), "\n\n"]
    pieces += [bold(tr("Versions")), f"\ntakopi {takopi_version}"]
    for found in versions:
        pieces += [f"\n{found.engine} {_version(found.version)}"]
    rows = [
        tuple(buttons[first : first + _BUTTONS_A_ROW])
        for first in range(0, len(buttons), _BUTTONS_A_ROW)
    ]
    refresh = (Button(tr("Refresh"), press_data("status")),)
    return _fitting(message(*pieces, buttons=(*rows, refresh)))


def _version(version: str | None) -> str:
    if version is None:
        return tr("not installed")
    if version == UNKNOWN_VERSION:
        return tr("is installed, but does not tell its version")
    return one_line(version, _VERSION_UNITS)


def queue_reply(turns: Sequence[TurnLine]) -> ChatMessage:
    """List what waits in a chat, with buttons that change the order.

    Args:
        turns: Those that wait, the next one first.
    """
    if not turns:
        return message(tr("Nothing waits here."))
    rows = []
    for number, turn in enumerate(turns[:_MAX_LINES], 1):
        row = [Button(f"{number}. " + tr("Cancel"), press_data("queue", "end", turn.turn_id))]
        if turn.place is not None and turn.place.why != "person" and number > 1:
            row += [
                Button(f"{number}. " + tr("Up"), press_data("queue", "up", turn.turn_id)),
                Button(f"{number}. " + tr("Run next"), press_data("queue", "next", turn.turn_id)),
            ]
        rows.append(tuple(row))
    listed = _numbered(turns, 1)
    return _fitting(message(bold(tr("Waiting")), "\n", *listed, buttons=tuple(rows)))


def _numbered(turns: Sequence[TurnLine], first: int) -> list[str]:
    lines = [f"{n}. {_line(turn)}\n" for n, turn in enumerate(turns[:_MAX_LINES], first)]
    if len(turns) > _MAX_LINES:
        lines.append(tr_n("and {count} more", "and {count} more", len(turns) - _MAX_LINES) + "\n")
    return lines


def _line(turn: TurnLine, *, brief: bool = False) -> str:
    words = [turn.engine]
    if turn.cancelling:
        words.append(tr("cancelling"))
    elif turn.elapsed_s is not None:
        words.append(format_elapsed(turn.elapsed_s))
    elif turn.place is not None:
        words.append(_why(turn.place))
    if brief:
        return " · ".join((*words, one_line(turn.prompt, _PREVIEW_UNITS)))
    if turn.waited_s is not None and turn.waited_s >= 1:
        words.append(tr("asked {age} ago", age=format_about(turn.waited_s)))
    if turn.steps:
        words.append(tr_n("{count} step", "{count} steps", turn.steps))
    if turn.where:
        words.append(one_line(turn.where, _WHERE_UNITS))
    return " · ".join((*words, one_line(turn.prompt, _PREVIEW_UNITS)))


def _why(place: QueuePlace) -> str:
    """Say in brief what a turn waits for."""
    match place.why:
        case "session":
            return tr("{count} before it in this session", count=place.ahead)
        case "limit":
            if place.ahead:
                return tr("waits for a free run, {count} before it", count=place.ahead)
            return tr("waits for a free run")
        case "gathering":
            return tr("waits for the rest of it")
        case "person":
            return tr("waits for a decision")


def _fitting(shown: ChatMessage) -> ChatMessage:
    """Keep the beginning of what one message cannot hold."""
    parts = split_rich(shown.body, max_units=_MAX_UNITS)
    return shown if len(parts) == 1 else ChatMessage(parts[0], shown.buttons)
