"""The client that polls, and the watchdog over it.

Every call has a limit of its own, and every limit of HTTP clients works by interrupting whoever
waits. This watchdog is for the day on which that does not help: a connection that neither answers
nor ends, or a session of connections that fails call after call.
"""

from collections.abc import Callable
from typing import Any

import anyio
import msgspec

from takopi.bridge.ports import Clock
from takopi.bridge.waiting import plain_errors
from takopi.errors import TransportError, TransportUnavailable
from takopi.logging import get_logger
from takopi.telegram.api import BotApi

__all__ = ["STUCK_AFTER_S", "PollClient"]

logger = get_logger(__name__)

STUCK_AFTER_S = 120.0
CLOSE_TIMEOUT_S = 2


class PollClient:
    """Be a Bot API client that gets new connections once calls are tried and none is answered.

    A call that is given up counts as one that may have been carried out; for getUpdates that is no
    loss, because what was not confirmed comes again.

    Args:
        make: Makes a client with connections of its own.
        clock: Time to measure by.
        stuck_after_s: So long may calls be tried without an answer. Time in which nobody calls does
            not count, and a refusal is an answer.
    """

    def __init__(
        self, make: Callable[[], BotApi], clock: Clock, *, stuck_after_s: float = STUCK_AFTER_S
    ) -> None:
        self._make = make
        self._clock = clock
        self._stuck_after_s = stuck_after_s
        self._api = make()
        self._waiting_since: float | None = None
        self._told = False

    async def call(
        self, method: str, params: dict[str, Any], *, timeout_s: float = 30
    ) -> msgspec.Raw:
        """Carry out one method and return the JSON of its result.

        Raises:
            TransportUnavailable: There was no answer, or the watchdog gave up the connections.
            TransportError: Another leaf.
        """
        if self._waiting_since is None:
            self._waiting_since = self._clock.now()
        deadline = self._waiting_since + self._stuck_after_s
        try:
            answer = await self._answer(method, params, timeout_s, deadline)
        except TransportUnavailable:
            if self._clock.now() >= deadline:
                await self._start_anew()
            raise
        except TransportError:
            self._answered()
            raise
        self._answered()
        return answer

    async def aclose(self) -> None:
        """Close the connections; a later call opens new ones."""
        await self._api.aclose()

    async def _answer(
        self, method: str, params: dict[str, Any], timeout_s: float, deadline: float
    ) -> msgspec.Raw:
        answers: list[msgspec.Raw] = []
        with plain_errors():
            async with anyio.create_task_group() as tasks:
                with anyio.CancelScope() as waiting:
                    tasks.start_soon(self._give_up_at, deadline, waiting)
                    answers.append(await self._api.call(method, params, timeout_s=timeout_s))
                tasks.cancel_scope.cancel()
        if answers:
            return answers[0]
        raise TransportUnavailable(
            f"{method} had no answer and no end within {self._stuck_after_s:g} s; "
            "takopi opens new connections: check the network if this stays",
            maybe_accepted=True,
        )

    async def _give_up_at(self, deadline: float, waiting: anyio.CancelScope) -> None:
        await self._clock.sleep_until(deadline)
        waiting.cancel()
        # A wait that cannot be interrupted ends when its connection does.
        await self._close(self._api)

    def _answered(self) -> None:
        self._waiting_since, self._told = None, False

    async def _start_anew(self) -> None:
        report = logger.info if self._told else logger.warning
        report("telegram.connections_renewed", without_answer_s=self._stuck_after_s)
        self._told, self._waiting_since = True, None
        before, self._api = self._api, self._make()
        await self._close(before)

    async def _close(self, api: BotApi) -> None:
        with anyio.move_on_after(CLOSE_TIMEOUT_S, shield=True):
            await api.aclose()
