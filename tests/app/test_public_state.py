"""What the public takopi kept is read, whatever shape it has; what is not understood is named."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.app.public_state import (
    FILES,
    PublicPlace,
    PublicScope,
    parse_state,
    read_public_state,
)
from takopi.model import ResumeToken

PREFERENCES, TOPICS, SESSIONS = FILES
# As 0.23.4 writes it: all fields of a record are there, and what was never set is null.
WRITTEN: dict[str, Any] = {
    PREFERENCES: {
        "chats": {
            "-1005": {
                "context_branch": "feat/x",
                "context_project": "shop",
                "default_engine": "claude",
                "engine_overrides": {"codex": {"model": "gpt-5", "reasoning": None}},
                "trigger_mode": "mentions",
            },
            "5": {
                "context_branch": None,
                "context_project": None,
                "default_engine": " Claude",
                "engine_overrides": {"claude": {"model": None, "reasoning": "high"}},
                "trigger_mode": None,
            },
        },
        "version": 1,
    },
    TOPICS: {
        "threads": {
            "-1005:7": {
                "context": {"branch": None, "project": "shop"},
                "default_engine": None,
                "engine_overrides": {
                    "claude": {"model": None, "reasoning": "high"},
                    "codex": {"model": None, "reasoning": None},
                },
                "sessions": {"codex": {"resume": "01a1"}, "pi": {"resume": "/s/x y.jsonl"}},
                "topic_title": "shop",
                "trigger_mode": None,
            },
            "-1005:9": {
                "context": None,
                "default_engine": None,
                "engine_overrides": {},
                "sessions": {},
                "topic_title": None,
                "trigger_mode": None,
            },
        },
        "version": 1,
    },
    SESSIONS: {
        "chats": {
            "-1005:42": {"sessions": {"codex": {"resume": "x-2"}}},
            "-1005:43": {"sessions": {}},
            "5:chat": {"sessions": {"claude": {"resume": "c-1"}}},
        },
        "cwd": "/srv/work",
        "version": 1,
    },
}


def test_all_three_files_are_read(tmp_path: Path) -> None:
    """Contexts, engines, models, triggers and sessions, each at its place; nothing is changed."""
    written = WRITTEN
    for name, document in written.items():
        (tmp_path / name).write_text(json.dumps(document))
    state = read_public_state(tmp_path)
    assert state.unread == ()
    assert state.scopes == (
        PublicScope(
            place=PublicPlace(-1005),
            project="shop",
            branch="feat/x",
            engine="claude",
            trigger="mentions",
            models={"codex": "gpt-5"},
        ),
        PublicScope(place=PublicPlace(5), engine="claude", reasoning={"claude": "high"}),
        PublicScope(
            place=PublicPlace(-1005, 7),
            project="shop",
            reasoning={"claude": "high"},
            sessions=(ResumeToken("codex", "01a1"), ResumeToken("pi", "/s/x y.jsonl")),
            title="shop",
        ),
        PublicScope(
            place=PublicPlace(-1005, None, 42),
            sessions=(ResumeToken("codex", "x-2"),),
            directory="/srv/work",
        ),
        PublicScope(
            place=PublicPlace(5),
            sessions=(ResumeToken("claude", "c-1"),),
            directory="/srv/work",
        ),
    )
    assert {name: json.loads((tmp_path / name).read_text()) for name in written} == written


def test_another_version_is_read_as_far_as_it_goes_and_named() -> None:
    """The public takopi itself would forget it."""
    entry = {"default_engine": "pi"}
    state = parse_state(TOPICS, {"threads": {"5:7": entry}, "version": 2, "more": {}, "5": entry})
    assert [(scope.place, scope.engine) for scope in state.scopes] == [(PublicPlace(5, 7), "pi")]
    assert state.unread == (
        f"{TOPICS}: more",
        f"{TOPICS}: 5",
        f"{TOPICS}: version 2, read as 1",
    )
    assert parse_state(SESSIONS, {"version": 1}).unread == (f"{SESSIONS}: it has no table `chats`",)


@pytest.mark.parametrize(
    ("entry", "left"),
    [
        ({"trigger_mode": "sometimes"}, "trigger_mode"),
        ({"context": "shop"}, "context"),
        ({"context": {"project": "a", "planet": "b"}}, "context"),
        ({"sessions": {"codex": {"resume": "--config=x"}}}, "sessions"),
        ({"sessions": {"codex": {"resume": "a\nb"}}}, "sessions"),
        ({"sessions": ["x"]}, "sessions"),
        ({"sessions": {"codex": "x"}}, "sessions"),
        ({"engine_overrides": {"": {"model": "x"}}}, "engine_overrides"),
        ({"engine_overrides": {"codex": {"model": 3}}}, "engine_overrides"),
        ({"engine_overrides": 1}, "engine_overrides"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_not_understood_is_named(entry: dict[str, Any], left: str) -> None:
    """The rest of the entry is read all the same."""
    state = parse_state(
        TOPICS, {"threads": {"5:7": {**entry, "default_engine": "pi"}}, "version": 1}
    )
    assert state.unread == (f"{TOPICS}: 5:7: {left}",)
    assert [scope.engine for scope in state.scopes] == ["pi"]


def test_files_that_are_no_state_are_named(tmp_path: Path) -> None:
    """Broken JSON, other JSON, a folder; no file at all is nothing."""
    assert read_public_state(tmp_path).unread == ()
    (tmp_path / PREFERENCES).write_text("{")
    (tmp_path / TOPICS).write_text('[1, {"a": 2}]')
    (tmp_path / SESSIONS).mkdir()
    state = read_public_state(tmp_path)
    assert state.scopes == ()
    assert [line.split(":")[0] for line in state.unread] == [PREFERENCES, TOPICS, SESSIONS]
    assert parse_state(TOPICS, {"threads": {"x": {}, "5:7": 1}, "version": 1}).unread == (
        f"{TOPICS}: x",
        f"{TOPICS}: 5:7",
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["chats", "threads", "5", "-5:7", "5:chat", "sessions", "context", "codex", "x"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(FILES), JSON)
def test_no_shape_raises(name: str, document: Any) -> None:
    """Whatever stands in the file, it is read or named."""
    state = parse_state(name, document)
    for scope in state.scopes:
        assert scope != PublicScope(place=scope.place)
