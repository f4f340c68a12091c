"""Long texts on narrow terminals."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from takopi.terminal.wrapping import wrapped


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("one\n\ntwo", ["one", "", "two"]),
        (
            "it is not on PATH; run `npm install -g x`",
            ["it is not on PATH; run", "`npm install -g x`"],
        ),
        (
            "run `npm install -g a-long-package`, then",
            ["run `npm install -g", "a-long-package`, then"],
        ),
        ("`run this` twelve-letters`and that`", ["`run this`", "twelve-letters`and that`"]),
        ("twelve-letters-and-more`run this`", ["twelve-letters-and-more`run", "this`"]),
        ("3. write a name for it, any name", ["3. write a name for it,", "   any name"]),
        (
            "see /a/path/that-is-longer-than-a-line x",
            ["see", "/a/path/that-is-longer-than-a-line", "x"],
        ),
    ],
)
def test_lines_are_broken_between_words(text: str, lines: list[str]) -> None:
    """A command that fits on a line is not broken, and a list keeps its shape."""
    assert wrapped(text, 24) == lines


@example("11111` 1111`", 11)
@example("1111111111` 111``", 16)
@example("1. b `a b a b `", 12)
@given(st.text(st.sampled_from("ab `1.\n/-"), max_size=80), st.integers(8, 40))
def test_nothing_gets_lost(text: str, columns: int) -> None:
    """Every word is there, in its order, and only one that is longer than a line overflows."""
    lines = wrapped(text, columns)
    assert " ".join(lines).split() == text.split()
    for line in lines:
        assert len(line) <= columns or max(map(len, line.split())) > columns - len("  1. ")
