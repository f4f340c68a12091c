"""How records stand in rows, and how they are read back.

A record is one column of JSON; what is asked for has a column beside it. Letters are MessagePack,
because a document's bytes would grow by a third in JSON. The same statements serve the bot and
whoever only reads.
"""

import sqlite3
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import replace

from takopi.bridge.ports import TurnFilter, UsageRow
from takopi.bridge.records import (
    AcceptedUpdate,
    JournalState,
    LetterRecord,
    OfferRecord,
    TurnRecord,
)
from takopi.core.chat import ChatUpdate
from takopi.core.places import PlaceRecord
from takopi.core.schedules import ScheduleRecord
from takopi.core.turn_state import ENDS, TRANSITIONS
from takopi.model import ResumeToken

__all__ = [
    "SELECT_TURN",
    "fetch_newest_turns",
    "fetch_offer",
    "fetch_schedules",
    "fetch_state",
    "fetch_turn",
    "fetch_turn_of_message",
    "fetch_usage",
    "note",
    "noted",
    "numbers_of",
    "packed",
    "packed_letter",
    "turn_from_row",
    "whole",
]

SELECT_TURN = """SELECT t.seq, t.body,
    (SELECT p.message_id FROM messages p WHERE p.turn_id = t.turn_id AND p.role = 'progress'
        ORDER BY p.bound DESC LIMIT 1)
    FROM turns t"""
_OPEN = ", ".join(f"'{state}'" for state in TRANSITIONS if state not in ENDS)
_OPEN_TURNS = f"{SELECT_TURN} WHERE t.state IN ({_OPEN}) ORDER BY t.seq"
_TURN = f"{SELECT_TURN} WHERE t.turn_id = ?"
_TURN_OF_MESSAGE = (
    f"{SELECT_TURN} JOIN messages m ON m.turn_id = t.turn_id WHERE m.chat_id = ? AND "
    "m.message_id = ?"
)
_SESSION = (
    "SELECT session_engine, session_value FROM turns WHERE conversation = ? AND "
    "session_value IS NOT NULL AND seq > ? "
    "ORDER BY (session_engine = ? AND session_value = ?) DESC, seq DESC LIMIT 1"
)
_NUMBERS = "SELECT t.seq FROM turns t {} WHERE {} ORDER BY t.seq DESC"
_NUMBERED = f"{SELECT_TURN} WHERE t.seq = ?"
_KNOWS_SESSION = """(t.session_value IS NOT NULL OR (t.conversation <> '' AND EXISTS (
    SELECT 1 FROM turns o WHERE o.conversation = t.conversation
        AND o.session_value IS NOT NULL)))"""
_NUMBERED_WITH_SESSION = f"{_NUMBERED} AND {_KNOWS_SESSION}"
_USAGE = """SELECT ended_at, engine, project, chat_id, body FROM usage WHERE ended_at >= ?
    ORDER BY ended_at, turn_id"""

_turn = msgspec.json.Decoder(TurnRecord)
_update: msgspec.json.Decoder[ChatUpdate] = msgspec.json.Decoder(ChatUpdate)
_offer = msgspec.json.Decoder(OfferRecord)
_place = msgspec.json.Decoder(PlaceRecord)
_schedule = msgspec.json.Decoder(ScheduleRecord)
_usage = msgspec.json.Decoder(dict[str, Any])
_letter = msgspec.msgpack.Decoder(LetterRecord)
_json = msgspec.json.Encoder()
_msgpack = msgspec.msgpack.Encoder()


def packed(record: object) -> str:
    """Write a record as JSON.

    Half of a surrogate pair, as a name of a file may hold, has no place in UTF-8, and an engine of
    a plug-in may count in things that are no JSON: both become text that is, since a record that
    could never be written down would be tried for ever.
    """
    try:
        return _json.encode(record).decode()
    except (UnicodeEncodeError, TypeError):
        return _json.encode(_mended(msgspec.to_builtins(record, enc_hook=str))).decode()


def packed_letter(letter: LetterRecord) -> bytes:
    """Write a letter as MessagePack; as with `packed`, halves of surrogate pairs are replaced."""
    try:
        return _msgpack.encode(letter)
    except UnicodeEncodeError:
        return _msgpack.encode(_mended(msgspec.to_builtins(letter, builtin_types=(bytes,))))


