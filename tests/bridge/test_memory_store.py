"""What the journal in memory has of its own; tests/store/test_contract.py has the rest."""

import pytest

from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.records import MessageBound, OfferPut, OfferRecord, TurnPut, TurnRecord
from takopi.core.chat import Scope
from takopi.model import ResumeToken

pytestmark = pytest.mark.anyio

SCOPE = Scope("memory", 1)


def over(turn_id: str, conversation: str = "c") -> TurnPut:
    """Make a turn that is over."""
    session = ResumeToken("codex", turn_id)
    return TurnPut(
        TurnRecord(
            turn_id=turn_id,
            scope=SCOPE,
            engine="codex",
            state="done",
            session=session,
            conversation=conversation,
        )
    )


async def test_the_oldest_is_forgotten_first() -> None:
    """Memory does not grow for ever: messages, finished turns and offers are counted."""
    store = MemoryStore(keep=2)
    for number in range(3):
        name = f"t{number}"
        offer = OfferRecord(offer_id=name, kind="edited", scope=SCOPE, turn_id=name)
        await store.commit([over(name), MessageBound(1, number, name, "final"), OfferPut(offer)])
    assert await store.turn("t0") is None
    assert await store.turn_of_message(1, 0) is None
    assert await store.offer("t0") is None
    assert await store.turn_of_message(1, 2) is not None
    assert await store.offer("t2") is not None


async def test_a_turn_that_is_not_over_is_never_forgotten() -> None:
    """It is needed, however many came after it."""
    store = MemoryStore(keep=2)
    waiting = TurnRecord(turn_id="w", scope=SCOPE, engine="codex")
    await store.commit([TurnPut(waiting)])
    await store.commit([over(f"t{number}") for number in range(5)])
    assert [turn.turn_id for turn in (await store.load()).turns] == ["w"]


async def test_a_forgotten_turn_lends_its_session_to_nobody() -> None:
    """What is forgotten is forgotten in every index."""
    store = MemoryStore(keep=2)
    waiting = TurnRecord(turn_id="w", scope=SCOPE, engine="codex", conversation="c")
    await store.commit([TurnPut(waiting), MessageBound(1, 1, "w", "prompt"), over("t")])
    found = await store.turn_of_message(1, 1)
    assert found is not None
    assert found.session == ResumeToken("codex", "t")
    await store.commit([over("x", "other"), over("y", "other")])
    found = await store.turn_of_message(1, 1)
    assert found is not None
    assert found.session is None
    assert {name: len(turns) for name, turns in store._turns_of.items()} == {"c": 1, "other": 2}
