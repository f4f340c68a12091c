"""How lines are read that are typed into a terminal."""

import pytest

from takopi.core.chat import Button
from takopi.core.replies import code, message
from takopi.core.richtext import RichText
from takopi.terminal.conversation import (
    Beginnings,
    asks,
    begins_anew,
    ends_in_resume_line,
    offer_words,
    read_choice,
)


@pytest.mark.parametrize(
    ("line", "anew"),
    [
        ("/pi hello", True),
        ("/Shop", True),
        ("/shop @feat/login fix it", True),
        ("@feat/login fix it", True),
        ("pi --session 7", True),
        ("`pi --session 7`", True),
        ("pi - is it installed?", False),
        ("pi resume the work", False),
        ("pi is not 3.2", False),
        ("shop for it", False),
        ("/new hello", False),
        ("why?", False),
    ],
)
def test_directives_and_resume_lines_begin_anew(line: str, anew: bool) -> None:
    """The name of an engine is a word as any other where nothing is resumed."""
    assert begins_anew(line, Beginnings(["pi"], ["Shop"], lambda text: "--session" in text)) is anew


def test_without_any_project_a_branch_is_text() -> None:
    """A line about a `@param`, say, goes on in the same session."""
    assert not begins_anew("@param docs are wrong", Beginnings(["pi"]))


@pytest.mark.parametrize(
    ("line", "one"),
    [
        ("hello", True),
        ("/etc/hosts looks odd", True),
        ("//compact", True),
        ("/pi hello", True),
        ("/new hello", True),
        ("/pi", False),
        ("/new", False),
        ("/status now", False),
    ],
)
def test_a_prompt_is_told_from_a_command(line: str, one: bool) -> None:
    """Before it is answered: the next line may come sooner."""
    assert asks(line, Beginnings(["pi"])) is one


@pytest.mark.parametrize(("line", "number"), [("/1", 1), ("/12", 12), ("/0", None), ("/1 a", None)])
def test_a_number_chooses(line: str, number: int | None) -> None:
    """Alone, with a slash."""
    assert read_choice(line) == number


def test_buttons_stand_on_one_line_or_below_each_other() -> None:
    """As there is room; a list keeps one number a line."""
    short = [Button("Commit", "c"), Button("Revert", "r")]
    assert offer_words(short) == "/1 Commit   /2 Revert"
    long = [Button(f"{number}. {'word ' * 8}end", "x") for number in (1, 2)]
    assert offer_words(long).splitlines() == [f"/{n} {'word ' * 8}end" for n in (1, 2)]


@pytest.mark.parametrize(
    ("body", "ends"),
    [
        (message("Reply.\n\n", code("pi --session 7")).body, True),
        (message("😀 Reply.\n", code("pi --session 7")).body, True),
        (message("Try\n", code("/resume 7")).body, False),
        (message("Try ", code("pi --session 7")).body, False),
        (RichText("pi --session 7"), False),
    ],
)
def test_a_resume_line_stands_alone_at_the_end(body: RichText, ends: bool) -> None:
    """A command that is an example does not count."""
    assert ends_in_resume_line(body) is ends
