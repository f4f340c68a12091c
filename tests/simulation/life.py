"""One life of the bot's process, and how it dies: at any moment, in the middle of anything.

After its death nothing of it may have an effect. Its tasks are still there and are cancelled, so
every port asks `Life.step` first, which raises `Dead`: whatever the remains do goes nowhere.
"""

import asyncio
import random
from collections.abc import Callable

import anyio

__all__ = ["Dead", "Life"]


class Dead(BaseException):
    """Be what a port of a dead process raises; no border of the code under test catches it."""


class Life:
    """Be one process of the bot, from its start to its death.

    Args:
        number: How many were before it.
        rng: Decides what becomes of calls that are under way at the death.
    """

    def __init__(self, number: int, rng: random.Random) -> None:
        self.number = number
        self.dead = False
        self.scope = anyio.CancelScope()
        self.steps = 0
        self.die_at_step: int | None = None
        self.died_at: float | None = None
        self._rng = rng
        self._under_way: dict[int, Callable[[], object]] = {}
        self._calls = 0

    def step(self) -> None:
        """Pass a point at which the process may die.

        Raises:
            Dead: It did, here or before.
        """
        if self.dead:
            raise Dead
        self.steps += 1
        if self.die_at_step is not None and self.steps >= self.die_at_step:
            self.die()
            raise Dead

    def die(self) -> None:
        """End: what other processes have in hand already may still take effect."""
        if self.dead:
            return
        self.dead = True
        loop = asyncio.get_running_loop()
        self.died_at = loop.time()
        for effect in tuple(self._under_way.values()):
            if self._rng.random() < 0.5:
                effect()
        self._under_way.clear()
        loop.call_soon(self.scope.cancel)

    def begin(self, effect: Callable[[], object]) -> int:
        """Note that somebody else is about to do something for this process."""
        self._calls += 1
        self._under_way[self._calls] = effect
        return self._calls

    def end(self, call: int) -> None:
        """Note that it was done, or never will be."""
        self._under_way.pop(call, None)

    async def wait(self, seconds: float) -> None:
        """Let time pass for this process."""
        self.step()
        await asyncio.sleep(seconds)
        self.step()


class LifeClock:
    """Be the clock of one life; the wall clock is the world's.

    Args:
        life: Whose clock it is.
        wall: Tells unix seconds.
    """

    def __init__(self, life: Life, wall: Callable[[], float]) -> None:
        self._life = life
        self._wall = wall
        self._loop = asyncio.get_running_loop()

    def now(self) -> float:
        return self._loop.time()

    def wall(self) -> float:
        return self._wall()

    async def sleep_until(self, deadline: float) -> None:
        if self._life.dead:
            raise Dead
        await asyncio.sleep(max(0.0, deadline - self._loop.time()))
        if self._life.dead:
            raise Dead
