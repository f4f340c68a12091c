"""The statements behind each change; whoever calls holds the transaction."""

import sqlite3
from collections.abc import Iterable, Sequence

from takopi.bridge.records import (
    AcceptedUpdate,
    Change,
    LetterGone,
    LetterPut,
    MessageBound,
    OfferPut,
    OfferRecord,
    OfferTaken,
    PlacePut,
    ScheduleGone,
    SchedulePut,
    TurnPut,
    TurnRecord,
    UpdateHandled,
)
from takopi.bridge.turn_ends import over_at, usage_row
from takopi.core.chat import ChatUpdate
from takopi.core.turn_state import ENDS
from takopi.core.update_keys import update_keys
from takopi.errors import OfferClosed
from takopi.store.rows import note, packed, packed_letter, whole

__all__ = ["may_use_reserve", "starts_something", "write_changes", "write_updates"]

_UPDATE_TURN = """UPDATE turns SET state = ?, conversation = ?, session_engine = ?,
    session_value = ?, run_id = ?, over_at = ?, body = ?, transport = ?, chat_id = ?, thread_id = ?,
    engine = ?, project = ?, branch = ?, accepted_at = ? WHERE turn_id = ?"""
_INSERT_TURN = """INSERT INTO turns (state, conversation, session_engine, session_value, run_id,
    over_at, body, transport, chat_id, thread_id, engine, project, branch, accepted_at, turn_id)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_PUT_USAGE = "INSERT OR REPLACE INTO usage VALUES (?, ?, ?, ?, ?, ?)"
# The moment when a topic was found to be gone is the pruning's; it stays while the topic is gone.
_PUT_PLACE = """INSERT INTO places (key, gone, body) VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET gone = excluded.gone, body = excluded.body,
    gone_since = CASE WHEN excluded.gone THEN gone_since END"""
_PUT_SCHEDULE = """INSERT INTO schedules (schedule_id, body) VALUES (?, ?)
    ON CONFLICT (schedule_id) DO UPDATE SET body = excluded.body"""
_BIND = "INSERT OR REPLACE INTO messages (chat_id, message_id, turn_id, role) VALUES (?, ?, ?, ?)"
_PUT_LETTER = """INSERT INTO letters (letter_id, body) VALUES (?, ?)
    ON CONFLICT (letter_id) DO UPDATE SET body = excluded.body"""
# What was taken stays taken, also when the offer is written down once more.
_PUT_OFFER = """INSERT INTO offers (offer_id, turn_id, taken, body) VALUES (?, ?, ?, ?)
    ON CONFLICT (offer_id) DO UPDATE SET turn_id = excluded.turn_id,
    taken = coalesce(taken, excluded.taken), body = excluded.body"""
_TAKE_OFFER = "UPDATE offers SET taken = ? WHERE offer_id = ? AND taken IS NULL"
_SEEN = "SELECT 1 FROM seen WHERE key IN (?, ?)"
_SEE = "INSERT OR REPLACE INTO seen VALUES (?, ?)"
# An answer has the number of its first update: it grows for ever and needs no row of its own.
_TAKE_UPDATE = """INSERT INTO updates (arrived_at, body, batch) VALUES (?, ?,
    coalesce(?, (SELECT seq + 1 FROM sqlite_sequence WHERE name = 'updates'), 1))"""


def write_updates(
    db: sqlite3.Connection, updates: Sequence[ChatUpdate], newest: int | None, arrived_at: float
) -> tuple[AcceptedUpdate, ...]:
    """Take what was never taken before."""
    fresh: list[AcceptedUpdate] = []
    for update in updates:
        keys = update_keys(update)
        known = db.execute(_SEEN, keys).fetchone() is not None
        for key in keys:
            db.execute(_SEE, (key, arrived_at))
        if known:
            continue
        batch = fresh[0].id if fresh else None
        number = db.execute(_TAKE_UPDATE, (arrived_at, packed(update), batch)).lastrowid
        assert number is not None
        fresh.append(
            AcceptedUpdate(id=number, update=update, arrived_at=arrived_at, batch=batch or number)
        )
    if newest is not None:
        note(db, "newest", newest)
    return tuple(fresh)


def write_changes(db: sqlite3.Connection, changes: Iterable[Change]) -> None:
    """Make changes in their order.

    Raises:
        OfferClosed: An offer was taken before.
    """
    for change in changes:
        match change:
            case TurnPut(turn):
                _put_turn(db, turn)
            case MessageBound(chat_id, message_id, turn_id, role):
                db.execute(_BIND, (chat_id, message_id, turn_id, role))
            case LetterPut(letter):
                db.execute(_PUT_LETTER, (letter.letter_id, packed_letter(letter)))
            case LetterGone(letter_id):
                db.execute("DELETE FROM letters WHERE letter_id = ?", (letter_id,))
            case OfferPut(offer):
                _put_offer(db, offer)
            case OfferTaken(offer_id, choice):
                if not db.execute(_TAKE_OFFER, (choice, offer_id)).rowcount:
                    raise OfferClosed("this was decided before")
            case UpdateHandled(number):
                db.execute("UPDATE updates SET handled = 1 WHERE id = ?", (number,))
            case PlacePut(place):
                db.execute(_PUT_PLACE, (whole(place.key), place.gone, packed(place)))
            case SchedulePut(schedule):
                db.execute(_PUT_SCHEDULE, (schedule.schedule_id, packed(schedule)))
            case ScheduleGone(schedule_id):
                db.execute("DELETE FROM schedules WHERE schedule_id = ?", (schedule_id,))


def _put_turn(db: sqlite3.Connection, turn: TurnRecord) -> None:
    session = turn.session
    values = (
        turn.state,
        turn.conversation,
        None if session is None else session.engine,
        None if session is None else session.value,
        turn.run_id,
        over_at(turn),
        packed(turn),
        turn.scope.transport,
        turn.scope.chat_id,
        turn.scope.thread_id,
        turn.engine,
        whole(turn.project),
        whole(turn.branch),
        turn.accepted_at,
        turn.turn_id,
    )
    # Not one statement with ON CONFLICT: that would use up a number with each change of a turn.
    if not db.execute(_UPDATE_TURN, values).rowcount:
        db.execute(_INSERT_TURN, values)
    cost = usage_row(turn)
    if cost is not None:
        where = cost.engine, whole(cost.project), cost.chat_id
        db.execute(_PUT_USAGE, (turn.turn_id, cost.ended_at, *where, packed(cost.usage)))


def _put_offer(db: sqlite3.Connection, offer: OfferRecord) -> None:
    db.execute(_PUT_OFFER, (offer.offer_id, offer.turn_id, offer.taken, packed(offer)))


def starts_something(changes: Sequence[Change]) -> bool:
    """Tell whether changes are refused when only the last room is left.

    They begin work that takes more room later, or note wishes that a person can say again.
    """
    return any(_begins(change) for change in changes) or (
        any(isinstance(change, PlacePut | SchedulePut) for change in changes)
        and not any(_ends(change) for change in changes)
    )


def may_use_reserve(changes: Sequence[Change]) -> bool:
    """Tell whether changes are worth the last room: they bring a final on its way or to an end."""
    return any(isinstance(change, LetterPut) or _ends(change) for change in changes)


def _begins(change: Change) -> bool:
    return (
        isinstance(change, TurnPut)
        and change.turn.state in ("queued", "starting")
        and not change.turn.cancelled
    )


def _ends(change: Change) -> bool:
    if isinstance(change, TurnPut):
        return change.turn.state == "delivering" or change.turn.state in ENDS
    return isinstance(change, LetterGone)  # what was sent must not be sent again
