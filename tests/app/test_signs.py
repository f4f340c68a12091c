"""A bot that waits for its journal is well for the service manager; one that hangs is not."""

from collections.abc import Sequence

import anyio
import pytest

from bridge.world import World
from fakes.clock import settle
from takopi.app.notify import POLL_FRESH_S, ServiceNotifier, Signs, keep_alive
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.records import AcceptedUpdate
from takopi.core.access import access_policy
from takopi.core.chat import ChatMigrated, ChatUpdate, Scope
from takopi.errors import StoreError

pytestmark = pytest.mark.anyio

GROUP = access_policy(chat_id=-5, allowed_user_ids=(1,))


class Journal(MemoryStore):
    """Refuse all, or answer never."""

    way = ""

    async def accept(
        self, updates: Sequence[ChatUpdate], newest: int | None, arrived_at: float
    ) -> tuple[AcceptedUpdate, ...]:
        await self._may()
        return await super().accept(updates, newest, arrived_at)

    async def commit(self, changes) -> None:
        await self._may()
        await super().commit(changes)

    async def _may(self) -> None:
        if self.way == "hangs":
            await anyio.sleep_forever()
        if self.way:
            raise StoreError("the disk is full")


class Manager(ServiceNotifier):
    """Be told."""

    def __init__(self) -> None:
        super().__init__({})
        self.heard: list[str] = []

    def send(self, *states: str) -> None:
        """Take it down."""
        self.heard += states


class Polls:
    """Be polls whose last success a test decides."""

    last_poll_at: float | None = None


@pytest.mark.parametrize("by_move", [False, True])
@pytest.mark.parametrize(("way", "lives"), [("refuses", True), ("hangs", False)])
async def test_a_journal_that_refuses_is_no_reason_for_a_restart(way, lives, by_move) -> None:
    """Nothing is polled for an hour, and each time the manager looks there is a sign."""
    store, manager, polls = Journal(), Manager(), Polls()
    world = World(store=store)
    signs = Signs(polls, world.clock)
    world.options["on_refused"] = signs.refused
    options = world.options | ({"access": GROUP} if by_move else {})
    world = World(store=store, options=options, clock=world.clock)
    async with anyio.create_task_group() as group:
        group.start_soon(world.bridge.run)
        await settle()
        polls.last_poll_at = world.clock.now()
        group.start_soon(keep_alive, manager, signs, world.clock, 300.0, lambda: _words(signs))
        await settle()
        store.way = way
        if by_move:
            scope = Scope("memory", -5)
            moved = ChatMigrated(update_id=1, scope=scope, message_id=2, new_chat_id=-1005)
            world.chat.feed(moved)
        else:
            world.chat.write("hello")
        await world.clock.advance(2 * POLL_FRESH_S)
        manager.heard.clear()
        await world.clock.advance(3600)
        assert manager.heard.count("WATCHDOG=1") == (60 if lives else 0)
        if lives:
            store.way = ""
            await world.clock.advance(120)
            assert signs.refusing
            polls.last_poll_at = world.clock.now()
            assert not signs.refusing
        group.cancel_scope.cancel()


def _words(signs: Signs) -> str:
    return "waits" if signs.refusing else "serves"


def test_before_the_first_poll_there_is_no_sign() -> None:
    signs = Signs(Polls(), World().clock)
    assert signs.last_poll_at is None
    assert not signs.refusing
    signs.refused()
    assert signs.refusing
