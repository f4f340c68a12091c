"""What becomes of letters that fail, are cut or go on after a restart, step by step."""

import os

import pytest

from core.decisions.plan_play import KINDS, LIMITS, most_in_a_window
from takopi.core.outbox_plan import Item, Offer, OutboxPlan, Priority

HOUR_S = 3600.0 if os.environ.get("TAKOPI_TEST_FULL") else 60.0


def item(number: int, priority: Priority = Priority.FINAL, chat: int = 1, **more: object) -> Item:
    """Make an item."""
    kind = KINDS.get(chat, "private")
    return Item(id=number, chat=chat, kind=kind, priority=priority, **more)  # type: ignore[arg-type]


def parts(*numbers: int, group: int, chat: int = 1) -> list[Item]:
    """Make the parts of a final."""
    return [item(n, chat=chat, group=group, last=n == numbers[-1]) for n in numbers]


def plan_with(*items: Item) -> OutboxPlan:
    """Make a plan without budgets to speak of, with items waiting at moment 0."""
    limits = {"private_burst": 100, "group_per_min": 100, "private_gap_s": 0.0, "global_per_s": 100}
    plan = OutboxPlan(type(LIMITS)(**limits))  # type: ignore[arg-type]
    for one in items:
        plan.add(one, 0.0)
    return plan


def begun(plan: OutboxPlan, now: float = 0.0) -> Offer:
    """Begin the call that goes next."""
    offer = plan.offer(now)
    assert offer is not None
    plan.begin(offer, now)
    return offer


def taken(plan: OutboxPlan, now: float = 0.0) -> list[int]:
    """Accept everything that goes at a moment; name items by id and slots by minus id."""
    names = []
    while offer := plan.offer(now):
        plan.begin(offer, now)
        plan.done(offer)
        names.append(offer.item if offer.item is not None else -(offer.slot or 0))
    return names


def test_others_pass_a_final_that_steps_aside_and_all_its_parts() -> None:
    """Finals, answers and progress; later it goes on, its parts together."""
    plan = plan_with(*parts(1, 2, group=1), item(3), item(4, Priority.ANSWER))
    plan.open(9, 1, "private", 0.0)
    plan.step_aside(begun(plan), 100.0)
    assert plan.waiting() == 4
    assert taken(plan) == [3, 4, -9]
    plan.add(item(5), 50.0)
    assert taken(plan, 50.0) == [5, -9]
    plan.add(item(6, Priority.ANSWER), 100.0)
    assert taken(plan, 100.0) == [6, 1, 2, -9]


def test_a_group_that_was_begun_and_steps_aside_keeps_nobody_out() -> None:
    """Also when it fails again later."""
    plan = plan_with(*parts(1, 2, 3, group=1), item(4, Priority.ANSWER))
    plan.done(begun(plan))
    plan.step_aside(begun(plan), 100.0)
    assert taken(plan) == [4]
    plan.done(begun(plan, 100.0))
    plan.again(begun(plan, 100.0), 200.0)
    plan.add(item(5, Priority.ANSWER), 100.0)
    assert taken(plan, 100.0) == [5]
    assert taken(plan, 200.0) == [3]


def test_what_stepped_aside_waits_for_nothing_but_the_parts_before_it() -> None:
    """One that is sick does not hold up another."""
    plan = plan_with(*parts(1, 2, group=1), item(3))
    plan.step_aside(begun(plan), 500.0)
    plan.step_aside(begun(plan), 100.0)
    assert taken(plan, 100.0) == [3]
    assert taken(plan, 500.0) == [1, 2]


def test_what_stepped_aside_leaves_the_reserve_of_a_group_to_others() -> None:
    """It has time."""
    plan = OutboxPlan(LIMITS)
    plan.add(item(1, chat=-1), 0.0)
    plan.step_aside(begun(plan), 0.0)
    for number in range(2, 17):
        plan.add(item(number, Priority.ANSWER, chat=-1), 0.0)
    assert len(taken(plan)) == 14
    plan.add(item(20, chat=-1), 1.0)
    assert taken(plan, 1.0) == [20]


def test_pieces_go_right_behind_the_letter_that_was_cut() -> None:
    """Before later finals, and before the parts behind it."""
    plan = plan_with(item(1), item(2), *parts(3, 4, group=3))
    cut = begun(plan)
    plan.split(cut, parts(11, 12, group=1))
    plan.done(cut)
    assert taken(plan) == [11, 12, 2, 3, 4]
    plan = plan_with(*parts(3, 4, group=3), item(5))
    cut = begun(plan)
    plan.split(cut, [item(11, group=3, last=False)])
    plan.again(cut, 0.0)
    assert taken(plan) == [3, 11, 4, 5]


def test_an_edit_is_shown_between_parts_that_wait_but_no_new_message() -> None:
    """It comes between nothing."""
    plan = plan_with()
    plan.open(8, 1, "private", 0.0)
    assert taken(plan) == [-8]
    for one in parts(1, 2, group=1):
        plan.add(one, 0.0)
    plan.done(begun(plan))
    failing = begun(plan)
    plan.mark(1, 8, 0.0)
    plan.open(9, 1, "private", 0.0)
    assert plan.offer(0.0) is None
    plan.again(failing, 50.0)
    assert taken(plan, 1.0) == [-8]
    assert taken(plan, 50.0) == [2, -9, -8]


