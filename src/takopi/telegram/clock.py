"""The real clock: the event loop's."""

import anyio

__all__ = ["SystemClock"]


class SystemClock:
    """Tell the event loop's time."""

    def now(self) -> float:
        """Return monotonic seconds."""
        return anyio.current_time()

    async def sleep_until(self, deadline: float) -> None:
        """Return once `now()` is at least `deadline`."""
        await anyio.sleep_until(deadline)
