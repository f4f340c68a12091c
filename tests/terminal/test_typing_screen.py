"""Typing while answers come, on a real pseudo-terminal; what a person would see is looked at."""

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes import typing_child
from fakes.pty_user import CTRL_C, CTRL_D, CTRL_Z, PtyUser

TESTS = Path(typing_child.__file__).parent.parent
PASTE, PASTED = "\x1b[200~", "\x1b[201~"


@pytest.fixture
def sit(takopi_home: Path) -> Callable[[], PtyUser]:
    """Give what opens a terminal with the chat on it."""

    def open_one(term: str = "xterm-256color") -> PtyUser:
        argv = [sys.executable, "-m", "fakes.typing_child"]
        return PtyUser(argv, {**os.environ, "PYTHONPATH": str(TESTS)}, term=term)

    return open_one


def told(text: str) -> str:
    """Say how the chat tells a text."""
    return f"{len(text)} characters, {hashlib.sha256(text.encode()).hexdigest()[:8]}"


def test_what_is_half_typed_stays_whatever_is_shown(sit) -> None:
    """Progress stands above the line, answers above both, and the line is sent as it is seen."""
    with sit() as user:
        user.see("you>")
        user.type("show working|a step\r")
        user.see("a step")
        user.type("half")
        user.see_last("working", "a step", "", "you> half")
        # What comes while somebody types: here it was typed before.
        user.type("\x01say later \x05\r")
        user.see_last("later half", "working", "a step", "", "you>")
        user.type("\x15end\r")
        user.see("you> end")
        user.type("rest")
        user.see_last("you> end", "you> rest")
        user.type("\r")
        user.see_last("you> rest", told("rest"), "you>")
        user.type(CTRL_D)
        assert user.leave() == 3
        assert user.echoes()


def test_no_end_of_a_long_line_is_lost(sit) -> None:
    """The kernel keeps 4,095 bytes of a line and drops the rest."""
    text = "".join(f"word{n} " for n in range(600)) + "."
    with sit() as user:
        user.see("you>")
        user.type(text)
        user.see(" .")
        user.type("\r")
        user.see(told(text))


def test_a_paste_is_one_text_and_waits_for_enter(sit) -> None:
    with sit() as user:
        user.see("you>")
        user.type(f"{PASTE}first\r\nsecond\nthird{PASTED}")
        user.see("third")
        assert not any("characters" in row for row in user.rows)
        user.type(" and more\r")
        user.see(told("first\nsecond\nthird and more"))


@pytest.mark.long
def test_several_lines_can_be_typed(sit) -> None:
    with sit() as user:
        user.see("you>")
        user.type("first\x1b\rsecond\r")
        user.see(told("first\nsecond"))


def test_lines_are_edited_and_come_back(sit) -> None:
    """Wide characters too; nothing is sent that is empty."""
    with sit() as user:
        user.see("you>")
        user.type("  \r日本 語x\x7f!\x1b[D\x1b[D-\r")
        user.see_last(told("日本 -語!"), "you>")
        user.type("\x1b[A")
        user.see_last("you> 日本 -語!")
        user.type("\r")
        user.see_last("you> 日本 -語!", told("日本 -語!"), "you>")


def test_ctrl_c_takes_back_what_is_typed_and_then_interrupts(sit) -> None:
    with sit() as user:
        user.see("you>")
        user.type("unwanted")
        user.see("you> unwanted")
        user.type(CTRL_C)
        user.type("wanted\r")
        user.see(told("wanted"))
        user.type(CTRL_C)
        assert user.leave() != 3
        assert user.echoes()


@pytest.mark.long
def test_a_tall_state_leaves_room_to_type(sit) -> None:
    """Its head and its end are shown, and the line below."""
    with sit() as user:
        user.see("you>")
        user.type(f"show head|{'|'.join(f'step {n}' for n in range(100))}\r")
        user.see_last("step 98", "step 99", "", "you>")
        assert "head" in user.rows


@pytest.mark.parametrize(
    "program", ["{}", pytest.param("sh -c '{}; true'", marks=pytest.mark.long)]
)
def test_a_chat_that_was_put_away_comes_back_as_it_was(takopi_home: Path, program: str) -> None:
    """Ctrl-Z and `fg` of a shell, also when a program waits for the chat, as `uv run` does."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(TESTS),
        "HISTFILE": "/dev/null",
        "PS1": "shell> ",
    }
    with PtyUser(["/bin/bash", "--norc", "--noprofile", "-i"], environment) as user:
        user.see("shell>")
        user.type(program.format(f"{sys.executable} -m fakes.typing_child") + "\r")
        user.see_last("you>")
        for _ in range(2):
            user.type(CTRL_Z)
            user.expect("Stopped")
            user.expect("shell>")
            user.type("clear; fg\r")
            user.see_last("you>")
            user.type("x\x7fword\r")
            user.see_last(told("word"), "you>")
            assert not user.echoes()
        user.type(CTRL_D)
        user.expect("shell>")
        user.type("exit 5\r")
        assert user.leave() == 5


@pytest.mark.parametrize(("word", "status"), [("leave", 7), ("fail now", 1)])
def test_the_terminal_is_given_back_whatever_ends_the_chat(sit, word, status) -> None:
    """A shell in a terminal that shows nothing of what is typed is worse than any error."""
    with sit() as user:
        user.see("you>")
        assert not user.echoes()
        user.type(f"{word}\r")
        assert user.leave() == status
        assert user.echoes()
        assert user.raw.rindex("\x1b[?2004l") > user.raw.rindex("\x1b[?2004h")


@pytest.mark.long
def test_the_end_of_the_terminal_is_the_end_of_what_is_typed(sit) -> None:
    """What was said before still stands, in its order."""
    with sit() as user:
        user.see("you>")
        user.type(f"say one\rsay two\r{CTRL_D}")
        user.leave()
        shown = [row for row in user.rows if row]
        assert shown[0] == "before anything is read"
        assert [row for row in shown if row in ("one", "two", "the end")] == [
            "one",
            "two",
            "the end",
        ]
        assert "you>" not in shown
