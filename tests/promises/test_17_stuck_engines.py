"""Promise 17: a stuck engine is noticed, named, and can always be got rid of from the chat.

Full: 1,000 engines that fall silent, at any moment of their turn and in any way, most of them deaf
to every word, over the whole bridge on a virtual clock; 500 that nobody ends, and 500 that are
silent for a reason. The short form has 80 in all.
"""

import asyncio
import random
from collections.abc import AsyncIterator

import anyio
import pytest

from bridge.world import World
from fakes.scripted_engine import Script, ScriptedTurn
from fakes.transport import Shown
from promises.forms import LoopClock, in_a_world, shards, share
from takopi.core.watchdog import StallLimits
from takopi.model import Action, ActionEvent, TakopiEvent

pytestmark = pytest.mark.timeout(300)

STALL_S, KILL_S = 300.0, 900.0
# An engine that does not end is dropped after 15 s; a look comes every 15 s.
SOON_S = 60.0
WAYS_OUT = ("button", "/cancel", "/cancel all", "reply")


def silent(rng: random.Random) -> Script:
    """Make an engine that says some things, then nothing any more."""
    says, deaf, names = rng.randrange(0, 4), rng.random() < 0.7, rng.random() < 0.7

    async def script(turn: ScriptedTurn) -> AsyncIterator[TakopiEvent]:
        if names:
            yield turn.started()
        for number in range(says):
            await asyncio.sleep(rng.choice((0.1, 100.0, 250.0)))
            yield turn.step(f"step {number}", number)
        if not deaf:
            await turn.interrupted.wait()
            yield turn.failure("cancelled", resume=turn.session)
        with anyio.CancelScope():
            await asyncio.Event().wait()

    return script


async def seen(world: World, words: str, within_s: float) -> Shown:
    """Wait until the chat shows some words."""
    end = world.clock.now() + within_s
    while not world.chat.has(words):
        assert world.clock.now() < end, f"{words!r} is not in {world.chat.texts()}"
        await asyncio.sleep(10)
    return world.chat.find(words)


def got_rid_of(world: World, way: str, shown: Shown) -> None:
    """Do what a person can do about it."""
    if way == "button":
        assert shown.message is not None
        (row,) = shown.message.buttons
        assert row[0].label == "Cancel"
        world.chat.press(row[0].data, on=shown.message_id)
    elif way == "reply":
        world.chat.write("/cancel", reply_to=shown.message_id)
    else:
        world.chat.write(way)


@shards(4)
def test_a_stuck_engine_is_named_and_can_be_ended(shard: int) -> None:
    """Five minutes of silence are told; every way out leads to the final, and the next one runs."""
    rng = random.Random(shard)

    async def play(world: World) -> None:
        for number in range(share(1000, 4, short=40)):
            world.codex.scripts = [silent(rng)]
            world.chat.write(f"prompt {number}")
            began = world.clock.now()
            shown = await seen(world, "no output for 5 min", 4 * 250 + STALL_S + SOON_S)
            assert world.clock.now() - began >= STALL_S
            await asyncio.sleep(rng.choice((0.0, 1.0, 500.0)))
            got_rid_of(world, rng.choice(WAYS_OUT), shown)
            await asyncio.sleep(SOON_S)
            (final,) = world.finals()
            assert final.startswith("■ cancelled")
            world.chat.write("and now?")
            await asyncio.sleep(SOON_S)
            assert "answer to and now?" in world.finals()[-1]
            world.chat.shown.clear()

    in_a_world(play)


@shards(2)
def test_an_engine_that_is_silent_for_too_long_is_ended(shard: int) -> None:
    """With `kill_after_s` nobody has to be there; the final says why."""
    rng = random.Random(shard)

    async def play(world: World) -> None:
        for number in range(share(500, 2, short=20)):
            world.codex.scripts = [silent(rng)]
            world.chat.write(f"prompt {number}")
            await asyncio.sleep(4 * 250 + KILL_S + SOON_S)
            (final,) = world.finals()
            assert "so takopi ended it (kill_after_s = 900)" in final
            world.chat.shown.clear()

    in_a_world(play, stall=StallLimits(STALL_S, KILL_S))


class SleepyClock(LoopClock):
    """Be the clock of a laptop that may be closed: its wall clock goes on then."""

    def __init__(self) -> None:
        self.slept_s = 0.0

    def wall(self) -> float:
        return super().wall() + self.slept_s


@shards(2)
def test_who_waits_or_sleeps_is_not_stuck(shard: int) -> None:
    """Time that a person takes to answer and time that the machine slept are no silence."""
    rng = random.Random(shard)

    async def asks(turn: ScriptedTurn) -> AsyncIterator[TakopiEvent]:
        yield turn.started()
        ask = Action("ask", "ask", "May I?")
        yield ActionEvent("codex", ask, phase="started")
        await asyncio.sleep(rng.choice((1_000, 4_000)))
        yield ActionEvent("codex", ask, phase="completed")
        await asyncio.sleep(STALL_S - 60)
        yield turn.answer("thanks")

    async def sleeps(turn: ScriptedTurn) -> AsyncIterator[TakopiEvent]:
        clock = turn.runner.clock  # type: ignore[attr-defined]
        yield turn.started()
        for _ in range(4):
            await asyncio.sleep(60)
            clock.slept_s += rng.choice((600, 8 * 3_600))
        yield turn.answer("good morning")

    async def play(world: World) -> None:
        world.codex.clock = world.clock  # type: ignore[attr-defined]
        for number in range(share(500, 2, short=20)):
            world.codex.scripts = [rng.choice((asks, sleeps))]
            world.chat.calls.clear()
            world.chat.shown.clear()
            world.chat.write(f"prompt {number}")
            await asyncio.sleep(4_000 + STALL_S + SOON_S)
            (final,) = world.finals()
            assert final.startswith("✓ done")
            assert not [call for call in world.chat.calls if "no output" in call.text]

    in_a_world(play, clock=SleepyClock(), stall=StallLimits(STALL_S, KILL_S))
