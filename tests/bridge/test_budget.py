"""A day's budget: warned about once, and asked about when it is used up."""

from collections.abc import Sequence

import anyio
import pytest

from bridge.schedule_stage import living, press
from bridge.world import World
from fakes.clock import settle
from fakes.scripted_engine import Script, ScriptedTurn, gated
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.records import Change, OfferPut
from takopi.core.budget import Budget, format_usd
from takopi.core.chat_settings import ChatSettings
from takopi.errors import StoreError
from takopi.model import CompletedEvent

pytestmark = pytest.mark.anyio

DAILY = ChatSettings(budget=Budget(daily_usd=1.0, per_turn_usd=0.5))


def costing(*costs: float | None) -> list[Script]:
    """Make scripts whose turns cost so much each."""

    def script(cost: float | None) -> Script:
        async def play(turn: ScriptedTurn):  # type: ignore[no-untyped-def]
            yield turn.started()
            yield CompletedEvent(
                "codex",
                ok=True,
                answer=f"answer to {turn.request.prompt}",
                resume=turn.session,
                usage=None if cost is None else {"cost_usd": cost},
            )

        return play

    return [script(cost) for cost in costs]


async def spend(world: World, *costs: float | None) -> None:
    """Let turns cost so much."""
    for number, cost in enumerate(costs):
        world.codex.scripts = costing(cost)
        world.chat.write(f"spend {number}")
        await world.clock.advance(10)


def asked(world: World) -> list[str]:
    """List the prompts that were started."""
    return [turn.request.prompt for turn in world.codex.turns]


async def test_most_of_the_budget_is_told_once_and_all_of_it_once() -> None:
    async with living(chats=DAILY) as world:
        await spend(world, 0.3, None, 0.4)
        assert not world.chat.has("budget")
        await spend(world, 0.15, 0.05)
        told = [text for text in world.chat.texts() if "budget" in text]
        assert told == ["$0.85 of today's budget of $1.00 is used up."]
        await spend(world, 0.2)
        told = [text for text in world.chat.texts() if "budget" in text]
        assert told[1:] == [
            "Today's budget is used up: $1.10 of $1.00. Until tomorrow takopi asks before it "
            "starts a prompt."
        ]


async def test_the_question_about_a_schedule_says_that_it_is_one() -> None:
    async with living(chats=DAILY) as world:
        world.chat.write("/every 30m check the build")
        await spend(world, 1.5)
        await world.clock.advance(1800)
        question = world.chat.find("Not started, because today's budget is used up")
        assert question.text.endswith("\nscheduled, every 30m: check the build")


async def test_a_prompt_beyond_the_budget_asks_and_runs_once_when_it_may() -> None:
    """The choice is single, the asker's own, and allows this one prompt."""
    async with living(chats=DAILY) as world:
        await spend(world, 1.5)
        world.chat.write("deploy")
        await world.clock.advance(10)
        assert asked(world) == ["spend 0"]
        question = world.chat.find("Not started, because today's budget is used up")
        assert question.text.endswith("$1.50 of $1.00.\ndeploy")
        assert await press(world, "Not started", "Run anyway") == "Run anyway"
        await world.clock.advance(10)
        assert asked(world) == ["spend 0", "deploy"]
        assert world.chat.has("deploy\n\n→ Run anyway")
        world.chat.write("again")
        await world.clock.advance(10)
        assert asked(world) == ["spend 0", "deploy"]
        assert await press(world, "again", "Cancel") == "Cancel"
        await world.clock.advance(10)
        assert asked(world) == ["spend 0", "deploy"]
        assert world.finals()[-1].startswith("■ cancelled")


