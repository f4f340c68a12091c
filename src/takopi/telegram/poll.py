"""The poll loop: updates in, none lost, none twice, and nothing one bad update can stop.

A batch is confirmed to the server by asking for the one after it, and that happens when the
caller asks for its next batch. So a caller that dies over a batch gets it again.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Self

import anyio
import msgspec

from takopi.bridge.ports import Clock
from takopi.core.chat import ChatUpdate
from takopi.errors import (
    FloodLimited,
    PollConflict,
    TransportError,
    TransportUnavailable,
    Unauthorized,
)
from takopi.logging import get_logger
from takopi.telegram.api import BotApi, BotIdentity
from takopi.telegram.updates import ALLOWED_UPDATES, translate
from takopi.telegram.wire import Numbered, Update

__all__ = ["Pace", "PollLoop"]

logger = get_logger(__name__)

POLL_TIMEOUT_S = 50
REQUEST_TIMEOUT_S = POLL_TIMEOUT_S + 10
CONFIRM_TIMEOUT_S = 2
CONFLICT_PAUSE_S = 5.0
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
SUSPICIOUS_S = 0.5
REMEMBERED_UPDATES = 1000

_batch_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_number_decoder = msgspec.json.Decoder(Numbered)
_update_decoder = msgspec.json.Decoder(Update)


class Pace:
    """Say how long to wait after failures in a row.

    Args:
        jitter: Returns a number from 0 up to 1; keeps many bots from returning at once.
    """

    def __init__(self, jitter: Callable[[], float]) -> None:
        self._jitter = jitter
        self._failures = 0

    def after_failure(self, error: TransportError) -> float:
        """Return the seconds to wait; at most 30, but for what the server demands."""
        if isinstance(error, FloodLimited):
            return error.retry_after_s
        if isinstance(error, PollConflict):
            return CONFLICT_PAUSE_S * (1 + self._jitter() / 2)
        longest: float = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(self._failures, 10))
        self._failures += 1
        return max(FIRST_PAUSE_S, longest * (0.5 + self._jitter() / 2))

    def after_success(self) -> None:
        """Start anew with short waits."""
        self._failures = 0


class PollLoop:
    """Iterate it for batches of updates; `stop` ends the iteration.

    Args:
        api: A client of its own, so that a hanging poll never delays a message.
        bot: Who the bot is.
        clock: Time to wait by.
        pace: How long to wait after failures.
    """

    def __init__(self, api: BotApi, bot: BotIdentity, clock: Clock, pace: Pace) -> None:
        self.last_poll_at: float | None = None
        self._api = api
        self._bot = bot
        self._clock = clock
        self._pace = pace
        self._next_offset = 0  # what the next call sends: confirms all that was handed over
        self._confirmed = 0
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
        if self._busy or self._next_offset == self._confirmed:
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
            if not answer and self._clock.now() - started < SUSPICIOUS_S:
                raise TransportUnavailable("an empty answer to a long poll came at once")
        except Unauthorized:
            raise
        except TransportError as error:
            pause_s = self._pace.after_failure(error)
            logger.warning("telegram.poll_failed", error=str(error), pause_s=round(pause_s, 1))
            await self._clock.sleep_until(self._clock.now() + pause_s)
            return []
        self._pace.after_success()
        self.last_poll_at = self._clock.now()
        return self._accept(answer)

    async def _ask(self) -> list[msgspec.Raw]:
        offset = self._next_offset
        params = {
            "offset": offset,
            "timeout": POLL_TIMEOUT_S,
            "allowed_updates": list(ALLOWED_UPDATES),
        }
        answer = await self._api.call("getUpdates", params, timeout_s=REQUEST_TIMEOUT_S)
        self._confirmed = offset
        try:
            return _batch_decoder.decode(answer)
        except msgspec.DecodeError:
            raise TransportUnavailable("getUpdates was answered without a list") from None

    def _accept(self, answer: list[msgspec.Raw]) -> list[ChatUpdate]:
        """Decode one by one: what cannot be read is skipped, and confirmed with the rest."""
        batch: list[ChatUpdate] = []
        highest = 0
        for raw in answer:
            number = _number(raw)
            if number is None:
                continue
            highest = max(highest, number)
            update = self._fresh(number, raw)
            if update is not None:
                batch.append(update)
        if highest:
            self._next_offset = highest + 1
        return batch

    def _fresh(self, number: int, raw: msgspec.Raw) -> ChatUpdate | None:
        if number in self._seen_set:
            logger.info("telegram.update_repeated", update_id=number)
            return None
        if len(self._seen) == REMEMBERED_UPDATES:
            self._seen_set.discard(self._seen[0])
        self._seen.append(number)
        self._seen_set.add(number)
        try:
            return translate(_update_decoder.decode(raw), self._bot)
        except msgspec.DecodeError as error:
            logger.warning("telegram.update_undecodable", update_id=number, error=str(error))
            return None


def _number(raw: msgspec.Raw) -> int | None:
    try:
        return _number_decoder.decode(raw).update_id
    except msgspec.DecodeError as error:
        logger.warning("telegram.update_without_number", error=str(error))
        return None
