"""Which chats have topics, what topics are called, and what becomes of them."""

import string
import unicodedata
from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.context import RunContext
from takopi.core.chat import Scope, TopicChanged
from takopi.core.places import PlaceRecord
from takopi.core.projects import Project, Projects
from takopi.core.richtext import utf16_len
from takopi.core.topics import (
    MAX_NAME_UNITS,
    TopicRules,
    after_change,
    is_generic,
    name_of_prompt,
    name_of_title,
    read_topic,
    topic_name,
    wants_topic,
    why_no_topics,
)

MAIN, OWN, OTHER = 1, -7, -9
PROJECTS = Projects(
    (Project("zed", PurePath("/zed")), Project("api", PurePath("/api"), chat_id=OWN))
)
HOSTILE = st.text(
    st.characters() | st.sampled_from("\u202e\u2066\u200f\x00\x1b\n\r\t \u200b\ud83d#`~>-👩‍👧"),
    max_size=70,
)
RULES = st.builds(
    TopicRules,
    enabled=st.booleans(),
    scope=st.sampled_from(["auto", "main", "projects", "all"]),
    auto=st.booleans(),
    main_chat=st.just(MAIN),
)


def is_a_name(name: str) -> bool:
    """Tell whether a chat service takes a name, and a person can read it on one line."""
    seen = all(unicodedata.category(letter)[0] != "C" for letter in name)
    return bool(name.strip()) and seen and utf16_len(name) <= MAX_NAME_UNITS


@given(HOSTILE)
def test_whatever_a_prompt_says_it_gives_a_name(text: str) -> None:
    assert is_a_name(name_of_prompt(text))


@given(HOSTILE, st.sampled_from(["codex", "claude"]))
def test_a_title_gives_a_name_or_none(title: str, engine: str) -> None:
    """The engine's own name is no title."""
    name = name_of_title(title, engine)
    assert name is None or (is_a_name(name) and name.casefold() != engine)


LETTERS = string.ascii_lowercase + string.digits
# As long as an alias may be in many cases, and not in few.
ALIASES = st.builds(
    lambda first, rest, times: first + (rest * times)[:31],
    st.sampled_from(LETTERS),
    st.text(LETTERS + "_-", max_size=31),
    st.integers(1, 8),
)


@given(ALIASES, st.none() | HOSTILE)
def test_a_context_gives_a_name(project: str, branch: str | None) -> None:
    name = topic_name(RunContext(project, branch))
    assert is_a_name(name)
    assert name.startswith(project)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("fix the login page", "fix the login page"),
        ("# Fix  `x`\nand more", "Fix x"),
        ("```py\nprint(1)\n```", "print(1)"),
        ("1. first\n2. second", "first"),
        ("\u202etxet", "txet"),
        ("…!?\n\n", "New session"),
        ("", "New session"),
        ("a" * 80, "a" * 55 + "…"),
        ("every word of this prompt is short but there are too many", None),
    ],
)
def test_a_prompt_names_its_topic_by_its_first_words(text: str, name: str | None) -> None:
    """It is cut behind a word."""
    expected = "every word of this prompt is short but there are too…" if name is None else name
    assert name_of_prompt(text) == expected


@pytest.mark.parametrize(
    ("title", "name"),
    [
        (None, None),
        ("  ", None),
        ("Codex", None),
        ("New session - 2026-11-21T10:00:00.000Z", None),
        ("Mend the login", "Mend the login"),
    ],
)
def test_only_a_title_that_says_something_counts(title: str | None, name: str | None) -> None:
    assert name_of_title(title, "codex") == name


@pytest.mark.parametrize("name", ["", "New Topic", "topic 3", "New chat", "Untitled", "Session #2"])
def test_names_that_say_nothing(name: str) -> None:
    assert is_generic(name)


