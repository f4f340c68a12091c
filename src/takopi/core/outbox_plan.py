"""What may go out to a chat service next, and when: every budget and every order in one place.

Two things go out. An *item* is one call that matters (a part of a final, an ask, an answer to a
command, taking a message back); it is sent once, in order, and retried. A *slot* is one message
that lives: whoever owns it says "it changed" (`mark`), and the planner says when it may be shown;
what is shown is composed at that moment, so edits coalesce to the newest by themselves.

Laws (tests/core/decisions/test_outbox_plan.py has each as a property):

- Priority final > ask > answer > tidying > progress; first in, first out inside a chat and a
  priority; parts of one group are contiguous in their chat; progress waits while a final can go.
- Never two calls in flight for one message, never two items in flight in one chat (but taking a
  message back is beside that order: a call that hangs there holds nothing up).
- No window of a chat, or of all chats together, carries more calls than `OutboxLimits` says.
- A chat that was told to wait gets no call until then; other chats are not touched by it.

The planner neither waits nor tells time: `offer(now)` proposes a call, `begin` spends the budget
for it, `due(now)` says when to ask again. Between the two the caller may look whether the call is
still worth it, and give it back with `skip`.
"""

import enum
from collections import deque
from dataclasses import dataclass, field
from math import inf

import msgspec

from takopi.core.chat import ChatKind
from takopi.core.outbox_budget import CallWindow, ChatBudget, OutboxLimits

__all__ = ["Item", "Offer", "OutboxPlan", "Priority"]


class Priority(enum.IntEnum):
    """Order what waits; a smaller number goes first."""

    FINAL = 0
    ASK = 1
    ANSWER = 2
    TIDY = 3
    PROGRESS = 4


_ITEM_PRIORITIES = (Priority.FINAL, Priority.ASK, Priority.ANSWER, Priority.TIDY)


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """Be one call that is sent once.

    Args:
        id: Unique for ever.
        chat: The chat whose budget it uses; all its threads share one.
        kind: Decides which budget.
        priority: Any but `PROGRESS`.
        group: Items of one group other than 0 are contiguous in their chat.
        last: Whether it ends its group.
        slot: The living message it edits or takes back; waits until no other call is on it.
        free: Costs the chat nothing (taking a message back).
    """

    id: int
    chat: int
    kind: ChatKind
    priority: Priority
    group: int = 0
    last: bool = True
    slot: int | None = None
    free: bool = False


class Offer(msgspec.Struct, frozen=True):
    """Propose one call: an item, or showing a slot.

    Args:
        chat: Its chat.
        item: Id of the item; None when it is a slot.
        slot: Id of the slot.
        beat: The slot may be shown for its age alone.
    """

    chat: int
    item: int | None = None
    slot: int | None = None
    beat: bool = False


@dataclass(slots=True)
class _Slot:
    id: int
    opened_at: float
    dirty: bool = True
    beats: bool = True
    exists: bool = False
    in_flight: bool = False
    closed: bool = False
    last_at: float = -inf
    not_before: float = -inf
    since: float = 0.0


@dataclass(slots=True)
class _Waiting:
    item: Item
    order: int
    not_before: float = -inf


@dataclass(slots=True)
class _Chat:
    budget: ChatBudget
    queues: tuple[deque[_Waiting], ...] = field(
        default_factory=lambda: tuple(deque[_Waiting]() for _ in _ITEM_PRIORITIES)
    )
    slots: dict[int, _Slot] = field(default_factory=dict)
    talking: bool = False
    tidying: bool = False
    opening: int | None = None
    open_group: int = 0
    blocked_until: float = -inf


