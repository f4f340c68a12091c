"""How the bridge stops."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from bridge.world import World
from fakes.clock import settle
from fakes.scripted_engine import ScriptedTurn, prompt_answer, until_cancelled
from takopi.errors import FloodLimited

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def stoppable(**options: Any) -> AsyncIterator[tuple[World, anyio.Event]]:
    """Run a bridge that a test stops; the event tells that `run` has returned."""
    world, stopped = World(options=options), anyio.Event()

    async def run() -> None:
        await world.bridge.run()
        stopped.set()

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        await settle()
        yield world, stopped
        group.cancel_scope.cancel()


async def stubborn(turn: ScriptedTurn):
    """Never end, whatever is asked."""
    yield turn.started()
    await anyio.sleep_forever()


async def test_stop_cancels_what_runs_and_waits_and_tells() -> None:
    """Each message says why; no waiting turn is started on the way; no new update is taken."""
    async with stoppable(max_runs=1) as (world, stopped):
        world.codex.default = until_cancelled
        world.chat.write("one")
        world.chat.write("two")
        await settle()
        world.bridge.stop()
        await settle()
        world.chat.write("three")
        await world.clock.until(stopped.is_set, within_s=10)
        assert len(world.codex.turns) == 1
        assert world.codex.turns[0].closed == 1
        texts = world.chat.texts()
        assert len(texts) == 2
        for text in texts:
            assert text.startswith("■ cancelled · codex")
            assert "takopi is stopping" in text


async def test_an_idle_bridge_stops_at_once() -> None:
    """Nothing has to be waited for."""
    async with stoppable() as (world, stopped):
        world.bridge.stop()
        await settle()
        assert stopped.is_set()


async def test_a_stubborn_engine_does_not_keep_the_bot_from_telling() -> None:
    """After six of ten seconds its final is out and its run is being let go."""
    async with stoppable() as (world, stopped):
        world.codex.default = stubborn
        world.chat.write("one")
        await settle()
        world.bridge.stop()
        await world.clock.until(stopped.is_set, within_s=10)
        assert world.chat.find("takopi is stopping").text.startswith("■ cancelled")
        assert world.codex.turns[0].closed == 1


async def test_a_blocked_chat_does_not_keep_the_bot_beyond_its_time() -> None:
    """What the service does not take in time is left; leaving may need the rest of ten seconds."""
    async with stoppable() as (world, stopped):
        world.codex.default = until_cancelled
        world.chat.write("one")
        await settle()
        world.chat.fault = lambda call: FloodLimited(300) if call.verb != "menu" else None
        start = world.clock.now()
        world.bridge.stop()
        await world.clock.until(stopped.is_set, within_s=10)
        assert world.clock.now() - start == pytest.approx(8.5)


async def test_a_second_stop_is_immediate() -> None:
    """Nothing is waited for, and no time passes."""
    async with stoppable() as (world, stopped):
        world.codex.default = stubborn
        world.chat.write("one")
        await settle()
        start = world.clock.now()
        world.bridge.stop()
        await settle()
        assert not stopped.is_set()
        world.bridge.stop()
        await settle()
        assert stopped.is_set()
        assert world.clock.now() == start
        assert world.codex.turns[0].closed == 1


async def test_stop_while_the_last_answers_are_waited_for() -> None:
    """The end of the updates does not make the bot deaf to stop."""
    async with stoppable() as (world, stopped):
        world.codex.default = until_cancelled
        world.chat.write("one")
        world.chat.end()
        await settle()
        assert not stopped.is_set()
        world.bridge.stop()
        await world.clock.until(stopped.is_set, within_s=10)
        assert world.chat.has("takopi is stopping")


async def test_a_batch_that_was_begun_is_finished() -> None:
    """Every update of it has its effect, the next batch has none."""
    async with stoppable() as (world, stopped):
        world.codex.default = prompt_answer
        world.chat.feed(*(world.chat.message(f"p{number}") for number in range(3)))
        await settle()
        world.bridge.stop()
        await world.clock.until(stopped.is_set, within_s=10)
        assert len(world.codex.turns) == 3
        assert len(world.finals()) == 3
