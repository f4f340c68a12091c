"""How prompts are run is chosen in the chat, and every choice says what holds and why."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from bridge.dispatch_stage import staged
from bridge.world import World
from fakes.clock import settle
from fakes.project_folders import NamedFolders
from takopi.bridge.records import PlacePut
from takopi.core.access import access_policy
from takopi.core.chat_settings import ChatSettings
from takopi.core.commands import press_data
from takopi.core.places import PlaceRecord
from takopi.core.preferences import Preferences, RunChoices
from takopi.core.projects import Project, Projects
from takopi.errors import PluginError
from takopi.turn import EngineCapabilities

pytestmark = pytest.mark.anyio

PROJECTS = Projects((Project("zed", Path("/src/zed")),))
CODEX = EngineCapabilities(
    models=("gpt-5", "o3"),
    reasoning_levels=("low", "high"),
    permission_modes=("plan", "full", "read-only", "default"),
)


@asynccontextmanager
async def choosing(*places: PlaceRecord, **chats: Any) -> AsyncIterator[World]:
    """Run a bridge with a project, a group and an engine that says what it takes."""
    access = access_policy(chat_id=1, allowed_chat_ids=(-7,), allowed_user_ids=(1,))
    options = {"chats": ChatSettings(projects=PROJECTS, **chats), "access": access}
    world = World(options=options, workspaces=NamedFolders(PROJECTS))
    world.codex.capabilities = CODEX
    await world.store.commit([PlacePut(place) for place in places])
    async with anyio.create_task_group() as group:
        group.start_soon(world.bridge.run)
        await settle()
        yield world
        group.cancel_scope.cancel()


async def says(world: World, text: str, **more: Any) -> str:
    """Write something and return the answer."""
    before = set(world.chat.shown)
    world.chat.write(text, **more)
    await settle()
    await world.clock.advance(5)
    answers = sorted(key for key in world.chat.shown if key not in before)
    return world.chat.shown[answers[-1]].text if answers else ""


def choices(world: World) -> RunChoices:
    """Return what codex was asked for last."""
    request = world.codex.turns[-1].request
    return RunChoices(
        model=request.model, reasoning=request.reasoning, mode=request.permission_mode
    )


async def test_what_is_chosen_holds_for_prompts_that_come_after_it() -> None:
    """Also within one batch, and not for those before."""
    async with choosing() as world:
        written = [
            world.chat.message(text)
            for text in ("one", "/model gpt-5", "/reasoning HIGH", "/mode plan", "two")
        ]
        world.chat.feed(*written)
        await settle()
        asked = [(t.request.prompt, t.request.model) for t in world.codex.turns]
        assert asked == [("one", None), ("two", "gpt-5")]
        assert choices(world) == RunChoices(model="gpt-5", reasoning="high", mode="plan")


async def test_an_engine_is_chosen_and_taken_back() -> None:
    async with choosing() as world:
        assert "claude is chosen for this chat" in await says(world, "/agent claude")
        await says(world, "one")
        assert [turn.request.prompt for turn in world.claude.turns] == ["one"]
        taken = await says(world, "/agent default")
        assert "Nothing is chosen for this chat any more" in taken
        assert "codex (configuration)" in taken
        await says(world, "two")
        assert world.codex.turns[-1].request.prompt == "two"


async def test_each_answer_says_what_every_place_says() -> None:
    """In the order in which the places decide, with the one that does."""
    zed = PlaceRecord(key="project:zed", preferences=Preferences(models={"codex": "o3"}))
    async with choosing(zed, default_project="zed") as world:
        shown = await says(world, "/model", kind="group", chat=-7, thread=4)
        assert "Model of codex: o3 (project zed)" in shown
        assert "this topic: –\nthis chat: –\nproject zed: o3\n" in shown
        shown = await says(world, "/model gpt-5 for chat", kind="group", chat=-7, thread=4)
        assert "Model of codex: gpt-5 (this chat)" in shown
        shown = await says(world, "/model o4 project", kind="group", chat=-7, thread=4)
        assert "o4 is chosen for project zed" in shown
        assert "Here gpt-5 goes before it, which was chosen for this chat" in shown
        await says(world, "work", kind="group", chat=-7, thread=4)
        assert choices(world).model == "gpt-5"
        await says(world, "work", chat=1)
        assert choices(world).model == "o4"


async def test_a_topic_has_choices_of_its_own() -> None:
    async with choosing() as world:
        await says(world, "/model gpt-5", kind="group", chat=-7, thread=4)
        await says(world, "work", kind="group", chat=-7, thread=5)
        assert choices(world).model is None
        await says(world, "work", kind="group", chat=-7, thread=4)
        assert choices(world).model == "gpt-5"


async def test_models_of_one_engine_never_reach_another() -> None:
    async with choosing() as world:
        assert "Model of claude: opus" in await says(world, "/model claude opus")
        await says(world, "one")
        assert choices(world).model is None
        await says(world, "/claude two")
        assert world.claude.turns[-1].request.model == "opus"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "/agent gemini",
            "/agent does not take gemini, so nothing was changed. It takes: codex, c",
        ),
        ("/reasoning hihg", "codex does not take hihg for /reasoning, so nothing was changed. It"),
        ("/reasoning hihg", "It takes: low, high. Did you mean high?"),
        ("/reasoning claude high", "claude takes no word of /reasoning"),
        ("/mode sudo", "It takes: plan, full, read-only."),
        ("/verbose loud", "It takes: quiet, normal, full."),
        ("/model --help", "--help cannot be a model; nothing was changed."),
        ("/model a b c", "Nothing was changed. One word says what is chosen"),
        ("/model for project", "Nothing was changed. One word says"),
        ("/model gpt-5 for topic", "This is no topic, so nothing was changed."),
        ("/model gpt-5 for project", "No project holds here, so nothing was changed."),
        ("/trigger mentions", "In a private chat every message counts"),
    ],
)
async def test_what_cannot_be_chosen_is_answered_and_changes_nothing(text, words) -> None:
    async with choosing() as world:
        assert words in await says(world, text)
        assert not (await world.store.load()).places
        assert not (await world.store.load()).updates


async def test_a_model_that_is_not_listed_may_be_one_all_the_same() -> None:
    async with choosing() as world:
        assert "codex does not list it" in await says(world, "/model gpt-7:free")
        await says(world, "one")
        assert choices(world).model == "gpt-7:free"


async def test_buttons_choose_for_the_nearest_place_and_take_it_back() -> None:
    """As often as they are pressed; the message shows what holds then."""
    async with choosing() as world:
        await says(world, "/reasoning")
        shown = world.chat.find("Reasoning of codex")
        rows = shown.message.buttons
        assert [button.label for row in rows for button in row] == ["low", "high"]
        for _ in range(2):
            press = world.chat.press(rows[0][1].data, on=shown.message_id)
            await settle()
            assert any(call.text == f"{press}: high from now on" for call in world.sent("answer"))
            await world.clock.advance(5)
        shown = world.chat.find("Reasoning of codex: high (this chat)")
        labels = [button.label for row in shown.message.buttons for button in row]
        assert labels == ["low", "✓ high", "Take back"]
        world.chat.press(shown.message.buttons[-1][0].data, on=shown.message_id)
        await settle()
        await world.clock.advance(5)
        assert world.chat.find("Reasoning of codex: codex decides, nothing was chosen")
        await says(world, "one")
        assert choices(world).reasoning is None


def labels(world: World, text: str, chat: int = 1) -> list[str]:
    return [b.label for row in world.chat.find(text, chat).message.buttons for b in row]


async def press_last(world: World, text: str) -> str:
    """Press the last button of a message, and return what its presser sees."""
    shown = world.chat.find(text)
    press = world.chat.press(shown.message.buttons[-1][-1].data, on=shown.message_id)
    await settle()
    await world.clock.advance(5)
    (said,) = [c.text for c in world.sent("answer") if (c.text or "").startswith(f"{press}: ")]
    return str(said).removeprefix(f"{press}: ")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("/model frob", "Model of codex"),
        ("/model claude frob", "Model of claude"),  # it lists nothing
        ("/reasoning high", "Reasoning of codex"),
        ("/mode plan", "Permission mode of codex"),
        ("/verbose full", "How much messages show"),
        ("/agent claude", "Engine of prompts that name none"),
    ],
)
async def test_a_choice_in_words_has_a_way_back(text: str, title: str) -> None:
    """Its answer has the buttons that a choice by button has."""
    async with choosing() as world:
        before = await world.store.load()
        await says(world, text)
        assert labels(world, f"{title}: ")[-1] == "Take back"
        assert await press_last(world, f"{title}: ") == "Nothing is chosen here any more"
        assert "is chosen for this chat any more" in world.chat.find(f"{title}: ").text
        assert "Take back" not in labels(world, f"{title}: ")
        assert before.places == ()


async def test_a_choice_for_another_place_has_a_way_back_there() -> None:
    """Buttons choose for the topic, and so they must name the other place."""
    group = {"kind": "group", "chat": -7, "thread": 4}
    async with choosing(default_project="zed") as world:
        await says(world, "/model gpt-5", **group)
        await says(world, "/model frob for project", **group)
        title = "frob is chosen for project zed"
        assert labels(world, title, -7)[-2:] == ["Take back", "Take back for project zed"]
        shown = world.chat.find(title, -7)
        world.chat.press(shown.message.buttons[-1][-1].data, on=shown.message_id, chat=-7)
        await settle()
        await world.clock.advance(5)
        assert world.chat.has("Nothing is chosen for project zed any more", -7)
        known = {p.key: p.preferences.models for p in (await world.store.load()).places}
        assert known["memory:-7:4"] == {"codex": "gpt-5"}
        assert not known.get("project:zed")


async def test_a_trigger_for_a_project_is_taken_back_where_it_was_chosen() -> None:
    """A private chat has no other button: there is nothing else that could be chosen there."""
    async with choosing(default_project="zed") as world:
        await says(world, "/trigger")
        assert labels(world, "Messages of a group") == []
        assert world.chat.has("counts. /trigger mentions for project chooses what counts in the")
        await says(world, "/trigger mentions for project")
        assert labels(world, "mentions is chosen") == ["Take back for project zed"]
        assert await press_last(world, "mentions is chosen") == "Taken back"
        assert world.chat.has("Nothing is chosen for project zed any more")


@pytest.mark.parametrize(
    "args",
    [
        ("model", "codex", "-", "nowhere"),
        ("verbose", "-", "topic"),
        ("verbose", "-"),
        ("reasoning", "codex", "hihg"),
        ("reasoning", "gemini", "high"),
        ("reasoning",),
        ("verbose",),
    ],
)
async def test_a_forged_press_changes_nothing(args) -> None:
    async with choosing() as world:
        press = world.chat.press(press_data(*args))
        await settle()
        expected = f"{press}: This button does nothing any more"
        assert any(call.text == expected for call in world.sent("answer"))
        assert not (await world.store.load()).places
        assert not (await world.store.load()).updates


async def test_an_engine_that_is_slow_to_answer_holds_nobody_up() -> None:
    """It is asked once, the answer waits ten seconds at most, and the next one knows more."""
    async with choosing() as world:
        asked, said = [], anyio.Event()

        async def list_models() -> tuple[str, ...]:
            asked.append(1)
            await said.wait()
            return ("o4", "o5")

        world.codex.list_models = list_models
        world.chat.write("/model o4")
        world.chat.write("one")
        await settle()
        assert choices(world).model == "o4"
        assert not world.chat.has("Model of codex")
        await world.clock.advance(10)
        await world.clock.advance(5)
        assert world.chat.has("o4 is chosen for this chat")
        assert not world.chat.find("Model of codex: o4").message.buttons[2:]
        said.set()
        await says(world, "/model")
        shown = world.chat.find("Model of codex: o4").message
        assert [button.label for button in shown.buttons[0]] == ["✓ o4", "o5"]
        assert asked == [1]


async def test_models_are_asked_for_once_in_ten_minutes() -> None:
    async with choosing() as world:
        asked = []

        async def list_models() -> tuple[str, ...]:
            asked.append(1)
            return tuple(f"m{n}" for n in range(30))

        world.codex.list_models = list_models
        for _ in range(2):
            shown = await says(world, "/model")
            assert "30 can be chosen; the buttons are page 1 of 2." in shown
        assert asked == [1]
        await world.clock.advance(601)
        await says(world, "/model")
        assert asked == [1, 1]


async def test_a_broken_engine_says_so() -> None:
    async with choosing() as world:
        world.engines.broken["gemini"] = PluginError("gemini cannot be loaded; mend it")
        assert "gemini cannot be loaded" in await says(world, "/reasoning gemini high")
        assert "gemini did not say what it has" in await says(world, "/model gemini")


async def test_a_choice_that_the_journal_refuses_is_made_later() -> None:
    async with staged() as stage:
        stage.store.refuses = lambda changes: any(isinstance(c, PlacePut) for c in changes)
        await stage.arrive(stage.chat.message("/verbose full"))
        assert stage.chat.has("takopi cannot write it down")
        stage.store.refuses = lambda changes: False
        await stage.clock.advance(10)
        assert stage.chat.has("full is chosen for this chat")
        assert [place.key for place in (await stage.store.load()).places] == ["memory:1"]


async def test_a_trigger_is_chosen_for_every_group_of_a_project() -> None:
    """From a private chat as well, where it makes no difference."""
    async with choosing(default_project="zed") as world:
        chosen = await says(world, "/trigger mentions for project")
        assert "mentions is chosen for project zed" in chosen
        assert "In a private chat every message counts." in chosen
        await says(world, "lunch?", kind="group", chat=-7)
        assert world.codex.turns == []
        await says(world, "work")
        assert len(world.codex.turns) == 1
