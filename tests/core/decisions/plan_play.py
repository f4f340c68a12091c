"""Random schedules for the plan, played with a service that is slow and refuses, and their laws."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import msgspec
from hypothesis import strategies as st

from takopi.core.chat import ChatKind
from takopi.core.outbox_budget import OutboxLimits
from takopi.core.outbox_plan import Item, Offer, OutboxPlan, Priority

LIMITS = OutboxLimits()
KINDS: dict[int, ChatKind] = {1: "private", 2: "private", -1: "group", -2: "group", -3: "group"}
CHATS = st.sampled_from(sorted(KINDS))
MOMENTS = st.floats(0, 200, allow_nan=False)
PATHS = ("cut", "aside", "pass")


@dataclass
class Made:
    """Be one call that was made."""

    at: float
    chat: int
    item: Item | None
    slot: int | None
    until: float
    accepted: bool
    edit: bool = False


@dataclass
class Simulation:
    """Play a schedule against the plan, with a service that is slow and refuses.

    Args:
        trouble: What the service does with each call in turn: seconds it takes, and how it ends.
    """

    trouble: list[tuple[float, str]]
    plan: OutboxPlan = field(default_factory=lambda: OutboxPlan(LIMITS))
    made: list[Made] = field(default_factory=list)
    blocked: list[tuple[int, float, float]] = field(default_factory=list)
    items: dict[int, Item] = field(default_factory=dict)
    events: list[tuple[float, int, Callable[[float], None]]] = field(default_factory=list)
    shown: set[int] = field(default_factory=set)
    closed: set[int] = field(default_factory=set)
    backing_off: dict[int, float] = field(default_factory=dict)
    loose: set[int] = field(default_factory=set)
    """Groups, and minus the ids of single items, that others were let pass."""
    origin: dict[int, tuple[int, ...]] = field(default_factory=dict)
    moved: bool = False
    numbers: int = 0

    def at(self, moment: float, happen: Callable[[float], None]) -> None:
        """Let something happen at a moment."""
        self.numbers += 1
        heapq.heappush(self.events, (moment, self.numbers, happen))

    def run(self, until: float) -> None:
        """Let time pass."""
        now = 0.0
        steps = 0
        while now <= until:
            steps += 1
            assert steps < 100_000, "the plan spins"
            while self.events and self.events[0][0] <= now:
                heapq.heappop(self.events)[2](now)
            while offer := self.plan.offer(now):
                self._make(offer, now)
            due = self.plan.due(now)
            assert due is None or due > now, "due promises what offer does not hold"
            following = [m for m in (due, self.events[0][0] if self.events else None) if m]
            if not following:
                return
            now = min(following)

    def _make(self, offer: Offer, now: float) -> None:
        item = self.items[offer.item] if offer.item is not None else None
        if item is None:
            self._no_final_waits(offer.chat, now)
        self.plan.begin(offer, now)
        takes, ends = self.trouble.pop(0) if self.trouble else (0.1, "accepted")
        over = ends in ("accepted", "lost")
        made = Made(now, offer.chat, item, offer.slot, now + takes, accepted=over)
        if item is None:
            made.edit = offer.slot in self.shown
        self.made.append(made)
        self.at(now + takes, lambda moment: self._end(offer, ends, moment))

    def move(self, old: int, new: int) -> None:
        """Give a chat another id."""
        self.plan.move(old, new)
        self.shown.clear()
        self.moved = True

    def _no_final_waits(self, chat: int, now: float) -> None:
        if self.moved or now < self.backing_off.get(chat, 0.0):
            return
        done = {m.item.id for m in self.made if m.item}
        for item in self.items.values():
            waits = item.priority is Priority.FINAL and item.id not in done
            if item.chat == chat and waits and name_of(item) not in self.loose:
                raise AssertionError(f"progress went before final {item.id} at {now}")

    def _end(self, offer: Offer, ends: str, now: float) -> None:
        if ends == "flood":
            self.plan.block(offer.chat, now + 30)
            self.blocked.append((offer.chat, now, now + 30))
            self.plan.again(offer, now)
        elif ends == "down":
            self.plan.again(offer, now + 5)
            if offer.item is not None and self.items[offer.item].priority is Priority.FINAL:
                self.backing_off[offer.chat] = now + 5
        elif ends in PATHS and offer.item is not None:
            self._take_path(offer, self.items[offer.item], ends, now)
        elif ends == "lost" and offer.slot is not None:
            self.shown.discard(offer.slot)
            self.plan.again(offer, now, lost=True)
        else:
            if offer.slot is not None:
                self.shown.add(offer.slot)
            self.plan.done(offer)

    def _take_path(self, offer: Offer, item: Item, ends: str, now: float) -> None:
        if ends == "cut":
            group = item.group or 10_000 + item.id
            if name_of(item) in self.loose:  # what others pass is passed in pieces, too
                self.loose.add(name_of(msgspec.structs.replace(item, group=group)))
            self.numbers += 2
            more = [
                msgspec.structs.replace(item, id=100_000 + number, group=group, last=last)
                for number, last in ((self.numbers, False), (self.numbers + 1, item.last))
            ]
            self.plan.split(offer, more)
            # What is cut may be cut again: what is new then stands right behind it.
            path = (*self.origin.get(item.id, (item.id,)), -self.numbers)
            self.origin |= {one.id: (*path, one.id) for one in more}
            for one in (msgspec.structs.replace(item, group=group, last=False), *more):
                self.items[one.id] = one
            self.plan.again(offer, now)
            return
        self.loose.add(name_of(item))
        if ends == "aside":
            self.plan.step_aside(offer, now + 20)
        else:
            self.plan.again(offer, now + 5, let_pass=True)
            self.backing_off[offer.chat] = now + 5


def name_of(item: Item) -> int:
    """Name what is let pass together with an item."""
    return item.group or -item.id


@st.composite
def schedules(draw: st.DrawFn, *, paths: bool = False) -> Simulation:
    """Draw finals, answers, living messages and troubles.

    Args:
        draw: Draws.
        paths: Letters are also cut, passed, and their chats get new ids.
    """
    ends = ["accepted", "accepted", "accepted", "flood", "down", "lost", *(PATHS if paths else ())]
    trouble = draw(
        st.lists(
            st.tuples(
                st.floats(0.01, 3, allow_nan=False),
                st.sampled_from(ends),
            ),
            max_size=25,
        )
    )
    play = Simulation(list(trouble))
    posts = st.tuples(MOMENTS, CHATS, st.sampled_from([*Priority][:4]), st.integers(1, 4))
    drawn = sorted(draw(st.lists(posts, max_size=25)))
    for group, (moment, chat, priority, parts) in enumerate(drawn, start=1):
        count = parts if priority is Priority.FINAL else 1
        for part in range(count):
            play.numbers += 1
            item = Item(
                id=play.numbers,
                chat=chat,
                kind=KINDS[chat],
                priority=priority,
                group=group if count > 1 else 0,
                last=part == count - 1,
                free=priority is Priority.TIDY,
            )
            play.at(moment, lambda now, item=item: _add(play, item, now))
    lives = st.tuples(MOMENTS, CHATS, st.lists(st.floats(0, 90, allow_nan=False), max_size=12))
    for slot, (moment, chat, marks) in enumerate(draw(st.lists(lives, max_size=6)), start=1):
        play.at(moment, lambda now, s=slot, c=chat: play.plan.open(s, c, KINDS[c], now))
        for mark in marks:
            play.at(moment + mark, lambda now, s=slot, c=chat: play.plan.mark(c, s, now) or None)
        play.at(moment + 100, lambda now, s=slot, c=chat: play.plan.close(c, s))
    if paths:
        # One after the other, as a chat that moved away never gets another's place.
        moments = sorted(draw(st.lists(MOMENTS, max_size=2)))
        for moment, (old, new) in zip(moments, [(-1, -3), (-3, -2)], strict=False):
            play.at(moment, lambda now, o=old, n=new: play.move(o, n))
    return play


def _add(play: Simulation, item: Item, now: float) -> None:
    play.items[item.id] = item
    play.plan.add(item, now)


def laws_hold(play: Simulation) -> None:
    """Check budgets, order, contiguity, blocks and liveness."""
    assert play.plan.waiting() == 0
    accepted = [m.item.id for m in play.made if m.item and m.accepted]
    assert sorted(accepted) == sorted(play.items)
    for chat, kind in KINDS.items():
        calls = [m for m in play.made if m.chat == chat]
        costing = [m.at for m in calls if not (m.item and m.item.free)]
        edits = [m.at for m in calls if m.edit]
        if kind == "private":
            for first in range(len(costing)):
                for last in range(first, len(costing)):
                    spent = last - first + 1
                    assert spent <= LIMITS.private_burst + costing[last] - costing[first] + 1e-6
        else:
            assert most_in_a_window(costing, 60) <= LIMITS.group_per_min
            ordinary = [m.at for m in calls if not m.item or m.item.priority is Priority.ANSWER]
            assert most_in_a_window(ordinary, 60) <= 15
        gap = 3 if kind == "private" else 4
        assert all(later - earlier >= gap - 1e-6 for earlier, later in pairwise(edits))
        assert most_in_a_window(edits, 60) <= LIMITS.edits_per_min
        talking = [m for m in calls if m.item and m.item.priority is not Priority.TIDY]
        nothing_overlaps(talking)
        for slot in {m.slot for m in calls if m.slot}:
            nothing_overlaps([m for m in calls if m.slot == slot])
        # What was merged with the items of another chat has its order from then on.
        if not (play.moved and kind == "group"):
            in_order(calls, play)
    for chat, since, until in play.blocked:
        assert not [m for m in play.made if m.chat == chat and since < m.at < until]
    assert most_in_a_window([m.at for m in play.made], 1) <= LIMITS.global_per_s


def most_in_a_window(moments: list[float], window_s: float) -> int:
    """Count the most calls in any half-open window."""
    return max(
        (sum(first <= m < first + window_s - 1e-6 for m in moments) for first in moments),
        default=0,
    )


def nothing_overlaps(calls: list[Made]) -> None:
    """Check that each call begins when the one before has ended."""
    for earlier, later in pairwise(calls):
        assert earlier.until <= later.at + 1e-9


def in_order(calls: list[Made], play: Simulation) -> None:
    """Check first in, first out inside a priority, and contiguous groups."""
    done = [m.item for m in calls if m.item and m.accepted]
    for priority in Priority:
        kept = [i for i in done if i.priority is priority and name_of(i) not in play.loose]
        order = [play.origin.get(i.id, (i.id,)) for i in kept]
        assert order == sorted(order)
    talk = [item for item in done if item.priority is not Priority.TIDY]
    for index, item in enumerate(talk):
        begun = item.group and not item.last and name_of(item) not in play.loose
        if begun and talk[index + 1 :]:
            assert talk[index + 1].group == item.group