@pytest.mark.parametrize("name", ["zed @dev", "topical", "new login", "42", "chat about cats"])
def test_names_that_somebody_chose(name: str) -> None:
    assert not is_generic(name)


@given(RULES, st.sampled_from([MAIN, OWN, OTHER]), st.booleans(), st.none() | st.just("zed"))
def test_where_topics_are_used(
    rules: TopicRules, chat: int, unnamed: bool, project: str | None
) -> None:
    """Off is off; `main` and `projects` keep to their chats; the others leave no chat out.

    A session takes the topic in which it begins when nobody has named or bound it.
    """
    used = why_no_topics(rules, chat, PROJECTS) is None
    in_scope = {"main": chat == MAIN, "projects": chat == OWN}.get(rules.scope, True)
    assert used == (rules.enabled and in_scope)
    wanted = used and rules.auto
    place = PlaceRecord(key="m:5", unnamed=unnamed, project=project)
    assert wants_topic(rules, Scope("m", chat), place, PROJECTS) == wanted
    free = unnamed and project is None
    assert wants_topic(rules, Scope("m", chat, 5), place, PROJECTS) == (wanted and free)


@given(HOSTILE)
def test_what_is_behind_the_command_is_a_context_or_a_reason(args: str) -> None:
    """A context that it names is one of those that there are."""
    found = read_topic(args, PROJECTS.aliases, RunContext("api", "old"))
    if isinstance(found, RunContext):
        assert found.project in PROJECTS.aliases
    else:
        assert found is None if not args.split() else found


@pytest.mark.parametrize(
    ("args", "found"),
    [
        ("", None),
        ("zed", RunContext("zed")),
        ("/ZED @feat/x", RunContext("zed", "feat/x")),
        ("@dev zed", RunContext("zed", "dev")),
        ("@dev", RunContext("api", "dev")),
    ],
)
def test_project_and_branch_come_in_any_order(args: str, found: RunContext | None) -> None:
    assert read_topic(args, PROJECTS.aliases, RunContext("api", "old")) == found


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ("zed api", "for one project"),
        ("zed @a @b", "for one branch"),
        ("zed @-x", "like an option"),
        ("ze", "ze is no project here; there is zed."),
        ("xx", "there is zed, api."),
    ],
)
def test_what_cannot_be_says_why(args: str, why: str) -> None:
    found = read_topic(args, PROJECTS.aliases, RunContext())
    assert isinstance(found, str)
    assert why in found


def test_without_any_project_it_says_how_to_make_one() -> None:
    found = read_topic("zed", (), RunContext())
    assert found is not None
    assert "takopi init" in found


def changed(what: str, name: str = "", *, implicit: bool = False) -> TopicChanged:
    """Make a change of a topic."""
    return TopicChanged(
        update_id=1,
        scope=Scope("m", 1, 5),
        chat_kind="private",
        message_id=5,
        sender_id=1,
        what=what,  # type: ignore[arg-type]
        name=name,
        implicit=implicit,
    )


NAMED = PlaceRecord(key="m:1:5", project="zed", topic="zed", topic_auto=True)


@pytest.mark.parametrize(
    ("change", "topic", "auto", "unnamed"),
    [
        (changed("renamed", "zed"), "zed", True, False),
        (changed("renamed", "cats"), "", False, False),
        (changed("renamed", "New topic"), "", False, True),
        (changed("closed"), "zed", True, False),
        (changed("reopened"), "zed", True, False),
        (changed("created", "Fix", implicit=True), "zed", True, True),
        (changed("created", "Fix"), "zed", True, False),
    ],
)
def test_a_name_that_a_person_gives_is_theirs(
    change: TopicChanged, topic: str, auto: bool, unnamed: bool
) -> None:
    """Whatever happens to a topic, it is there, and stays bound."""
    place = after_change(NAMED, change)
    assert (place.topic, place.topic_auto, place.unnamed) == (topic, auto, unnamed)
    assert (place.gone, place.project) == (False, "zed")
