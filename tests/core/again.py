"""Long lists for hypothesis of few things that are drawn."""

from typing import TypeVar

from hypothesis import strategies as st

_T = TypeVar("_T")


def again_and_again(one: st.SearchStrategy[_T], most: int) -> st.SearchStrategy[list[_T]]:
    """Make lists of any length up to `most`, of up to five things that come again and again.

    `st.lists` makes five items on average, whatever its `max_size` is, so it tells little of what a
    full list does; and to draw sixty costs more than any list takes to be shown.
    """
    few = st.lists(one, min_size=1, max_size=5)
    return st.builds(lambda some, size: (some * size)[:size], few, st.integers(0, most))
