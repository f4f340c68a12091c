"""What a chat takes."""

import pytest

from takopi.core.outbox_budget import CallWindow, ChatBudget, OutboxLimits

LIMITS = OutboxLimits()


def test_a_private_chat_takes_a_burst_and_then_one_a_second() -> None:
    """The bucket fills while the chat rests, up to the burst."""
    budget = ChatBudget("private", LIMITS, 0.0)
    for _ in range(3):
        assert budget.call_at(0.0, urgent=False) == 0.0
        budget.spend(0.0, progress=False)
    assert budget.call_at(0.0, urgent=True) == pytest.approx(1.0)
    assert budget.call_at(1.0, urgent=False) == 1.0
    assert not budget.recovered(50.0)
    assert budget.recovered(60.0)


def test_a_group_keeps_some_calls_for_finals() -> None:
    """After 15 ordinary calls in a minute only finals and asks go."""
    budget = ChatBudget("group", LIMITS, 0.0)
    for number in range(15):
        assert budget.call_at(float(number), urgent=False) == number
        budget.spend(float(number), progress=False)
    assert budget.call_at(15.0, urgent=False) == 60.0
    for _ in range(3):
        assert budget.call_at(15.0, urgent=True) == 15.0
        budget.spend(15.0, progress=False)
    assert budget.call_at(15.0, urgent=True) == 60.0


@pytest.mark.parametrize(("kind", "gap"), [("private", 3.0), ("group", 4.0)])
def test_edits_keep_their_distance(kind: str, gap: float) -> None:
    """So many seconds after the last one, and at most 15 a minute."""
    budget = ChatBudget(kind, LIMITS, 0.0)  # type: ignore[arg-type]
    now = 0.0
    moments = []
    for _ in range(17):
        now = budget.edit_at(now)
        moments.append(now)
        budget.spend(now, progress=True)
    assert moments[:3] == [0.0, gap, 2 * gap]
    assert moments[15] == 60.0


def test_a_window_forgets_what_it_left_behind() -> None:
    """Half-open: a call counts for exactly the window's length."""
    window = CallWindow(10.0)
    window.spend(0.0)
    assert window.ready_at(1, 5.0) == 10.0
    assert not window.empty(9.9)
    assert window.empty(10.0)


def test_heartbeats_slow_down_with_age() -> None:
    """Every 10 s, and every 60 s once the message is ten minutes old."""
    assert LIMITS.beat_at(0.0, 590.0) == 600.0
    assert LIMITS.beat_at(0.0, 600.0) == 660.0
