"""How pieces become rich text, beside what Markdown asks of it."""

import pytest

from core.render.rules import assert_well_formed, tagged
from takopi.core.markdown.builder import RichBuilder
from takopi.core.tables import columns_of, layout_grid


def test_what_is_open_at_the_end_is_closed() -> None:
    """A range that nobody closed reaches to the last visible character."""
    out = RichBuilder()
    out.open("bold")
    out.text(" a ")
    out.open("italic")
    out.text(" b ")
    rich = out.build()
    assert_well_formed(rich)
    assert tagged(rich) == " <b>a  <i>b</i></b>"


def test_ranges_without_visible_characters_are_left_out() -> None:
    """Blank text, code and blocks leave no entity behind."""
    out = RichBuilder()
    out.gap(2)
    out.open("bold")
    out.text("")
    out.text(" \n")
    out.close()
    out.code(" ")
    out.pre(" \n\n")
    assert out.build().entities == ()


def test_gaps_do_not_add_up() -> None:
    """The widest gap asked for is the one that is written, and none at the ends."""
    out = RichBuilder()
    out.gap(3)
    for _ in range(2):
        out.text("a")
        out.gap(1)
        out.gap(2)
    assert out.build().text == "a\n\na"


def test_a_quote_may_begin_with_code() -> None:
    """Code that is the first thing in a quote is inside it."""
    out = RichBuilder()
    out.open("blockquote")
    out.code("x")
    out.text(" y")
    out.close()
    assert tagged(out.build()) == "<quote><code>x</code> y</quote>"


@pytest.mark.parametrize(
    ("text", "columns"),
    [("abc", 3), ("日本", 4), ("é", 1), ("e\u0301", 1), ("👍\ufe0f", 2), ("a\u200bb", 2)],
)
def test_columns_are_those_of_a_monospace_font(text: str, columns: int) -> None:
    """Wide characters take two, marks none."""
    assert columns_of(text) == columns


def test_a_table_too_deep_or_too_wide_has_no_grid() -> None:
    """Long prose in narrow columns reads worse than a list."""
    assert layout_grid([["a", "b"], ["word " * 90, "x"]], ["left", "left"]) is None
    assert layout_grid([["a"], ["x" * 41]], ["left"]) is None
    assert layout_grid([["a"], ["x" * 40]], ["left"]) is not None


def test_a_grid_is_never_wider_than_asked_for() -> None:
    """Cells are broken between words, the widest column first."""
    grid = layout_grid([["one two", "three four"], ["five", "six seven"]], ["right", "center"], 14)
    assert grid is not None
    assert max(map(columns_of, grid.split("\n"))) <= 14
    assert sorted(grid.replace("|", " ").replace("-", " ").replace("+", " ").split()) == sorted(
        ["one", "two", "three", "four", "five", "six", "seven"]
    )
