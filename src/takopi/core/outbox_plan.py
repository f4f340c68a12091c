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
- What stepped aside holds nothing up: everything passes it, and it is tried at its own moments.
- No window of a chat, or of all chats together, carries more calls than `OutboxLimits` says.
- A chat that was told to wait gets no call until then; other chats are not touched by it.

The planner neither waits nor tells time: `offer(now)` proposes a call, `begin` spends the budget
for it, `due(now)` says when to ask again. Between the two the caller may look whether the call is
still worth it, and give it back with `skip`.
"""

from collections.abc import Sequence
from math import inf

import msgspec

from takopi.core.chat import ChatKind
from takopi.core.outbox_budget import CallWindow, ChatBudget, OutboxLimits
from takopi.core.outbox_chat import ChatLine, Item, Priority, Slot, Waiting

__all__ = ["Item", "Offer", "OutboxPlan", "Priority"]


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


class OutboxPlan:
    """Plan what goes out; see the head of this module."""

    def __init__(self, limits: OutboxLimits | None = None) -> None:
        self._limits = limits or OutboxLimits()
        self._chats: dict[int, ChatLine] = {}
        self._moved: dict[int, int] = {}
        self._everywhere = CallWindow(1.0)
        self._order = 0

    # What the owner of messages says.

    def add(self, item: Item, now: float) -> None:
        """Let an item wait for its turn."""
        self._order += 1
        chat = self._chat(item.chat, item.kind, now)
        chat.queues[item.priority].append(Waiting(item, self._order))

    def resume(self, chat: int, group: int) -> None:
        """Go on with a group of which some parts were accepted before; its items were added."""
        line = self._line(chat)
        line.open_group = line.open_group or group

    def open(
        self, slot: int, chat: int, kind: ChatKind, now: float, *, exists: bool = False
    ) -> None:
        """Let a message live; it is shown as soon as its chat can take it.

        Args:
            slot: Names it.
            chat: Where it lives.
            kind: Decides the budget.
            now: Present moment.
            exists: The chat has it already.
        """
        line = self._chat(chat, kind, now)
        line.slots[slot] = Slot(slot, opened_at=now, since=now, exists=exists)

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
            state.beats, state.opened_at = beating and not state.retired, now

    def retire(self, chat: int, slot: int) -> None:
        """Show a message only when it is marked from now on: a final takes its place."""
        state = self._slot(chat, slot)
        if state:
            state.retired, state.dirty, state.beats = True, False, False

    def close(self, chat: int, slot: int) -> None:
        """Stop showing a message; items that name the slot may still edit or delete it."""
        state = self._slot(chat, slot)
        if state:
            state.closed = True
            self._line(chat).forget(state)

    def move(self, chat: int, new: int) -> None:
        """Send what waits for one chat to another: the chat has got a new id."""
        if chat == new:
            return
        old = self._chats.pop(chat, None)
        self._moved = {one: new if to == chat else to for one, to in self._moved.items()}
        self._moved[chat] = new
        self._moved.pop(new, None)
        if old is None:
            return
        for slot in old.slots.values():
            slot.exists, slot.dirty = False, not slot.retired
        known = self._chats.setdefault(new, old)
        if known is not old:
            known.take_over(old)

    # What the sender of messages asks and answers.

    def offer(self, now: float) -> Offer | None:
        """Propose the call that goes next; it counts as in flight until it is answered."""
        best: tuple[tuple[float, float, float], int, Waiting | Slot] | None = None
        for chat_id, chat in self._chats.items():
            for rank, candidate in chat.candidates():
                if (best is None or rank < best[0]) and self._ready(chat, candidate, now) <= now:
                    best = (rank, chat_id, candidate)
        if best is None:
            return None
        _, chat_id, chosen = best
        chat = self._chats[chat_id]
        if isinstance(chosen, Waiting):
            chat.occupy(chosen.item)
            return Offer(chat_id, item=chosen.item.id)
        chosen.in_flight = True
        if not chosen.exists:
            chat.opening.add(chosen.id)
        return Offer(chat_id, slot=chosen.id, beat=self._beat_at(chosen) <= now)

    def due(self, now: float) -> float | None:
        """Say when `offer` is worth asking again if nothing else happens; None for never."""
        self._prune(now)
        moments = (
            self._ready(chat, candidate, now)
            for chat in self._chats.values()
            for _, candidate in chat.candidates()
        )
        soonest = min(moments, default=inf)
        return None if soonest == inf else soonest

    def begin(self, offer: Offer, now: float) -> None:
        """Spend the budget: the offered call goes out now."""
        chat = self._line(offer.chat)
        self._everywhere.spend(now)
        if offer.item is not None:
            if not chat.find(offer.item).item.free:
                chat.budget.spend(now, progress=False)
            return
        slot = chat.slots[offer.slot or 0]
        chat.budget.spend(now, progress=True, new=not slot.exists)
        slot.last_at, slot.dirty = now, False

    def skip(self, offer: Offer, now: float) -> None:
        """Give an offered slot back unsent: it looks as it did, or only grew older."""
        slot = self._landed(offer)
        slot.dirty = False
        if offer.beat:
            slot.last_at = now
        self._line(offer.chat).forget(slot)

    def done(self, offer: Offer) -> None:
        """Note that the service accepted the call, or that it is given up for good."""
        chat = self._line(offer.chat)
        if offer.item is None:
            slot = self._landed(offer)
            slot.exists = True
            chat.forget(slot)
            return
        waiting = chat.find(offer.item)
        item = waiting.item
        chat.drop(waiting)
        chat.release(item)
        if item.group:
            chat.open_group = 0 if item.last else item.group

    def again(
        self, offer: Offer, not_before: float, *, lost: bool = False, let_pass: bool = False
    ) -> None:
        """Note that the call failed and may be tried again from `not_before` on.

        Args:
            offer: The call.
            not_before: Moment; nothing of the same order passes the item until then.
            lost: The living message is gone: the next call sends it anew.
            let_pass: Others may come between the parts of the item's group.
        """
        chat = self._line(offer.chat)
        if offer.item is not None:
            waiting = chat.find(offer.item)
            waiting.not_before = not_before
            chat.release(waiting.item)
            if waiting.aside or let_pass:
                chat.leave_group(waiting.item.group)
            return
        slot = self._landed(offer)
        slot.dirty, slot.not_before = not slot.retired, not_before
        slot.exists = slot.exists and not lost
        chat.forget(slot)

    def split(self, offer: Offer, more: Sequence[Item]) -> None:
        """Put the rest of an item, which was cut, right behind it; its call is in flight.

        Args:
            offer: The call.
            more: The other pieces; they name the group to which the first one belongs, too.
        """
        chat = self._line(offer.chat)
        chat.split(chat.find(offer.item or 0), more, more[0].group)

    def step_aside(self, offer: Offer, not_before: float) -> None:
        """Note that the call failed, and let others pass it and what is left of its group."""
        chat = self._line(offer.chat)
        waiting = chat.find(offer.item or 0)
        chat.release(waiting.item)
        chat.step_aside(waiting, not_before)

    def beside_at(self, chat: int, kind: ChatKind, now: float) -> float:
        """Say when a chat takes a call that is none of the items and slots."""
        line = self._chat(chat, kind, now)
        at = max(line.blocked_until, self._anywhere_at(now))
        return max(at, line.budget.call_at(now, urgent=False))

    def spend_beside(self, chat: int, kind: ChatKind, now: float) -> None:
        """Spend the budget for such a call: it goes out now."""
        self._everywhere.spend(now)
        self._chat(chat, kind, now).budget.spend(now, progress=False)

    def silent_until(self, chat: int, kind: ChatKind, now: float) -> float:
        """Say until when a chat gets no call, because it was told so."""
        return self._chat(chat, kind, now).blocked_until

    def block(self, chat: int, until: float) -> None:
        """Send nothing to a chat until a moment."""
        line = self._line(chat)
        line.blocked_until = max(line.blocked_until, until)

    def waiting(self) -> int:
        """Count the items that are not yet accepted."""
        return sum(chat.waiting() for chat in self._chats.values())

    def chats(self) -> int:
        """Count the chats that are remembered."""
        return len(self._chats)

    # Order.

    def _ready(self, chat: ChatLine, candidate: Waiting | Slot, now: float) -> float:
        """Say from when on a candidate may go; infinity while it waits for news."""
        if isinstance(candidate, Waiting):
            return self._item_ready(chat, candidate, now)
        return self._slot_ready(chat, candidate, now)

    def _item_ready(self, chat: ChatLine, waiting: Waiting, now: float) -> float:
        item = waiting.item
        if item.priority is Priority.TIDY:
            if chat.tidying:
                return inf
        elif chat.talking or chat.keeps_out(item.group):
            return inf
        held = chat.held(item)
        if held and held.in_flight:
            return inf
        at = max(chat.blocked_until, waiting.not_before, self._anywhere_at(now))
        urgent = item.priority <= Priority.ASK and not waiting.aside
        return at if item.free else max(at, chat.budget.call_at(now, urgent=urgent))

    def _slot_ready(self, chat: ChatLine, slot: Slot, now: float) -> float:
        finals = chat.queues[Priority.FINAL]
        # A final that only waits for its next try after an outage holds nobody up.
        backing_off = bool(finals) and finals[0].not_before > now
        if slot.in_flight or (finals and not backing_off):
            return inf
        # An edit comes between no parts.
        if chat.keeps_out(0) and not (slot.exists and backing_off):
            return inf
        at = max(chat.blocked_until, slot.not_before, self._anywhere_at(now))
        if not slot.exists:
            if not slot.dirty or chat.opening:
                return inf
            return max(at, chat.budget.call_at(now, urgent=False))
        at = max(at, chat.budget.edit_at(now))
        return at if slot.dirty else max(at, self._beat_at(slot))

    def _beat_at(self, slot: Slot) -> float:
        return self._limits.beat_at(slot.opened_at, slot.last_at) if slot.beats else inf

    def _anywhere_at(self, now: float) -> float:
        return self._everywhere.ready_at(self._limits.global_per_s, now)

    # Bookkeeping.

    def _chat(self, chat: int, kind: ChatKind, now: float) -> ChatLine:
        chat = self._moved.get(chat, chat)
        found = self._chats.get(chat)
        if found is None:
            found = self._chats[chat] = ChatLine(ChatBudget(kind, self._limits, now))
        return found

    def _line(self, chat: int) -> ChatLine:
        return self._chats[self._moved.get(chat, chat)]

    def _slot(self, chat: int, slot: int) -> Slot | None:
        found = self._chats.get(self._moved.get(chat, chat))
        return found.slots.get(slot) if found else None

    def _landed(self, offer: Offer) -> Slot:
        chat = self._line(offer.chat)
        slot = chat.slots[offer.slot or 0]
        slot.in_flight = False
        chat.opening.discard(slot.id)
        return slot

    def _prune(self, now: float) -> None:
        """Forget chats that have nothing waiting and whose budgets have recovered."""
        for chat_id in [one for one, chat in self._chats.items() if chat.idle(now)]:
            del self._chats[chat_id]
