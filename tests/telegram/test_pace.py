"""How long to wait after failures in a row."""

import pytest

from takopi.errors import PollConflict, TransportUnavailable
from takopi.telegram.pace import Pace


@pytest.mark.parametrize("jitter", [0.0, 0.25, 0.999])
def test_waits_stay_within_their_bounds(jitter):
    """Whatever the jitter, a wait is between one second and thirty."""
    pace = Pace(lambda: jitter)
    waits = [pace.after_failure(TransportUnavailable("x")) for _ in range(20)]
    assert min(waits) >= 1
    assert max(waits) <= 30


def test_a_conflict_keeps_its_own_pace():
    """A conflict waits five to seven and a half seconds, however often it comes."""
    pace = Pace(lambda: 1.0)
    assert [pace.after_failure(PollConflict("x")) for _ in range(9)] == [7.5] * 9


def test_the_person_is_told_of_the_first_failure_and_of_every_tenth():
    """A night without network does not fill the terminal."""
    pace = Pace(lambda: 0.0)
    told = []
    for _ in range(25):
        pace.after_failure(TransportUnavailable("x"))
        told.append(pace.worth_telling)
    assert [number for number, was in enumerate(told, 1) if was] == [1, 11, 21]
