"""What the public takopi knew of chats and topics is taken over once."""

import json
from pathlib import Path

import anyio
import pytest

from takopi.app.home import Home
from takopi.app.public_import import places_of, take_over_public_state
from takopi.app.public_state import PublicPlace, PublicScope
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.records import PlacePut
from takopi.core.places import PlaceRecord, SessionPoint
from takopi.core.projects import Project, Projects
from takopi.model import ResumeToken

pytestmark = pytest.mark.anyio

PROJECTS = Projects((Project("zed", Path("/src/zed")),))
ENGINES = ("codex", "claude")
TOKEN = ResumeToken("codex", "abc")


def test_places_keep_what_has_a_counterpart() -> None:
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
    (place,) = places_of([scope], PROJECTS, ENGINES, 9.0)
    assert (place.key, place.project, place.branch) == ("telegram:-7:5", "zed", "dev")
    assert place.topic == "zed @dev"
    assert place.preferences.engine == "claude"
    assert place.preferences.trigger == "mentions"
    assert place.preferences.models == {"codex": "gpt"}
    assert place.preferences.reasoning == {"claude": "high"}
    assert place.sessions == {"zed\ndev\ncodex": SessionPoint(9.0, TOKEN)}


def test_unknown_words_and_the_sessions_of_single_people_of_a_group_bind_nothing() -> None:
    alone = PublicScope(place=PublicPlace(-7, None, 3), sessions=(TOKEN,))
    odd = PublicScope(place=PublicPlace(1), project="gone", branch="x", engine="gone", trigger="?")
    (place,) = places_of([alone, odd], PROJECTS, ENGINES, 9.0)
    assert place == PlaceRecord(key="telegram:1")


async def test_it_is_taken_once_and_never_over_what_is_known(tmp_path: Path) -> None:
    home = Home(tmp_path)
    files = {
        "telegram_chat_prefs_state.json": {
            "version": 1,
            "chats": {"1": {"default_engine": "claude"}, "2": {"default_engine": "codex"}},
        },
        "telegram_topics_state.json": "nonsense",
    }
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    store = MemoryStore()
    mine = PlaceRecord(key="telegram:2", project="zed")
    await store.commit([PlacePut(mine)])
    words = await take_over_public_state(home, store, PROJECTS, ENGINES, 9.0)
    assert "what held in 1 chat or topic" in words
    assert "Not understood, and left in its files: telegram_topics_state.json" in words
    places = {place.key: place for place in (await store.load()).places}
    assert places["telegram:1"].preferences.engine == "claude"
    assert places["telegram:2"] == mine
    assert await take_over_public_state(home, store, PROJECTS, ENGINES, 9.0) == ""


async def test_without_such_files_nothing_is_done(tmp_path: Path) -> None:
    assert await take_over_public_state(Home(tmp_path), MemoryStore(), PROJECTS, (), 9.0) == ""
    assert not [found async for found in anyio.Path(tmp_path).iterdir()]
