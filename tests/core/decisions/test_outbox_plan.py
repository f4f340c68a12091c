"""What goes out next, and when: the laws of the plan over random schedules."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from takopi.core.chat import ChatKind
from takopi.core.outbox_budget import OutboxLimits
from takopi.core.outbox_plan import Item, Offer, OutboxPlan, Priority

LIMITS = OutboxLimits()
KINDS: dict[int, ChatKind] = {1: "private", 2: "private", -1: "group", -2: "group"}
CHATS = st.sampled_from(sorted(KINDS))
MOMENTS = st.floats(0, 200, allow_nan=False)


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

    def _no_final_waits(self, chat: int, now: float) -> None:
        if now < self.backing_off.get(chat, 0.0):
            return
        done = {m.item.id for m in self.made if m.item}
        for item in self.items.values():
            if item.chat == chat and item.priority is Priority.FINAL and item.id not in done:
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
        elif ends == "lost" and offer.slot is not None:
            self.shown.discard(offer.slot)
            self.plan.again(offer, now, lost=True)
        else:
            if offer.slot is not None:
                self.shown.add(offer.slot)
            self.plan.done(offer)


@st.composite
def schedules(draw: st.DrawFn) -> Simulation:
    """Draw finals, answers, living messages and troubles."""
    trouble = draw(
        st.lists(
            st.tuples(
                st.floats(0.01, 3, allow_nan=False),
                st.sampled_from(["accepted", "accepted", "accepted", "flood", "down", "lost"]),
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
    return play


def _add(play: Simulation, item: Item, now: float) -> None:
    play.items[item.id] = item
    play.plan.add(item, now)


@pytest.mark.timeout(600)
@settings(max_examples=min(settings().max_examples, 2_000))
@given(play=schedules())
def test_the_plan_keeps_its_laws_over_any_schedule(play: Simulation) -> None:
    """Budgets, order, contiguity, blocks and liveness hold whatever happens when."""
    play.run(20_000)
    assert play.plan.waiting() == 0
    accepted = {m.item.id for m in play.made if m.item and m.accepted}
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
        in_order(calls, accepted)
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


def in_order(calls: list[Made], accepted: set[int]) -> None:
    """Check first in, first out inside a priority, and contiguous groups."""
    done = [m.item for m in calls if m.item and m.accepted and m.item.id in accepted]
    for priority in Priority:
        ids = [item.id for item in done if item.priority is priority]
        assert ids == sorted(ids)
    talk = [item for item in done if item.priority is not Priority.TIDY]
    for index, item in enumerate(talk):
        if item.group and not item.last and talk[index + 1 :]:
            assert talk[index + 1].group == item.group


def plan_with(*items: Item) -> OutboxPlan:
    """Make a plan with items waiting at moment 0."""
    plan = OutboxPlan(LIMITS)
    for item in items:
        plan.add(item, 0.0)
    return plan


def taken(plan: OutboxPlan, now: float) -> list[int]:
    """Accept everything that goes at a moment; name items by id and slots by minus id."""
    names = []
    while offer := plan.offer(now):
        plan.begin(offer, now)
        plan.done(offer)
        names.append(offer.item if offer.item is not None else -(offer.slot or 0))
    return names


def item(number: int, priority: Priority, chat: int = 1, **more: object) -> Item:
    """Make an item."""
    kind = KINDS.get(chat, "private")
    return Item(id=number, chat=chat, kind=kind, priority=priority, **more)  # type: ignore[arg-type]


def test_priorities_go_before_arrival() -> None:
    """Final, ask, answer, tidying, progress."""
    plan = plan_with(
        item(1, Priority.TIDY, free=True),
        item(2, Priority.ANSWER),
        item(3, Priority.ASK),
        item(4, Priority.FINAL),
    )
    plan.open(9, 1, "private", 0.0)
    assert taken(plan, 0.0) == [4, 3, 2, 1]
    assert plan.due(0.0) == 1.0
    assert taken(plan, 1.0) == [-9]


def test_a_chat_that_waits_does_not_hold_up_another() -> None:
    """A block is one chat's."""
    plan = plan_with(item(1, Priority.FINAL), item(2, Priority.FINAL, chat=2))
    offer = plan.offer(0.0)
    assert offer == Offer(1, item=1)
    plan.begin(offer, 0.0)
    plan.block(1, 60.0)
    plan.again(offer, 0.0)
    assert taken(plan, 0.0) == [2]
    assert plan.due(0.0) == 60.0
    assert taken(plan, 60.0) == [1]


def test_the_first_part_that_fails_does_not_hold_the_chat() -> None:
    """Only a final whose first part was accepted keeps others out."""
    parts = [
        item(1, Priority.FINAL, group=5, last=False),
        item(2, Priority.FINAL, group=5, last=True),
    ]
    plan = plan_with(*parts, item(3, Priority.ANSWER))
    offer = plan.offer(0.0)
    assert offer is not None
    plan.begin(offer, 0.0)
    plan.again(offer, 50.0)
    assert taken(plan, 0.0) == [3]
    assert taken(plan, 50.0) == [1, 2]