async def test_what_waits_already_asks_when_its_turn_comes() -> None:
    """And what is asked about holds up nothing and nobody."""
    async with living(chats=DAILY) as world:
        gate = anyio.Event()
        world.codex.scripts = [gated(gate)]
        first = world.chat.write("first")
        await settle()
        world.chat.write("second", reply_to=first.message_id)
        await settle()
        await spend(world, 2.0)
        gate.set()
        await world.clock.advance(20)
        assert asked(world) == ["first", "spend 0"]
        assert world.chat.has("queued · codex · waits for a decision")
        await press(world, "Not started", "Run anyway")
        await world.clock.advance(10)
        assert asked(world) == ["first", "spend 0", "second"]


async def test_schedules_ask_too() -> None:
    async with living(chats=DAILY) as world:
        world.chat.write("/every 1h check")
        await spend(world, 2.0)
        await world.clock.advance(3601)
        assert asked(world) == ["spend 0"]
        assert world.chat.find("Not started").text.endswith("check")


async def test_tomorrow_is_another_day() -> None:
    async with living(chats=DAILY) as world:
        await spend(world, 2.0)
        await world.clock.advance(2 * 3600)  # it is 22:30 at the start
        world.chat.write("go")
        await world.clock.advance(10)
        assert asked(world) == ["spend 0", "go"]


async def test_what_was_spent_and_asked_outlives_a_crash() -> None:
    async with living(chats=DAILY) as world:
        await spend(world, 2.0)
        world.chat.write("deploy")
        await world.clock.advance(10)
        assert world.chat.has("Not started")
        carried = world.chat.find("Not started").message
        assert carried is not None
    async with living(before=world, chats=DAILY) as later:
        later.chat.write("more")
        await later.clock.advance(10)
        assert asked(later) == []
        assert [t for t in later.chat.texts() if t.startswith("Not started")] == [
            "Not started, because today's budget is used up: $2.00 of $1.00.\nmore"
        ]
        later.chat.press(carried.buttons[0][0].data)
        await later.clock.advance(10)
        assert asked(later) == ["deploy"]


async def test_a_question_that_cannot_be_written_down_is_asked_later() -> None:
    class Refusing(MemoryStore):
        refuses = True

        async def commit(self, changes: Sequence[Change]) -> None:
            if self.refuses and any(isinstance(change, OfferPut) for change in changes):
                raise StoreError("no")
            await super().commit(changes)

    store = Refusing()
    async with living(store, chats=DAILY) as world:
        await spend(world, 2.0)
        world.chat.write("deploy")
        await world.clock.advance(10)
        assert not world.chat.has("Not started, because")
        store.refuses = False
        await world.clock.advance(60)
        assert world.chat.has("Not started, because")
        assert asked(world) == ["spend 0"]


async def test_a_prompt_that_is_cancelled_meanwhile_is_not_asked_about_any_more() -> None:
    async with living(chats=DAILY) as world:
        await spend(world, 2.0)
        prompt = world.chat.write("deploy")
        await world.clock.advance(10)
        world.chat.write("/cancel", reply_to=prompt.message_id)
        await world.clock.advance(10)
        assert await press(world, "Not started", "Run anyway") == "That turn has ended already"
        assert asked(world) == ["spend 0"]


async def test_a_turn_that_costs_more_than_one_may_says_so() -> None:
    async with living(chats=DAILY) as world:
        await spend(world, 0.5, 0.51)
        first, second = world.finals()
        assert "per_turn_usd" not in first
        assert "this turn cost $0.51, more than per_turn_usd = $0.50" in second


async def test_without_a_budget_nothing_is_asked() -> None:
    async with living() as world:
        await spend(world, 1000.0, 1000.0)
        assert len(asked(world)) == 2
        assert not world.chat.has("budget")


def test_a_budget_of_nothing_asks_always() -> None:
    assert Budget(daily_usd=0.0).is_used_up(0.0)
    assert [format_usd(n) for n in (0, 0.0123, 0.1, 12)] == ["$0.00", "$0.0123", "$0.10", "$12.00"]
    assert [format_usd(n) for n in (0.01, 0.05, 0.005)] == ["$0.01", "$0.05", "$0.005"]
