"""Schedules: made in the chat, asked at their time, changed by buttons."""

from collections.abc import Sequence

import pytest

from bridge.schedule_stage import data, living, press, prompts, the
from fakes.clock import settle
from takopi.bridge.records import Change
from takopi.core.chat import ChatMigrated, Scope
from takopi.errors import StoreError, StoreFull

pytestmark = pytest.mark.anyio


async def test_an_interval_asks_again_and_again() -> None:
    """Bound to its place; each time a new session, told on the messages."""
    async with living() as world:
        world.chat.write("/every 30m check the build")
        await settle()
        assert world.chat.has("codex is asked every 30m, next at 23:00\ncheck the build")
        await world.clock.advance(1790)
        assert prompts(world) == []
        await world.clock.advance(20)
        assert prompts(world) == [("codex", "/work", "check the build")]
        assert "scheduled, every 30m: check the build" in world.finals()[0]
        await world.clock.advance(2 * 1800)
        assert len(prompts(world)) == 3
        assert all(turn.request.resume is None for turn in world.codex.turns)
        assert world.codex.turns[0].request.record["person"] == 1


@pytest.mark.parametrize(
    ("text", "chat", "expected"),
    [
        ("/every hour check", -7, ("codex", "/src/api", "check")),
        ("/every hour /zed check", -7, ("claude", "/src/zed", "check")),
        ("/at in 1h /zed @dev /codex check", 1, ("codex", "/src/zed/.worktrees/dev", "check")),
        ("/at in 1h @dev check", -7, ("codex", "/src/api/.worktrees/dev", "check")),
    ],
)
async def test_a_schedule_is_bound_to_the_place_where_it_was_made(text, chat, expected) -> None:
    async with living() as world:
        world.chat.write(text, chat=chat, kind="group" if chat < 0 else "private")
        await settle()
        # What is chosen later does not change it.
        record = await the(world)
        assert (record.person, record.scope.chat_id) == (1, chat)
        await world.clock.advance(3601)
        assert prompts(world) == [expected]


async def test_a_reply_lets_the_session_go_on_later() -> None:
    async with living() as world:
        world.chat.write("/zed begin")
        await settle()
        final = max(number for chat, number in world.chat.shown if chat == 1)
        world.chat.write("/at in 1h continue with the tests", reply_to=final)
        await world.clock.advance(3601)
        first, second = world.claude.turns
        assert second.request.resume == first.session
        assert str(second.request.cwd) == "/src/zed"
        assert (await world.store.load()).schedules == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/every", "no interval and no cron line was found at the start. For example:"),
        ("/every 30m", "nothing to ask stands behind the time. For example:"),
        ("/every 61 * * * * x", "61 is no minute of a cron line. For example:"),
        ("/at", "no time was found at the start. For example:"),
        ("/at 18:30", "nothing to ask stands behind the time. For example:"),
        ("/at 18:30 /nobody x", "Nobody here knows /nobody"),
        ("/at 18:30 /status", "only a prompt can be scheduled. For example:"),
        ("/at 18:30 /zed", "/zed goes before what is to be done there"),
    ],
)
async def test_misuse_is_answered_with_an_example_and_makes_nothing(text, words) -> None:
    async with living() as world:
        world.chat.write(text)
        await settle()
        (answer,) = world.chat.texts()
        assert words in answer
        assert (await world.store.load()).schedules == ()


async def test_the_buttons_of_the_list_pause_resume_run_and_delete() -> None:
    async with living() as world:
        world.chat.write("/every 1h check")
        world.chat.write("/schedules")
        await settle()
        assert await press(world, "Schedules", "Pause") == "Paused"
        assert world.chat.has("1. paused · codex")
        await world.clock.advance(2.5 * 3600)
        assert prompts(world) == []
        assert await press(world, "Schedules", "Resume") == "It goes on"
        await world.clock.advance(1801)
        assert len(prompts(world)) == 1
        assert await press(world, "Schedules", "Run now") == "Asked now"
        assert len(prompts(world)) == 2
        assert await press(world, "Schedules", "Delete") == "Deleted"
        await world.clock.advance(10)
        assert world.chat.has("Nothing is scheduled here")
        assert (await world.store.load()).schedules == ()
        # What stands elsewhere in the chat leads nowhere any more.
        assert await press(world, "codex is asked every 1h", "Pause") == "This schedule is gone"


