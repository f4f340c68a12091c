"""What messages belong to."""

import pytest

from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.ports import TurnRecord
from takopi.core.chat import Scope
from takopi.model import ResumeToken
from takopi.transport import MessageRef

pytestmark = pytest.mark.anyio

SCOPE = Scope("memory", 1)
SESSION = ResumeToken("codex", "s")


def record(turn: str, session: ResumeToken | None = None, conversation: str = "c") -> TurnRecord:
    """Make a record."""
    return TurnRecord(
        turn_id=turn, scope=SCOPE, engine="codex", session=session, conversation=conversation
    )


async def test_a_message_leads_to_what_is_known_of_its_turn_now() -> None:
    """The newest record counts, and only in its own chat."""
    store = MemoryStore()
    await store.put_turn(record("a"))
    await store.bind_message(MessageRef(1, 10), "a")
    assert await store.turn_of_message(1, 10) == record("a")
    await store.put_turn(record("a", SESSION))
    assert await store.turn_of_message(1, 10) == record("a", SESSION)
    assert await store.turn_of_message(2, 10) is None
    assert await store.turn_of_message(1, 11) is None


async def test_a_turn_without_a_session_has_that_of_its_conversation() -> None:
    """Once another turn of the conversation has one."""
    store = MemoryStore()
    await store.put_turn(record("a"))
    await store.bind_message(MessageRef(1, 10), "a")
    await store.put_turn(record("b", SESSION))
    assert await store.turn_of_message(1, 10) == record("a", SESSION)
    await store.put_turn(record("x", conversation=""))
    await store.bind_message(MessageRef(1, 11), "x")
    await store.put_turn(record("y", SESSION, conversation=""))
    assert await store.turn_of_message(1, 11) == record("x", conversation="")


async def test_the_oldest_is_forgotten_first() -> None:
    """Memory does not grow for ever."""
    store = MemoryStore(keep=2)
    for number in range(3):
        await store.put_turn(record(f"t{number}"))
        await store.bind_message(MessageRef(1, number), f"t{number}")
    assert await store.turn_of_message(1, 0) is None
    assert await store.turn_of_message(1, 2) == record("t2")