def test_others_may_be_let_between_parts() -> None:
    """Once nobody else could find out what is wrong."""
    plan = plan_with(*parts(1, 2, group=1), item(3, Priority.ANSWER))
    plan.done(begun(plan))
    plan.again(begun(plan), 10.0, let_pass=True)
    assert taken(plan) == [3]
    assert taken(plan, 10.0) == [2]


def test_a_group_goes_on_after_a_restart_before_others() -> None:
    """Its first parts were accepted in an earlier life."""
    plan = plan_with(*parts(2, 3, group=1), item(4), item(5, Priority.ANSWER))
    plan.resume(1, 1)
    plan.again(begun(plan), 5.0)
    assert taken(plan, 1.0) == []
    assert taken(plan, 5.0) == [2, 3, 4, 5]


def test_groups_that_were_both_begun_go_on_one_after_the_other() -> None:
    """The first one counts."""
    plan = plan_with(*parts(2, 3, group=1), *parts(5, 6, group=4))
    plan.resume(1, 1)
    plan.resume(1, 4)
    plan.again(begun(plan), 5.0)
    assert taken(plan, 1.0) == []
    assert taken(plan, 5.0) == [2, 3, 5, 6]


def test_a_message_that_exists_is_edited_at_once() -> None:
    """It waits for no message that is sent for the first time."""
    plan = plan_with()
    plan.open(1, 1, "private", 0.0)
    plan.open(2, 1, "private", 0.0, exists=True)
    opening = begun(plan)
    assert opening.slot == 1
    assert begun(plan).slot == 2


def test_a_retired_message_is_shown_only_when_it_is_marked() -> None:
    """Neither for its age, nor again after a failure, nor anew."""
    plan = plan_with()
    plan.open(1, 1, "private", 0.0)
    plan.retire(1, 1)
    plan.retire(1, 7)
    plan.set_beating(1, 1, 0.0, beating=True)
    assert plan.due(0.0) is None
    plan.mark(1, 1, 0.0)
    plan.again(begun(plan), 0.0, lost=True)
    assert plan.due(0.0) is None


def test_a_chat_with_a_new_id_keeps_its_order_and_its_calls_in_flight() -> None:
    """Answers to calls that were made under the old id still count."""
    plan = plan_with(item(1, chat=-1), item(2, chat=-1), item(3, chat=-2))
    plan.open(9, -1, "group", 0.0)
    first, other = begun(plan), begun(plan)
    assert (first, other) == (Offer(-1, item=1), Offer(-2, item=3))
    plan.move(-1, -2)
    plan.move(-2, -2)
    plan.block(-1, 5.0)
    plan.again(first, 0.0)
    assert plan.offer(5.0) is None, "one call at a time"
    plan.done(other)
    plan.add(item(4, chat=-1), 5.0)
    plan.mark(-1, 9, 5.0)
    assert taken(plan, 5.0) == [1, 2, 4, -9]
    plan.move(-2, -3)
    plan.add(item(5, chat=-1), 6.0)
    assert begun(plan, 6.0) == Offer(-3, item=5)
    plan.move(-7, -8)


@pytest.mark.timeout(400)
def test_a_hundred_busy_chats_keep_their_budgets_and_no_final_waits() -> None:
    """All of them change all the time; full: for an hour."""
    plan, now, number = OutboxPlan(LIMITS), 0.0, 1000
    chats = {chat if chat % 2 else -chat: KINDS[1 if chat % 2 else -1] for chat in range(1, 101)}
    calls: dict[int, list[float]] = {chat: [] for chat in chats}
    posted: dict[int, float] = {}
    waits: list[float] = []
    for chat, kind in chats.items():
        plan.open(abs(chat), chat, kind, now)
    second = -1
    while now < HOUR_S:
        if int(now) > second:
            second = int(now)
            for chat in chats:
                plan.mark(chat, abs(chat), now)
                # A final a minute in each chat, at a second of its own.
                if (second + 7 * abs(chat)) % 60 == 0:
                    number += 1
                    posted[number] = now
                    plan.add(item(number, chat=chat), now)
        while offer := plan.offer(now):
            plan.begin(offer, now)
            calls[offer.chat].append(now)
            if offer.item is not None:
                waits.append(now - posted[offer.item])
            plan.done(offer)
        due = plan.due(now)
        now = min(second + 1.0, due if due is not None and due > now else HOUR_S)
    assert len(waits) >= 100 * HOUR_S / 60 - 100
    assert max(waits) <= 2.0
    everything = sorted(moment for made in calls.values() for moment in made)
    assert all(b - a >= 1 - 1e-6 for a, b in zip(everything, everything[25:], strict=False))
    for chat, kind in chats.items():
        most = LIMITS.group_per_min if kind == "group" else 60 + LIMITS.private_burst
        assert most_in_a_window(calls[chat][-200:], 60) <= most
