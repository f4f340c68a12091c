"""A clock for whoever waits on the stand-in: time goes on, waits are skipped."""

import time

import anyio

__all__ = ["SkippingClock"]


LONGEST_PAUSE_S = 100


class SkippingClock:
    """Tell the loop's time, and skip what others would wait.

    Waits of more than 100 s are kept: they guard something else that is going on.
    """

    def __init__(self) -> None:
        self.skipped: list[float] = []

    def now(self) -> float:
        """Return the loop's time and everything that was skipped."""
        return anyio.current_time() + sum(self.skipped)

    def wall(self) -> float:
        """Return unix seconds, with everything that was skipped."""
        return time.time() + sum(self.skipped)

    async def sleep_until(self, deadline: float) -> None:
        """Skip the wait, and write down how long it was."""
        if deadline - self.now() > LONGEST_PAUSE_S:
            await anyio.sleep(deadline - self.now())
            return
        self.skipped.append(deadline - self.now())
        await anyio.lowlevel.checkpoint()
