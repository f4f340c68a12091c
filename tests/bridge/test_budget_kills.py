"""A day's budget across deaths, clocks that jump, and a journal that refuses."""

from collections.abc import Callable, Sequence
from datetime import UTC
from zoneinfo import ZoneInfo

import anyio
import pytest

from bridge.schedule_stage import living, press
from bridge.test_budget import DAILY, asked, costing, spend
from bridge.world import World
from fakes.dying_store import DyingStore
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.ports import UsageRow
from takopi.bridge.records import Change, OfferPut
from takopi.core.budget import Budget, due_mark, with_mark
from takopi.core.chat import ChatMigrated, MessageEdited, Scope
from takopi.core.chat_settings import ChatSettings
from takopi.errors import StoreError, TransportUnavailable

pytestmark = pytest.mark.anyio

COMMITS = 14
"""More than the life of a prompt makes."""


class Choosy(MemoryStore):
    """Be a journal that refuses some changes, or does not say what was spent."""

    refuses: Callable[[Change], bool] | None = None
    counts = True

    async def commit(self, changes: Sequence[Change]) -> None:
        if self.refuses is not None and any(map(self.refuses, changes)):
            raise StoreError("no")
        await super().commit(changes)

    async def usage_since(self, since: float) -> tuple[UsageRow, ...]:
        if not self.counts:
            raise StoreError("no")
        return await super().usage_since(since)


def said(world: World, words: str) -> list[str]:
    """List what the chat shows with some words."""
    return [text for text in world.chat.texts() if words in text]


def until_death(store: DyingStore, world: World, commits: int) -> None:
    """Let the world go after so many commits."""
    store.left = commits
    gone = TransportUnavailable("the world is gone")
    world.chat.fault = lambda _call: gone if store.dead else None


@pytest.mark.parametrize("behind", [False, True])
async def test_a_death_at_any_commit_costs_no_warning_and_repeats_none(behind: bool) -> None:
    """But for the one that the chat has and the journal does not: that one says so."""
    ways = set()
    for commits in range(COMMITS):
        store = DyingStore()
        store.behind = behind
        async with living(store, chats=DAILY) as world:
            until_death(store, world, commits)
            world.codex.scripts = costing(0.85)
            world.chat.write("dear")
            await world.clock.advance(10)
            first = said(world, "budget of")
        store.left = 10_000
        async with living(store, world, chats=DAILY) as later:
            later.codex.default = costing(0.85)[0]
            await later.clock.advance(30)
            second = said(later, "budget of")
        spent = await store.usage_since(0)
        ways.add((len(first), len(second)))
        assert len(first) + len(second) == len(spent) or "sent" in second[0], commits
        async with living(store, later, chats=DAILY) as last:
            await last.clock.advance(30)
            assert said(last, "budget of") == []
    assert {(1, 0), (0, 1)} <= ways


@pytest.mark.parametrize("behind", [False, True])
async def test_a_death_at_any_commit_leaves_a_prompt_that_is_asked_about(behind: bool) -> None:
    """It is never started unasked, and never waits for an answer to a question nobody saw."""
    for commits in range(COMMITS):
        store = DyingStore()
        store.behind = behind
        async with living(store, chats=DAILY) as world:
            await spend(world, 2.0)
            until_death(store, world, commits)
            world.chat.write("deploy")
            await world.clock.advance(40)
            shown = said(world, "Not started")
            started = asked(world)
            button = world.chat.find("Not started").message if shown else None
        store.left = 10_000
        async with living(store, world, chats=DAILY) as later:
            await later.clock.advance(40)
            assert [*started, *asked(later)] == ["spend 0"]
            turns = (await store.load()).turns
            if not turns:
                continue  # the update was not even accepted, or its handling is the service's
            if said(later, "Not started"):
                button = later.chat.find("Not started").message
            assert button is not None, commits
            later.chat.press(button.buttons[0][0].data)
            await later.clock.advance(10)
            assert asked(later) == ["deploy"]


async def test_what_a_turn_costs_counts_from_its_end_and_not_from_that_of_its_process() -> None:
    """A process may take its time to end; what starts meanwhile is asked about."""
    async with living(chats=DAILY) as world:
        lingers = anyio.Event()
        world.codex.prepare = lambda turn: setattr(turn, "close_gate", lingers)
        await spend(world, 2.0)
        assert world.finals()
        world.chat.write("deploy")
        await world.clock.advance(1)
        assert asked(world) == ["spend 0"]
        assert said(world, "Not started")
        lingers.set()
        await world.clock.advance(60)
        assert len(said(world, "Today's budget is used up:")) == 1


