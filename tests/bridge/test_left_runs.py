"""Which runs a bot has in its hands, from the first word of a stop to its last."""

import anyio
import pytest

from bridge.world import serving
from fakes.scripted_engine import ScriptedTurn

pytestmark = pytest.mark.anyio


async def endless(turn: ScriptedTurn):
    yield turn.started()
    await anyio.sleep_forever()


async def test_runs_that_are_left_are_named_from_the_first_moment_on() -> None:
    """Whoever loses patience in the middle of a stop can still end the engines that were left."""
    async with serving() as world:
        world.codex.default = endless
        world.codex.prepare = lambda turn: setattr(turn, "detach", lambda: True)
        world.chat.write("hello")
        await world.rest()
        (run_id,) = world.bridge.run_ids()
        world.chat.latency_s = 2  # what was said takes its time to go out
        world.bridge.stop(detach=True)
        named = set()
        for _ in range(40):
            await world.clock.advance(0.5)
            named.add(world.bridge.run_ids())
        assert named == {(run_id,)}
