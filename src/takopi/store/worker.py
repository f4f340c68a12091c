"""Where the journal's work is done: beside the event loop, one piece at a time."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from anyio import CancelScope, CapacityLimiter, to_thread

__all__ = ["Offload", "OneWorker", "inline"]

_T = TypeVar("_T")


class Offload(Protocol):
    """Do work that blocks, first in first out, and return what it returns."""

    async def __call__(self, work: Callable[[], _T], /) -> _T:
        """Do the work to its end, whatever becomes of the caller."""
        ...


class OneWorker:
    """Do the work in a thread; what was asked for first is done first."""

    def __init__(self) -> None:
        self._limiter = CapacityLimiter(1)

    async def __call__(self, work: Callable[[], _T], /) -> _T:
        """Do the work; a cancelled caller learns of it after the work is done."""
        with CancelScope(shield=True):
            done = await to_thread.run_sync(work, limiter=self._limiter)
        return done  # noqa: RET504 - for all that types say, a scope may end its block


async def inline(work: Callable[[], _T], /) -> _T:
    """Do the work at once and without a thread: for simulations, whose time must not pass."""
    return work()