async def test_the_answer_about_one_schedule_stays_about_that_one() -> None:
    async with living() as world:
        world.chat.write("/every 2h other")
        world.chat.write("/every 30m check")
        await settle()
        first = world.chat.find("check").message_id
        assert await press(world, "check", "Pause") == "Paused"
        await world.clock.advance(5)
        shown = world.chat.shown[(1, first)]
        assert shown.text == (
            "codex is asked every 30m\ncheck\nIt is paused: nothing is asked until it goes on."
        )
        assert await press(world, "check", "Resume") == "It goes on"
        await world.clock.advance(5)
        shown = world.chat.shown[(1, first)]
        assert shown.text.startswith("codex is asked every 30m, next at ")
        assert await press(world, "check", "Delete") == "Deleted"
        await world.clock.advance(5)
        shown = world.chat.shown[(1, first)]
        assert shown.text == "Deleted: codex was to be asked every 30m\ncheck"
        assert shown.message is not None
        assert shown.message.buttons == ()
        assert world.chat.has("codex is asked every 2h")


async def test_a_message_about_a_schedule_that_is_gone_says_so() -> None:
    """It went elsewhere; what asks once goes when it is asked."""
    async with living() as world:
        world.chat.write("/at in 1h check")
        await settle()
        carried, number = data(world, "codex is asked at", "Pause")
        assert await press(world, "codex is asked at", "Run now") == "Asked now"
        await world.clock.advance(5)
        assert world.chat.shown[(1, number)].text == "Asked now: codex was to be asked in 1h\ncheck"
        world.chat.press(carried, on=number)
        await settle()
        await world.clock.advance(5)
        assert world.chat.shown[(1, number)].text == "This schedule is gone"


async def test_buttons_count_in_their_own_chat_alone() -> None:
    """And what nobody made does nothing."""
    async with living() as world:
        world.chat.write("/every 1h check")
        await settle()
        carried, _ = data(world, "is asked", "Delete")
        world.chat.press(carried, chat=-7)
        name = (await the(world)).schedule_id
        for forged in (f"x:schedules:burn:{name}", "x:schedules", "x:schedules:page:x"):
            world.chat.press(forged)
        await settle()
        assert (await the(world)).schedule_id == name
        assert prompts(world) == []


async def test_a_full_disk_is_told_and_makes_nothing() -> None:
    async with living() as world:
        world.store.refuses = StoreFull
        world.chat.write("/every 1h check")
        await settle()
        assert world.chat.texts() == ["No schedule was made: the disk is full; make room"]
        world.store.refuses = None
        world.chat.write("/every 1h check")
        await settle()
        world.store.refuses = StoreFull
        assert "the disk is full" in await press(world, "is asked every", "Pause")
        assert not (await the(world)).paused


async def test_a_journal_that_refuses_for_a_moment_delays_and_loses_nothing() -> None:
    async with living() as world:
        world.chat.write("/at in 1h check")
        await settle()
        real = world.store.commit
        world.store.refuses = StoreError

        async def refuse(changes: Sequence[Change]) -> None:
            if world.store.refuses:
                raise StoreError("no")
            await real(changes)

        world.store.commit = refuse  # type: ignore[method-assign]
        await world.clock.advance(3601)
        assert prompts(world) == []
        world.store.refuses = None
        await world.clock.advance(30)
        assert len(prompts(world)) == 1


async def test_a_chat_has_so_many_schedules_and_no_more() -> None:
    async with living() as world:
        for number in range(51):
            world.chat.write(f"/every 1h check {number}")
            await settle()
        assert len((await world.store.load()).schedules) == 50
        await world.clock.until(lambda: world.chat.has("as many as it may"))


async def test_a_group_that_moves_takes_its_schedules_along() -> None:
    async with living() as world:
        world.chat.write("/every 1h check", chat=-7, kind="group")
        await settle()
        number = world.chat.number()
        moved = ChatMigrated(
            update_id=number, scope=Scope("memory", -7), message_id=2, new_chat_id=-70
        )
        world.chat.feed(moved)
        await settle()
        assert (await the(world)).scope.chat_id == -70
        await world.clock.advance(3601)
        assert prompts(world) == [("codex", "/src/api", "check")]
