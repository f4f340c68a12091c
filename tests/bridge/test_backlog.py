"""What becomes of messages that were sent while takopi was away."""

from typing import Any

import anyio
import pytest

from bridge.dispatch_stage import Stage, staged
from bridge.world import serving
from fakes.clock import VirtualClock
from fakes.scripted_engine import gated, until_cancelled
from takopi.bridge.records import TurnPut, UpdateHandled
from takopi.core.chat import MessageReceived
from takopi.core.gathering import LONG_UNITS

pytestmark = pytest.mark.anyio


def sent(stage: Stage, text: str, ago_s: float = 600, **more: Any) -> MessageReceived:
    """Make a message that was sent some time ago, dated as the service dates it."""
    date = float(int(stage.clock.wall() - ago_s))
    return stage.chat.message(text, **{"date": date, **more})


async def test_a_backlog_is_answered_unless_told_otherwise() -> None:
    """Nothing that was said is lost."""
    async with staged() as stage:
        await stage.arrive(sent(stage, "one"), sent(stage, "two", 5))
        assert stage.prompts() == ["one", "two"]
        assert await stage.unhandled() == []


async def test_a_backlog_is_gathered_by_the_services_dates() -> None:
    """All of it arrives at once, so a paste is known by the second in which it was sent."""
    long = "x" * LONG_UNITS
    async with staged() as stage:
        await stage.arrive(
            sent(stage, long, 600),
            sent(stage, "rest", 600),
            sent(stage, long, 300),
            sent(stage, "another", 290),
            sent(stage, "theirs", 290, forwarded=True),
            sent(stage, "later", 100, forwarded=True),
        )
        await stage.clock.advance(2)
        assert stage.prompts() == [f"{long}\nrest", "another\n\ntheirs", "later", long]


async def test_the_rest_of_a_paste_may_be_in_the_next_answer() -> None:
    """An answer of the service has so many updates and no more."""
    long = "x" * LONG_UNITS
    async with staged() as stage:
        await stage.arrive(sent(stage, long, 600))
        await stage.clock.advance(0.2)
        await stage.arrive(sent(stage, "rest", 599.5))
        assert stage.prompts() == [f"{long}\nrest"]


async def test_what_was_sent_while_a_configuration_changed_hands_is_no_backlog() -> None:
    """Takopi was not away, whatever the configuration says of prompts that came meanwhile."""
    async with serving(backlog="drop", serving_since=VirtualClock().wall() - 60) as world:
        for ago_s in (100, 30):
            date = float(int(world.clock.wall() - ago_s))
            world.chat.write(f"{ago_s} s ago", date=date)
            await world.clock.advance(5)
        assert [turn.request.prompt for turn in world.codex.turns] == ["30 s ago"]


# drop


async def test_a_dropped_backlog_is_told_message_by_message() -> None:
    """Nothing starts; the answers stand at the messages, so that their words are at hand."""
    async with staged(backlog="drop") as stage:
        old = [sent(stage, "one", 7500), sent(stage, "two", 30)]
        await stage.arrive(*old)
        await stage.clock.advance(5)
        assert stage.prompts() == []
        assert stage.chat.texts() == [
            f"dropped: sent while takopi was away, {age} ago. Send it again to have it answered: "
            f"“{words}”"
            for age, words in (("2 h 05 min", "one"), ("30 s", "two"))
        ]
        replies = [call.options.reply_to for call in stage.chat.calls if call.options]
        assert [ref.message_id for ref in replies if ref] == [m.message_id for m in old]
        assert await stage.unhandled() == []
        assert (await stage.store.load()).turns == ()


async def test_what_is_live_is_not_dropped() -> None:
    """Dates have whole seconds, and some services give none."""
    stage = Stage({"backlog": "drop"})
    stage.clock.epoch += 0.5
    async with stage.on():
        await stage.arrive(
            sent(stage, "in the second of the start", 0), stage.chat.message("undated")
        )
        assert stage.prompts() == ["in the second of the start", "undated"]


async def test_what_an_earlier_takopi_took_is_not_dropped() -> None:
    """It was alive when the message came, and had no time to handle it."""
    stage = Stage({"backlog": "drop"})
    async with stage.on():
        await stage.accept(sent(stage, "hello", 0))
    await stage.clock.advance(3600)
    async with stage.on():
        assert stage.prompts() == ["hello"]


@pytest.mark.parametrize("backlog", ["answer", "ask", "drop"])
async def test_commands_and_hints_of_a_backlog_act_as_ever(backlog: str) -> None:
    """Only what would start something is asked about or dropped."""
    async with staged(backlog=backlog) as stage:
        await stage.arrive(sent(stage, "/help"), sent(stage, "/cancle"), sent(stage, "/cancel"))
        await stage.clock.advance(5)
        assert stage.chat.has("Write what you want done.")
        assert stage.chat.has("Nobody here knows /cancle")
        assert stage.chat.has("Nothing runs or waits here")


@pytest.mark.parametrize("backlog", ["answer", "ask"])
async def test_a_cancel_of_a_backlog_cancels_what_was_sent_before_it(backlog: str) -> None:
    """The prompt is not started again after its own cancellation."""
    async with staged(backlog=backlog) as stage:
        stage.codex.default = until_cancelled
        await stage.arrive(sent(stage, "do it", 600), sent(stage, "/cancel", 500))
        await stage.clock.advance(5)
        assert stage.codex.playing == 0
        assert stage.chat.has("■ cancelled")
        assert stage.scheduler.turns() == []


