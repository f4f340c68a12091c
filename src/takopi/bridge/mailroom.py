"""The durable half of the outbox: every letter is in the journal until a chat has it.

- A letter is committed with its caller's changes before it is offered to the plan, and letters of
  one chat are offered in the order of the calls, however their commits overtake each other.
- Before a call that makes a new message, one more *try* is committed; a definite "no" takes it
  back. So a journal that is read after a crash says of each letter whether the chat may have it.
- An accepted letter is forgotten in one transaction with the binding of its message and with what
  follows from it.

A journal that refuses stops no letter but an ask: what it did not take is owed, goes along with the
next commit, or is tried again after a pause. Only what stays true is owed. Of a turn that is the
decision about its final, until the final is out, and then its end: they and the letters are written
together or not at all, because one without the other would be a final that is lost, or told twice.

The store makes commits in the order of the calls.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import anyio

from takopi.bridge.border import border
from takopi.bridge.letters import Delivery, Letter
from takopi.bridge.ports import Clock, Store
from takopi.bridge.records import (
    Change,
    JournalState,
    LetterGone,
    LetterPut,
    LetterRecord,
    MessageBound,
    MessageRole,
    OfferPut,
    TurnPut,
    UpdateHandled,
)
from takopi.core.turn_state import ENDS
from takopi.errors import OfferClosed, StoreError
from takopi.logging import get_logger
from takopi.transport import MessageRef

__all__ = ["Mailroom", "bound"]

_log = get_logger(__name__)

_PAY_AFTER_S = 5.0
_LONGEST_PAUSE_S = 60.0

_Key = tuple[str, int | str, int]


@dataclass(slots=True, eq=False)
class _Post:
    letters: Sequence[Letter]
    written: bool = False


class Mailroom:
    """Write letters down, and hand them on in their order.

    Args:
        store: The journal.
        clock: Tells the time.
        hand_on: Takes letters that are written down.
    """

    def __init__(
        self, store: Store, clock: Clock, hand_on: Callable[[Sequence[Letter]], None]
    ) -> None:
        self._store = store
        self._clock = clock
        self._hand_on = hand_on
        self._next_id = 1
        self._posts: dict[int, deque[_Post]] = {}
        self._owed: dict[_Key, Change] = {}
        self._owes = anyio.Event()
        self._postponed: dict[str, Delivery] = {}

    def restore(self, state: JournalState) -> list[list[Letter]]:
        """Return the letters of a journal, grouped, in the order in which they are to go."""
        self._next_id = max(self._next_id, state.next_letter_id)
        # Not by number: pieces of a letter that was cut have later ones than the parts behind it.
        records = sorted(state.letters, key=lambda one: (_group(one), one.index, one.letter_id))
        groups: dict[int, list[LetterRecord]] = {}
        for record in records:
            groups.setdefault(_group(record), []).append(record)
        return [_together(group) for group in groups.values()]

    def number(self, count: int) -> list[int]:
        """Take numbers for letters; no letter ever has one of them again."""
        first = self._next_id
        self._next_id += count
        return list(range(first, self._next_id))

    def busy(self) -> bool:
        """Tell whether letters are being written down."""
        return bool(self._posts)

    async def post(
        self, letters: Sequence[Letter], changes: Sequence[Change] = (), *, must: bool = False
    ) -> None:
        """Write letters of one chat down, together with changes, and hand them on.

        Args:
            letters: They go out also when the journal refuses, but for those that `must` be there.
            changes: What the journal takes in the same transaction.
            must: Whether letters that are not written down are worth nothing.

        Raises:
            OfferClosed: A change came too late; nothing was changed, nothing is sent.
            StoreError: The journal refused what `must` be there; the same holds.
        """
        written = [LetterPut(record) for letter in letters if (record := letter.written())]
        if not letters:
            await self._write(changes)
            return
        chat, post = letters[0].chat, _Post(letters)
        queue = self._posts.setdefault(chat, deque())
        queue.append(post)
        try:
            if not await self._write([*changes, *written], must=must):
                self._postpone(changes, letters[0].delivery)
            post.written = True
        except BaseException:
            queue.remove(post)
            raise
        finally:
            ready: list[Letter] = []
            while queue and queue[0].written:
                ready += queue.popleft().letters
            if not queue:
                self._posts.pop(chat, None)
            self._hand_on(ready)

    async def keep_back(self, record: LetterRecord, changes: Sequence[Change]) -> None:
        """Write a letter down that is not handed on: only the next takopi finds and sends it.

        Raises:
            StoreError: The journal refused; nothing was changed.
        """
        await self._write([*changes, LetterPut(record)], must=True)

    async def begin(self, letter: Letter) -> None:
        """Write down that a letter is about to become a new message."""
        letter.tried(+1)
        await self.rewrite([letter])

    def refused(self, letter: Letter) -> None:
        """Note that a letter that was begun is certainly no message."""
        letter.tried(-1)
        record = letter.written()
        if record is not None:
            self._owe([LetterPut(record)])

    async def rewrite(self, letters: Iterable[Letter], changes: Sequence[Change] = ()) -> None:
        """Write letters down as they are now, together with changes."""
        written = [LetterPut(record) for letter in letters if (record := letter.written())]
        await self._write([*changes, *written])

    def forget(self, letter: Letter) -> None:
        """Forget a letter with the next commit: sent once more it would do nothing."""
        self._owe([LetterGone(letter.id)])

    def over(self, letter: Letter) -> None:
        """Note that a delivery ends with this letter: what its turn was before is history."""
        turn_id = letter.record.turn_id or ""
        before = self._owed.get(("turn", turn_id, 0))
        if isinstance(before, TurnPut) and before.turn.state not in ENDS:
            del self._owed["turn", turn_id, 0]
        self._postponed.pop(turn_id, None)
        letter.delivery.written = True

    def owe(self, end: TurnPut) -> None:
        """Write the end of a turn down with what is owed of its letters, not later than those.

        A crash between the two would find the final gone and the turn not over, and tell it anew.
        """
        self._owe([end])

    async def pay(self) -> bool:
        """Write down what is owed; False when the journal refuses still."""
        if self._owed:
            await self._write(())
        return not self._owed

    async def run(self) -> None:
        """Pay what is owed, until cancelled."""
        pause_s = _PAY_AFTER_S
        while True:
            await self._owes.wait()
            await self._clock.sleep_until(self._clock.now() + pause_s)
            paid = await self.pay()
            pause_s = _PAY_AFTER_S if paid else min(_LONGEST_PAUSE_S, 2 * pause_s)

    async def _write(self, changes: Sequence[Change], *, must: bool = False) -> bool:
        """Make changes together with what is owed; False when the journal takes them later."""
        keys = [key for change in changes if (key := _key(change))]
        newer = [key for key in keys if self._owed.pop(key, None)]
        owed = dict(self._owed)
        if not (owed or changes):
            return True
        error = await self._commit([*owed.values(), *changes])
        if error is None:
            self._paid(owed)
            return True
        # What is owed may be what the journal does not take. But what takes the place of something
        # owed may belong to the rest of it.
        alone = owed and changes and not newer
        if alone and await self._commit(changes) is None:
            return True
        if must:
            raise StoreError(error)
        _log.error("journal.refused", changes=_kinds(changes or list(owed.values())), error=error)
        self._owe(changes)
        return False

    def _postpone(self, changes: Sequence[Change], delivery: Delivery) -> None:
        for change in changes:
            if isinstance(change, TurnPut) and _key(change):
                self._postponed[change.turn.turn_id] = delivery
                delivery.written = False

    async def _commit(self, changes: Sequence[Change]) -> str | None:
        """Make changes; return why that failed.

        Raises:
            OfferClosed: A change came too late; nothing was changed.
        """
        closed: OfferClosed | None = None
        # Half of a commit does not exist: who is cancelled meanwhile learns of it afterwards.
        with anyio.CancelScope(shield=True), border("writing letters down") as found:
            try:
                await self._store.commit(changes)
            except OfferClosed as error:
                closed = error
        if closed is not None:
            raise closed
        return found.error

    def _paid(self, owed: Mapping[_Key, Change]) -> None:
        for key, change in owed.items():
            if self._owed.get(key) is change:
                del self._owed[key]
        for turn_id in [one for one in self._postponed if ("turn", one, 0) not in self._owed]:
            self._postponed.pop(turn_id).written = True
        if not self._owed and self._owes.is_set():
            self._owes = anyio.Event()

    def _owe(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if key := _key(change):
                self._owed[key] = change
        if self._owed:
            self._owes.set()


def bound(ref: MessageRef, turn_id: str, role: MessageRole) -> MessageBound:
    """Bind a message to its turn."""
    return MessageBound(int(ref.channel_id), int(ref.message_id), turn_id, role)


def _group(record: LetterRecord) -> int:
    return record.group or record.letter_id


def _together(records: Sequence[LetterRecord]) -> list[Letter]:
    """Make the letters of what is left of a group; they share their delivery."""
    delivery = Delivery([None] * len(records), left=len(records))
    return [Letter(record, delivery, position) for position, record in enumerate(records)]


def _key(change: Change) -> _Key | None:
    """Name what a change is about, when it may be made later than it was wanted."""
    match change:
        case LetterPut(letter):
            return ("letter", letter.letter_id, 0)
        case LetterGone(letter_id):
            return ("letter", letter_id, 0)
        case MessageBound(chat_id, message_id, _, _):
            return ("message", chat_id, message_id)
        case UpdateHandled(number):
            return ("update", number, 0)
        case OfferPut(offer):
            return ("offer", offer.offer_id, 0)
        case TurnPut(turn) if turn.state == "delivering" or turn.state in ENDS:
            return ("turn", turn.turn_id, 0)
        case _:
            return None


def _kinds(changes: Sequence[Change]) -> str:
    return ", ".join(type(change).__name__ for change in changes)
