"""What the first start asks and what becomes of the answers, as pure decisions."""

import string
from pathlib import PurePosixPath as Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.onboarding import (
    STEPS,
    STYLES,
    BotFacts,
    allowed_after,
    bot_advice,
    changes,
    free_alias,
    offered_directories,
    pasted_token,
    steps_again,
    style_of,
    style_values,
    wanted_steps,
)
from takopi.core.projects import is_alias

TOKEN = "123456789:AAStandInTokenOfThirtyFiveCharacter"


def test_only_what_is_missing_is_asked_for_unless_all_is_wanted() -> None:
    """In the order of the steps."""
    assert wanted_steps((), again=False) == STEPS
    assert wanted_steps(("engine", "bot"), again=False) == ("owner", "place", "style", "project")
    assert wanted_steps(STEPS, again=True) == STEPS


def test_another_bot_has_to_meet_its_owner() -> None:
    """Every other answer is changed by itself."""
    assert steps_again("bot") == ("bot", "owner")
    assert all(steps_again(step) == (step,) for step in STEPS[1:])


@pytest.mark.parametrize(
    "pasted",
    [
        TOKEN,
        f"  {TOKEN}\n",
        f"{TOKEN[:20]}\n{TOKEN[20:]}",
        f"123456789: {TOKEN.partition(':')[2]}",
        f"Use this token to access the HTTP API:\n{TOKEN}\nKeep your token secure.",
    ],
)
def test_a_token_is_found_in_what_was_pasted(pasted: str) -> None:
    """With space, broken over lines, or as the whole message of @BotFather."""
    assert pasted_token(pasted) == TOKEN


def test_what_holds_no_token_stays_what_it_is() -> None:
    """It is refused elsewhere."""
    assert pasted_token(" non sense ") == "nonsense"


@pytest.mark.parametrize(
    ("allowed", "old", "new", "after"),
    [
        ([], None, 1, [1]),
        ([1, 2], 1, 1, [1, 2]),
        ([1, 2], 1, 3, [3, 2]),
        ([2, 1, 2], None, 1, [1, 2]),
        ([2], -100, 1, [1, 2]),
    ],
)
def test_a_new_owner_takes_the_place_of_the_old(allowed, old, new, after) -> None:
    """The others may speak as before, and nobody is named twice."""
    assert allowed_after(allowed, old, new) == after


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.id)
def test_a_style_is_known_by_its_keys(style) -> None:
    """What it writes is read as the same style, whatever stood there before."""
    for before in (None, True, False):
        values = style_values(style, topics=before)
        topics = values.get("transports.telegram.topics.enabled", before)
        assert style_of(values["session_mode"], topics) == style
    assert style_of(None, None).id == "assistant"


def test_what_is_off_by_itself_is_not_written() -> None:
    """A file has no lines that change nothing."""
    assert style_values(STYLES[0], topics=None) == {"session_mode": "chat"}


def test_a_bot_that_cannot_do_what_is_wanted_is_told_with_the_remedy() -> None:
    """Groups need privacy off, private topics their mode; what is not wanted is not told."""
    poor, rich = BotFacts(1, "a_bot"), BotFacts(1, "a_bot", reads_groups=True, has_topics=True)
    (groups,) = bot_advice(poor, groups=True, topics=False)
    assert "/setprivacy" in groups
    (topics,) = bot_advice(poor, groups=False, topics=True)
    assert "Threaded Mode" in topics
    assert bot_advice(poor, groups=False, topics=False) == ()
    assert bot_advice(rich, groups=True, topics=True) == ()


def test_directories_are_offered_once_and_the_present_one_first() -> None:
    """Then this one, then repositories."""
    here, repo, other = Path("/a"), Path("/a/b"), Path("/c")
    offered = offered_directories(here, other, [here, repo, other])
    assert [(one.path, one.note) for one in offered] == [
        (other, "as it is now"),
        (here, "this directory, a git repository"),
        (repo, "a git repository"),
    ]
    assert offered_directories(here, None, [])[0].note == "this directory"
    assert len(offered_directories(here, None, [Path(f"/{n}") for n in range(20)])) == 5


LETTERS = string.ascii_lowercase + string.digits
# As long as an alias may be in many cases, and not in few.
ALIASES = st.builds(
    lambda first, rest, times: first + (rest * times)[:31],
    st.sampled_from(LETTERS),
    st.text(LETTERS + "_-", max_size=31),
    st.integers(1, 8),
)


@given(ALIASES, st.integers(0, 12))
def test_a_second_project_of_a_name_gets_a_number(name: str, others: int) -> None:
    """It stays a name, however long it was."""
    taken: set[str] = set()
    for _ in range(others + 1):
        alias = free_alias(name, taken)
        assert is_alias(alias)
        assert alias not in taken
        taken.add(alias)
    assert free_alias("shop", {"shop"}) == "shop-2"


def test_only_what_differs_is_written() -> None:
    """The same answer again leaves the file alone."""
    assert changes({"a": 1, "b": [2]}, {"a": 1, "b": [3], "c": 4}) == {"b": [2]}
