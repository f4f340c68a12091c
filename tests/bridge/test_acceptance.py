"""An answer of the service is in the journal before anything rests on it."""

from collections.abc import Sequence

import anyio
import pytest

from bridge.outbox_desk import desk as opened_desk
from fakes.clock import settle
from takopi.bridge.acceptance import Acceptance
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.records import AcceptedUpdate
from takopi.core.access import access_policy
from takopi.core.chat import ChatUpdate, MessageReceived, Scope
from takopi.errors import StoreFull

pytestmark = pytest.mark.anyio

ACCESS = access_policy(chat_id=1)


def said(number: int, *, sender: int = 1, chat: int = 1) -> MessageReceived:
    """Make a message."""
    return MessageReceived(
        update_id=number,
        scope=Scope("memory", chat),
        chat_kind="private",
        message_id=number,
        sender_id=sender,
        text=f"message {number}",
    )


class FullStore(MemoryStore):
    """Refuse a number of answers."""

    def __init__(self, refusals: int) -> None:
        super().__init__()
        self.refusals = refusals
        self.newest: list[int | None] = []

    async def accept(
        self, updates: Sequence[ChatUpdate], newest: int | None, arrived_at: float
    ) -> tuple[AcceptedUpdate, ...]:
        self.newest.append(newest)
        if self.refusals:
            self.refusals -= 1
            raise StoreFull("the disk is full; free some space")
        return await super().accept(updates, newest, arrived_at)


async def test_strangers_leave_nothing_but_the_number_of_the_answer() -> None:
    """Their updates reach neither the journal nor anybody behind it."""
    async with opened_desk() as desk:
        store = FullStore(0)
        acceptance = Acceptance(store, desk.clock, desk.outbox)
        batch = [said(1, sender=666), said(2, chat=9, sender=9), said(3)]
        taken = await acceptance.take(ACCESS, batch, 3)
        assert [accepted.update for accepted in taken] == [said(3)]
        assert store.newest == [3]
        assert [found.update for found in (await store.load()).updates] == [said(3)]


async def test_a_repeated_update_is_taken_once() -> None:
    """Whether the number or the message is the same."""
    async with opened_desk() as desk:
        acceptance = Acceptance(MemoryStore(), desk.clock, desk.outbox)
        assert len(await acceptance.take(ACCESS, [said(1), said(1)], 1)) == 1
        assert await acceptance.take(ACCESS, [said(1)], 1) == ()


@pytest.mark.parametrize("refusals", [1, 4])
async def test_a_journal_that_refuses_is_asked_again_and_the_person_told_once(
    refusals: int,
) -> None:
    """Until it takes the answer; nothing is lost and nothing is returned before."""
    async with opened_desk() as desk:
        store = FullStore(refusals)
        acceptance = Acceptance(store, desk.clock, desk.outbox)
        taken: list[AcceptedUpdate] = []

        async def take() -> None:
            taken.extend(await acceptance.take(ACCESS, [said(1), said(2)], 2))

        async with anyio.create_task_group() as group:
            group.start_soon(take)
            await settle()
            assert not taken
            await desk.clock.advance(200)
        assert [accepted.update for accepted in taken] == [said(1), said(2)]
        assert store.newest == [2] * (refusals + 1)
        told = [call.text for call in desk.chat.calls if call.verb == "send"]
        assert len(told) == 1
        assert "the disk is full" in told[0]
