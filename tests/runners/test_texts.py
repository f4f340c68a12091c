"""Titles out of what engines say."""

import pytest

from takopi.runners._texts import first_line


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("", ""),
        (" \n\t\n", ""),
        ("  one line \t", "one line"),
        ("\n \n  the first \r\nthe second\n", "the first"),
        ("a\u2028b", "a\u2028b"),
    ],
)
def test_a_title_is_the_first_line_that_says_something(text: str, title: str) -> None:
    """Blank lines and spaces around it say nothing, and only a newline ends a line."""
    assert first_line(text) == title


def test_a_text_of_one_line_is_its_own_title() -> None:
    """A long answer without a newline is not held twice."""
    text = "x" * 200_000
    assert first_line(text) is text
