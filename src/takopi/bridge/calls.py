"""One call to a chat service, and what it tells about the service."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import inf

from takopi.bridge.border import border
from takopi.bridge.ports import Clock, Transport
from takopi.errors import TransportError, TransportUnavailable, Unauthorized
from takopi.transport import MessageRef

__all__ = ["Calls", "Outcome"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Say how a call ended.

    Args:
        ref: The message that it made or changed.
        error: Why it failed.
        unclear: It failed, and may have been carried out all the same.
    """

    ref: MessageRef | None = None
    error: TransportError | None = None
    unclear: bool = False


class Calls:
    """Make calls, and remember when one was taken last.

    Args:
        transport: The chat service.
        clock: Tells the time.
    """

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self.transport = transport
        self.taken_at = -inf
        self._clock = clock

    async def make(self, chat: int, call: Callable[[], Awaitable[MessageRef | None]]) -> Outcome:
        """Make a call; a mistake of ours is an unclear failure.

        Raises:
            Unauthorized: The service does not know the bot any more.
        """
        with border("sending a message", chat=chat) as found:
            try:
                ref = await call()
            except Unauthorized:
                raise
            except TransportUnavailable as error:
                return Outcome(error=error, unclear=error.maybe_accepted)
            except TransportError as error:
                return Outcome(error=error)
            self.taken_at = self._clock.now()
            return Outcome(ref)
        return Outcome(error=TransportError(found.error), unclear=True)
