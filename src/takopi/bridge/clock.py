"""The clock that real time moves."""

import time

import anyio

__all__ = ["SystemClock"]


class SystemClock:
    """Tell the event loop's monotonic time."""

    def now(self) -> float:
        """Return monotonic seconds."""
        return anyio.current_time()

    def wall(self) -> float:
        """Return unix seconds."""
        return time.time()

    async def sleep_until(self, deadline: float) -> None:
        """Return once `now()` is at least `deadline`."""
        await anyio.sleep_until(deadline)
