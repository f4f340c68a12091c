"""From when on the turns of a place count."""

from hypothesis import given
from hypothesis import strategies as st

from takopi.core.places import PlaceRecord, SessionPoint, session_key, with_session_point


@given(since=st.floats(0, 9), at=st.floats(0, 9), after=st.integers(0, 9), newest=st.integers(0, 9))
def test_time_decides_and_within_one_moment_the_numbers_of_messages(
    since: float, at: float, after: int, newest: int
) -> None:
    """All that comes in one answer of the service was accepted at one moment."""
    point = SessionPoint(since, None, after)
    by_time = (at, newest) > (since, after)
    assert point.counts(at, newest, here=False) == by_time
    # In one chat a greater number is later, whatever the clock says.
    assert point.counts(at, newest) == (by_time or newest > after > 0)


def test_a_place_remembers_where_the_newest_contexts_began_anew() -> None:
    """However many branches it saw."""
    place = PlaceRecord(key="memory:1")
    for number in range(500):
        key = session_key("zed", f"b{number}", "codex")
        place = with_session_point(place, key, SessionPoint(float(number)))
    assert len(place.sessions) == 200
    assert session_key("zed", "b499", "codex") in place.sessions
    assert session_key("zed", "b0", "codex") not in place.sessions
    back = with_session_point(place, "old", SessionPoint(0.5))
    assert back.sessions["old"] == SessionPoint(0.5), "a clock that was set back costs no /new"
