"""Calls that bring no message, within the budgets of those that do.

A topic is made or renamed when somebody waits for it, so such a call goes beside the queues of the
outbox. The service counts it all the same: it is made when the chat takes one more call, and it is
counted like one. Silence that is wanted of a chat's messages holds for it, too. What it is told
itself holds for such calls alone: a service may want an hour of one kind of call, and a final that
may go must not wait for that.
"""

from collections.abc import Awaitable, Callable
from math import inf
from typing import TypeVar

from takopi.bridge.ports import Clock
from takopi.core.chat import ChatKind, Scope
from takopi.core.outbox_plan import OutboxPlan
from takopi.errors import FloodLimited

__all__ = ["CallsBeside"]

_Result = TypeVar("_Result")


class CallsBeside:
    """Make calls beside the messages.

    Args:
        plan: Counts what a chat takes.
        clock: Tells the time.
    """

    def __init__(self, plan: OutboxPlan, clock: Clock) -> None:
        self._plan = plan
        self._clock = clock
        self._silent: dict[int, float] = {}

    async def make(
        self, scope: Scope, call: Callable[[], Awaitable[_Result]], until: float
    ) -> _Result:
        """Make a call as soon as its chat takes one.

        Args:
            scope: Its chat.
            call: The call.
            until: The moment until which it may wait for a service that wants silence; for the
                budget it waits as long as that takes.

        Raises:
            FloodLimited: The service wants silence for longer than that.
        """
        kind: ChatKind = "private" if scope.chat_id > 0 else "group"
        clock, plan, chat = self._clock, self._plan, scope.chat_id
        while True:
            now = clock.now()
            silent_until = max(plan.silent_until(chat, kind, now), self._silent.get(chat, -inf))
            at = max(plan.beside_at(chat, kind, now), silent_until)
            if at <= now:
                break
            if silent_until > max(until, now):
                raise FloodLimited(round(silent_until - now, 1))
            await clock.sleep_until(at)
        self._silent.pop(chat, None)
        plan.spend_beside(chat, kind, clock.now())
        try:
            return await call()
        except FloodLimited as error:
            self._silent[chat] = clock.now() + error.retry_after_s
            raise
