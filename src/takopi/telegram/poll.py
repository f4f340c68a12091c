"""The poll loop: updates in, none lost, none twice, and nothing one bad update can stop.

A batch is confirmed to the server by asking for the one after it, and that happens when the
caller asks for its next batch. So a caller that dies over a batch gets it again.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any, Self

import anyio

from takopi.bridge.border import border
from takopi.bridge.ports import Clock
from takopi.core.chat import ChatUpdate
from takopi.errors import TransportError, TransportUnavailable, Unauthorized
from takopi.logging import get_logger
from takopi.telegram.api import BotApi, BotIdentity
from takopi.telegram.batch import NumberedUpdate, read_batch
from takopi.telegram.pace import Pace
from takopi.telegram.updates import ALLOWED_UPDATES, translate

__all__ = ["PollLoop"]

logger = get_logger(__name__)

POLL_TIMEOUT_S = 50
REQUEST_TIMEOUT_S = POLL_TIMEOUT_S + 10
CONFIRM_TIMEOUT_S = 1  # to arrive is enough: the server may answer three seconds late
SURELY_ARRIVED_S = 1.0
SUSPICIOUS_S = 0.5
REMEMBERED_UPDATES = 1000


class PollLoop:
    """Iterate it for batches of updates; `stop` ends the iteration.

    `last_poll_at` is the clock's time of the last completed poll; `newest` is the greatest number
    in the last answer that had any.

    Args:
        api: A client of its own, so that a hanging poll never delays a message.
        bot: Who the bot is.
        clock: Time to wait by.
        pace: How long to wait after failures.
    """

    def __init__(self, api: BotApi, bot: BotIdentity, clock: Clock, pace: Pace) -> None:
        self.last_poll_at: float | None = None
        self.newest: int | None = None
        self._api = api
        self._bot = bot
        self._clock = clock
        self._pace = pace
        self._next_offset = 0  # what the next call sends: confirms all that was handed over
        self._confirmed = 0
        self._cut_off_late = False
        self._seen: deque[int] = deque(maxlen=REMEMBERED_UPDATES)
        self._seen_set: set[int] = set()
        self._scope: anyio.CancelScope | None = None
        self._busy = False
        self._stopped = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Sequence[ChatUpdate]:
        """Wait for the next batch; the one before it counts as accepted from now on.

        Raises:
            Unauthorized: The token is wrong or revoked; trying again is no use.
        """
        batch: list[ChatUpdate] = []
        self._busy = False
        while not self._stopped and not batch:
            with anyio.CancelScope() as self._scope:
                batch = await self._poll()
        if not batch:
            raise StopAsyncIteration
        self._busy = True
        return batch

    def stop(self) -> None:
        """Let the waiting `__anext__` end; no update is lost by it."""
        self._stopped = True
        if self._scope is not None:
            self._scope.cancel()

    async def confirm(self) -> None:
        """Tell the server about the last accepted batch, so that it is not delivered again.

        A batch that was handed over and not followed by another `__anext__` stays unconfirmed.
        """
        if self._busy or self._next_offset == self._confirmed or self._cut_off_late:
            return
        params = {"offset": self._next_offset, "limit": 1, "timeout": 0}
        try:
            await self._api.call("getUpdates", params, timeout_s=CONFIRM_TIMEOUT_S)
        except TransportError as error:
            logger.info("telegram.confirm_failed", error=str(error))
        else:
            self._confirmed = self._next_offset

    async def _poll(self) -> list[ChatUpdate]:
        """Ask once, and wait a while after a failure."""
        started = self._clock.now()
        try:
            answer = await self._ask()
            news = any(numbered.number not in self._seen_set for numbered in answer)
            if not news and self._clock.now() - started < SUSPICIOUS_S:
                raise TransportUnavailable("a long poll was answered at once with nothing new")
        except Unauthorized:
            raise
        except TransportError as error:
            await self._pause(error)
            return []
        if self._pace.failures:
            logger.warning("telegram.polls_again", after_failures=self._pace.failures)
        self._pace.after_success()
        self.last_poll_at = self._clock.now()
        return [update for update in map(self._fresh, answer) if update is not None]

    async def _ask(self) -> list[NumberedUpdate]:
        offset = self._next_offset
        params: dict[str, Any] = {
            "timeout": POLL_TIMEOUT_S,
            "allowed_updates": list(ALLOWED_UPDATES),
        }
        if offset:  # the first call confirms nothing: what nobody accepted comes again
            params["offset"] = offset
        self._cut_off_late = False
        started = self._clock.now()
        try:
            answer = await self._api.call("getUpdates", params, timeout_s=REQUEST_TIMEOUT_S)
        except anyio.get_cancelled_exc_class():
            # A call confirms on arrival, and this one has surely arrived by now; the same offset
            # again within three seconds would be made to wait.
            self._cut_off_late = self._clock.now() - started >= SURELY_ARRIVED_S
            raise
        self._confirmed = offset
        found = read_batch(answer)
        if found:
            # Of this batch alone: after an idle week the server begins with any number.
            self.newest = max(numbered.number for numbered in found)
            self._next_offset = self.newest + 1
        return found

    async def _pause(self, error: TransportError) -> None:
        pause_s = self._pace.after_failure(error)
        report = logger.warning if self._pace.worth_telling else logger.info
        report("telegram.poll_failed", error=str(error), again_in_s=round(pause_s, 1))
        await self._clock.sleep_until(self._clock.now() + pause_s)

    def _fresh(self, numbered: NumberedUpdate) -> ChatUpdate | None:
        """Translate an update unless it was handed over before."""
        number = numbered.number
        if number in self._seen_set:
            logger.info("telegram.update_repeated", update_id=number)
            return None
        if len(self._seen) == REMEMBERED_UPDATES:
            self._seen_set.discard(self._seen[0])
        self._seen.append(number)
        self._seen_set.add(number)
        if numbered.update is None:
            return None
        with border("translating an update", update_id=number):
            return translate(numbered.update, self._bot)
        return None
