"""Which turn a message belongs to, also when it was sent before its group moved."""

from takopi.bridge.door import Door
from takopi.bridge.ports import Store
from takopi.bridge.records import TurnRecord
from takopi.bridge.turn import moved_record

__all__ = ["turn_of"]


async def turn_of(store: Store, door: Door, chat: int, number: int) -> TurnRecord | None:
    """Find the turn of a message, as one of the chat that the message is taken for.

    Args:
        store: Knows messages by what they were called when they were sent.
        door: Knows how the chat was called.
        chat: Where the message is known.
        number: As it is called there.

    Raises:
        StoreError: The journal did not answer.
    """
    for guise, name in door.former.names(chat, number):
        record = await store.turn_of_message(guise, name)
        if record is not None:
            there = record.scope.chat_id
            return record if there == chat else moved_record(record, chat)
    return None
