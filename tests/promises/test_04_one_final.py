"""Promise 4: exactly one final per turn is decided, whatever engines send and people do.

Full: 10,000 random orders of events, 500 misbehaving engines. What a crash or a lost answer may
repeat is in `tests/simulation`.
"""

import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.world import World
from fakes.scripted_engine import ScriptedTurn
from promises.forms import in_a_world, shards, share
from takopi.model import ResumeToken, StartedEvent

pytestmark = pytest.mark.timeout(300)

STEPS = (
    "started", "started other session", "started other engine", "action", "completed",
    "completed", "failed", "raise", "garbage", "wait", "pause",
)  # fmt: skip
PLANS = st.lists(st.lists(st.sampled_from(STEPS), max_size=6), min_size=1, max_size=4)
CANCELS = st.lists(st.integers(0, 20), max_size=3)


async def misbehave(turn: ScriptedTurn, plan: list[str]):
    """Play events in an order that no engine should have."""
    for number, step in enumerate(plan):
        match step:
            case "started":
                yield turn.started()
            case "started other session":
                yield StartedEvent("codex", ResumeToken("codex", f"other-{number}"))
            case "started other engine":
                yield StartedEvent("claude", ResumeToken("claude", "x"))
            case "action":
                yield turn.step(f"step {number}", number)
            case "completed":
                yield turn.answer("yes")
            case "failed":
                yield turn.failure("no")
            case "raise":
                raise LookupError("boom")
            case "garbage":
                yield "not an event"
            case "wait":
                await turn.interrupted.wait()
            case "pause":
                await asyncio.sleep(3)


async def play(world: World, plans: list[list[str]], cancels: list[float]) -> None:
    """Ask for turns, cancel now and then, and count what came of it."""
    for plan in plans:
        world.codex.scripts.append(lambda turn, plan=plan: misbehave(turn, plan))
        world.chat.write("hello")
    for seconds in cancels:
        await asyncio.sleep(seconds)
        world.chat.write("/cancel all")
    await asyncio.sleep(1)
    world.chat.write("/cancel all")
    await asyncio.sleep(120 + 3 * len(plans))
    assert len(world.finals()) == len(plans)
    assert world.codex.playing == 0
    assert all(turn.closed == 1 for turn in world.codex.turns)
    assert world.chat.overlaps == 0


@shards(10)
def test_every_turn_has_exactly_one_final(shard: int) -> None:
    """In any order of events and cancels, each prompt gets one final and each engine its end."""

    @settings(max_examples=share(10_000, 10))
    @given(PLANS, CANCELS)
    def law(plans: list[list[str]], cancels: list[int]) -> None:
        in_a_world(lambda world: play(world, plans, [float(c) for c in cancels]))

    law()


@shards(5)
def test_misbehaving_engines_cost_their_own_turn_only(shard: int) -> None:
    """Silent, crashing, babbling, endless engines side by side: each turn has its one final."""
    rng = random.Random(shard)
    plans = [rng.choices(STEPS, k=rng.randrange(0, 8)) for _ in range(share(500, 5, short=20))]
    in_a_world(lambda world: play(world, plans, [5.0, 60.0, 200.0]))
