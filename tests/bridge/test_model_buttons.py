"""Engines have many models with long names, and each is chosen by a button."""

from typing import Any

import pytest
from msgspec.structs import replace

from bridge.test_preferences import CODEX, choices, choosing, labels, says
from bridge.world import World
from fakes.clock import settle
from takopi.core.commands import press_data

pytestmark = pytest.mark.anyio

LONG = "openrouter/meta-llama/llama-3.2-90b-vision-instruct:free"


async def press(world: World, label: str) -> str:
    """Press the button of the answer to /model that ends so; return what its presser sees."""
    shown = world.chat.find("Model of codex")
    assert shown.message is not None
    (data,) = [b.data for row in shown.message.buttons for b in row if b.label.endswith(label)]
    name = world.chat.press(data, on=shown.message_id)
    await settle()
    await world.clock.advance(5)
    (said,) = [c.text for c in world.sent("answer") if (c.text or "").startswith(f"{name}:")]
    return str(said).removeprefix(f"{name}:").strip()


async def test_many_models_come_in_pages() -> None:
    """What holds is on the first page that is shown; a page chooses nothing."""
    async with choosing() as world:
        models = tuple(f"m{n}" for n in range(60))
        world.codex.capabilities = replace(CODEX, models=models)
        await says(world, "/model")
        assert labels(world, "Model of codex")[-2:] == ["m23", "More"]
        assert await press(world, "More") == ""
        assert world.chat.has("60 can be chosen; the buttons are page 2 of 3.")
        assert labels(world, "Model of codex")[-3:] == ["m47", "Back", "More"]
        assert await press(world, "More") == ""
        assert labels(world, "Model of codex")[-2:] == ["m59", "Back"]
        assert not (await world.store.load()).places
        assert await press(world, "m58") == "m58 from now on"
        assert labels(world, "Model of codex")[-4:] == ["✓ m58", "m59", "Back", "Take back"]
        await says(world, "/model")
        assert "✓ m58" in labels(world, "Model of codex")
        assert await press(world, "Back") == ""
        assert labels(world, "Model of codex")[:1] == ["m24"]
        await says(world, "one")
        assert choices(world).model == "m58"


async def test_a_name_that_is_too_long_for_a_button_has_one_all_the_same() -> None:
    """Its label shows the end, where such names differ."""
    async with choosing() as world:
        other = LONG.replace("90b", "11b")
        world.codex.capabilities = replace(CODEX, models=(other, LONG, "o3"))
        shown = await says(world, "/model")
        assert "It takes" not in shown
        assert labels(world, "Model of codex")[0].endswith("lama-3.2-11b-vision-instruct:free")
        assert await press(world, "90b-vision-instruct:free") == f"{LONG[:29]}… from now on"
        await says(world, "one")
        assert choices(world).model == LONG


async def test_a_button_of_a_name_that_nobody_remembers_says_so() -> None:
    """It was listed before takopi began anew, or the engine has it no more."""
    async with choosing() as world:
        name = world.chat.press(press_data("model", "codex", "-", "word", "0" * 12))
        await settle()
        (said,) = [c.text for c in world.sent("answer")]
        assert said == f"{name}: This list is too old; send /model anew"
        assert not (await world.store.load()).places
        assert (await world.store.load()).updates == ()


NO_NAMES: Any = ({"id": "m"},)


async def test_what_cannot_be_shown_is_told() -> None:
    """A module may say of its models what is no text: who asks is answered, and asked no more."""
    async with choosing() as world:
        world.codex.capabilities = replace(CODEX, models=NO_NAMES)
        assert "takopi failed while showing what can be chosen" in await says(world, "/model")
        assert not (await world.store.load()).updates


async def test_a_page_that_cannot_be_shown_is_told() -> None:
    """The page that is there stays."""
    async with choosing() as world:
        world.codex.capabilities = replace(CODEX, models=tuple(f"m{n}" for n in range(60)))
        await says(world, "/model")
        world.codex.capabilities = replace(CODEX, models=NO_NAMES)
        await world.clock.advance(601)  # until the engine is asked again
        assert await press(world, "More") == ""
        assert world.chat.has("takopi failed while showing what can be chosen")
        assert labels(world, "Model of codex")[-1] == "More"