def whole(text: str | None) -> str | None:
    """Return a text for a column; as with `packed`, halves of surrogate pairs are replaced."""
    return None if text is None else _mended_text(text)


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return _mended_text(value)
    if isinstance(value, dict):
        return {_mended_text(str(key)): _mended(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mended(item) for item in value]
    return value


def _mended_text(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def turn_from_row(row: tuple[Any, ...]) -> TurnRecord:
    """Read a row of `SELECT_TURN`."""
    seq, body, progress_id = row
    return replace(_turn.decode(body), seq=seq, progress_id=progress_id)


def fetch_turn(db: sqlite3.Connection, turn_id: str) -> TurnRecord | None:
    """Return a turn as it was written down last."""
    row = db.execute(_TURN, (turn_id,)).fetchone()
    return None if row is None else turn_from_row(row)


def fetch_turn_of_message(
    db: sqlite3.Connection, chat_id: int, message_id: int
) -> TurnRecord | None:
    """Find the turn of a message, with the session of its conversation."""
    row = db.execute(_TURN_OF_MESSAGE, (chat_id, message_id)).fetchone()
    if row is None:
        return None
    return _with_session(db, turn_from_row(row))


def _with_session(db: sqlite3.Connection, turn: TurnRecord) -> TurnRecord:
    if turn.session is not None or not turn.conversation:
        return turn
    asked = (turn.asked.engine, turn.asked.value) if turn.asked is not None else ("", "")
    wanted = (turn.conversation, turn.seq if turn.began_anew else 0, *asked)
    session = db.execute(_SESSION, wanted).fetchone()
    return turn if session is None else replace(turn, session=ResumeToken(*session))


def fetch_newest_turns(
    db: sqlite3.Connection, wanted: TurnFilter, limit: int
) -> tuple[TurnRecord, ...]:
    """List turns, the newest first, with the sessions of their conversations."""
    question = _NUMBERED_WITH_SESSION if wanted.with_session else _NUMBERED
    rows = (db.execute(question, number).fetchone() for number in db.execute(*numbers_of(wanted)))
    found = (_with_session(db, turn_from_row(row)) for row in rows if row is not None)
    known = (turn for turn in found if turn.session is not None or not wanted.with_session)
    turns = (turn for turn in known if turn.origin != "files")
    return tuple(islice(turns, max(limit, 0)))


def numbers_of(wanted: TurnFilter) -> tuple[str, list[Any]]:
    """Return the statement that gives the numbers of turns, and its values.

    It needs an index alone, so that only as many rows are read as are wanted. The index is named,
    as SQLite takes an engine for something rare and would look through all its turns.
    """
    index, scope, context = "", wanted.scope, wanted.context
    where: list[tuple[str, Any]] = []
    if wanted.accepted_since is not None:
        index = "turns_by_time"
        where.append(("t.accepted_at >= ?", wanted.accepted_since))
    if wanted.engine is not None:
        index = "turns_by_engine"
        where.append(("t.engine = ?", wanted.engine))
    if context is not None:
        index = "turns_by_context"
        where.append(("t.project IS ?", whole(context.project)))
        where.append(("t.branch IS ?", whole(context.branch)))
    if wanted.chat_id is not None:
        index = "turns_by_place"
        where.append(("t.chat_id = ?", wanted.chat_id))
    if scope is not None:
        index = "turns_by_place"
        where.append(("t.chat_id = ?", scope.chat_id))
        where.append(("t.transport = ?", scope.transport))
        where.append(("t.thread_id IS ?", scope.thread_id))
    conditions = " AND ".join(condition for condition, _ in where) or "TRUE"
    by = f"INDEXED BY {index}" if index else ""
    return _NUMBERS.format(by, conditions), [value for _, value in where]


def fetch_usage(db: sqlite3.Connection, since: float) -> tuple[UsageRow, ...]:
    """List what turns that ended since a moment cost."""
    return tuple(
        UsageRow(ended_at, engine, project, chat_id, _usage.decode(body))
        for ended_at, engine, project, chat_id, body in db.execute(_USAGE, (since,))
    )


def fetch_schedules(db: sqlite3.Connection) -> tuple[ScheduleRecord, ...]:
    """List the schedules in the order in which they were made."""
    rows = db.execute("SELECT body FROM schedules ORDER BY number")
    return tuple(_schedule.decode(body) for (body,) in rows)


def fetch_offer(db: sqlite3.Connection, offer_id: str) -> OfferRecord | None:
    """Return an offer, open or taken."""
    row = db.execute("SELECT body, taken FROM offers WHERE offer_id = ?", (offer_id,)).fetchone()
    return None if row is None else replace(_offer.decode(row[0]), taken=row[1])


def fetch_state(db: sqlite3.Connection) -> JournalState:
    """Return what is not over."""
    updates = db.execute(
        "SELECT id, arrived_at, batch, body FROM updates WHERE handled = 0 ORDER BY id"
    )
    letters = db.execute("SELECT body FROM letters ORDER BY letter_id")
    places = db.execute("SELECT body FROM places ORDER BY key")
    newest = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'letters'").fetchone()
    return JournalState(
        turns=tuple(turn_from_row(row) for row in db.execute(_OPEN_TURNS)),
        letters=tuple(_letter.decode(body) for (body,) in letters),
        updates=tuple(
            AcceptedUpdate(id=number, arrived_at=at, batch=batch, update=_update.decode(body))
            for number, at, batch, body in updates
        ),
        next_letter_id=newest[0] + 1 if newest else 1,
        places=tuple(_place.decode(body) for (body,) in places),
        schedules=fetch_schedules(db),
        damage=noted(db, "damage") or "",
    )


def note(db: sqlite3.Connection, key: str, value: str | int | None) -> None:
    """Write down one fact about the journal itself; None takes it back."""
    if value is None:
        db.execute("DELETE FROM meta WHERE key = ?", (key,))
    else:
        db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def noted(db: sqlite3.Connection, key: str) -> Any:
    """Return one fact about the journal itself; None when it was never written down."""
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else row[0]
