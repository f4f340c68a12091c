"""The queue of updates, with the rules of getUpdates.

Rules of telegram-bot-api (Client.cpp): an offset forgets everything below it; the long poll lasts
at most 50 s; a second getUpdates ends the first one with 409; asking for the same offset again
within 3 s is slowed down; `allowed_updates` sticks until it is given again; what nobody confirms is
kept for 24 hours.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from .refusal import Refusal

__all__ = ["UpdateQueue"]

MAX_TIMEOUT_S = 50
KEPT_S = 24 * 3600
OFF_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
CONFLICT = (
    "Conflict: terminated by other getUpdates request; "
    "make sure that only one bot instance is running"
)


class UpdateQueue:
    """Keep updates until they are confirmed.

    Args:
        first_id: Number of the first update.
        clock: Monotonic seconds.
    """

    def __init__(self, first_id: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self.allowed: frozenset[str] | None = None
        self.confirmed_below = 0
        self.closed = False
        self.throttle = True
        self._clock = clock
        self._next_id = first_id
        self._waiting: list[tuple[int, Any]] = []
        self._arrived: dict[int, float] = {}
        self._held: list[tuple[int, Any]] | None = None
        self._poll: asyncio.Future[None] | None = None
        self._previous = (0, -10.0)
        self._next_conflict = 0.0

    @property
    def pending(self) -> list[int]:
        """List the numbers of the updates that nobody confirmed yet."""
        return [number for number, _ in self._waiting]

    def push(self, kind: str, content: dict[str, Any], *, wanted: bool = False) -> int:
        """Queue an update and return its number; a kind that is not allowed is dropped.

        With `wanted` it is kept in any case, as one that arrived before the list was told.
        """
        number = self._next_id
        self._next_id += 1
        if wanted or self._wanted(kind):
            self.push_raw(number, {"update_id": number, kind: content})
        return number

    def push_raw(self, number: int, update: Any) -> None:
        """Queue anything at all under a number: poison, duplicates, disorder."""
        self._next_id = max(self._next_id, number + 1)
        if self._held is not None:
            self._held.append((number, update))
            return
        self._waiting.append((number, update))
        self._arrived.setdefault(number, self._clock())
        self._wake()

    def hold(self) -> None:
        """Keep new updates back until `release`."""
        self._held = []

    def release(self, order: Callable[[list[Any]], list[Any]] = list) -> None:
        """Deliver what was held, in another order if wanted."""
        held, self._held = self._held or [], None
        for number, update in order(held):
            self.push_raw(number, update)

    async def get(self, params: dict[str, Any]) -> list[Any]:
        """Answer one getUpdates call."""
        offset = params.get("offset", 0)
        limit = min(max(params.get("limit", 100), 1), 100)
        timeout = min(max(params.get("timeout", 0), 0), MAX_TIMEOUT_S)
        if "allowed_updates" in params:
            self.allowed = frozenset(params["allowed_updates"] or ()) or None
        timeout, limit = self._slowed(offset, timeout, limit)
        self._end_older_poll()
        self._forget(offset)
        self._forget_old()
        deadline = self._clock() + timeout
        while not self._waiting and not self.closed:
            left = deadline - self._clock()
            if left <= 0:
                return []
            await self._wait(left)
        return [update for _, update in self._waiting[:limit]]

    def renumber(self, first_id: int) -> None:
        """Start anew with another number, as the server does after an idle week."""
        self._waiting.clear()
        self._next_id = first_id

    def close(self) -> None:
        """End every poll that waits."""
        self.closed = True
        self._wake()

    def _wanted(self, kind: str) -> bool:
        return kind in self.allowed if self.allowed else kind not in OFF_BY_DEFAULT

    def _slowed(self, offset: int, timeout: float, limit: int) -> tuple[float, int]:
        now = self._clock()
        before, at = self._previous
        self._previous = (offset, now)
        if offset != before or not self.throttle:
            return timeout, limit
        if now < at + 3.0:
            timeout = max(timeout, 3)
        return timeout, 1 if now < at + 0.5 else limit

    def _forget(self, offset: int) -> None:
        if offset > self._next_id:
            return  # numbers started anew after an idle week: the server begins at the head
        if offset > 0:
            self._waiting = [item for item in self._waiting if item[0] >= offset]
            self.confirmed_below = max(self.confirmed_below, offset)
        elif offset < 0:
            self._waiting = self._waiting[offset:]

    def _forget_old(self) -> None:
        oldest = self._clock() - KEPT_S
        self._waiting = [item for item in self._waiting if self._arrived[item[0]] > oldest]
        left = {number for number, _ in self._waiting}
        self._arrived = {number: at for number, at in self._arrived.items() if number in left}

    def _end_older_poll(self) -> None:
        if self._poll is not None and not self._poll.done():
            now = self._clock()
            delay = 0.0 if now >= self._next_conflict else 3.0
            self._next_conflict = now + 3.0
            refusal = Refusal(409, CONFLICT)
            if delay:
                asyncio.get_running_loop().call_later(delay, _fail, self._poll, refusal)
            else:
                _fail(self._poll, refusal)
            self._poll = None

    def _wake(self) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)

    async def _wait(self, left: float) -> None:
        poll: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._poll = poll
        try:
            await asyncio.wait({poll}, timeout=left)
            if poll.done() or self._poll is not poll:
                await poll  # ousted: updates go to the newer poll, this one gets its 409
        finally:
            if self._poll is poll:
                self._poll = None


def _fail(poll: asyncio.Future[None], refusal: Refusal) -> None:
    if not poll.done():
        poll.set_exception(refusal)
        poll.exception()
