"""What goes out next, and when: the laws of the plan over random schedules."""

import pytest
from hypothesis import given, settings

from core.decisions.plan_play import KINDS, LIMITS, Simulation, laws_hold, schedules
from takopi.core.outbox_plan import Item, Offer, OutboxPlan, Priority


@pytest.mark.timeout(600)
@settings(max_examples=min(settings().max_examples, 2_000))
@given(play=schedules())
def test_the_plan_keeps_its_laws_over_any_schedule(play: Simulation) -> None:
    """Budgets, order, contiguity, blocks and liveness hold whatever happens when."""
    play.run(20_000)
    laws_hold(play)


@pytest.mark.timeout(600)
@settings(max_examples=min(settings().max_examples, 2_000))
@given(play=schedules(paths=True))
def test_letters_that_are_cut_or_passed_and_chats_that_move_break_no_law(play: Simulation) -> None:
    """All of it goes out, within budgets; what nobody was let pass keeps its order."""
    play.run(20_000)
    laws_hold(play)


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


def test_many_short_turns_keep_no_later_one_from_being_shown() -> None:
    """A message that is new is no edit: only edits count for how many a minute takes."""
    plan = OutboxPlan(LIMITS)
    for number in range(1, 16):
        now = number * 2.5
        plan.open(number, 1, "private", now)
        assert taken(plan, now) == [-number]
        plan.close(1, number)
    plan.open(16, 1, "private", 40.0)
    assert taken(plan, 40.0) == [-16]
    plan.mark(1, 16, 41.0)
    assert plan.due(41.0) == 43.0
    assert taken(plan, 43.0) == [-16]


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
