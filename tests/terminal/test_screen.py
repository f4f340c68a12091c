"""A screen keeps what was said and redraws what goes on."""

import errno
import io
import sys

import pytest
from rich.console import Console

from takopi.core.richtext import plain
from takopi.logging import get_logger
from takopi.terminal.screen import LiveScreen, PlainScreen, can_redraw, make_screen


class Streams:
    def __init__(self) -> None:
        self.answers, self.notes = io.StringIO(), io.StringIO()
        self.screen = PlainScreen(self.answers, self.notes)


def test_each_line_of_progress_is_written_once() -> None:
    """The clock in the header writes no new line; a new label or action does."""
    streams = Streams()
    with streams.screen as screen:
        screen.progress(1, plain("starting · toy · 0s"))
        screen.progress(1, plain("working · toy · 0s\n\n▸ ls"))
        screen.progress(1, plain("working · toy · 1s\n\n▸ ls"))
        screen.progress(1, plain("working · toy · 2s\n\n✓ ls\n▸ cat\n\nThe answ"))
        screen.clear(1)
        screen.progress(2, plain("working · toy · 0s"))
        screen.say(plain("the answer"))
    assert streams.notes.getvalue().splitlines() == [
        "starting · toy · 0s",
        "working · toy · 0s",
        "▸ ls",
        "✓ ls",
        "▸ cat",
        "working · toy · 0s",
    ]
    assert streams.answers.getvalue() == "the answer\n"


def test_news_of_a_step_are_no_new_line() -> None:
    """A step is written when it begins and when it ends; without a beginning, at its first news."""
    notes = io.StringIO()
    with PlainScreen(io.StringIO(), notes) as screen:
        for lines in ("▸ make", "↻ make", "✓ make\n↻ test", "✓ make\n▸ test", "✓ make\n✓ test"):
            screen.progress(1, plain(f"working · 0s\n\n{lines}"))
    assert notes.getvalue().splitlines() == ["working · 0s", "▸ make", "✓ make", "↻ test", "✓ test"]


def test_warnings_go_to_the_notes() -> None:
    """A log record does not get between the lines of an answer."""
    streams = Streams()
    with streams.screen:
        get_logger("x").warning("careful")
    assert streams.notes.getvalue() == "warning: careful\n"


class Full(io.StringIO):
    """A file on a disk without room."""

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_notes_that_cannot_be_written_cost_no_answer() -> None:
    """Progress, remarks and warnings are given up; an answer that is lost is an error."""
    notes, answers = Full(), io.StringIO()
    with PlainScreen(answers, notes) as screen:
        screen.progress(1, plain("working · 0s\n\n▸ ls"))
        screen.note("a remark")
        get_logger("x").warning("careful")
        screen.say(plain("the answer"))
    assert answers.getvalue() == "the answer\n"
    assert notes.getvalue() == "working · 0s\n"
    with PlainScreen(Full(), io.StringIO()) as screen, pytest.raises(OSError, match="No space"):
        screen.say(plain("the answer"))


def terminal() -> tuple[LiveScreen, io.StringIO]:
    out = io.StringIO()
    return LiveScreen(Console(file=out, force_terminal=True, width=80)), out


def screen_of(written: str) -> list[str]:
    """Play what was written on a simple terminal and return what it shows."""
    lines, row, column, index = [""], 0, 0, 0
    while index < len(written):
        char = written[index]
        if char == "\x1b":
            end = index + 2
            while not written[end].isalpha():
                end += 1
            code, argument = written[end], written[index + 2 : end]
            if code == "A":
                row -= int(argument or 1)
            elif code == "K":
                lines[row] = ""
            index = end + 1
            continue
        if char == "\n":
            row, column = row + 1, 0
            if row == len(lines):
                lines.append("")
        elif char == "\r":
            column = 0
        else:
            lines[row] = lines[row][:column].ljust(column) + char + lines[row][column + 1 :]
            column += 1
        index += 1
    return [line for line in lines if line]


def test_progress_is_redrawn_and_goes_away() -> None:
    """Only what was said stays."""
    screen, out = terminal()
    with screen:
        screen.progress(1, plain("working · 0s\n▸ ls"))
        screen.progress(1, plain("working · 1s\n▸ ls\n▸ cat"))
        assert screen_of(out.getvalue()) == ["working · 1s", "▸ ls", "▸ cat"]
        screen.note("a remark")
        assert screen_of(out.getvalue())[0] == "a remark"
        screen.progress(2, plain("queued"))
        assert screen_of(out.getvalue())[-1] == "queued"
        screen.clear(1)
        assert screen_of(out.getvalue()) == ["a remark", "queued"]
        screen.clear(1)
        screen.clear(2)
        screen.say(plain("the answer"))
    assert screen_of(out.getvalue()) == ["a remark", "the answer"]


def test_words_of_an_answer_stay_whole() -> None:
    """A line that is too long is broken between words."""
    screen, out = terminal()
    with screen:
        screen.say(plain("word " * 30))
    assert {word for line in screen_of(out.getvalue()) for word in line.split()} == {"word"}


def test_what_goes_on_is_taken_away_at_the_end() -> None:
    """Leaving restores the terminal, cursor included."""
    screen, out = terminal()
    with screen:
        screen.progress(1, plain("working"))
    assert screen_of(out.getvalue()) == []
    assert out.getvalue().rindex("\x1b[?25h") > out.getvalue().rindex("\x1b[?25l")


def test_the_screen_fits_the_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Live means a live one; otherwise answers and notes go apart."""
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    with make_screen(live=False, stderr=True) as screen:
        screen.say(plain("a"))
        screen.note("n")
    with make_screen(live=True, stderr=True) as screen:
        assert isinstance(screen, LiveScreen)
        screen.note("m")
    assert (out.getvalue(), err.getvalue().splitlines()) == ("a\n", ["n", "m"])


@pytest.mark.parametrize(
    ("term", "can"), [("xterm", True), ("dumb", False), ("unknown", False), (None, False)]
)
def test_some_terminals_cannot_redraw(monkeypatch, term: str | None, can: bool) -> None:
    """Drawing in place would show nothing there."""
    monkeypatch.delenv("TERM", raising=False)
    if term is not None:
        monkeypatch.setenv("TERM", term)
    assert can_redraw() is can


def test_words_of_a_remark_stay_whole() -> None:
    """It is broken between words, as an answer is, and not inside of a command."""
    screen, out = terminal()
    with screen:
        screen.note("word " * 14 + "`npm install x` " + "word " * 14)
    shown = screen_of(out.getvalue())
    assert {word for line in shown for word in line.replace("`", "").split()} == {
        "word",
        "npm",
        "install",
        "x",
    }
    assert any("`npm install x`" in line for line in shown)
