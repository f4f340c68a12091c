"""What a bot does about a signal, first and again."""

import pytest

from takopi.core.stopping import next_stop


@pytest.mark.parametrize(
    ("under_way", "wish", "step"),
    [
        (None, "detach", "detach"),
        (None, "cancel", "cancel"),
        ("detach", "detach", "leave"),
        ("detach", "cancel", "kill"),
        ("cancel", "detach", "kill"),
        ("cancel", "cancel", "kill"),
    ],
)
def test_a_second_signal_waits_for_nothing(under_way, wish, step) -> None:
    """Engines are spared only while every signal so far spares them."""
    assert next_stop(under_way, wish) == step
