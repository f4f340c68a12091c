"""Strategies that draw much at once: for hypothesis each draw costs more than what it gives."""

import string
from collections.abc import Sequence
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st

__all__ = ["most", "one_of_each", "row"]

_T = TypeVar("_T")


def one_of_each(*choices: Sequence[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Draw one of each of some choices; the first of each is the simplest.

    They are drawn as bytes, not as one number: of a range beyond some hundreds hypothesis draws
    small numbers far more often, so that most of the choices would hardly ever be made.
    """
    assert all(0 < len(choice) <= 256 for choice in choices)
    drawn = st.binary(min_size=len(choices), max_size=len(choices))
    return drawn.map(
        lambda places: tuple(
            choice[place % len(choice)] for choice, place in zip(choices, places, strict=True)
        )
    )


def row(values: Sequence[_T], most: int) -> st.SearchStrategy[tuple[_T, ...]]:
    """Draw at most so many of some values; the first is the simplest."""
    names = dict(zip(string.ascii_lowercase, values, strict=False))
    assert len(names) == len(values)
    drawn = st.text("".join(names), max_size=most)
    return drawn.map(lambda text: tuple(names[name] for name in text))


def most(short: int, full: int) -> int:
    """Say how much of something an example may have, in the short form and in the long one."""
    return full if settings().max_examples > 1_000 else short
