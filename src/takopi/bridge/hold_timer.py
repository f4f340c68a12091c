"""One timer for all turns that are not to start before a moment."""

from collections.abc import Callable, Sequence

import anyio
from anyio.abc import TaskGroup

from takopi.bridge.ports import Clock
from takopi.bridge.waiting import wait_until

__all__ = ["HoldTimer"]


class HoldTimer:
    """Tell when holds are over.

    Args:
        clock: Tells the time.
        group: The waiting is done in it.
        release: Called with the turns whose moments have come.
    """

    def __init__(
        self, clock: Clock, group: TaskGroup, release: Callable[[Sequence[str]], None]
    ) -> None:
        self._clock = clock
        self._group = group
        self._release = release
        self._until: dict[str, float] = {}
        self._news = anyio.Event()
        self._waiting = False

    def hold(self, turn_id: str, until: float) -> None:
        """Hold a turn until a monotonic moment; a later call counts."""
        self._until[turn_id] = until
        self._news.set()
        if not self._waiting:
            self._waiting = True
            self._group.start_soon(self._wait)

    def forget(self, turn_id: str) -> None:
        """Hold a turn no longer; it is not told of."""
        if self._until.pop(turn_id, None) is not None:
            self._news.set()

    async def _wait(self) -> None:
        while self._until:
            self._news = anyio.Event()
            await wait_until(self._news.wait, self._clock, min(self._until.values()))
            now = self._clock.now()
            over = [turn_id for turn_id, until in self._until.items() if until <= now]
            for turn_id in over:
                del self._until[turn_id]
            if over:
                self._release(over)
        self._waiting = False
