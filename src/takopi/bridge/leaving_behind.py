"""Wait for something only as long as the turn that needs it is wanted.

What hangs in a thread cannot be cancelled, so nothing here waits for its end: it is told to stop,
and left behind.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import anyio
from anyio.abc import TaskGroup

from takopi.bridge.border import border
from takopi.bridge.ports import Clock
from takopi.bridge.turn import Turn
from takopi.bridge.waiting import wait_until

__all__ = ["Errand", "Wanted", "while_wanted"]

_Found = TypeVar("_Found")


@dataclass(slots=True)
class Errand(Generic[_Found]):
    """Hold what became of something that a turn waited for.

    Args:
        found: What it gave; None when it gave nothing, failed or was left behind.
        error: Why it failed, for the person.
        over: Set once it ended.
    """

    found: _Found | None = None
    error: str | None = None
    over: anyio.Event = field(default_factory=anyio.Event)
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)

    async def run(self, what: str, turn: Turn, work: Callable[[], Awaitable[_Found]]) -> None:
        """Do it, and keep what goes wrong."""
        try:
            with self.scope, border(what, turn=turn.id) as around:
                self.found = await work()
            self.error = around.error
        finally:
            self.over.set()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Say who wants something, and how long.

    Args:
        turn: The turn; nothing is waited for once it is to end or takopi goes.
        group: What is left behind goes on in it.
        clock: Tells the time.
        limit_s: Seconds; None for no limit.
    """

    turn: Turn
    group: TaskGroup
    clock: Clock
    limit_s: float | None = None


async def while_wanted(
    wanted: Wanted, what: str, work: Callable[[], Awaitable[_Found]]
) -> Errand[_Found]:
    """Do something for a turn, and leave it behind when the turn does not need it any more.

    Args:
        wanted: Who needs it.
        what: In a few words, for the log and the person.
        work: What is to be done; it must not change the turn, which goes on without it.
    """
    errand: Errand[_Found] = Errand()
    wanted.group.start_soon(errand.run, what, wanted.turn, work)
    until = None if wanted.limit_s is None else wanted.clock.now() + wanted.limit_s

    async def first() -> None:
        async with anyio.create_task_group() as group:
            for event in (errand.over, wanted.turn.cancelled, wanted.turn.left):
                group.start_soon(_end_after, event, group.cancel_scope)

    await wait_until(first, wanted.clock, until)
    errand.scope.cancel()
    return errand


async def _end_after(event: anyio.Event, scope: anyio.CancelScope) -> None:
    await event.wait()
    scope.cancel()
