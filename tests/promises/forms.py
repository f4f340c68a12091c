"""The two forms of a promise: the short one of every run, and the full one with its numbers.

A full form is cut into shards, tests of some seconds to two minutes, so that they run side by side;
the short form is one shard of 200.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from bridge.world import World
from simulation.loop import run_virtually

__all__ = ["FULL", "LoopClock", "in_a_world", "shards", "share"]

FULL = bool(os.environ.get("TAKOPI_TEST_FULL"))
SHORT = 200


def shards(full: int) -> pytest.MarkDecorator:
    """Cut a test into shards; it gets the number of its own as `shard`."""
    return pytest.mark.parametrize("shard", range(full if FULL else 1))


def share(total: int, full_shards: int, *, short: int = SHORT) -> int:
    """Return how many of `total` one shard tries."""
    return -(-total // full_shards) if FULL else short


class LoopClock:
    """Be a clock on the loop's time, which `run_virtually` makes virtual."""

    epoch = 1_700_000_000.0

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def wall(self) -> float:
        return self.epoch + self.now()

    async def sleep_until(self, deadline: float) -> None:
        await asyncio.sleep(max(0.0, deadline - self.now()))


def in_a_world(
    play: Callable[[World], Awaitable[None]], clock: LoopClock | None = None, **options: Any
) -> None:
    """Let something happen to a bridge on virtual time; then tear everything down."""

    async def main() -> None:
        world = World(clock=clock or LoopClock(), options=options)  # type: ignore[arg-type]
        async with anyio.create_task_group() as group:
            group.start_soon(world.bridge.run)
            await asyncio.sleep(0.01)
            await play(world)
            group.cancel_scope.cancel()

    run_virtually(main)
