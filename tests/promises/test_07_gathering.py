"""Promise 7: two prompts within a second both reach an agent; a split paste arrives as one.

Full: 10,000 pairs of messages with any gap between them, of any length, live.
"""

import asyncio
import random
from collections import Counter

import pytest

from bridge.world import World
from promises.forms import in_a_world, shards, share

pytestmark = pytest.mark.timeout(300)

LONG = 3500
TOGETHER_S = 1.0


@shards(10)
def test_nothing_said_within_a_second_is_lost_or_torn(shard: int) -> None:
    """Each word reaches an agent once; both parts of a paste reach it in one prompt, in order."""
    rng = random.Random(shard)

    async def play(world: World) -> None:
        wanted: list[str] = []
        for number in range(share(10_000, 10) // 2):
            first, second, gap_s = pair(rng, number)
            world.chat.write(first)
            await asyncio.sleep(gap_s)
            world.chat.write(second)
            if len(first) >= LONG and gap_s < TOGETHER_S:
                wanted.append(words(first + second))
            else:
                wanted += [words(first), words(second)]
            await asyncio.sleep(rng.choice((2.5, 5, 60)))
        await asyncio.sleep(1200)
        ran = Counter(words(turn.request.prompt) for turn in world.codex.turns)
        assert ran == Counter(wanted)
        assert len(world.finals()) == len(wanted)

    in_a_world(play)


def pair(rng: random.Random, number: int) -> tuple[str, str, float]:
    """Make two messages and the time between them; never so near the limit that it is unclear."""
    long = rng.random() < 0.5
    size = rng.choice((LONG, 3900, 4096)) if long else rng.choice((5, 500, LONG - 20))
    first = f"first{number} ".ljust(size, "x")
    gap_s = rng.choice((0.0, 0.001, rng.uniform(0, 0.95), 0.95, 1.1, rng.uniform(1.1, 2)))
    return first, f"second{number}", gap_s


def words(text: str) -> str:
    """Keep the words by which a message is known."""
    plain = text.replace("second", " second").replace("x", " ").replace("\n", " ")
    return " ".join(plain.split())
