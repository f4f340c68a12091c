"""What messages belong to, remembered until the process ends."""

from collections import OrderedDict
from typing import TypeVar

from msgspec.structs import replace

from takopi.bridge.ports import TurnRecord
from takopi.model import ResumeToken
from takopi.transport import MessageRef

__all__ = ["MemoryStore"]

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class MemoryStore:
    """Keep the newest bindings in memory; the journal takes this class's place.

    Args:
        keep: So many messages, turns and conversations at most; the oldest go first. A reply to a
            forgotten one is still read for its resume line.
    """

    def __init__(self, keep: int = 50_000) -> None:
        self._keep = keep
        self._turn_of: OrderedDict[tuple[int | str, int | str], str] = OrderedDict()
        self._turns: OrderedDict[str, TurnRecord] = OrderedDict()
        self._sessions = OrderedDict[str, ResumeToken]()

    async def bind_message(self, ref: MessageRef, turn_id: str) -> None:
        """Remember that a message belongs to a turn."""
        self._put(self._turn_of, (ref.channel_id, ref.message_id), turn_id)

    async def put_turn(self, record: TurnRecord) -> None:
        """Remember a turn, or replace what was known of it."""
        self._put(self._turns, record.turn_id, record)
        if record.session is not None and record.conversation:
            self._put(self._sessions, record.conversation, record.session)

    async def turn_of_message(self, chat_id: int, message_id: int) -> TurnRecord | None:
        """Find the turn of a message; None for messages nobody knows."""
        turn_id = self._turn_of.get((chat_id, message_id))
        record = self._turns.get(turn_id) if turn_id else None
        if record is None or record.session is not None:
            return record
        session = self._sessions.get(record.conversation)
        return record if session is None else replace(record, session=session)

    def _put(self, table: OrderedDict[_Key, _Value], key: _Key, value: _Value) -> None:
        table[key] = value
        table.move_to_end(key)
        if len(table) > self._keep:
            table.popitem(last=False)
