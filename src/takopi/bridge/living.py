"""Messages that live: they are shown when they changed, as they are at that moment.

Nothing of them is written down but which message it is: what they show is made anew from what the
turn knows. A progress message may therefore be there twice, when a crash or a hanging call lay
between its acceptance and our commit; the older one stays as it was then.
"""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from takopi.bridge.calls import Calls
from takopi.bridge.letters import LiveMessage
from takopi.bridge.ports import Clock
from takopi.core.chat import ChatMessage, Scope
from takopi.core.outbox_patience import pause_s
from takopi.core.outbox_plan import Offer, OutboxPlan
from takopi.errors import (
    ChatLost,
    ChatMoved,
    FloodLimited,
    TargetLost,
    ThreadLost,
    TransportError,
    TransportUnavailable,
)
from takopi.logging import get_logger
from takopi.transport import MessageRef

__all__ = ["Living", "LivingHooks"]

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LivingHooks:
    """Say who is told what.

    Args:
        sent: A message has got a name.
        moved: A chat has got a new id.
        lost: A topic takes no messages.
        news: Something may go out.
    """

    sent: Callable[[LiveMessage, MessageRef], Awaitable[None]]
    moved: Callable[[int, int], Awaitable[None]]
    lost: Callable[[Scope, ThreadLost], None]
    news: Callable[[], None]


class Living:
    """Show living messages.

    Args:
        plan: Decides when.
        calls: Makes the calls.
        clock: Tells the time.
        hooks: Who is told what.
    """

    def __init__(self, plan: OutboxPlan, calls: Calls, clock: Clock, hooks: LivingHooks) -> None:
        self._plan = plan
        self._calls = calls
        self._clock = clock
        self._hooks = hooks
        self._lives: dict[int, LiveMessage] = {}

    def add(self, live: LiveMessage) -> None:
        """Let a message live; one that is retired is not shown by itself."""
        self._lives[live.slot] = live
        chat, now = live.destination.scope.chat_id, self._clock.now()
        exists = live.ref is not None
        self._plan.open(live.slot, chat, live.destination.kind, now, exists=exists)
        if live.retired:
            self._plan.retire(chat, live.slot)

    def touch(self, live: LiveMessage) -> None:
        """Note that a message may look different now."""
        if not live.retired and self._mark(live):
            self._hooks.news()

    def beat(self, live: LiveMessage, *, beating: bool) -> None:
        """Say whether a message shows an age; the age starts now."""
        chat, now = live.destination.scope.chat_id, self._clock.now()
        self._plan.set_beating(chat, live.slot, now, beating=beating)
        self._hooks.news()

    def retire(self, live: LiveMessage) -> None:
        """Leave a message as it stands until a final has taken its place."""
        live.retired = True
        self._plan.retire(live.destination.scope.chat_id, live.slot)

    def held_up(self, live: LiveMessage | None) -> bool:
        """Show that a final takes long; False when there is no message that could show it."""
        if live is None or live.ref is None:
            return False
        self._mark(live)
        return True

    def close(self, live: LiveMessage) -> None:
        """Leave a message for good."""
        self._lives.pop(live.slot, None)
        self._plan.close(live.destination.scope.chat_id, live.slot)
        self._hooks.news()

    def move(self, chat: int, new: int) -> None:
        """Let what lives in a chat live on under the chat's new id."""
        for live in self._lives.values():
            if live.destination.scope.chat_id == chat:
                live.move(new)

    def start(self, offer: Offer) -> Callable[[], Coroutine[Any, Any, None]] | None:
        """Begin what is offered; None when a person would see no difference."""
        now = self._clock.now()
        live = self._lives[offer.slot or 0]
        look = live.next_look(now, beat=offer.beat)
        if look is None:
            self._plan.skip(offer, now)
            return None
        self._plan.begin(offer, now)
        live.calling = True
        return lambda: self._show(offer, live, look)

    def _mark(self, live: LiveMessage) -> bool:
        return self._plan.mark(live.destination.scope.chat_id, live.slot, self._clock.now())

    async def _show(self, offer: Offer, live: LiveMessage, look: ChatMessage) -> None:
        shown_at, before, destination = self._clock.now(), live.ref, live.destination

        async def call() -> MessageRef | None:
            if before is not None:
                await self._calls.transport.edit(before, look)
                return before
            options = destination.options(notify=False)
            return await self._calls.transport.send(destination.scope, look, options)

        outcome = await self._calls.make(offer.chat, call)
        if outcome.error is not None:
            await self._failed(offer, live, outcome.error, destination.scope.chat_id)
        else:
            await self._shown(live, look, shown_at, outcome.ref if before is None else None)
            self._plan.done(offer)
        live.calling = False
        self._hooks.news()

    async def _shown(
        self, live: LiveMessage, look: ChatMessage, shown_at: float, sent: MessageRef | None
    ) -> None:
        live.shown, live.shown_at, live.failures = look, shown_at, 0
        if sent is not None:
            live.ref = sent
            await self._hooks.sent(live, sent)

    async def _failed(
        self, offer: Offer, live: LiveMessage, error: TransportError, chat: int
    ) -> None:
        now, scope = self._clock.now(), live.destination.scope
        if isinstance(error, FloodLimited):
            self._plan.block(offer.chat, now + error.retry_after_s)
            self._plan.again(offer, now)
        elif isinstance(error, TransportUnavailable):
            # Nothing is kept of this look: the next try shows what holds then.
            live.failures += 1
            self._plan.again(offer, now + pause_s(live.failures))
        elif isinstance(error, ChatMoved) and error.new_chat_id != chat:
            await self._hooks.moved(chat, error.new_chat_id)
            # It may have been on its way while the chat moved.
            live.move(error.new_chat_id)
            self._plan.again(offer, now, lost=True)
        elif isinstance(error, TargetLost) and live.ref is not None:
            live.ref = None
            self._plan.again(offer, now, lost=True)
        elif live.after(error):
            if isinstance(error, ThreadLost):
                self._hooks.lost(scope, error)
            self._plan.again(offer, now)
        else:
            record = _log.info if isinstance(error, ChatLost) else _log.error
            record("outbox.given_up", what="progress", chat=chat, error=str(error))
            self._plan.done(offer)
            self.close(live)
