"""What a turn asks for beyond its prompt reaches the real engines, and what they keep is found."""

import base64
import json
import time
from pathlib import Path

import pytest

from fakes.pictures import write_png
from real_engines.world import World
from takopi.desktop_sessions import list_desktop_sessions
from takopi.runner import capabilities_of, list_models
from takopi.turn import TurnRequest

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]


async def test_a_picture_reaches_the_model_and_another_file_is_named(
    world: World, tmp_path: Path
) -> None:
    """Names with blanks and signs are data, also where a session goes on."""
    assert capabilities_of(world.runner()).images
    picture = write_png(tmp_path / "-a red #1 %41 (x).png")
    notes = tmp_path / "notes, and more.txt"
    notes.write_text("words\n")
    sent = base64.b64encode(picture.read_bytes()).decode()
    before = len(world.model.main_requests)
    outcome = await world.run_request(
        TurnRequest(prompt="what is this?", attachments=(picture, notes))
    )
    assert outcome.end.ok, outcome.end.error
    (asked, *_) = world.asked_since(before)
    assert json.dumps(asked.body).count(sent) == 1
    assert any(f"Attached file: {notes}" in text for text in asked.user_texts)
    before = len(world.model.main_requests)
    again = await world.run_request(
        TurnRequest(prompt="and this?", resume=outcome.token, attachments=(picture,))
    )
    assert again.end.ok, again.end.error
    assert again.token == outcome.token
    (asked, *_) = world.asked_since(before)
    assert json.dumps(asked.body).count(sent) == 2


async def test_a_turn_may_do_what_its_mode_says(world: World) -> None:
    """Plan changes nothing, whatever the configuration allows; edit changes a file."""
    prompt = "[[write: new.txt | words]][[bash: touch other.txt]][[say: planned]]"
    await world.run_request(TurnRequest(prompt=prompt, permission_mode="plan"))
    assert list(world.work_dir.iterdir()) == []
    prompt = "[[write: new.txt | words]][[say: written]]"
    outcome = await world.run_request(TurnRequest(prompt=prompt, permission_mode="edit"))
    assert outcome.end.ok, outcome.end.error
    assert [path.name for path in world.work_dir.iterdir()] == ["new.txt"]


async def test_models_and_sessions_are_listed_as_the_engine_has_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that is listed can be asked for, and the session is in the engine's own store."""
    for name, value in world.home.environment.items():
        monkeypatch.setenv(name, value)
    runner = world.runner()
    models = await list_models(runner)
    known = {"codex": "fake-model", "opencode": "fake/fake-model", "pi": "fake/fake-model"}
    assert known.get(world.engine, "opus") in models
    assert await list_desktop_sessions(runner, world.work_dir) == ()
    outcome = await world.run_request(TurnRequest(prompt="Title [[say: one]]", model=models[0]))
    assert outcome.end.ok, outcome.end.error
    (found,) = await list_desktop_sessions(runner, world.work_dir)
    assert (found.token, found.cwd) == (outcome.token, world.work_dir)
    assert abs(found.started_at - time.time()) < 300
    # opencode has its sessions named by a model; the scripted one has a name of its own.
    assert "itle" in found.title
    assert await list_desktop_sessions(runner, world.work_dir.parent) == ()
