"""What a turn asks for beyond its prompt reaches the real engines, and what they keep is found."""

import base64
import json
import time
from pathlib import Path

import pytest

from fakes.pictures import write_png
from real_engines.world import World
from takopi.desktop_sessions import list_desktop_sessions
from takopi.model import ResumeToken
from takopi.runner import capabilities_of, list_models
from takopi.turn import TurnRequest

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]


async def test_a_picture_reaches_the_model_and_another_file_is_named(
    world: World, tmp_path: Path
) -> None:
    """Names with blanks and signs are data; one that is no picture stands in the prompt."""
    assert capabilities_of(world.runner()).images
    picture = write_png(tmp_path / "-a red #1 %41 (x).png")
    notes = tmp_path / "notes, and more.txt"
    notes.write_text("words\n")
    before = len(world.model.main_requests)
    outcome = await world.run_request(
        TurnRequest(prompt="what is this?", attachments=(picture, notes))
    )
    assert outcome.end.ok, outcome.end.error
    (asked, *_) = world.asked_since(before)
    sent = json.dumps(asked.body)
    assert base64.b64encode(picture.read_bytes()).decode() in sent
    assert any(f"Attached file: {notes}" in text for text in asked.user_texts)


async def test_a_picture_goes_to_a_session_that_goes_on(world: World, tmp_path: Path) -> None:
    """The options of resuming and of pictures get along."""
    first = await world.run("[[say: one]]")
    before = len(world.model.main_requests)
    picture = write_png(tmp_path / "red.png")
    again = await world.run_request(
        TurnRequest(prompt="and this?", resume=first.token, attachments=(picture,))
    )
    assert again.end.ok, again.end.error
    assert again.token == first.token
    (asked, *_) = world.asked_since(before)
    assert base64.b64encode(picture.read_bytes()).decode() in json.dumps(asked.body)


async def test_a_turn_that_may_only_read_changes_nothing(world: World) -> None:
    """Plan means the same for every engine, whatever its configuration allows."""
    prompt = "[[write: new.txt | words]][[bash: touch other.txt]][[say: planned]]"
    await world.run_request(TurnRequest(prompt=prompt, permission_mode="plan"))
    assert sorted(path.name for path in world.work_dir.iterdir()) == []


async def test_a_turn_that_may_edit_changes_a_file(world: World) -> None:
    """The counterpart: without it the test above would pass for an engine that does nothing."""
    prompt = "[[write: new.txt | words]][[say: written]]"
    outcome = await world.run_request(TurnRequest(prompt=prompt, permission_mode="edit"))
    assert outcome.end.ok, outcome.end.error
    assert [path.name for path in world.work_dir.iterdir()] == ["new.txt"]


async def test_a_session_of_the_desktop_is_listed_and_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the engine itself wrote down names the session by its first words."""
    for name, value in world.home.environment.items():
        monkeypatch.setenv(name, value)
    runner = world.runner()
    assert await list_desktop_sessions(runner, world.work_dir) == ()
    first = await world.run("Title of it all [[say: one]]")
    second = await world.run("And another [[say: two]]")
    found = await list_desktop_sessions(runner, world.work_dir)
    assert [one.token for one in found] == [second.token, first.token]
    assert {one.cwd for one in found} == {world.work_dir}
    assert all(abs(one.started_at - time.time()) < 300 for one in found)
    # opencode has its sessions named by a model; the scripted one has a name of its own.
    if world.engine != "opencode":
        assert [one.title[:8] for one in found] == ["And anot", "Title of"]
    assert all(one.title for one in found)
    assert await list_desktop_sessions(runner, world.work_dir, 1) == found[:1]
    assert await list_desktop_sessions(runner, world.work_dir.parent) == ()


async def test_the_models_are_listed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the engine can be asked it names what its configuration has."""
    for name, value in world.home.environment.items():
        monkeypatch.setenv(name, value)
    models = await list_models(world.runner())
    known = {"codex": "fake-model", "opencode": "fake/fake-model", "pi": "fake/fake-model"}
    assert known.get(world.engine, "opus") in models
    if world.engine != "claude":  # whose model is named by an alias, and the script has none
        outcome = await world.run_request(TurnRequest(prompt="[[say: x]]", model=models[0]))
        assert outcome.end.ok, outcome.end.error


async def test_a_session_that_the_engine_lost_is_told_apart(world: World) -> None:
    """Whoever asked for it can offer to start anew; other failures are not taken for it."""
    value = "ses_0000000000000000000000000"
    if world.engine != "opencode":
        value = "01a1fc46-187a-439a-a569-000000000000"
    resume = ResumeToken(world.engine, value)
    async with world.turn("hello", resume) as live:
        events = [event async for event in live]
    assert not events[-1].ok
    assert live.session_unknown
    async with world.turn("[[error: 400]]") as live:
        events = [event async for event in live]
    assert not events[-1].ok
    assert not live.session_unknown
