"""/usage in the chat."""

import pytest

from bridge.schedule_stage import FullStore, living, press
from bridge.test_budget import costing
from takopi.bridge.ports import UsageRow
from takopi.core.budget import Budget
from takopi.core.chat_settings import ChatSettings
from takopi.errors import StoreError

pytestmark = pytest.mark.anyio


async def test_turns_are_summed_up_as_soon_as_they_ended() -> None:
    """And the buttons show other periods in the same message."""
    async with living(chats=ChatSettings(budget=Budget(daily_usd=2.0))) as world:
        world.codex.scripts = costing(0.5, 0.25)
        world.chat.write("one")
        await world.clock.advance(86400)
        world.chat.write("two")
        await world.clock.advance(10)
        world.chat.write("/usage")
        await world.clock.advance(10)
        assert world.chat.has("Today\n1 turn · $0.25\nBudget: $0.25 of $2.00\n")
        assert await press(world, "Budget:", "7 days") == ""
        await world.clock.advance(10)
        assert world.chat.has("7 days\n2 turns · $0.75\n")
        assert not world.chat.has("Today\n1 turn")
        world.chat.write("/usage year")
        world.chat.press("x:usage:year")
        world.chat.press("x:usage")
        await world.clock.advance(10)
        assert world.chat.has("/usage takes nothing or a period: /usage today, /usage week")


async def test_a_group_sees_its_own_turns_and_a_private_chat_all() -> None:
    async with living() as world:
        world.codex.scripts = costing(0.5, 0.25)
        world.chat.write("one")
        await world.clock.advance(10)
        world.chat.write("two", chat=-7, kind="group")
        await world.clock.advance(10)
        world.chat.write("/usage", chat=-7, kind="group")
        world.chat.write("/usage")
        await world.clock.advance(20)
        assert world.chat.find("Today", -7).text.startswith("Today\n1 turn · $0.25\n")
        assert world.chat.find("Today", 1).text.startswith("Today\n2 turns · $0.75\n")
        (newest,) = [turn for turn in await world.store.usage_since(0) if turn.chat_id == -7]
        assert newest.project == "api"


async def test_a_journal_that_cannot_be_read_is_told() -> None:
    """To who presses a button as to who sends the command."""

    class Unreadable(FullStore):
        unreadable = False

        async def usage_since(self, since: float) -> tuple[UsageRow, ...]:
            if self.unreadable:
                raise StoreError("the disk does not answer")
            return await super().usage_since(since)

    store = Unreadable()
    async with living(store=store) as world:
        world.chat.write("/usage")
        await world.clock.advance(10)
        store.unreadable = True
        assert await press(world, "Today", "7 days") == ""
        await world.clock.advance(10)
        assert world.chat.has("the disk does not answer")
        assert world.chat.has("Today")
