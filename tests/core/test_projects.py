"""Projects: names, and which one is meant."""

from pathlib import PurePosixPath as P

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.projects import Project, Projects, is_alias

APP = Project("app", P("/code/app"), chat_id=-100)
INNER = Project("inner", P("/code/app/libs/inner"))
FAR = Project("far-1", P("/code/far"), worktrees_dir="/trees/far", chat_id=7)
ALL = Projects((APP, INNER, FAR))


@pytest.mark.parametrize("text", ["a", "0", "my-app_2", "x" * 32, "a-", "a_"])
def test_plain_names_are_aliases(text: str) -> None:
    """Lower-case letters, digits, dashes and underscores make a name."""
    assert is_alias(text)


@pytest.mark.parametrize(
    "text", ["", "-a", "_a", "A", "a b", "a/b", "a.b", "ä", "x" * 33, "a\n", "٣", "a\0", "@a"]
)
def test_other_texts_are_no_aliases(text: str) -> None:
    """What a directive could not name, or an option would be, is refused."""
    assert not is_alias(text)


@given(st.text(max_size=40))
def test_an_alias_is_short_ascii(text: str) -> None:
    """Law: whatever is accepted is a word of its own in a message and in a path."""
    if is_alias(text):
        assert text.isascii()
        assert text == text.lower().strip()
        assert 1 <= len(text) <= 32
        assert text[0] not in "-_"


def test_a_project_is_found_by_name_in_any_case() -> None:
    """Telegram's keyboards write the first letter large."""
    assert ALL.find("App") is APP
    assert ALL.find("FAR-1") is FAR
    assert ALL.find("none") is None
    assert Projects((Project("k", P("/k")),)).find("\u212a") is None  # the Kelvin sign


def test_a_project_is_found_by_its_chat() -> None:
    """A chat names its project; no chat names none, although projects without chats exist."""
    assert ALL.of_chat(-100) is APP
    assert ALL.of_chat(7) is FAR
    assert ALL.of_chat(8) is None
    assert ALL.of_chat(None) is None


def test_the_innermost_project_contains_a_path() -> None:
    """A repository in another one is a project of its own; worktrees belong to theirs."""
    assert ALL.containing(P("/code/app")) is APP
    assert ALL.containing(P("/code/app/.worktrees/x/src")) is APP
    assert ALL.containing(P("/code/app/libs/inner/src")) is INNER
    assert ALL.containing(P("/trees/far/x")) is FAR
    assert ALL.containing(P("/code/app2")) is None
    assert ALL.containing(P("/")) is None


def test_names_keep_the_order_of_the_configuration() -> None:
    """Lists that a person sees stand as they wrote them."""
    assert ALL.aliases == ("app", "inner", "far-1")
    assert Projects().aliases == ()


def test_a_relative_path_is_refused() -> None:
    """It would name another place wherever takopi was started."""
    with pytest.raises(ValueError, match="not absolute"):
        Project("app", P("code/app"))


def test_worktrees_are_below_the_project_or_where_the_person_says() -> None:
    """The directory of worktrees may be absolute."""
    assert APP.worktrees == P("/code/app/.worktrees")
    assert FAR.worktrees == P("/trees/far")
