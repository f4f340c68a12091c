"""A clock that moves only when a test says so, and a way to wait until nothing can happen."""

import asyncio
import heapq
from collections.abc import Callable

import anyio
from anyio.lowlevel import checkpoint

# A wait that never becomes calm is a mistake of the code under test; say so instead of hanging.
_MOST_TURNS_OF_THE_LOOP = 200_000


async def settle() -> None:
    """Return once every other task waits for something that only time or a test can bring."""
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    for _ in range(_MOST_TURNS_OF_THE_LOOP):
        await asyncio.sleep(0)
        if ready:
            continue
        if anyio.to_thread.current_default_thread_limiter().borrowed_tokens:
            await asyncio.sleep(0.001)
            continue
        return
    raise AssertionError("the tasks never come to rest")


class VirtualClock:
    """Tell the time that a test decides.

    Args:
        start: The first moment, in seconds.
    """

    def __init__(self, start: float = 1000.0) -> None:
        self._now = start
        self.epoch = 1_700_000_000.0
        """Unix seconds at the moment 0; a test moves it to make the wall clock jump."""
        self._sleepers: list[tuple[float, int, anyio.Event]] = []
        self._number = 0

    def now(self) -> float:
        """Return the present moment."""
        return self._now

    def wall(self) -> float:
        """Return the present moment as unix seconds."""
        return self.epoch + self._now

    async def sleep_until(self, deadline: float) -> None:
        """Return once the clock was moved to `deadline`."""
        if deadline <= self._now:
            await checkpoint()
            return
        woken = anyio.Event()
        self._number += 1
        sleeper = (deadline, self._number, woken)
        heapq.heappush(self._sleepers, sleeper)
        try:
            await woken.wait()
        finally:
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)
                heapq.heapify(self._sleepers)

    async def advance(self, seconds: float) -> None:
        """Let time pass, waking each sleeper at its moment."""
        await self.advance_to(self._now + seconds)

    async def advance_to(self, moment: float) -> None:
        """Let time pass until a moment."""
        await settle()
        while self._sleepers and self._sleepers[0][0] <= moment:
            self._wake_next()
            await settle()
        self._now = max(self._now, moment)

    async def until(self, condition: Callable[[], object], *, within_s: float = 7200.0) -> None:
        """Let time pass until something holds, and fail when it does not within a limit."""
        limit = self._now + within_s
        await settle()
        while not condition():
            if not self._sleepers or self._sleepers[0][0] > limit:
                raise AssertionError(f"it did not happen within {within_s:g} s of virtual time")
            self._wake_next()
            await settle()

    def _wake_next(self) -> None:
        deadline, _, woken = heapq.heappop(self._sleepers)
        self._now = max(self._now, deadline)
        woken.set()
