"""How updates end: with an answer or without one, and in either case marked as handled."""

from collections.abc import Sequence

from takopi.bridge.letters import Destination
from takopi.bridge.outbox import Outbox
from takopi.bridge.ports import Store
from takopi.bridge.records import AcceptedUpdate, Change, UpdateHandled
from takopi.core.chat import ChatMessage, ChatUpdate
from takopi.errors import StoreError
from takopi.logging import get_logger
from takopi.transport import MessageRef

__all__ = ["Answers", "destination_of", "marks"]

_log = get_logger(__name__)


class Answers:
    """Answer updates and mark them.

    Args:
        store: Takes the marks.
        outbox: Sends the answers.
    """

    def __init__(self, store: Store, outbox: Outbox) -> None:
        self._store = store
        self._outbox = outbox
        self._owed: list[UpdateHandled] = []

    async def give(
        self, destination: Destination, answer: ChatMessage, handled: Sequence[UpdateHandled]
    ) -> None:
        """Send an answer; it and the marks are one transaction."""
        await self._outbox.say(destination, answer, notify=False, changes=handled)

    async def mark(self, handled: Sequence[UpdateHandled], effect: Sequence[Change] = ()) -> bool:
        """Mark updates whose effect cannot be taken back; False when the marks are owed.

        Args:
            handled: The marks.
            effect: What else is written down with them; it is written down elsewhere too, later.
        """
        owed = [*self._owed, *handled]
        if not owed:
            return True
        try:
            await self._store.commit([*effect, *owed])
        except StoreError as error:
            _log.error("updates.not_marked", updates=len(owed), error=str(error))
            self._owed = owed
            return False
        self._owed = []
        return True


def marks(updates: Sequence[AcceptedUpdate]) -> tuple[UpdateHandled, ...]:
    """Make the marks of some updates."""
    return tuple(UpdateHandled(accepted.id) for accepted in updates)


def destination_of(update: ChatUpdate, message_id: int | None = None) -> Destination:
    """Say where an answer goes, and which message it answers.

    Args:
        update: What is answered.
        message_id: The message; none for what is no message.
    """
    scope = update.scope
    reply_to = None
    if message_id is not None:
        reply_to = MessageRef(
            scope.chat_id,
            message_id,
            thread_id=scope.thread_id,
            sender_id=update.sender_id,
        )
    return Destination(scope, update.chat_kind, reply_to)
