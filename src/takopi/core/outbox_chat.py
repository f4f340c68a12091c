"""What waits for one chat: the items in their order, the living messages, and what is in flight."""

import enum
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf

import msgspec

from takopi.core.chat import ChatKind
from takopi.core.outbox_budget import ChatBudget

__all__ = ["ChatLine", "Item", "Priority", "Slot", "Waiting"]


class Priority(enum.IntEnum):
    """Order what waits; a smaller number goes first."""

    FINAL = 0
    ASK = 1
    ANSWER = 2
    TIDY = 3
    PROGRESS = 4


_ITEM_PRIORITIES = (Priority.FINAL, Priority.ASK, Priority.ANSWER, Priority.TIDY)

# What stepped aside goes after all other items and before progress.
_ASIDE_RANK = 3.5


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


@dataclass(slots=True, eq=False)
class Slot:
    """Be a living message.

    Args:
        id: Names it.
        opened_at: Its age counts from here.
        dirty: It changed since it was shown.
        beats: Growing older is change enough.
        exists: The chat has it.
        in_flight: A call is on it.
        closed: It is not shown any more, and forgotten once no call is on it.
        retired: It is shown only when it is marked: a final stands or will stand in its place.
        last_at: When it was shown last.
        not_before: It is not shown before.
        since: When it began to wait.
    """

    id: int
    opened_at: float
    dirty: bool = True
    beats: bool = True
    exists: bool = False
    in_flight: bool = False
    closed: bool = False
    retired: bool = False
    last_at: float = -inf
    not_before: float = -inf
    since: float = 0.0


@dataclass(slots=True, eq=False)
class Waiting:
    """Be an item in its queue.

    Args:
        item: The item.
        order: Its place among the items of all chats.
        not_before: It is not sent before.
        aside: Others pass it.
    """

    item: Item
    order: int
    not_before: float = -inf
    aside: bool = False


@dataclass(slots=True, eq=False)
class ChatLine:
    """Hold what waits for one chat.

    Args:
        budget: What the chat takes.
        queues: The items, by priority.
        aside: The items that others pass.
        slots: The living messages.
        talking: Ids of the items in flight, but for those that take something back.
        tidying: Ids of the items in flight that take something back.
        opening: Living messages that are being sent for the first time.
        open_group: The group of which some parts were accepted, and not yet all; 0 for none.
        blocked_until: The chat gets no call before.
    """

    budget: ChatBudget
    queues: tuple[deque[Waiting], ...] = field(
        default_factory=lambda: tuple(deque[Waiting]() for _ in _ITEM_PRIORITIES)
    )
    aside: list[Waiting] = field(default_factory=list)
    slots: dict[int, Slot] = field(default_factory=dict)
    talking: set[int] = field(default_factory=set)
    tidying: set[int] = field(default_factory=set)
    opening: set[int] = field(default_factory=set)
    open_group: int = 0
    blocked_until: float = -inf

    def waiting(self) -> int:
        """Count the items."""
        return len(self.aside) + sum(len(queue) for queue in self.queues)

    def candidates(self) -> Iterator[tuple[tuple[float, float, float], "Waiting | Slot"]]:
        """Yield what may go next as far as order goes, each with its rank among all chats."""
        for priority, queue in zip(_ITEM_PRIORITIES, self.queues, strict=True):
            if queue:
                yield (priority, queue[0].order, 0), queue[0]
        groups = set()
        for waiting in self.aside:
            # What stepped aside waits for nothing but the parts before it.
            if waiting.item.group == 0 or waiting.item.group not in groups:
                groups.add(waiting.item.group)
                yield (_ASIDE_RANK, waiting.order, 0), waiting
        for slot in self.slots.values():
            if not slot.closed and (slot.dirty or slot.beats):
                since = slot.last_at if slot.exists else slot.since
                yield (Priority.PROGRESS, float(slot.exists), since), slot

    def keeps_out(self, group: int) -> bool:
        """Tell whether another group has begun, so that only its parts may go."""
        began = self.open_group
        if began in (0, group):
            return False
        # A group that is not first any more must not wait for what waits for it.
        heads = [queue[0] for queue in self.queues if queue]
        return any(waiting.item.group == began for waiting in (*heads, *self.aside))

    def find(self, item_id: int) -> Waiting:
        """Return an item; as a rule it is the first one of a queue."""
        for queue in self.queues:
            if queue and queue[0].item.id == item_id:
                return queue[0]
        everything = (waiting for queue in (*self.queues, self.aside) for waiting in queue)
        return next(waiting for waiting in everything if waiting.item.id == item_id)

    def occupy(self, item: Item) -> None:
        """Note that a call is made for an item, and that its living message takes no other."""
        self._flights(item).add(item.id)
        if held := self.held(item):
            held.in_flight = True

    def release(self, item: Item) -> None:
        """Note that the call for an item is over."""
        self._flights(item).discard(item.id)
        if held := self.held(item):
            held.in_flight = False
            self.forget(held)

    def held(self, item: Item) -> Slot | None:
        """Return the living message that an item edits or takes back."""
        return self.slots.get(item.slot) if item.slot is not None else None

    def drop(self, waiting: Waiting) -> None:
        """Take an item out."""
        self._queue(waiting).remove(waiting)

    def split(self, waiting: Waiting, more: Sequence[Item], group: int) -> None:
        """Put items right behind one, which becomes one of their group."""
        queue = self._queue(waiting)
        place = queue.index(waiting) + 1
        waiting.item = msgspec.structs.replace(waiting.item, group=group, last=False)
        for offset, item in enumerate(more):
            behind = Waiting(item, waiting.order, waiting.not_before, waiting.aside)
            queue.insert(place + offset, behind)

    def step_aside(self, waiting: Waiting, not_before: float) -> None:
        """Let others pass an item and all that is left of its group."""
        group = waiting.item.group
        queue = self._queue(waiting)
        leaving = [w for w in queue if w is waiting or (group and w.item.group == group)]
        for one in leaving:
            queue.remove(one)
            one.aside, one.not_before = True, not_before
        self.aside += leaving
        self.leave_group(group)

    def leave_group(self, group: int) -> None:
        """Let others come between the parts of a group."""
        if self.open_group == group:
            self.open_group = 0

    def take_over(self, other: "ChatLine") -> None:
        """Take all that waits for another chat, which has become this one."""
        for mine, theirs in zip(self.queues, other.queues, strict=True):
            merged = sorted((*mine, *theirs), key=lambda waiting: waiting.order)
            mine.clear()
            mine.extend(merged)
        self.aside += other.aside
        self.slots |= other.slots
        self.talking |= other.talking
        self.tidying |= other.tidying
        self.opening |= other.opening
        self.open_group = other.open_group or self.open_group
        self.blocked_until = max(self.blocked_until, other.blocked_until)

    def forget(self, slot: Slot) -> None:
        """Drop a closed living message once no call is on it."""
        if slot.closed and not slot.in_flight:
            self.slots.pop(slot.id, None)

    def idle(self, now: float) -> bool:
        """Tell whether nothing waits, nothing lives, and the budget has recovered."""
        quiet = not self.slots and not self.waiting() and self.blocked_until <= now
        return quiet and self.budget.recovered(now)

    def _queue(self, waiting: Waiting) -> "deque[Waiting] | list[Waiting]":
        return self.aside if waiting.aside else self.queues[waiting.item.priority]

    def _flights(self, item: Item) -> set[int]:
        return self.tidying if item.priority is Priority.TIDY else self.talking
