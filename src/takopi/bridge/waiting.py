"""Wait for whichever comes first, on a clock that may be simulated."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio

from takopi.bridge.ports import Clock
from takopi.errors import Unauthorized

__all__ = ["give_up_at", "plain_errors", "wait_until"]


@contextmanager
def plain_errors() -> Iterator[None]:
    """Raise what a task group raised as it is, when one error of it says it all.

    That is the only one, or else `Unauthorized`: every call of the moment meets it at once.
    """
    try:
        yield
    except BaseExceptionGroup as group:
        leaves = list(_leaves(group))
        telling = [error for error in leaves if isinstance(error, Unauthorized)] or leaves
        if len(leaves) > 1 and telling is leaves:
            raise
        raise telling[0] from None


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


@asynccontextmanager
async def give_up_at(clock: Clock, deadline: float | None) -> AsyncIterator[anyio.CancelScope]:
    """Cancel the block at a moment; the scope tells whether it came to that.

    Args:
        clock: Tells the time.
        deadline: The moment; None never cancels.
    """
    with plain_errors():
        async with anyio.create_task_group() as group:
            with anyio.CancelScope() as scope:
                if deadline is not None:
                    group.start_soon(_cancel_at, clock, deadline, scope)
                yield scope
            group.cancel_scope.cancel()


async def wait_until(
    wait: Callable[[], Awaitable[object]], clock: Clock, deadline: float | None
) -> bool:
    """Wait for something until a moment; False when the moment came first.

    Args:
        wait: What to wait for, such as `event.wait`.
        clock: Tells the time.
        deadline: The moment; None waits for ever.
    """
    async with give_up_at(clock, deadline) as scope:
        await wait()
    return not scope.cancelled_caught


async def _cancel_at(clock: Clock, deadline: float, scope: anyio.CancelScope) -> None:
    await clock.sleep_until(deadline)
    scope.cancel()
