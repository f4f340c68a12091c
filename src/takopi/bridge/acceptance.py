"""Take what a chat service hands out into the journal, before the service is told that it arrived.

Nothing behind this may rest on an update that is not written down: while the journal refuses, no
answer of the service is confirmed, so the service keeps it and hands it out again after a crash.
"""

from collections.abc import Callable, Sequence

from takopi.bridge.border import border
from takopi.bridge.door import Door
from takopi.bridge.letters import Destination
from takopi.bridge.outbox import Outbox
from takopi.bridge.ports import Clock, Store
from takopi.bridge.records import AcceptedUpdate
from takopi.core.chat import ChatUpdate, MessageReceived
from takopi.core.replies import message
from takopi.core.texts import tr
from takopi.errors import StoreError
from takopi.logging import get_logger

__all__ = ["Acceptance"]

_log = get_logger(__name__)

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0


class Acceptance:
    """Accept answers of the service, one after the other.

    Args:
        store: The journal.
        clock: Tells the time.
        outbox: Tells the people whose messages have to wait.
        refused: Called at each try that the journal refuses.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        outbox: Outbox,
        refused: Callable[[], object] = lambda: None,
    ) -> None:
        self._refused = refused
        self._store = store
        self._clock = clock
        self._outbox = outbox

    async def take(
        self, access: Door, batch: Sequence[ChatUpdate], newest: int | None
    ) -> tuple[AcceptedUpdate, ...]:
        """Return what is new in an answer once the journal has it; waits until it does.

        Args:
            access: Whose updates are taken; of others nothing but `newest` is kept.
            batch: What the service handed out.
            newest: The greatest number of all updates in the answer.
        """
        admitted = [update for update in batch if access.admits(update)]
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                return await self._store.accept(admitted, newest, self._clock.wall())
            except StoreError as error:
                self._refused()
                if pause_s == _FIRST_PAUSE_S:
                    _log.error("journal.refuses_updates", error=str(error))
                    await self._tell(admitted, error)
            await self._clock.sleep_until(self._clock.now() + pause_s)
            pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)

    async def _tell(self, waiting: Sequence[ChatUpdate], error: StoreError) -> None:
        """Say once in each chat that its messages wait, and why."""
        newest = {update.scope: update for update in waiting if isinstance(update, MessageReceived)}
        for scope, update in newest.items():
            with border("telling of a journal that refuses", chat=scope.chat_id):
                words = tr("Your message waits: takopi cannot write it down. {why}", why=error)
                await self._outbox.say(Destination(scope, update.chat_kind), message(words[:1000]))
