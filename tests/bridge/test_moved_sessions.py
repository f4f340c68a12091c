"""A group that moves takes along its sessions and its project."""

from collections.abc import Sequence

import anyio
import pytest
from msgspec.structs import replace

from bridge.session_world import asked, chatting, say
from bridge.world import World
from fakes.scripted_engine import gated
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.records import Change
from takopi.core.access import access_policy
from takopi.core.chat import ChatMigrated, Scope
from takopi.errors import StoreFull

pytestmark = pytest.mark.anyio

OLD, NEW = -7, -1007


async def move(world: World) -> None:
    """Let the service say that the group goes on under another id."""
    moved = ChatMigrated(
        update_id=world.chat.number(),
        scope=Scope("memory", OLD),
        message_id=2,
        new_chat_id=NEW,
    )
    world.chat.feed(moved)
    await world.clock.advance(10)


async def say_there(world: World, text: str, number: int) -> None:
    """Write into the moved group, where messages are counted anew."""
    said = world.chat.message(text, chat=NEW, kind="group")
    world.chat.feed(replace(said, message_id=number))
    await world.clock.advance(10)


async def test_sessions_go_on_and_can_be_listed_in_a_moved_group() -> None:
    """Also after the next start, and until somebody begins anew."""
    async with chatting() as world:
        await say(world, "/zed one", chat=OLD, kind="group")
        await say(world, "two", chat=OLD, kind="group")
        await move(world)
        await say_there(world, "/zed three", 3)
        await say_there(world, "/sessions /zed", 5)
        assert world.chat.has("1. one · codex", NEW)
        store = world.store
    access = access_policy(chat_id=1, allowed_chat_ids=(NEW,), allowed_user_ids=(1,))
    async with chatting(store=store, access=access) as world:
        while world.chat.number() < 300:
            continue  # the service goes on counting
        await world.clock.advance(600)
        await say_there(world, "/zed four", 9)
        assert asked(world) == [("four", "s1")]
        await say_there(world, "/new /zed", 11)
        await say_there(world, "/zed five", 13)
        assert asked(world)[-1] == ("five", None)


class FullStore(MemoryStore):
    """Be a journal on a disk that is full for a while."""

    full = False

    async def commit(self, changes: Sequence[Change]) -> None:
        if self.full:
            raise StoreFull("the disk is full; make room")
        await super().commit(changes)


async def test_a_move_waits_for_a_full_disk() -> None:
    """It ends nothing, and what the group has chosen is not lost."""
    store = FullStore()
    async with chatting(store=store) as world:
        await say(world, "one", chat=OLD, kind="group")
        await say(world, "/agent claude", chat=OLD, kind="group")
        store.full = True
        await move(world)
        store.full = False
        await say_there(world, "two", 3)
        assert asked(world, "claude") == [("two", None)]


async def test_a_turn_that_runs_meanwhile_is_followed_in_its_project() -> None:
    """The configuration still knows the group by its old id."""
    async with chatting() as world:
        gate = anyio.Event()
        world.codex.default = gated(gate)
        await say(world, "one", chat=OLD, kind="group")
        await move(world)
        await say_there(world, "two", 3)
        assert len(world.codex.turns) == 1
        gate.set()
        await world.clock.advance(10)
        assert asked(world) == [("one", None), ("two", "s1")]
        first, second = world.codex.turns
        assert first.request.cwd == second.request.cwd
