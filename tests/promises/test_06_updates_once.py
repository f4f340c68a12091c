"""Promise 6: updates that come twice or out of order run once.

Full: 10,000 updates, each repeated or moved: under its number, under another one, in its batch and
in later ones.
"""

import asyncio
import random
from collections import Counter

import pytest
from msgspec.structs import replace

from bridge.world import World
from promises.forms import in_a_world, shards, share
from takopi.core.chat import ChatUpdate

pytestmark = pytest.mark.timeout(300)


@shards(10)
def test_what_comes_twice_runs_once(shard: int) -> None:
    """Every prompt reaches an engine once, however often and in whatever order it is handed out."""
    rng = random.Random(shard)
    updates = share(10_000, 10)

    async def play(world: World) -> None:
        for first in range(0, updates, 25):
            batch, later = muddled(world, rng, first, min(25, updates - first))
            world.chat.feed(*batch)
            await asyncio.sleep(rng.choice((0.0, 0.5, 30.0)))
            world.chat.feed(*later)
            await asyncio.sleep(60)
        await asyncio.sleep(600)
        ran = Counter(turn.request.prompt for turn in world.codex.turns)
        assert ran == Counter(f"prompt {number}" for number in range(updates))
        assert len(world.finals()) == updates

    in_a_world(play)


def muddled(
    world: World, rng: random.Random, first: int, count: int
) -> tuple[list[ChatUpdate], list[ChatUpdate]]:
    """Make new messages, and hand some of them out again, now and later, in any order."""
    fresh = [world.chat.message(f"prompt {first + number}") for number in range(count)]
    again = rng.choices(fresh, k=rng.randrange(0, 10))
    later = [
        replace(update, update_id=world.chat.number()) if rng.random() < 0.5 else update
        for update in rng.choices(fresh, k=rng.randrange(0, 6))
    ]
    batch: list[ChatUpdate] = [*fresh, *again]
    rng.shuffle(batch)
    return batch, list(later)
