"""What becomes of a letter that the service did not take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.again import again_and_again
from takopi.core.outbox_patience import (
    ASIDE_PAUSE_S,
    Failure,
    Trouble,
    Verdict,
    after_failure,
    aside,
    pause_s,
)
from takopi.core.outbox_plan import Priority

DAY_S = 24 * 3600.0
HOUR_S = 3600.0


def failed(
    before: Trouble | None,
    now: float,
    *,
    age_s: float = 0.0,
    priority: Priority = Priority.FINAL,
    taken_at: float | None = None,
    flood: bool = False,
) -> Verdict:
    """Let a try fail at a moment."""
    known = {} if taken_at is None else {"taken_at": taken_at}
    failure = Failure(now=now, age_s=age_s, priority=priority, flood=flood, **known)
    return after_failure(before, failure)


def test_pauses_grow_to_a_minute() -> None:
    """1, 2, 4, ... 60."""
    assert [pause_s(count) for count in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert pause_s(10_000) == 60


def test_an_outage_is_waited_out_without_a_change() -> None:
    """As long as nothing else is taken, it is nobody's own fault."""
    trouble, now = None, 0.0
    while now < HOUR_S:
        verdict = failed(trouble, now, age_s=now, taken_at=-5.0)
        assert verdict.step == "again"
        assert verdict.held_up == (now >= 600)
        trouble, now = verdict.trouble, now + verdict.pause_s
    assert trouble is not None
    assert trouble.failures > 60


def test_a_letter_is_sick_after_ten_minutes_and_six_lonely_tries() -> None:
    """Then it is made simpler; each further form has six tries."""
    trouble, now, simpler = None, 0.0, []
    while len(simpler) < 3:
        verdict = failed(trouble, now, taken_at=now - 0.5)
        trouble = verdict.trouble
        if verdict.step == "simpler":
            simpler.append(now)
        now += max(verdict.pause_s, 0.1)
    assert 600 <= simpler[0] < 670
    assert simpler[1] - simpler[0] == pytest.approx(63.1)
    assert trouble is not None
    assert trouble.plainer == 3


def test_ten_minutes_of_outage_and_one_success_make_nobody_sick() -> None:
    """The tries have to fail while others are taken."""
    trouble, now = None, 0.0
    while now < 900:
        verdict = failed(trouble, now)
        trouble, now = verdict.trouble, now + verdict.pause_s
    for lonely in range(1, 6):
        verdict = failed(trouble, now, taken_at=now - 1)
        assert (verdict.step, verdict.trouble.lonely) == ("again", lonely)
        trouble, now = verdict.trouble, now + verdict.pause_s
    assert failed(trouble, now, taken_at=now - 1).step == "simpler"


def test_who_stepped_aside_is_tried_seldom_and_changes_no_more() -> None:
    """Whatever else is taken."""
    trouble = aside(None, 0.0)
    for now in (0.0, 1800.0, 3600.0):
        verdict = failed(trouble, now, taken_at=now)
        assert (verdict.step, verdict.pause_s) == ("again", ASIDE_PAUSE_S)
        assert not verdict.held_up
        trouble = verdict.trouble
    assert aside(trouble, 1.0).aside


@pytest.mark.parametrize(
    ("priority", "patience_s"),
    [
        (Priority.FINAL, DAY_S),
        (Priority.ASK, DAY_S),
        (Priority.ANSWER, HOUR_S),
        (Priority.TIDY, HOUR_S),
    ],
)
@pytest.mark.parametrize("flood", [False, True])
def test_patience_ends_by_the_age_but_not_before_hours_of_tries(
    priority: Priority, patience_s: float, flood: bool
) -> None:
    """A restart or a clock that jumps takes nobody's last chance."""
    old = failed(None, 0.0, age_s=patience_s + 1, priority=priority, flood=flood)
    assert old.step == "again"
    least_s = min(patience_s, 7200.0)
    ages = {"priority": priority, "flood": flood}
    still = failed(old.trouble, least_s - 1, age_s=patience_s + least_s, **ages)
    assert still.step == "again"
    over = failed(still.trouble, least_s, age_s=patience_s + least_s, **ages)
    assert over.step == "give up"
    young = failed(still.trouble, least_s, age_s=patience_s - 1, **ages)
    assert young.step == "again"


def test_a_flood_is_no_failure() -> None:
    """It says itself how long to wait."""
    trouble = failed(None, 0.0).trouble
    verdict = failed(trouble, 5.0, flood=True, taken_at=4.0)
    assert (verdict.pause_s, verdict.trouble.failures, verdict.trouble.lonely) == (0.0, 1, 0)


@given(tries=again_and_again(st.tuples(st.floats(0.01, 4000), st.booleans(), st.booleans()), 60))
def test_nothing_is_given_up_early_and_nothing_is_tried_for_ever(
    tries: list[tuple[float, bool, bool]],
) -> None:
    """Whatever happens, a day decides; pauses are short; simpler needs its reasons."""
    trouble, now = None, 0.0
    for gap, alone, flood in tries:
        before = trouble
        verdict = failed(before, now, age_s=now, taken_at=now if alone else None, flood=flood)
        assert (verdict.step == "give up") == (now >= DAY_S)
        assert 0 <= verdict.pause_s <= 60
        if verdict.step == "simpler":
            assert before is not None
            assert before.lonely + 1 >= 6
            assert now >= 600
        trouble, now = verdict.trouble, now + gap
