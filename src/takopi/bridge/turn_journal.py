"""Write down how turns go on; what must not be lost is written before it is done."""

from typing import Any

from msgspec.structs import replace

from takopi.bridge.border import border
from takopi.bridge.ports import Store, TurnFilter
from takopi.bridge.records import TurnPut
from takopi.bridge.turn import Turn
from takopi.core.texts import tr
from takopi.core.usage import own_usage, tells_of_session
from takopi.errors import StoreError
from takopi.logging import get_logger
from takopi.model import ResumeToken

__all__ = ["TurnJournal"]

_log = get_logger(__name__)

_TURNS_BEFORE = 200


class TurnJournal:
    """Write turns down, each as it is at the moment of writing.

    Args:
        store: The journal.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def must(self, turn: Turn) -> None:
        """Write a turn down before something is started for it.

        Raises:
            StoreError: The journal did not take it, so nothing may be started.
        """
        try:
            await self._write(turn)
        except StoreError as error:
            raise StoreError(
                tr(
                    "nothing was started, because it could not be written down: {why}; then send "
                    "the prompt again",
                    why=error,
                )
            ) from error

    async def still_waits(self, turn: Turn) -> None:
        """Write down what was found out for a turn before its engine is started.

        A start after a crash then finds a turn that waits, and not one whose start is unclear.

        Raises:
            StoreError: The journal did not take it.
        """
        waits = replace(turn.record, state="queued", run_id=None, started_at=None)
        async with turn.writing:
            await self._store.commit([TurnPut(waits)])

    async def note(self, turn: Turn) -> bool:
        """Write a turn down; it goes on when that fails.

        Returns:
            False when the journal refused, and may take it later.
        """
        with border("remembering the turn", turn=turn.id):
            try:
                await self._write(turn)
            except StoreError as error:
                _log.error("turn.not_written", turn=turn.id, error=str(error))
                return False
        return True

    async def own_usage(self, turn: Turn, usage: Any) -> Any:
        """Return what a turn itself took, where its engine tells what its whole session did.

        Args:
            turn: It ends.
            usage: As its engine told it.
        """
        if not tells_of_session(usage):
            return usage
        record, before = turn.record, None
        with border("looking for what the session took before", turn=turn.id):
            near = TurnFilter(engine=turn.engine, context=record.context, with_session=True)
            for other in await self._store.newest_turns(near, _TURNS_BEFORE):
                same = other.session == record.session and other.turn_id != turn.id
                if same and tells_of_session(other.usage):
                    before = other.usage
                    break
        return own_usage(usage, before, fresh=record.asked is None and not record.by_itself)

    async def session_of(self, turn: Turn) -> ResumeToken | None:
        """Return the session that a turn names, or that those before it in its conversation had."""
        record = turn.record
        if record.asked is not None or turn.conversation == turn.id:
            return record.asked
        found = None
        with border("looking for the session", turn=turn.id):
            if record.messages:
                chat_id, prompt = record.scope.chat_id, record.messages[0]
                found = await self._store.turn_of_message(chat_id, prompt)
            if found is None or found.session is None:
                found = await self._store.turn(turn.conversation)
        return found.session if found is not None else None

    async def _write(self, turn: Turn) -> None:
        async with turn.writing:
            await self._store.commit([TurnPut(turn.writable)])