def test_progress_goes_on_while_a_final_waits_out_an_outage() -> None:
    """Holding it back would help nobody."""
    plan = plan_with(item(1, Priority.FINAL))
    offer = plan.offer(0.0)
    assert offer is not None
    plan.begin(offer, 0.0)
    plan.again(offer, 50.0)
    plan.open(9, 1, "private", 0.0)
    assert taken(plan, 0.0) == [-9]


def test_heartbeats_come_every_ten_seconds_and_slow_down() -> None:
    """After ten minutes once a minute is enough; a message that does not beat is left alone."""
    plan = OutboxPlan(LIMITS)
    plan.open(1, 1, "private", 0.0)
    plan.open(2, 2, "private", 0.0)
    plan.set_beating(2, 2, 0.0, beating=False)
    assert sorted(taken(plan, 0.0)) == [-2, -1]
    moments = []
    now = plan.due(0.0)
    while now is not None and now < 800:
        moments.append(now)
        assert taken(plan, now) == [-1]
        now = plan.due(now)
    assert moments[:3] == [10.0, 20.0, 30.0]
    assert moments[-2:] == [720.0, 780.0]


def test_a_skipped_heartbeat_waits_for_the_next_and_a_skipped_change_for_the_beat() -> None:
    """Nothing was sent, so nothing was spent."""
    plan = OutboxPlan(LIMITS)
    plan.open(1, 1, "private", 0.0)
    assert taken(plan, 0.0) == [-1]
    assert plan.mark(1, 1, 1.0)
    assert not plan.mark(1, 1, 1.0)
    offer = plan.offer(3.0)
    assert offer == Offer(1, slot=1, beat=False)
    plan.skip(offer, 3.0)
    assert plan.due(3.0) == 10.0
    offer = plan.offer(10.0)
    assert offer == Offer(1, slot=1, beat=True)
    plan.skip(offer, 10.0)
    assert plan.due(10.0) == 20.0


def test_an_item_waits_for_the_call_on_its_living_message() -> None:
    """Never two calls for one message, also when the message is closed meanwhile."""
    plan = OutboxPlan(LIMITS)
    plan.open(1, 1, "private", 0.0)
    showing = plan.offer(0.0)
    assert showing is not None
    plan.begin(showing, 0.0)
    plan.add(item(5, Priority.FINAL, slot=1), 0.0)
    plan.close(1, 1)
    assert plan.offer(0.0) is None
    plan.done(showing)
    assert taken(plan, 0.0) == [5]


def test_a_living_message_waits_for_the_item_on_it() -> None:
    """The other way round it is the same."""
    plan = OutboxPlan(LIMITS)
    plan.open(1, 1, "private", 0.0)
    assert taken(plan, 0.0) == [-1]
    plan.add(item(5, Priority.ANSWER, slot=1), 0.0)
    plan.mark(1, 1, 0.0)
    editing = plan.offer(5.0)
    assert editing == Offer(1, item=5)
    plan.begin(editing, 5.0)
    assert plan.offer(5.0) is None
    plan.done(editing)
    assert taken(plan, 5.0) == [-1]


def test_first_messages_of_one_chat_keep_their_order() -> None:
    """One is opened after the other."""
    plan = OutboxPlan(LIMITS)
    plan.open(1, 1, "private", 0.0)
    plan.open(2, 1, "private", 0.5)
    first = plan.offer(1.0)
    assert first == Offer(1, slot=1, beat=True)
    plan.begin(first, 1.0)
    assert plan.offer(1.0) is None
    plan.done(first)
    assert taken(plan, 1.0) == [-2]


def test_tidying_that_hangs_holds_up_no_final() -> None:
    """Taking a message back is beside the order."""
    plan = plan_with(item(1, Priority.TIDY, free=True), item(3, Priority.TIDY, free=True))
    hanging = plan.offer(0.0)
    assert hanging is not None
    plan.begin(hanging, 0.0)
    assert plan.offer(0.0) is None
    plan.add(item(2, Priority.FINAL), 0.0)
    assert taken(plan, 0.0) == [2]
    plan.done(hanging)
    assert taken(plan, 0.0) == [3]


@pytest.mark.parametrize("chat", [1, -1])
def test_a_chat_that_rested_is_forgotten(chat: int) -> None:
    """Nothing grows with the number of chats ever seen."""
    plan = plan_with(item(1, Priority.ANSWER, chat=chat))
    assert taken(plan, 0.0) == [1]
    plan.open(7, chat, KINDS[chat], 0.0)
    plan.close(chat, 7)
    plan.close(chat, 7)
    assert not plan.mark(chat, 7, 0.0)
    plan.set_beating(chat, 7, 0.0, beating=True)
    plan.due(1.0)
    assert plan.chats() == 1
    plan.due(61.0)
    assert plan.chats() == 0
