"""What waits shows its place, and people say what is next; that outlives a crash."""

from collections.abc import Sequence

import anyio
import pytest

from bridge.schedule_stage import living, press
from bridge.world import World
from fakes.clock import settle
from fakes.scripted_engine import gated, until_cancelled
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.records import Change, TurnPut
from takopi.errors import StoreFull

pytestmark = pytest.mark.anyio


def asked(world: World) -> list[str]:
    """List the prompts that were started."""
    return [turn.request.prompt for turn in world.codex.turns]


def labels(world: World, words: str) -> list[str]:
    """List the buttons below a message."""
    shown = world.chat.find(words).message
    assert shown is not None
    return [button.label for row in shown.buttons for button in row]


async def fill(world: World, *prompts: str) -> anyio.Event:
    """Let a turn run that ends when its gate opens, and others wait behind it in its session."""
    gate = anyio.Event()
    world.codex.scripts = [gated(gate)]
    first = world.chat.write("first")
    await settle()
    for prompt in prompts:
        world.chat.write(prompt, reply_to=first.message_id)
        await settle()
    await world.clock.advance(20)
    return gate


async def test_a_prompt_that_waits_shows_its_place_and_may_be_next() -> None:
    """The button is there only where it changes something."""
    async with living() as world:
        gate = await fill(world, "a", "b", "c")
        assert labels(world, "1 before it in this session") == ["Cancel"]
        assert labels(world, "3 before it in this session") == ["Cancel", "Run next"]
        assert await press(world, "3 before it in this session", "Run next") == "It is next"
        gate.set()
        await world.clock.advance(60)
        assert asked(world) == ["first", "c", "a", "b"]


async def test_a_prompt_that_waits_for_a_free_run_may_be_next() -> None:
    async with living(max_runs=1) as world:
        gate = anyio.Event()
        world.codex.scripts = [gated(gate)]
        for prompt in ("first", "a", "b"):
            world.chat.write(prompt)
            await settle()
        await world.clock.advance(10)
        assert await press(world, "waits for a free run, 1 before it", "Run next") == "It is next"
        await world.clock.advance(10)
        assert world.chat.has("waits for a free run, 1 before it")
        gate.set()
        await world.clock.advance(60)
        assert asked(world) == ["first", "b", "a"]


async def test_the_queue_is_listed_and_its_buttons_move_and_cancel() -> None:
    async with living() as world:
        gate = await fill(world, "a", "b", "c")
        world.chat.write("/queue")
        await settle()
        lines = world.chat.find("Waiting").text.splitlines()
        assert lines[1] == "1. codex · 1 before it in this session · asked 20 s ago · a"
        assert labels(world, "Waiting")[:2] == ["1. Cancel", "2. Cancel"]
        assert await press(world, "Waiting", "3. Up") == "Moved up"
        await world.clock.advance(10)
        assert [x[-1] for x in world.chat.find("Waiting").text.splitlines()[1:]] == list("acb")
        assert await press(world, "Waiting", "3. Run next") == "It is next"
        await world.clock.advance(10)
        assert await press(world, "Waiting", "2. Cancel") == "Cancelling"
        await world.clock.advance(10)
        assert [x[-1] for x in world.chat.find("Waiting").text.splitlines()[1:]] == list("bc")
        gate.set()
        await world.clock.advance(60)
        assert asked(world) == ["first", "b", "c"]
        world.chat.write("/queue")
        await settle()
        assert world.chat.has("Nothing waits here.")


async def test_buttons_count_in_their_chat_and_for_what_waits() -> None:
    async with living() as world:
        await fill(world, "a", "b")
        waiting = [turn.turn_id for turn in (await world.store.load()).turns[1:]]
        forged = {
            f"x:queue:next:{waiting[1]}": -7,
            "x:queue:next:t99": 1,
            "x:queue": 1,
            f"x:queue:burn:{waiting[1]}": 1,
            f"x:queue:up:{waiting[0]}": 1,
            f"x:queue:go:{waiting[0]}": 1,
        }
        names = [world.chat.press(data, chat=chat) for data, chat in forged.items()]
        await settle()
        answers = [c.text.split(": ")[1] for c in world.chat.calls if c.verb == "answer"]
        assert len(names) == len(answers)
        assert answers == [
            *["It does not wait any more"] * 3,
            "This button does nothing any more",
            "It is the first already",
            "It is next already",
        ]
        assert [turn.rank for turn in (await world.store.load()).turns] == [0, 0, 0]


async def test_the_order_outlives_a_crash() -> None:
    """A takopi that is killed and starts again runs what waits in the order that was chosen."""
    async with living() as world:
        await fill(world, "a", "b", "c")
        await press(world, "3 before it in this session", "Run next")
        turns = (await world.store.load()).turns
        # What ran is gone with the process; it waits again, to see the whole order.
        await world.store.commit([TurnPut(turn) for turn in turns if turn.prompt != "first"])
    async with living(before=world, max_runs=1) as later:
        await later.clock.advance(60)
        assert asked(later) == ["c", "a", "b"]


class Slow(MemoryStore):
    """Be a journal that takes an order only after a moment."""

    held: anyio.Event | None = None
    full = False

    async def commit(self, changes: Sequence[Change]) -> None:
        ranked = any(isinstance(change, TurnPut) and change.turn.rank for change in changes)
        if ranked and self.full:
            raise StoreFull("the disk is full; make room")
        if ranked and self.held is not None:
            held, self.held = self.held, None
            await held.wait()
        await super().commit(changes)


async def test_a_turn_that_starts_while_the_order_is_written_down_runs_once() -> None:
    """What is written last says that it has started."""
    store = Slow()
    async with living(store) as world:
        gate = await fill(world, "a", "b")
        world.codex.default = until_cancelled
        store.held = anyio.Event()
        waiting = store.held
        task = world.chat.find("2 before it in this session")
        assert task.message is not None
        world.chat.press(task.message.buttons[0][1].data)
        await settle()
        gate.set()
        await settle()
        waiting.set()
        await settle()
        assert asked(world) == ["first", "a"]
        states = {turn.prompt: turn.state for turn in (await store.load()).turns}
        assert states == {"a": "running", "b": "queued"} or states["a"] == "starting"


async def test_a_full_disk_leaves_the_order_as_it_is() -> None:
    store = Slow()
    async with living(store) as world:
        gate = await fill(world, "a", "b")
        store.full = True
        assert "the disk is full" in await press(world, "2 before it", "Run next")
        gate.set()
        await world.clock.advance(60)
        assert asked(world) == ["first", "a", "b"]


async def test_a_prompt_that_passes_the_first_of_its_conversation_begins_the_session() -> None:
    """The first one goes on with it, and neither is told of a session that failed."""
    async with living(max_runs=1) as world:
        gate = anyio.Event()
        world.claude.scripts = [gated(gate)]
        world.chat.write("/claude other")
        await settle()
        first = world.chat.write("first")
        await settle()
        world.chat.write("second", reply_to=first.message_id)
        await world.clock.advance(10)
        assert await press(world, "1 before it in this session", "Run next") == "It is next"
        gate.set()
        await world.clock.advance(60)
        assert asked(world) == ["second", "first"]
        second, first_turn = world.codex.turns
        assert first_turn.request.resume == second.session
        assert not any("reported no session" in text for text in world.finals())


async def test_a_command_that_takes_no_words_says_so() -> None:
    async with living() as world:
        world.chat.write("/queue all")
        world.chat.write("/status all")
        world.chat.write("/schedules all")
        await world.clock.advance(10)
        assert len([text for text in world.chat.texts() if "takes nothing" in text]) >= 2
