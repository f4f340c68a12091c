"""When schedules ask: once for each moment, whatever happens to clocks, journals and people."""

from collections.abc import Sequence

import anyio
import pytest
from msgspec.structs import replace

from bridge.schedule_stage import API, FullStore, living, press, prompts, the
from fakes.clock import settle
from fakes.scripted_engine import gated
from takopi.bridge.records import Change, SchedulePut, TurnPut
from takopi.core.access import access_policy
from takopi.core.chat import Scope
from takopi.core.chat_settings import ChatSettings
from takopi.core.projects import Projects
from takopi.core.schedules import ScheduleRecord

pytestmark = pytest.mark.anyio


async def test_a_turn_still_at_work_lets_one_more_wait_and_the_rest_go() -> None:
    """It is told once, and what waits starts when the turn has ended."""
    gate = anyio.Event()
    async with living() as world:
        world.codex.scripts = [gated(gate)]
        world.chat.write("/every 1h check")
        await world.clock.advance(3601)
        assert len(prompts(world)) == 1
        await world.clock.advance(3600)
        assert (await the(world)).waiting
        world.chat.write("/schedules")
        await settle()
        assert world.chat.has("waits for its last turn")
        assert await press(world, "Schedules", "Run now") == "Its last turn is still at work"
        assert not world.chat.has("is left out")
        await world.clock.advance(3 * 3600)
        assert len([t for t in world.chat.texts() if "this is left out" in t]) == 1
        assert len(prompts(world)) == 1
        gate.set()
        await world.clock.advance(60)
        assert len(prompts(world)) == 2
        assert not (await the(world)).waiting
        await world.clock.advance(3600)
        assert len(prompts(world)) == 3


async def test_what_waits_for_its_last_turn_starts_after_a_crash_too() -> None:
    store = FullStore()
    async with living(store) as world:
        world.chat.write("/every 1h check")
        await settle()
        record = await the(world)
    await store.commit([SchedulePut(replace(record, waiting=True))])
    async with living(before=world) as later:
        assert len(prompts(later)) == 1
        assert not (await the(later)).waiting


async def test_what_was_missed_is_told_in_one_message_and_not_made_up_for() -> None:
    async with living() as world:
        world.chat.write("/every 1h check")
        world.chat.write("/at in 2h deploy")
        world.chat.write("/at in 9h later")
        await settle()
    world.clock.epoch += 5.5 * 3600  # takopi is away for so long
    async with living(before=world) as later:
        await later.clock.advance(60)
        assert prompts(later) == []
        (told,) = later.chat.texts()
        assert told.splitlines()[1:] == [
            "5 times since 2023-11-14 23:30: check",
            "00:30: deploy",
        ]
        assert await press(later, "takopi was away", "Run now: deploy") == "Asked now"
        assert prompts(later) == [("codex", "/work", "deploy")]
        assert await press(later, "takopi was away", "Run now: deploy") == "This schedule is gone"
        await later.clock.advance(3600)
        assert [p for _, _, p in prompts(later)] == ["deploy", "check"]


async def test_a_wall_clock_that_jumps_forward_misses_and_goes_on() -> None:
    """It is found within half a minute, as when a laptop wakes up."""
    async with living() as world:
        world.chat.write("/every 1h check")
        await settle()
        world.clock.epoch += 3 * 3600
        await world.clock.advance(31)
        assert prompts(world) == []
        assert world.chat.has("3 times since")
        await world.clock.advance(3600)
        assert len(prompts(world)) == 1


async def test_a_wall_clock_that_jumps_back_asks_nothing_twice_and_waits_for_nothing() -> None:
    async with living() as world:
        world.chat.write("/every 1h check")
        await world.clock.advance(3601)
        assert len(prompts(world)) == 1
        world.clock.epoch -= 600
        await world.clock.advance(900)
        assert len(prompts(world)) == 1
        world.clock.epoch -= 1000 * 3600
        await world.clock.advance(3700)
        assert len(prompts(world)) == 2