class OutboxPlan:
    """Plan what goes out; see the head of this module."""

    def __init__(self, limits: OutboxLimits | None = None) -> None:
        self._limits = limits or OutboxLimits()
        self._chats: dict[int, _Chat] = {}
        self._everywhere = CallWindow(1.0)
        self._order = 0

    # What the owner of messages says.

    def add(self, item: Item, now: float) -> None:
        """Let an item wait for its turn."""
        self._order += 1
        chat = self._chat(item.chat, item.kind, now)
        chat.queues[item.priority].append(_Waiting(item, self._order))

    def open(self, slot: int, chat: int, kind: ChatKind, now: float) -> None:
        """Let a message live; it is shown for the first time as soon as its chat can take it."""
        self._chat(chat, kind, now).slots[slot] = _Slot(slot, opened_at=now, since=now)

    def mark(self, chat: int, slot: int, now: float) -> bool:
        """Note that a living message changed; True when that is news."""
        state = self._slot(chat, slot)
        if state is None or state.closed or state.dirty:
            return False
        state.dirty, state.since = True, now
        return True

    def set_beating(self, chat: int, slot: int, now: float, *, beating: bool) -> None:
        """Say whether a living message grows older on the screen, and let its age start now."""
        state = self._slot(chat, slot)
        if state:
            state.beats, state.opened_at = beating, now

    def close(self, chat: int, slot: int) -> None:
        """Stop showing a message; items that name the slot may still edit or delete it."""
        state = self._slot(chat, slot)
        if state:
            state.closed = True
            self._forget(chat, state)

    # What the sender of messages asks and answers.

    def offer(self, now: float) -> Offer | None:
        """Propose the call that goes next; it counts as in flight until it is answered."""
        best: tuple[tuple[float, float, float], int, _Waiting | _Slot] | None = None
        for chat_id, chat in self._chats.items():
            for rank, candidate in self._candidates(chat):
                if (best is None or rank < best[0]) and self._ready(chat, candidate, now) <= now:
                    best = (rank, chat_id, candidate)
        if best is None:
            return None
        _, chat_id, chosen = best
        chat = self._chats[chat_id]
        if isinstance(chosen, _Waiting):
            self._occupy(chat, chosen.item, busy=True)
            held = chat.slots.get(chosen.item.slot) if chosen.item.slot is not None else None
            if held:
                held.in_flight = True
            return Offer(chat_id, item=chosen.item.id)
        chosen.in_flight = True
        if not chosen.exists:
            chat.opening = chosen.id
        return Offer(chat_id, slot=chosen.id, beat=self._beat_at(chosen) <= now)

    def due(self, now: float) -> float | None:
        """Say when `offer` is worth asking again if nothing else happens; None for never."""
        self._prune(now)
        moments = (
            self._ready(chat, candidate, now)
            for chat in self._chats.values()
            for _, candidate in self._candidates(chat)
        )
        soonest = min(moments, default=inf)
        return None if soonest == inf else soonest

    def begin(self, offer: Offer, now: float) -> None:
        """Spend the budget: the offered call goes out now."""
        chat = self._chats[offer.chat]
        self._everywhere.spend(now)
        if offer.item is not None:
            if not self._head(chat, offer.item).item.free:
                chat.budget.spend(now, progress=False)
            return
        chat.budget.spend(now, progress=True)
        slot = chat.slots[offer.slot or 0]
        slot.last_at, slot.dirty = now, False

    def skip(self, offer: Offer, now: float) -> None:
        """Give an offered slot back unsent: it looks as it did, or only grew older."""
        slot = self._landed(offer)
        slot.dirty = False
        if offer.beat:
            slot.last_at = now
        self._forget(offer.chat, slot)

    def done(self, offer: Offer) -> None:
        """Note that the service accepted the call, or that it is given up for good."""
        if offer.item is None:
            self._landed(offer).exists = True
            self._forget(offer.chat, self._chats[offer.chat].slots[offer.slot or 0])
            return
        chat = self._chats[offer.chat]
        item = self._head(chat, offer.item).item
        chat.queues[item.priority].popleft()
        self._free_item(chat, item)
        if item.group:
            chat.open_group = 0 if item.last else item.group

    def again(self, offer: Offer, not_before: float, *, lost: bool = False) -> None:
        """Note that the call failed and may be tried again from `not_before` on.

        Args:
            offer: The call.
            not_before: Moment; nothing of the same order passes the item until then.
            lost: The living message is gone: the next call sends it anew.
        """
        chat = self._chats[offer.chat]
        if offer.item is not None:
            waiting = self._head(chat, offer.item)
            waiting.not_before = not_before
            self._free_item(chat, waiting.item)
            return
        slot = self._landed(offer)
        slot.dirty, slot.not_before = True, not_before
        slot.exists = slot.exists and not lost
        self._forget(offer.chat, slot)

    def block(self, chat: int, until: float) -> None:
        """Send nothing to a chat until a moment."""
        state = self._chats[chat]
        state.blocked_until = max(state.blocked_until, until)

    def waiting(self) -> int:
        """Count the items that are not yet accepted."""
        return sum(len(queue) for chat in self._chats.values() for queue in chat.queues)

    def chats(self) -> int:
        """Count the chats that are remembered."""
        return len(self._chats)

    # Order.

    def _candidates(
        self, chat: _Chat
    ) -> list[tuple[tuple[float, float, float], "_Waiting | _Slot"]]:
        """List what stands first in a chat, each with its rank among all chats."""
        found: list[tuple[tuple[float, float, float], _Waiting | _Slot]] = []
        for priority, queue in zip(_ITEM_PRIORITIES, chat.queues, strict=True):
            if queue:
                found.append(((priority, queue[0].order, 0), queue[0]))
        for slot in chat.slots.values():
            if not slot.closed and (slot.dirty or slot.beats):
                since = slot.last_at if slot.exists else slot.since
                found.append(((Priority.PROGRESS, float(slot.exists), since), slot))
        return found

    def _ready(self, chat: _Chat, candidate: "_Waiting | _Slot", now: float) -> float:
        """Say from when on a candidate may go; infinity while it waits for news."""
        if isinstance(candidate, _Waiting):
            return self._item_ready(chat, candidate, now)
        return self._slot_ready(chat, candidate, now)

    def _item_ready(self, chat: _Chat, waiting: _Waiting, now: float) -> float:
        item = waiting.item
        if item.priority is Priority.TIDY:
            if chat.tidying:
                return inf
        elif chat.talking or chat.open_group not in (0, item.group):
            return inf
        held = chat.slots.get(item.slot) if item.slot is not None else None
        if held and held.in_flight:
            return inf
        at = max(chat.blocked_until, waiting.not_before, self._anywhere_at(now))
        urgent = item.priority <= Priority.ASK
        return at if item.free else max(at, chat.budget.call_at(now, urgent=urgent))

    def _slot_ready(self, chat: _Chat, slot: _Slot, now: float) -> float:
        if slot.in_flight or chat.open_group:
            return inf
        finals = chat.queues[Priority.FINAL]
        # A final that only waits for its next try after an outage holds nobody up.
        if finals and finals[0].not_before <= now:
            return inf
        at = max(chat.blocked_until, slot.not_before, self._anywhere_at(now))
        if not slot.exists:
            if not slot.dirty or chat.opening is not None:
                return inf
            return max(at, chat.budget.call_at(now, urgent=False))
        at = max(at, chat.budget.edit_at(now))
        return at if slot.dirty else max(at, self._beat_at(slot))

    def _beat_at(self, slot: _Slot) -> float:
        return self._limits.beat_at(slot.opened_at, slot.last_at) if slot.beats else inf

    def _anywhere_at(self, now: float) -> float:
        return self._everywhere.ready_at(self._limits.global_per_s, now)

    # Bookkeeping.

    def _chat(self, chat: int, kind: ChatKind, now: float) -> _Chat:
        found = self._chats.get(chat)
        if found is None:
            found = self._chats[chat] = _Chat(ChatBudget(kind, self._limits, now))
        return found

    def _slot(self, chat: int, slot: int) -> _Slot | None:
        found = self._chats.get(chat)
        return found.slots.get(slot) if found else None

    @staticmethod
    def _head(chat: _Chat, item_id: int) -> _Waiting:
        return next(q[0] for q in chat.queues if q and q[0].item.id == item_id)

    def _landed(self, offer: Offer) -> _Slot:
        chat = self._chats[offer.chat]
        slot = chat.slots[offer.slot or 0]
        slot.in_flight = False
        if chat.opening == slot.id:
            chat.opening = None
        return slot

    @staticmethod
    def _occupy(chat: _Chat, item: Item, busy: bool) -> None:
        if item.priority is Priority.TIDY:
            chat.tidying = busy
        else:
            chat.talking = busy

    def _free_item(self, chat: _Chat, item: Item) -> None:
        self._occupy(chat, item, busy=False)
        held = chat.slots.get(item.slot) if item.slot is not None else None
        if held:
            held.in_flight = False
            self._forget(item.chat, held)

    def _forget(self, chat: int, slot: _Slot) -> None:
        """Drop a closed slot once no call is on it."""
        if slot.closed and not slot.in_flight:
            self._chats[chat].slots.pop(slot.id, None)

    def _prune(self, now: float) -> None:
        """Forget chats that have nothing waiting and whose budgets have recovered."""
        idle = [
            chat_id
            for chat_id, chat in self._chats.items()
            if not chat.slots
            and not any(chat.queues)
            and chat.blocked_until <= now
            and chat.budget.recovered(now)
        ]
        for chat_id in idle:
            del self._chats[chat_id]
