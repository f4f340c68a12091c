"""What is written down of a turn."""

from collections.abc import Sequence

import anyio
import pytest

from fakes.clock import VirtualClock, settle
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.records import Change, TurnRecord
from takopi.bridge.turn import Turn
from takopi.bridge.turn_journal import TurnJournal
from takopi.core.chat import Scope

pytestmark = pytest.mark.anyio


class SlowStore(MemoryStore):
    """Take longer for the first commit than for the second."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = anyio.Event()
        self.begun = 0

    async def commit(self, changes: Sequence[Change]) -> None:
        self.begun += 1
        if self.begun == 1:
            await self.gate.wait()
        await super().commit(changes)


async def test_an_older_state_of_a_turn_is_never_written_last() -> None:
    """However long the journal takes, what it has in the end is the newest."""
    store = SlowStore()
    journal = TurnJournal(store)
    turn = Turn.of(TurnRecord(turn_id="t1", scope=Scope("memory", 1), engine="x"), VirtualClock())
    async with anyio.create_task_group() as group:
        group.start_soon(journal.note, turn)
        await settle()
        turn.ask_to_end("enough")
        group.start_soon(journal.note, turn)
        await settle()
        store.gate.set()
    written = await store.turn("t1")
    assert written is not None
    assert (written.cancelled, written.cancel_reason) == (True, "enough")
