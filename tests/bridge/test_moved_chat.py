"""A group that goes on under another id while turns run and wait in it."""

import pytest
from msgspec.structs import replace

from bridge.world import serving
from fakes.scripted_engine import until_cancelled
from takopi.core.access import access_policy
from takopi.core.chat import ChatMigrated, Scope

pytestmark = pytest.mark.anyio

OLD, NEW = -5, -1005


async def test_turns_can_be_cancelled_under_the_new_id() -> None:
    """Messages have small numbers there, and no message of the old chat can be answered."""
    access = access_policy(chat_id=OLD, allowed_user_ids=[1])
    async with serving(access=access, max_runs=1) as world:
        world.codex.default = until_cancelled
        for _ in range(3):
            world.chat.write("work", chat=OLD)
        await world.rest()
        moved = ChatMigrated(
            update_id=world.chat.number(),
            scope=Scope("memory", OLD),
            message_id=2,
            new_chat_id=NEW,
        )
        world.chat.feed(moved)
        await world.clock.advance(10)
        button = world.chat.find("working", NEW).message.buttons[0][0]
        world.chat.press(button.data, chat=NEW)
        await world.clock.advance(10)
        assert len(world.finals(NEW)) == 1
        world.chat.feed(replace(world.chat.message("/cancel all", chat=NEW), message_id=3))
        await world.clock.advance(10)
        assert len(world.finals(NEW)) == 3
        assert world.finals(OLD) == []
        assert (await world.store.load()).turns == ()
