"""What the public takopi knew of chats and topics is taken over once."""

import json
from pathlib import Path

import anyio
import pytest

from takopi.app.home import Home
from takopi.app.public_import import (
    Configured,
    PublicForecast,
    foresee_public_state,
    left_out,
    places_of,
    take_over_public_state,
)
from takopi.app.public_state import PublicPlace, PublicScope
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.records import PlacePut
from takopi.core.places import PlaceRecord, SessionPoint
from takopi.core.projects import Project, Projects
from takopi.model import ResumeToken

pytestmark = pytest.mark.anyio

PROJECTS = Projects(
    (
        Project("zed", Path("/src/zed")),
        Project("my-app", Path("/src/app"), chat_id=-9),
    )
)
HERE = Configured(PROJECTS, ("codex", "claude"))
TOKEN = ResumeToken("codex", "abc")


def test_places_keep_what_has_a_counterpart() -> None:
    """What belongs to an engine that is not there waits for it."""
    scope = PublicScope(
        place=PublicPlace(-7, 5),
        project="ZED",
        branch="dev",
        engine="claude",
        trigger="mentions",
        models={"codex": "gpt", "gone": "x"},
        reasoning={"claude": "high"},
        sessions=(TOKEN, ResumeToken("gone", "s")),
        title="zed @dev",
    )
    (place,) = places_of([scope], HERE, 9.0)
    assert (place.key, place.project, place.branch) == ("telegram:-7:5", "zed", "dev")
    assert place.topic == "zed @dev"
    assert place.preferences.engine == "claude"
    assert place.preferences.trigger == "mentions"
    assert place.preferences.models == {"codex": "gpt", "gone": "x"}
    assert place.preferences.reasoning == {"claude": "high"}
    assert place.sessions == {
        "zed\ndev\ncodex": SessionPoint(9.0, TOKEN),
        "zed\ndev\ngone": SessionPoint(9.0, ResumeToken("gone", "s")),
    }
    assert left_out([scope], HERE) == ()


def test_a_session_goes_on_where_prompts_of_its_place_run() -> None:
    """By what the topic, its chat, or the configuration says; names that were rewritten count."""
    scopes = [
        PublicScope(place=PublicPlace(-7), project="My App", branch="dev"),
        PublicScope(place=PublicPlace(-7, 5), sessions=(TOKEN,)),
        PublicScope(place=PublicPlace(-9), sessions=(TOKEN,)),
        PublicScope(place=PublicPlace(1), sessions=(TOKEN,)),
    ]
    with_default = Configured(PROJECTS, HERE.engines, "zed")
    found = {place.key: place for place in places_of(scopes, with_default, 9.0)}
    assert found["telegram:-7"].project == "my-app"
    assert {key: [*place.sessions] for key, place in found.items()} == {
        "telegram:-7": [],
        "telegram:-7:5": ["my-app\ndev\ncodex"],
        "telegram:-9": ["my-app\n\ncodex"],
        "telegram:1": ["zed\n\ncodex"],
    }
    assert [*places_of(scopes[3:], HERE, 9.0)[0].sessions] == ["\n\ncodex"]


def test_the_session_of_the_one_person_who_talks_in_a_group_is_the_groups() -> None:
    """Those of several have no counterpart, and are named."""
    first = PublicScope(place=PublicPlace(-7, None, 3), sessions=(TOKEN,))
    second = PublicScope(place=PublicPlace(-7, None, 4), sessions=(ResumeToken("claude", "c"),))
    (place,) = places_of([first], HERE, 9.0)
    assert place == PlaceRecord(key="telegram:-7", sessions={"\n\ncodex": SessionPoint(9.0, TOKEN)})
    assert places_of([first, second], HERE, 9.0) == ()
    assert left_out([first, second], HERE) == ("the sessions of 2 people in the chat -7",)


def test_what_names_nothing_that_is_there_binds_nothing_and_is_told() -> None:
    odd = PublicScope(place=PublicPlace(1), project="gone", branch="x", engine="lost", trigger="?")
    loose = PublicScope(place=PublicPlace(-7, 8), branch="dev")
    assert places_of([odd, loose], HERE, 9.0) == ()
    assert left_out([odd, loose], HERE) == (
        "the project gone, which is not there",
        "the engine lost, which is not there",
        "@dev of no project",
    )


async def test_it_is_taken_once_and_never_over_what_is_known(tmp_path: Path) -> None:
    home = Home(tmp_path)
    files = {
        "telegram_chat_prefs_state.json": {
            "version": 1,
            "chats": {
                "1": {"default_engine": "claude"},
                "2": {"default_engine": "codex"},
                "3": {"default_engine": "lost"},
            },
        },
        "telegram_topics_state.json": "nonsense",
    }
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    store = MemoryStore()
    mine = PlaceRecord(key="telegram:2", project="zed")
    await store.commit([PlacePut(mine)])
    forecast = foresee_public_state(tmp_path, HERE)
    assert (forecast.places, len(forecast.left)) == (2, 2)
    words = await take_over_public_state(home, store, HERE, 9.0)
    assert "what held in 1 chat or topic" in words
    assert "Not understood, and left in its files: telegram_topics_state.json" in words
    places = {place.key: place for place in (await store.load()).places}
    assert places["telegram:1"].preferences.engine == "claude"
    assert places["telegram:2"] == mine
    assert "Left in its files: the engine lost, which is not there." in words
    assert await take_over_public_state(home, store, HERE, 9.0) == ""
    assert foresee_public_state(tmp_path, HERE) == PublicForecast()


async def test_without_such_files_nothing_is_done(tmp_path: Path) -> None:
    assert await take_over_public_state(Home(tmp_path), MemoryStore(), HERE, 9.0) == ""
    assert not [found async for found in anyio.Path(tmp_path).iterdir()]
