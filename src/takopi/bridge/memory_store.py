"""A journal that forgets everything with the process: for the terminal and for simulations."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from takopi.bridge.records import (
    AcceptedUpdate,
    Change,
    JournalState,
    LetterGone,
    LetterPut,
    LetterRecord,
    MessageBound,
    OfferPut,
    OfferRecord,
    OfferTaken,
    TurnPut,
    TurnRecord,
    UpdateHandled,
)
from takopi.core.chat import ChatUpdate
from takopi.core.turn_state import ENDS
from takopi.core.update_keys import update_keys
from takopi.errors import OfferClosed

if TYPE_CHECKING:
    from takopi.model import ResumeToken

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
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._updates: dict[int, AcceptedUpdate] = {}
        self._open: dict[str, TurnRecord] = {}
        self._over: OrderedDict[str, TurnRecord] = OrderedDict()
        self._letters: dict[int, LetterRecord] = {}
        self._offers: OrderedDict[str, OfferRecord] = OrderedDict()
        self._turn_of: OrderedDict[tuple[int, int], str] = OrderedDict()
        self._progress: OrderedDict[str, int] = OrderedDict()
        self._sessions: OrderedDict[str, ResumeToken] = OrderedDict()
        self._batches = self._accepted = self._turns = self._next_letter = 0

    async def accept(
        self, updates: Sequence[ChatUpdate], newest: int | None, arrived_at: float
    ) -> tuple[AcceptedUpdate, ...]:
        """Take what was never taken before."""
        del newest
        self._batches += 1
        fresh = []
        for update in updates:
            keys = update_keys(update)
            known = any(key in self._seen for key in keys)
            for key in keys:
                self._put(self._seen, key, None)
            if known:
                continue
            self._accepted += 1
            accepted = AcceptedUpdate(
                id=self._accepted, update=update, arrived_at=arrived_at, batch=self._batches
            )
            self._updates[accepted.id] = accepted
            fresh.append(accepted)
        return tuple(fresh)

    async def commit(self, changes: Sequence[Change]) -> None:
        """Make all changes, or none when an offer was taken before."""
        for change in changes:
            if isinstance(change, OfferTaken):
                offer = self._offers.get(change.offer_id)
                if offer is None or offer.taken is not None:
                    raise OfferClosed("this was decided before")
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
        )

    async def turn(self, turn_id: str) -> TurnRecord | None:
        """Return a turn as it was written down last."""
        found = self._open.get(turn_id) or self._over.get(turn_id)
        return None if found is None else self._whole(found)

    async def turn_of_message(self, chat_id: int, message_id: int) -> TurnRecord | None:
        """Find the turn of a message; None for messages nobody knows."""
        turn_id = self._turn_of.get((chat_id, message_id))
        record = await self.turn(turn_id) if turn_id else None
        if record is None or record.session is not None:
            return record
        session = self._sessions.get(record.conversation)
        return record if session is None else replace(record, session=session)

    async def offer(self, offer_id: str) -> OfferRecord | None:
        """Return an offer, open or taken."""
        return self._offers.get(offer_id)

    def _make(self, change: Change) -> None:
        match change:
            case TurnPut(turn):
                self._put_turn(turn)
            case MessageBound(chat_id, message_id, turn_id, role):
                self._put(self._turn_of, (chat_id, message_id), turn_id)
                if role == "progress":
                    self._put(self._progress, turn_id, message_id)
            case LetterPut(letter):
                self._letters[letter.letter_id] = letter
                self._next_letter = max(self._next_letter, letter.letter_id)
            case LetterGone(letter_id):
                self._letters.pop(letter_id, None)
            case OfferPut(offer):
                self._put(self._offers, offer.offer_id, offer)
            case OfferTaken(offer_id, choice):
                self._offers[offer_id] = replace(self._offers[offer_id], taken=choice)
            case UpdateHandled(number):
                self._updates.pop(number, None)

    def _put_turn(self, turn: TurnRecord) -> None:
        before = self._open.pop(turn.turn_id, None) or self._over.pop(turn.turn_id, None)
        if before is None:
            self._turns += 1
        turn = replace(turn, seq=self._turns if before is None else before.seq)
        if turn.state in ENDS:
            self._put(self._over, turn.turn_id, turn)
        else:
            self._open[turn.turn_id] = turn
        if turn.session is not None and turn.conversation:
            self._put(self._sessions, turn.conversation, turn.session)

    def _whole(self, turn: TurnRecord) -> TurnRecord:
        return replace(turn, progress_id=self._progress.get(turn.turn_id))

    def _put(self, table: OrderedDict[_Key, _Value], key: _Key, value: _Value) -> None:
        table[key] = value
        table.move_to_end(key)
        if len(table) > self._keep:
            table.popitem(last=False)
