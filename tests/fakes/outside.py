"""Wait for what happens outside of the event loop, where nobody tells of it."""

from collections.abc import Callable

import anyio

__all__ = ["holds"]


async def holds(condition: Callable[[], object], limit_s: float = 30) -> None:
    """Wait until something holds that a thread, a signal or another process brings about.

    Args:
        condition: Looked at every few milliseconds.
        limit_s: When it does not hold by then, the test fails.
    """
    with anyio.fail_after(limit_s):
        while not condition():  # noqa: ASYNC110 - there is no event to wait for
            await anyio.sleep(0.005)
