"""An event loop without real time: when nothing is ready it jumps to the next timer.

What would make two runs of one seed differ is taken out: no selector, no threads (what the code
under test hands to a thread runs at once), and tasks that hash by their number, because the order
of a set of tasks decides who is cancelled first.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import anyio.to_thread
from anyio.lowlevel import checkpoint

__all__ = ["VirtualLoop", "no_threads", "run_virtually"]

_T = TypeVar("_T")


class _NumberedTask(asyncio.Task[Any]):
    _numbers = iter(range(1 << 62))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._number = next(self._numbers)
        super().__init__(*args, **kwargs)

    def __hash__(self) -> int:
        return self._number


class _Jump:
    """Stand where a selector stands, and let time pass instead of waiting."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("every task waits for something that nothing will bring")
        self._loop.pass_time(timeout)
        return []


class VirtualLoop(asyncio.BaseEventLoop):
    """Run tasks; a wait takes no time.

    Args:
        start: The first moment, in seconds.
    """

    def __init__(self, start: float = 1000.0) -> None:
        super().__init__()
        self._now = start
        self._selector = _Jump(self)
        self.set_task_factory(_make_task)
        self.errors: list[dict[str, Any]] = []
        """What nobody caught: a task whose error was never looked at, a callback that raised."""
        self.set_exception_handler(lambda loop, context: self.errors.append(context))

    def time(self) -> float:
        return self._now

    def pass_time(self, seconds: float) -> None:
        """Move on to a later moment."""
        self._now += seconds

    def _process_events(self, events: list[Any]) -> None:
        """Take what a selector found: nothing, ever."""

    def _write_to_self(self) -> None:
        """Wake the selector: it never sleeps."""


def _make_task(loop: asyncio.AbstractEventLoop, coroutine: Any, **more: Any) -> Any:
    return _NumberedTask(coroutine, loop=loop, **more)


async def _run_sync(function: Callable[..., _T], *args: Any, **more: Any) -> _T:
    """Be `anyio.to_thread.run_sync` without a thread."""
    del more
    await checkpoint()
    return function(*args)


@contextmanager
def no_threads() -> Iterator[None]:
    """Let everything that is meant for a thread run in the loop."""
    before = anyio.to_thread.run_sync
    anyio.to_thread.run_sync = _run_sync  # type: ignore[assignment]
    try:
        yield
    finally:
        anyio.to_thread.run_sync = before


def run_virtually(main: Callable[..., Awaitable[_T]], *args: Any) -> _T:
    """Run an async function from beginning to end on virtual time."""
    _NumberedTask._numbers = iter(range(1 << 62))
    with no_threads(), asyncio.Runner(loop_factory=functools.partial(VirtualLoop)) as runner:
        return runner.run(main(*args))
