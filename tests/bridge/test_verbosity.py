"""How much the messages of a turn show."""

from collections.abc import AsyncIterator

import pytest

from bridge.world import World, serving
from fakes.clock import settle
from fakes.scripted_engine import ScriptedTurn
from takopi.model import Action, ActionEvent, TakopiEvent

pytestmark = pytest.mark.anyio


async def busy(turn: ScriptedTurn) -> AsyncIterator[TakopiEvent]:
    """Do seven things, and end when somebody cancels."""
    yield turn.started()
    for number in range(7):
        yield turn.step(f"make part{number}", number)
    yield ActionEvent("codex", Action("m", "message", "", {"text": "So far"}), phase="updated")
    await turn.interrupted.wait()
    yield turn.answer("the answer")


async def worked(world: World, verbosity: str) -> tuple[str, str]:
    """Let a turn work, and return its progress message and its final."""
    world.codex.default = busy
    world.chat.write(f"/verbose {verbosity}")
    world.chat.write("go")
    await settle()
    await world.clock.advance(15)
    progress = world.chat.find("working").text
    world.chat.write("/cancel")
    await settle()
    await world.clock.advance(15)
    return progress, world.finals()[-1]


async def test_quiet_shows_one_line_while_it_works() -> None:
    async with serving() as world:
        progress, final = await worked(world, "quiet")
        assert progress == "working · codex · 13s · step 7"
        assert "make part" not in final


async def test_normal_shows_the_last_steps() -> None:
    async with serving() as world:
        progress, final = await worked(world, "normal")
        assert "make part6\n" in progress
        assert "So far" in progress
        assert "make part" not in final


async def test_full_puts_all_steps_below_the_answer() -> None:
    """In a quote that opens, above the line that resumes."""
    async with serving() as world:
        _, final = await worked(world, "full")
        log = "\n".join(f"▸ make part{number}" for number in range(7))
        assert final.startswith("✓ done")
        assert f"the answer\n\n{log}\n\ncodex resume" in final
        shown = world.chat.find("make part0")
        kinds = [entity.kind for entity in shown.message.body.entities]
        assert kinds.count("expandable_blockquote") == 1