# ask


async def test_an_asked_about_backlog_shows_first_words_and_age() -> None:
    """Each prompt has a question that makes a sound, and waits."""
    async with staged(backlog="ask") as stage:
        prompt = sent(stage, "tidy the\ntests " + "and the docs " * 20, 700)
        await stage.arrive(prompt)
        (text,) = stage.chat.texts()
        assert text.startswith("Sent 11 min ago, while takopi was away: tidy the tests and the")
        assert text.endswith("…\nAnswer it?")
        (call,) = [call for call in stage.chat.calls if call.verb == "send"]
        assert call.options is not None
        assert call.options.notify
        assert call.options.reply_to is not None
        assert call.options.reply_to.message_id == prompt.message_id
        assert stage.prompts() == []
        assert await stage.unhandled() == []


async def test_answer_lets_the_prompt_start_and_names_the_choice() -> None:
    """The buttons go, the words stay."""
    async with staged(backlog="ask") as stage:
        await stage.arrive(sent(stage, "one"), sent(stage, "/claude two", 30))
        await stage.clock.advance(5)
        assert await stage.press("Answer") == "Answer"
        assert stage.prompts() == ["two"]
        await stage.clock.advance(5)
        shown = stage.chat.find("→ Answer")
        assert shown.text == "Sent 30 s ago, while takopi was away: two\nAnswer it?\n\n→ Answer"
        assert shown.message is not None
        assert shown.message.buttons == ()


async def test_drop_ends_the_prompt_and_says_so() -> None:
    """Its final says cancelled, and nothing was started."""
    async with staged(backlog="ask") as stage:
        await stage.arrive(sent(stage, "one"))
        assert await stage.press("Drop") == "Drop"
        await stage.clock.advance(5)
        assert stage.prompts() == []
        made = [change for changes in stage.store.commits for change in changes]
        states = [change.turn.state for change in made if isinstance(change, TurnPut)]
        assert "starting" not in states
        assert stage.chat.has("→ Drop")
        assert stage.chat.has("■ cancelled · codex")
        assert (await stage.store.load()).turns == ()


async def test_a_question_can_be_answered_after_another_start() -> None:
    """Question and prompt stand in the journal together."""
    stage = Stage({"backlog": "ask"})
    async with stage.on():
        await stage.arrive(sent(stage, "one"))
    async with stage.on():
        assert stage.prompts() == []
        assert [turn.prompt for turn in stage.scheduler.turns()] == ["one"]
        await stage.press("Answer")
        assert stage.prompts() == ["one"]


async def test_a_question_whose_prompt_was_cancelled_says_so() -> None:
    """The press is answered, and the buttons go."""
    async with staged(backlog="ask") as stage:
        await stage.arrive(sent(stage, "one"))
        await stage.arrive(stage.chat.message("/cancel"))
        data, _ = stage.button("Answer")
        assert await stage.press("Answer") == "That turn has ended already"
        await stage.clock.advance(5)
        assert stage.prompts() == []
        assert await stage.press_data(data) == "Decided already: Answer"


async def test_a_forward_goes_with_a_prompt_that_is_asked_about() -> None:
    """It waits with it, in the next answer of the service too."""
    async with staged(backlog="ask") as stage:
        await stage.arrive(sent(stage, "why?", 600))
        await stage.arrive(sent(stage, "theirs", 600, forwarded=True))
        assert len(stage.chat.texts()) == 1
        await stage.press("Answer")
        assert stage.prompts() == ["why?\n\ntheirs"]


async def test_those_behind_a_prompt_that_is_asked_about_do_not_wait_for_it() -> None:
    """A person may never answer."""
    gate = anyio.Event()
    async with staged(backlog="ask") as stage:
        stage.codex.scripts = [gated(gate)]
        first = sent(stage, "one")
        await stage.arrive(first)
        await stage.arrive(stage.chat.message("/status"))
        await stage.clock.advance(5)
        assert stage.chat.has("waits for a decision")
        await stage.arrive(stage.chat.message("two", reply_to=first.message_id))
        assert stage.prompts() == ["two"]


async def test_a_question_that_the_journal_does_not_take_is_asked_again() -> None:
    """The prompt is not started without its turn being written down, and not lost either."""
    async with staged(backlog="ask") as stage:
        stage.store.refuses = lambda changes: any(
            isinstance(change, UpdateHandled) for change in changes
        )
        await stage.arrive(sent(stage, "one"))
        assert stage.scheduler.turns() == []
        assert len(await stage.unhandled()) == 1
        assert stage.chat.has("Not started yet: takopi cannot write it down")
        stage.store.refuses = lambda changes: False
        await stage.clock.advance(30)
        assert len(stage.scheduler.turns()) == 1
        await stage.press("Answer")
        assert stage.prompts() == ["one"]
        assert await stage.unhandled() == []


async def test_a_prompt_whose_question_is_refused_is_not_marked_by_and_by() -> None:
    """A disk that is nearly full takes marks and no turns; a crash then must lose nothing."""
    stage = Stage({"backlog": "ask"})
    async with stage.on():
        stage.store.refuses = lambda changes: any(isinstance(change, TurnPut) for change in changes)
        await stage.arrive(sent(stage, "one"))
        await stage.clock.advance(60)
        assert len(await stage.unhandled()) == 1
        assert not stage.chat.has("Answer it?")
    stage.store.refuses = lambda changes: False
    async with stage.on():
        assert stage.prompts() == ["one"]