async def test_an_edit_while_the_question_cannot_be_written_down_leaves_no_silent_wait() -> None:
    """What is written down of the prompt meanwhile does not say that somebody was asked."""
    store = Choosy()
    async with living(store, chats=DAILY) as world:
        await spend(world, 2.0)
        store.refuses = lambda change: isinstance(change, OfferPut)
        prompt = world.chat.write("deploy")
        await world.clock.advance(5)
        edited = MessageEdited(
            update_id=world.chat.number(),
            scope=prompt.scope,
            message_id=prompt.message_id,
            sender_id=1,
            chat_kind="private",
            text="deploy it",
            edited_at=1,
        )
        world.chat.feed(edited)
        await world.clock.advance(5)
        assert not said(world, "Not started")
    store.refuses = None
    async with living(before=world, chats=DAILY) as later:
        await later.clock.advance(10)
        assert said(later, "Not started")[0].endswith("\ndeploy it")
        assert await press(later, "Not started", "Run anyway") == "Run anyway"
        await later.clock.advance(10)
        assert asked(later) == ["deploy it"]


async def test_nothing_starts_until_it_is_known_what_was_spent() -> None:
    store = Choosy()
    async with living(store, chats=DAILY) as world:
        await spend(world, 2.0)
    store.counts = False
    async with living(before=world, chats=DAILY) as later:
        later.chat.write("deploy")
        await later.clock.advance(10)
        assert asked(later) == []
        assert not said(later, "Not started")
        store.counts = True
        await later.clock.advance(60)
        assert asked(later) == []
        assert said(later, "Not started")


async def test_a_clock_that_went_ahead_and_is_put_back_holds_no_later_day() -> None:
    """What was spent on a day to come counts on that day, also after a restart."""
    async with living(chats=DAILY) as world:
        world.clock.epoch += 2 * 86400
        await spend(world, 2.0)
        world.clock.epoch -= 2 * 86400
        world.chat.write("go")
        await world.clock.advance(10)
        assert asked(world) == ["spend 0", "go"]
    async with living(before=world, chats=DAILY) as later:
        await spend(later, 0.1)
        assert asked(later) == ["spend 0"]
        later.clock.epoch += 2 * 86400
        later.chat.write("deploy")
        await later.clock.advance(10)
        assert asked(later) == ["spend 0"]


async def test_the_day_ends_at_midnight_where_the_person_lives() -> None:
    zone = ZoneInfo("Asia/Tokyo")  # 07:13 there when the world begins
    chats = ChatSettings(budget=Budget(daily_usd=1.0), zone=zone)
    async with living(chats=chats) as world:
        await spend(world, 2.0)
        await world.clock.advance(2 * 3600)  # another day in UTC
        world.chat.write("go")
        await world.clock.advance(10)
        assert asked(world) == ["spend 0"]
        await world.clock.advance(15 * 3600)
        world.chat.write("on")
        await world.clock.advance(10)
        assert asked(world) == ["spend 0", "on"]


async def test_the_question_outlives_the_move_of_a_group() -> None:
    """Moving writes the waiting turn down; that it is asked about stays true."""
    store = Choosy()
    store.refuses = lambda change: isinstance(change, OfferPut)
    async with living(store, chats=DAILY) as world:
        await spend(world, 2.0)
        world.chat.write("deploy", chat=-7, kind="group")
        await world.clock.advance(5)
        scope = Scope("memory", -7)
        number = world.chat.number()
        world.chat.feed(
            ChatMigrated(update_id=number, scope=scope, message_id=2, new_chat_id=-1007)
        )
        await world.clock.advance(5)
    (waits,) = (await store.load()).turns
    assert waits.scope.chat_id == -1007
    assert not waits.held_by_person


@pytest.mark.parametrize(
    ("spent", "told", "mark"),
    [
        (0.79, None, None),
        (0.8, None, "nearly"),
        (0.9, "nearly", None),
        (1.0, "nearly", "used up"),
        (1.0, None, "used up"),
        (1.2, "used up", None),
    ],
)
def test_each_mark_is_due_once(spent, told, mark) -> None:
    assert due_mark(spent, told, Budget(daily_usd=1.0)) == mark
    assert due_mark(spent, told, Budget()) is None
    assert due_mark(spent, told, Budget(daily_usd=0.0)) is None


def test_old_days_are_forgotten_and_another_budget_has_its_own_marks() -> None:
    marks = {}
    for day in range(20):
        marks = with_mark(marks, day * 86400.0, UTC, (Budget(daily_usd=1.0), "nearly"))
    assert len(marks) == 8
    more = with_mark(marks, 19 * 86400.0, UTC, (Budget(daily_usd=2.0), "used up"))
    assert sorted(more.values()) == ["nearly"] * 7 + ["used up"]
