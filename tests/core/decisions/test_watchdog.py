"""When a silent engine is worth a word, and when it is worth an end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.watchdog import Look, StallLimits, Watch, begin_watch, look_every_s, watch

PAUSE_S = 10.0


def after(*looks: Look) -> Watch:
    """Fold some looks."""
    seen = begin_watch(looks[0])
    for look in looks[1:]:
        seen = watch(seen, look, PAUSE_S)
    return seen


def look(at: float, heard: int = 0, *, slept: float = 0.0, excused: bool = False) -> Look:
    """Make a look; the wall clock went on for `slept` seconds more."""
    return Look(at=at, wall=1e9 + at + slept, heard=heard, excused=excused)


def test_silence_adds_up_and_ends_with_a_word() -> None:
    """Every pause counts until something is heard."""
    assert after(*(look(n * PAUSE_S) for n in range(31))).quiet_s == 300.0
    assert after(look(0), look(10), look(20, heard=1)).quiet_s == 0.0
    assert after(look(0), look(10, heard=1), look(20, heard=1)).quiet_s == 10.0


def test_waiting_for_a_person_does_not_count() -> None:
    """What was silent before and after does."""
    looks = [look(0), look(10), look(20, excused=True), look(900, excused=True), look(910)]
    assert after(*looks).quiet_s == 10.0
    assert after(*looks, look(920)).quiet_s == 20.0


def test_a_machine_that_slept_does_not_count() -> None:
    """Neither where the monotonic clock went on in the sleep, nor where it stood still."""
    assert after(look(0), look(10), look(3_600), look(3_610)).quiet_s == 20.0
    assert after(look(0), look(10), look(20, slept=3_600), look(30, slept=3_600)).quiet_s == 20.0


def test_a_busy_machine_that_looks_late_still_counts() -> None:
    """A look may come some seconds after it was due."""
    assert after(look(0), look(25)).quiet_s == 25.0


def test_a_wall_clock_that_is_set_back_does_not_matter() -> None:
    """Only the monotonic clock measures."""
    assert after(look(0), look(10, slept=-7_200)).quiet_s == 10.0


@pytest.mark.parametrize(
    ("limits", "pause_s"),
    [
        (StallLimits(), 15.0),
        (StallLimits(0, 0), None),
        (StallLimits(10, 0), 2.0),
        (StallLimits(0, 50), 10.0),
        (StallLimits(300, 20), 4.0),
    ],
)
def test_looks_come_often_enough_for_the_limits(limits: StallLimits, pause_s: float | None) -> None:
    """Some looks fit into the smallest limit; without limits nobody looks."""
    assert look_every_s(limits) == pause_s


def test_limits_of_nothing_mean_never() -> None:
    """And others count from their very second."""
    assert not StallLimits(0, 0).stalled(1e9)
    assert not StallLimits(0, 0).hopeless(1e9)
    assert StallLimits(300, 600).stalled(300)
    assert not StallLimits(300, 600).stalled(299)
    assert StallLimits(300, 600).hopeless(600)
    assert not StallLimits(300, 600).hopeless(599)


STEPS = st.tuples(
    st.floats(0, 100), st.floats(-1e4, 1e4), st.integers(0, 1), st.sampled_from([True, False])
)


@given(st.lists(STEPS, max_size=30))
def test_silence_is_never_longer_than_the_time_since_something_was_heard(
    steps: list[tuple[float, float, int, bool]],
) -> None:
    """Whatever the clocks do."""
    at, wall, heard, heard_at = 0.0, 1e9, 0, 0.0
    seen = begin_watch(Look(at=at, wall=wall, heard=heard))
    for passed, jump, more, excused in steps:
        at, wall, heard = at + passed, wall + passed + jump, heard + more
        before = seen.quiet_s
        seen = watch(seen, Look(at=at, wall=wall, heard=heard, excused=excused), PAUSE_S)
        if more:
            heard_at = at
            assert seen.quiet_s == 0.0
        assert 0.0 <= seen.quiet_s <= at - heard_at + 1e-6
        assert more or seen.quiet_s >= before
