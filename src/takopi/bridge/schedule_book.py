"""The schedules, at hand without asking the journal."""

from collections.abc import Iterable, Sequence

import anyio
from msgspec.structs import replace

from takopi.bridge.ports import Store
from takopi.bridge.records import Change, ScheduleGone, SchedulePut
from takopi.core.schedules import ScheduleRecord

__all__ = ["ScheduleBook"]


class ScheduleBook:
    """Hold every schedule, and say when one changed.

    Args:
        store: Where they are written down.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, ScheduleRecord] = {}
        self._changed = anyio.Event()

    def restore(self, schedules: Iterable[ScheduleRecord]) -> None:
        """Take what the journal knows."""
        self._known = {record.schedule_id: record for record in schedules}

    def all(self) -> tuple[ScheduleRecord, ...]:
        """List every schedule, in the order in which they were made."""
        return tuple(self._known.values())

    def of_chat(self, chat_id: int) -> tuple[ScheduleRecord, ...]:
        """List the schedules of a chat and its topics."""
        return tuple(one for one in self._known.values() if one.scope.chat_id == chat_id)

    def get(self, schedule_id: str) -> ScheduleRecord | None:
        """Return a schedule; None when it is gone."""
        return self._known.get(schedule_id)

    async def put(self, record: ScheduleRecord, changes: Sequence[Change] = ()) -> None:
        """Write a schedule down, new or as it is now.

        Args:
            record: The whole record.
            changes: What is written down with it.

        Raises:
            StoreError: The journal did not take it, so nothing changed.
        """
        await self._store.commit([SchedulePut(record), *changes])
        self.note(record)

    async def remove(self, schedule_id: str, changes: Sequence[Change] = ()) -> None:
        """Forget a schedule; what is gone is gone already.

        Args:
            schedule_id: The schedule.
            changes: What is written down with it.

        Raises:
            StoreError: The journal did not take it, so nothing changed.
        """
        await self._store.commit([ScheduleGone(schedule_id), *changes])
        self.forget(schedule_id)

    def note(self, record: ScheduleRecord) -> None:
        """Take over what was written down with something else."""
        self._known[record.schedule_id] = record
        self.wake()

    def forget(self, schedule_id: str) -> None:
        """Let go of what was taken out with something else."""
        self._known.pop(schedule_id, None)
        self.wake()

    def wake(self) -> None:
        """Let whoever waits for a change look again."""
        self._changed.set()
        self._changed = anyio.Event()

    async def changed(self) -> None:
        """Wait until a schedule is made, changed or gone."""
        await self._changed.wait()

    def move(self, chat: int, new: int) -> None:
        """Let the schedules of a chat ask under the chat's new id; the caller writes them down."""
        for one in self.of_chat(chat):
            self.note(replace(one, scope=replace(one.scope, chat_id=new), message_id=0))
