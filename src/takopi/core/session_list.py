"""What `/sessions` shows: a line a session, a button each, and pages of them."""

import hashlib
from typing import Literal, TypeAlias

import msgspec

from takopi.context import RunContext
from takopi.core.chat import Button, ChatMessage
from takopi.core.commands import press_data
from takopi.core.durations import format_about
from takopi.core.replies import Styled, bold, code, message
from takopi.core.session_replies import where_words
from takopi.core.shorten import one_line
from takopi.core.texts import tr
from takopi.model import EngineId, ResumeToken

__all__ = [
    "PAGE",
    "SessionEntry",
    "SessionState",
    "SessionView",
    "entry_key",
    "sessions_reply",
    "view_key",
]

SessionState: TypeAlias = Literal[
    "running", "waiting", "done", "failed", "cancelled", "interrupted", "desktop"
]

PAGE = 8
_FIRST_UNITS = 90
_LABEL_UNITS = 40
_KEY_BYTES = 6
_DAY_S = 86_400


class SessionEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Be one session of a list.

    Args:
        session: Its name.
        first: Its first words; may be empty.
        used_at: When it was used last, unix seconds.
        state: How its last turn stands.
        turn_id: A turn that ran in it; empty for one of the desktop.
        goes_on: Whether the next prompt for its engine goes on with it.
    """

    session: ResumeToken
    first: str
    used_at: float
    state: SessionState
    turn_id: str = ""
    goes_on: bool = False


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """Be one page of a list.

    Args:
        context: Whose sessions.
        engine: Of which engine; None for all.
        entries: All of them, those used last first.
        page: Which page, from 0.
        now: Present moment, unix seconds.
    """

    context: RunContext
    engine: EngineId | None
    entries: tuple[SessionEntry, ...]
    page: int
    now: float


def entry_key(session: ResumeToken) -> str:
    """Name a session in the data of a button, which has no room for long ids."""
    return _digest(session.engine, session.value)


def view_key(context: RunContext, engine: EngineId | None) -> str:
    """Name a list in the data of a button."""
    return _digest(context.project or "", context.branch or "", engine or "")


def sessions_reply(view: SessionView) -> ChatMessage:
    """Show a page of a list."""
    where = where_words(view.context)
    if not view.entries:
        return message(
            tr("There are no sessions yet in {where}. Any prompt begins one.", where=where),
            "\n",
            tr("Those of another project or branch: "),
            code("/sessions /project @branch"),
        )
    pages = -(-len(view.entries) // PAGE)
    page = min(max(view.page, 0), pages - 1)
    first = page * PAGE
    shown = view.entries[first : first + PAGE]
    title = tr("Sessions in {where}", where=where)
    if pages > 1:
        title = f"{title} ({page + 1}/{pages})"
    pieces: list[str | Styled] = [bold(title)]
    rows: list[tuple[Button, ...]] = []
    key = view_key(view.context, view.engine)
    for number, entry in enumerate(shown, first + 1):
        pieces.append(f"\n{number}. {_line(entry, view.now)}")
        label = f"{number}. {one_line(entry.first, _LABEL_UNITS) or entry.session.engine}"
        rows.append((Button(label, _data(entry, key)),))
    turning = _turning(page, pages, key)
    buttons = (*rows, turning) if turning else tuple(rows)
    return message(*pieces, buttons=buttons)


def _line(entry: SessionEntry, now: float) -> str:
    words = [one_line(entry.first, _FIRST_UNITS) or tr("(no words)"), entry.session.engine]
    words += [_age(now - entry.used_at), _state(entry.state)]
    if entry.goes_on:
        words.append(tr("goes on here"))
    return " · ".join(words)


def _age(age_s: float) -> str:
    if age_s < _DAY_S:
        return tr("{age} ago", age=format_about(age_s))
    return tr("{days} d ago", days=int(age_s // _DAY_S))


def _state(state: SessionState) -> str:
    match state:
        case "running":
            return tr("running")
        case "waiting":
            return tr("waiting")
        case "done":
            return tr("done")
        case "failed":
            return tr("failed")
        case "cancelled":
            return tr("cancelled")
        case "interrupted":
            return tr("interrupted")
        case "desktop":
            return tr("desktop")


def _data(entry: SessionEntry, key: str) -> str:
    if entry.turn_id:
        return press_data("sessions", "t", entry.turn_id)
    return press_data("sessions", "d", key, entry_key(entry.session))


def _turning(page: int, pages: int, key: str) -> tuple[Button, ...]:
    row: list[Button] = []
    if page > 0:
        row.append(Button(tr("‹ Newer"), press_data("sessions", "p", key, str(page - 1))))
    if page < pages - 1:
        row.append(Button(tr("Older ›"), press_data("sessions", "p", key, str(page + 1))))
    return tuple(row)


def _digest(*words: str) -> str:
    # No engine, project or branch has a newline in its name.
    return hashlib.blake2b(
        "\n".join(words).encode("utf-8", "replace"), digest_size=_KEY_BYTES
    ).hexdigest()
