"""A journal that forgets everything with the process: for the terminal and for simulations."""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from takopi.bridge.ports import TurnFilter, UsageRow
from takopi.bridge.records import (
    AcceptedUpdate,
    Change,
    JournalState,
    LetterGone,
    LetterPut,
    LetterRecord,
    MessageBound,
    MessageRole,
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
from takopi.core.journal_keeping import KEEP_GONE_S, KEEP_KEYS_S, KEEP_TURNS_S, KEEP_USAGE_S
from takopi.core.turn_state import ENDS
from takopi.core.update_keys import update_keys
from takopi.errors import OfferClosed

if TYPE_CHECKING:
    from takopi.core.places import PlaceRecord
    from takopi.core.schedules import ScheduleRecord

__all__ = ["MemoryStore"]

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class MemoryStore:
    """Keep the newest entries in memory.

    Args:
        keep: So many messages, finished turns and offers at most; the oldest go first. A reply to a
            forgotten one is still read for its resume line.
    """

    def __init__(self, keep: int = 50_000) -> None:
        self._keep = keep
        self._seen: OrderedDict[str, float] = OrderedDict()
        self._updates: dict[int, AcceptedUpdate] = {}
        self._open: dict[str, TurnRecord] = {}
        self._over: OrderedDict[str, TurnRecord] = OrderedDict()
        self._letters: dict[int, LetterRecord] = {}
        self._offers: OrderedDict[str, OfferRecord] = OrderedDict()
        self._bound: OrderedDict[tuple[int, int], tuple[str, MessageRole]] = OrderedDict()
        self._messages_of: dict[str, dict[tuple[int, int], None]] = {}
        self._turns_of: dict[str, dict[str, None]] = {}
        self._usage: OrderedDict[str, UsageRow] = OrderedDict()
        self._places: dict[str, PlaceRecord] = {}
        self._gone_since: dict[str, float] = {}
        self._schedules: dict[str, ScheduleRecord] = {}
        self._accepted = self._turns = self._next_letter = 0

    async def accept(
        self, updates: Sequence[ChatUpdate], newest: int | None, arrived_at: float
    ) -> tuple[AcceptedUpdate, ...]:
        """Take what was never taken before."""
        del newest
        fresh: list[AcceptedUpdate] = []
        for update in updates:
            keys = update_keys(update)
            known = any(key in self._seen for key in keys)
            for key in keys:
                self._put(self._seen, key, arrived_at)
            if known:
                continue
            self._accepted += 1
            accepted = AcceptedUpdate(
                id=self._accepted,
                update=update,
                arrived_at=arrived_at,
                batch=fresh[0].id if fresh else self._accepted,
            )
            self._updates[accepted.id] = accepted
            fresh.append(accepted)
        return tuple(fresh)

    async def commit(self, changes: Sequence[Change]) -> None:
        """Make all changes in their order, or none when an offer was taken before."""
        self._refuse_taken(changes)
        for change in changes:
            self._make(change)

    async def load(self) -> JournalState:
        """Return what is not over."""
        turns = sorted(self._open.values(), key=lambda turn: turn.seq)
        return JournalState(
            turns=tuple(self._whole(turn) for turn in turns),
            letters=tuple(self._letters[number] for number in sorted(self._letters)),
            updates=tuple(self._updates[number] for number in sorted(self._updates)),
            next_letter_id=self._next_letter + 1,
            places=tuple(self._places[key] for key in sorted(self._places)),
            schedules=tuple(self._schedules.values()),
        )

    async def turn(self, turn_id: str) -> TurnRecord | None:
        """Return a turn as it was written down last."""
        found = self._find(turn_id)
        return None if found is None else self._whole(found)

    async def turn_of_message(self, chat_id: int, message_id: int) -> TurnRecord | None:
        """Find the turn of a message; None for messages nobody knows."""
        turn_id, _ = self._bound.get((chat_id, message_id), ("", None))
        found = self._find(turn_id)
        return None if found is None else self._with_session(self._whole(found))

    async def newest_turns(self, wanted: TurnFilter, limit: int) -> tuple[TurnRecord, ...]:
        """List turns, the newest first, as they were written down last."""
        everything = [*self._over.values(), *self._open.values()]
        turns = [turn for turn in everything if turn.origin != "files"]
        turns.sort(key=lambda turn: turn.seq, reverse=True)
        meant = (self._with_session(turn) for turn in turns if _is_meant(turn, wanted))
        known = (turn for turn in meant if turn.session is not None or not wanted.with_session)
        return tuple(self._whole(turn) for turn in islice(known, max(limit, 0)))

    async def usage_since(self, since: float) -> tuple[UsageRow, ...]:
        """List what the engines of turns that ended since a moment said they cost."""
        rows = [(row.ended_at, turn_id, row) for turn_id, row in self._usage.items()]
        return tuple(row for ended_at, _, row in sorted(rows, key=_by_end) if ended_at >= since)

    async def damage_told(self) -> None:
        """Do nothing: what is only in memory was never damaged."""

    async def offer(self, offer_id: str) -> OfferRecord | None:
        """Return an offer, open or taken."""
        return self._offers.get(offer_id)

    async def prune(self, now: float) -> None:
        """Forget what is too old.

        Args:
            now: Present moment, unix seconds.
        """
        for key in [key for key, at in self._seen.items() if at < now - KEEP_KEYS_S]:
            del self._seen[key]
        old = {t.turn_id for t in self._over.values() if (over_at(t) or 0.0) < now - KEEP_TURNS_S}
        for turn_id in old:
            self._forget_turn(self._over.pop(turn_id))
            for message in list(self._messages_of.get(turn_id, ())):
                self._unbind(message)
        for offer in [offer for offer in self._offers.values() if offer.turn_id in old]:
            del self._offers[offer.offer_id]
        self._prune_usage(now)
        self._prune_places(now)

    def _prune_usage(self, now: float) -> None:
        for turn_id, row in list(self._usage.items()):
            if row.ended_at < now - KEEP_USAGE_S:
                del self._usage[turn_id]

    def _prune_places(self, now: float) -> None:
        for key in [key for key, place in self._places.items() if place.gone]:
            if self._gone_since.setdefault(key, now) < now - KEEP_GONE_S:
                del self._places[key], self._gone_since[key]

    def _refuse_taken(self, changes: Sequence[Change]) -> None:
        taken: dict[str, bool] = {}
        for change in changes:
            if isinstance(change, OfferPut):
                offer = change.offer
                before = taken.get(offer.offer_id, self._is_taken(offer.offer_id))
                taken[offer.offer_id] = before is True or offer.taken is not None
            elif isinstance(change, OfferTaken):
                if taken.get(change.offer_id, self._is_taken(change.offer_id)) is not False:
                    raise OfferClosed("this was decided before")
                taken[change.offer_id] = True

    def _is_taken(self, offer_id: str) -> bool | None:
        offer = self._offers.get(offer_id)
        return None if offer is None else offer.taken is not None

    def _make(self, change: Change) -> None:
        match change:
            case TurnPut(turn):
                self._put_turn(turn)
            case MessageBound(chat_id, message_id, turn_id, role):
                self._bind((chat_id, message_id), turn_id, role)
            case LetterPut(letter):
                self._letters[letter.letter_id] = letter
                self._next_letter = max(self._next_letter, letter.letter_id)
            case LetterGone(letter_id):
                self._letters.pop(letter_id, None)
            case OfferPut(offer):
                before = self._offers.get(offer.offer_id)
                if before is not None and before.taken is not None:
                    offer = replace(offer, taken=before.taken)  # it stays taken
                self._put(self._offers, offer.offer_id, offer)
            case OfferTaken(offer_id, choice):
                self._offers[offer_id] = replace(self._offers[offer_id], taken=choice)
            case UpdateHandled(number):
                self._updates.pop(number, None)
            case PlacePut(place):
                self._places[place.key] = place
                if not place.gone:
                    self._gone_since.pop(place.key, None)
            case SchedulePut(schedule):
                self._schedules[schedule.schedule_id] = schedule
            case ScheduleGone(schedule_id):
                self._schedules.pop(schedule_id, None)

    # Turns, found by their id and by their conversation.

    def _find(self, turn_id: str) -> TurnRecord | None:
        return self._open.get(turn_id) or self._over.get(turn_id)

    def _put_turn(self, turn: TurnRecord) -> None:
        before = self._open.pop(turn.turn_id, None) or self._over.pop(turn.turn_id, None)
        if before is None:
            self._turns += 1
        else:
            self._forget_turn(before)
        turn = replace(turn, seq=self._turns if before is None else before.seq)
        if turn.conversation:
            self._turns_of.setdefault(turn.conversation, {})[turn.turn_id] = None
        if turn.state in ENDS:
            dropped = self._put(self._over, turn.turn_id, turn)
            if dropped is not None:
                self._forget_turn(dropped)
        else:
            self._open[turn.turn_id] = turn
        cost = usage_row(turn)
        if cost is not None:
            self._put(self._usage, turn.turn_id, cost)

    def _forget_turn(self, turn: TurnRecord) -> None:
        of = self._turns_of.get(turn.conversation, {})
        of.pop(turn.turn_id, None)
        if not of:
            self._turns_of.pop(turn.conversation, None)

    def _with_session(self, turn: TurnRecord) -> TurnRecord:
        if turn.session is not None or not turn.conversation:
            return turn
        found = [self._find(turn_id) for turn_id in self._turns_of.get(turn.conversation, ())]
        since = turn.seq if turn.began_anew else 0
        known = [one for one in found if one and one.session is not None and one.seq > since]
        if not known:
            return turn
        nearest = max(known, key=lambda one: (one.session == turn.asked, one.seq))
        return replace(turn, session=nearest.session)

    def _whole(self, turn: TurnRecord) -> TurnRecord:
        progress = [
            message_id
            for chat_id, message_id in self._messages_of.get(turn.turn_id, ())
            if self._bound[(chat_id, message_id)][1] == "progress"
        ]
        return replace(turn, progress_id=progress[-1] if progress else None)

    # Messages, found by their id and by their turn.

    def _bind(self, message: tuple[int, int], turn_id: str, role: MessageRole) -> None:
        self._unbind(message)
        self._messages_of.setdefault(turn_id, {})[message] = None
        self._bound[message] = (turn_id, role)
        if len(self._bound) > self._keep:
            self._unbind(next(iter(self._bound)))

    def _unbind(self, message: tuple[int, int]) -> None:
        before = self._bound.pop(message, None)
        if before is not None:
            of = self._messages_of[before[0]]
            del of[message]
            if not of:
                del self._messages_of[before[0]]

    def _put(self, table: OrderedDict[_Key, _Value], key: _Key, value: _Value) -> _Value | None:
        """Put a value last, and return the first when there were too many."""
        table[key] = value
        table.move_to_end(key)
        return table.popitem(last=False)[1] if len(table) > self._keep else None


def _is_meant(turn: TurnRecord, wanted: TurnFilter) -> bool:
    """Tell whether a turn is meant, but for its session."""
    since = wanted.accepted_since
    return (
        wanted.scope in (None, turn.scope)
        and wanted.chat_id in (None, turn.scope.chat_id)
        and wanted.engine in (None, turn.engine)
        and wanted.context in (None, turn.context)
        and (since is None or turn.accepted_at >= since)
    )


def _by_end(row: tuple[float, str, UsageRow]) -> tuple[float, str]:
    return row[:2]