async def test_a_moment_a_little_late_is_still_asked() -> None:
    async with living() as world:
        world.chat.write("/at in 1h check")
        await settle()
        world.clock.epoch += 3600 + 60
        await world.clock.advance(31)
        assert len(prompts(world)) == 1


async def test_a_schedule_of_somebody_who_is_not_served_pauses_itself() -> None:
    async with living() as world:
        world.chat.write("/every 1h check")
        world.chat.write("/every 1h look", chat=-7, kind="group")
        await settle()
    fewer = access_policy(chat_id=1, allowed_user_ids=(2,))
    async with living(before=world, access=fewer) as later:
        await later.clock.advance(3700)
        assert prompts(later) == []
        assert all(one.paused for one in (await later.store.load()).schedules)
        (told,) = later.chat.texts()
        assert "whoever made it is not served any more: check" in told
        message = later.chat.find("not served any more").message
        assert [button.label for button in message.buttons[0]] == ["Run now", "Resume", "Delete"]
        assert later.chat.texts(-7) == []


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"chats": ChatSettings()}, "project zed is not known any more"),
        ({}, "engine gone is not known any more"),
    ],
)
async def test_a_schedule_that_leads_nowhere_pauses_itself(options, why) -> None:
    store = FullStore()
    record = ScheduleRecord(
        schedule_id="s1",
        scope=Scope("memory", 1),
        chat_kind="private",
        person=1,
        when="1h",
        prompt="check",
        project="zed",
        engine="codex" if options else "gone",
        made_at=1_700_001_000.0,
        next_at=1_700_004_600.0,
    )
    await store.commit([SchedulePut(record)])
    async with living(store, **options) as world:
        await world.clock.advance(3601)
        assert (await the(world)).paused
        assert why in world.chat.texts()[0]
        world.chat.write("/schedules")
        await settle()
        assert why in await press(world, "Schedules", "Run now")
        assert prompts(world) == []


async def test_words_that_mean_something_else_now_pause_the_schedule() -> None:
    """A directive names an engine that was taken out."""
    async with living() as world:
        world.chat.write("/every 1h /zed check")
        await settle()
        record = await the(world)
        assert record.engine == "claude"
    empty = ChatSettings(projects=Projects((API,)))
    async with living(before=world, chats=empty) as later:
        await later.clock.advance(3700)
        assert "its first words mean something else now" in later.chat.texts()[0]


class Recorded(FullStore):
    """Be a journal that remembers every transaction in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[Sequence[Change]] = []

    async def commit(self, changes: Sequence[Change]) -> None:
        await super().commit(changes)
        self.made.append(tuple(changes))


async def test_a_crash_after_any_transaction_asks_nothing_twice_and_loses_nothing() -> None:
    """What is asked and the next moment are one: a life begun from any prefix asks the rest."""
    first = Recorded()
    async with living(first) as world:
        world.chat.write("/every 1h check")
        await world.clock.advance(3610)
        assert [p for _, _, p in prompts(world)] == ["check"]
    asks = [any(isinstance(c, TurnPut) for c in changes) for changes in first.made]
    made, asked = asks.index(False), asks.index(True)
    assert made < asked
    for crash in range(made + 1, len(first.made) + 1):
        store = FullStore()
        for changes in first.made[:crash]:
            await store.commit(changes)
        left = [turn.state for turn in (await store.load()).turns]
        # What had not begun runs now; an earlier life started the engine of any other.
        runs = 1 if crash <= asked or left == ["queued"] else 0
        async with living(store, before=world) as later:
            await later.clock.advance(10)
            assert len(prompts(later)) == runs, crash
            assert (await the(later)).next_at == 1_700_001_000.0 + 2 * 3600
            await later.clock.advance(3600)
            assert len(prompts(later)) == runs + 1, crash
