"""Commands about sessions on a full disk: they say so, and are done once there is room."""

import pytest

from bridge.dispatch_stage import WatchedStore
from bridge.session_world import asked, button, chatting, say
from takopi.bridge.records import PlacePut
from takopi.errors import StoreFull

pytestmark = pytest.mark.anyio


class FullDisk(WatchedStore):
    """Be a journal that takes everything but what is known of places, while it is full."""

    full = True

    def __init__(self) -> None:
        super().__init__()

        def refuses(changes):
            told = any(isinstance(change, PlacePut) for change in changes)
            return StoreFull("the disk is full; make room") if self.full and told else False

        self.refuses = refuses


@pytest.mark.parametrize(
    ("command", "then"),
    [("/new", None), ("/resume codex resume s9", "s9"), ("/new two", "s2")],
)
async def test_a_command_waits_for_room_and_is_done_in_its_order(command, then) -> None:
    """What comes after it waits behind it, and means what it would have meant."""
    store = FullDisk()
    async with chatting(store=store) as world:
        await say(world, "one")
        await say(world, command)
        assert world.chat.has("Not done yet: takopi cannot write it down (the disk is full")
        before = len(world.chat.texts())
        await say(world, "three")
        await world.clock.advance(60)
        assert len(world.chat.texts()) <= before + 1, "it is told once"
        assert asked(world) == [("one", None)]
        store.full = False
        await world.clock.advance(120)
        assert asked(world)[-1] == ("three", then)
        assert (await store.load()).updates == ()


async def test_a_button_says_that_it_counts_later_and_then_counts() -> None:
    store = FullDisk()
    async with chatting(store=store) as world:
        await say(world, "one")
        store.full = False
        await say(world, "/new two")
        store.full = True
        await say(world, "/sessions")
        data = button(world, "Sessions in", "2. one").data
        world.chat.press(data, on=world.chat.find("Sessions in").message_id)
        await world.clock.advance(1)
        assert "takopi cannot write this down yet" in world.sent("answer")[-1].text
        store.full = False
        await world.clock.advance(120)
        assert world.chat.texts()[-1].endswith("codex resume s1")
        await say(world, "three")
        assert asked(world)[-1] == ("three", "s1")
