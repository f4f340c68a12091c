"""What is said of engines holds for this place: which one is asked, and which can run at all."""

import pytest

from bridge.test_preferences import choosing, says
from fakes.scripted_engine import ScriptedRunner
from takopi.errors import PluginError

pytestmark = pytest.mark.anyio


async def test_examples_are_such_as_make_a_difference_here() -> None:
    """Not another engine's model, and not what holds already."""
    async with choosing() as world:
        assert "what it has. /model NAME chooses" in await says(world, "/model claude")
        assert "/agent claude chooses" in await says(world, "/agent")
        await says(world, "/agent claude")
        assert "/agent codex chooses" in await says(world, "/agent")


async def test_help_names_the_engine_that_holds_here() -> None:
    """In another chat it may be another one."""
    async with choosing() as world:
        assert "codex starts on it" in await says(world, "/help")
        await says(world, "/agent claude")
        shown = await says(world, "/help")
        assert "claude starts on it" in shown
        assert "/claude (default)" in shown
        for explained in ("/codex", "/help codex"):
            assert (await says(world, explained)).endswith("Without it claude is asked.")
        group = {"kind": "group", "chat": -7}
        assert (await says(world, "/claude", **group)).endswith("Without it codex is asked.")


async def test_only_engines_that_can_run_are_offered() -> None:
    """The others are named with what installs them, in one line."""
    async with choosing() as world:
        world.engines.runners["pi"] = ScriptedRunner("pi")
        world.engines.absent["pi"] = "npm install -g pi-agent"
        world.engines.broken["gemini"] = PluginError("gemini cannot be loaded; mend it")
        for explained in ("/pi", "/help pi"):
            told = await says(world, explained)
            assert told.endswith("asked.\nNot installed here: pi (npm install -g pi-agent).")
        assert "Not here: pi, gemini. /help pi tells more." in await says(world, "/help")
        shown = await says(world, "/agent")
        assert (
            "Not installed here: pi (npm install -g pi-agent). Cannot be used here: gemi" in shown
        )
        (row,) = world.chat.find("Engine of prompts").message.buttons
        assert [button.label for button in row] == ["✓ codex", "claude"]
        refused = await says(world, "/agent frob")
        assert "It takes: codex, claude. Not installed here: pi (npm install -g pi-a" in refused
        chosen = await says(world, "/agent pi")
        assert "pi is chosen for this chat" in chosen
        assert "It cannot run here yet, so such prompts fail until that is mended." in chosen


async def test_where_no_engine_can_run_there_is_nothing_to_offer() -> None:
    async with choosing() as world:
        world.engines.absent.update(codex=None, claude=None)
        refused = await says(world, "/agent frob")
        assert "It takes: –. Not installed here: codex, claude." in refused


async def test_an_engine_without_words_offers_none_as_an_example() -> None:
    async with choosing() as world:
        shown = await says(world, "/mode claude")
        assert shown.endswith("\n\nclaude takes no word of /mode: its own configuration decides.")
