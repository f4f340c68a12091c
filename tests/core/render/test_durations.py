"""Spans of time as people say them."""

import pytest

from takopi.core.durations import format_about


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (float("nan"), "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (359, "5 min"),
        (3_599, "59 min"),
        (3_600, "1 h 00 min"),
        (90_000, "25 h 00 min"),
    ],
)
def test_what_is_begun_is_left_out(seconds: float, text: str) -> None:
    """A span is told in its two largest units."""
    assert format_about(seconds) == text
