"""Short lines, short paths, spans of time."""

import math
from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.durations import format_elapsed
from takopi.core.richtext import utf16_len
from takopi.core.shorten import line_end, one_line, relative_to, shorten_path, unwrap_shell


@given(st.text(max_size=200), st.integers(2, 40))
def test_a_line_is_one_line_and_short(text: str, max_units: int) -> None:
    """Whatever comes in, what comes out fits and can be encoded."""
    for shorten in (one_line, shorten_path, line_end):
        line = shorten(text, max_units)
        assert utf16_len(line) <= max_units
        assert "\n" not in line
        line.encode()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("short", "short"),
        ("two\n  lines", "two lines"),
        ("exactly 10", "exactly 10"),
        ("eleven char", "eleven ch…"),
        ("a word longer", "a word lo…"),
        ("😀😀😀😀😀😀", "😀😀😀😀…"),
        (" " * 100 + "x", "…"),
    ],
)
def test_long_text_ends_in_an_ellipsis(text: str, line: str) -> None:
    """A cut is marked and breaks no character."""
    assert one_line(text, 10) == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("short", "short"),
        ("two\nlines", "two lines"),
        ("this one is too long", "…too long"),
        ("thisoneistoolong", "…istoolong"),
        ("😀😀😀😀😀😀", "…😀😀😀😀"),
        ("x" * 9 + "e\u0301" * 5, "…" + "e\u0301" * 4),
        ("e" + "\u0301" * 50, "…"),
    ],
)
def test_the_end_of_growing_text_is_kept(text: str, line: str) -> None:
    """What was written last is news; it starts with a whole word, if one is near."""
    assert line_end(text, 10) == line


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("src/a.py", "src/a.py"),
        ("src/takopi/core/shorten.py", "…/core/shorten.py"),
        ("averylongfilenamewithoutfolders.py", "…withoutfolders.py"),
        ("src/averylongfilename/averylongfilename.py", "…rylongfilename.py"),
        ("x/😀😀😀😀😀😀😀😀😀😀", "…😀😀😀😀😀😀😀😀"),
    ],
)
def test_a_long_path_keeps_its_end(path: str, line: str) -> None:
    """The file's name says most."""
    assert shorten_path(path, 18) == line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/srv/app/src/a.py", "src/a.py"),
        ("/srv/app", "."),
        ("/srv/app/", "."),
        ("cat /srv/app/a.py '/srv/app/b'", "cat a.py 'b'"),
        ("cd /srv/app && ls", "cd . && ls"),
        ("cd /srv/app; ls", "cd .; ls"),
        ("ls /srv/app2/x /old/srv/app/x ~/srv/app/x", "ls /srv/app2/x /old/srv/app/x ~/srv/app/x"),
        ("nothing here", "nothing here"),
    ],
)
def test_paths_inside_the_directory_are_relative(text: str, expected: str) -> None:
    """Only whole paths are touched."""
    assert relative_to(text, PurePath("/srv/app")) == expected


def test_without_a_directory_paths_stay() -> None:
    """No directory, or the root, changes nothing."""
    assert relative_to("/srv/a", None) == "/srv/a"
    assert relative_to("/srv/a", PurePath("/")) == "/srv/a"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("/bin/bash -lc 'ls | head'", "ls | head"),
        ('zsh -c "echo 1"', "echo 1"),
        ("bash -lc ls", "bash -lc ls"),
        ("bash script.sh", "bash script.sh"),
        ("ls", "ls"),
    ],
)
def test_the_shell_around_a_command_is_taken_away(command: str, expected: str) -> None:
    """The person reads what runs, not how it was started."""
    assert unwrap_shell(command) == expected


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (-3, "0s"),
        (math.nan, "0s"),
        (math.inf, "0s"),
        (12.9, "12s"),
        (60, "1m 00s"),
        (185, "3m 05s"),
        (3_599, "59m 59s"),
        (3_720, "1h 02m"),
        (90_061, "25h 01m"),
    ],
)
def test_spans_of_time_read_well(seconds: float, text: str) -> None:
    """Seconds, then minutes with seconds, then hours with minutes."""
    assert format_elapsed(seconds) == text
