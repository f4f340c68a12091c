"""What happens when somebody presses a button that decides something."""

from contextlib import asynccontextmanager
from typing import Any

import pytest

from bridge.dispatch_stage import Stage, staged
from fakes.scripted_engine import until_cancelled
from takopi.bridge.records import OfferPut, OfferRecord, OfferTaken, TurnPut, TurnRecord
from takopi.core.access import access_policy
from takopi.core.chat import Scope
from takopi.core.offers import CHOICES, choice_label, offer_buttons, read_offer
from takopi.errors import OfferClosed
from takopi.model import ResumeToken

pytestmark = pytest.mark.anyio

S1 = ResumeToken("codex", "s1")


@asynccontextmanager
async def interrupted(words: str = "do it", **options: Any):
    """Let a turn be interrupted by the end of a takopi, and another takopi tell of it."""
    fields = {name: options.pop(name) for name in ("access", "max_runs") if name in options}
    stage = Stage(options, **fields)
    stage.codex.scripts = [until_cancelled]
    async with stage.on():
        stage.prompt = stage.chat.message(words)
        await stage.arrive(stage.prompt)
        await stage.clock.advance(5)
        number = stage.prompt.message_id
        stage.old = [stage.chat.message("/cancel", reply_to=to) for to in (None, number)]
    async with stage.on():
        await stage.clock.advance(5)
        yield stage


async def test_continue_goes_on_in_the_session() -> None:
    """The engine is told so, the buttons go, and the words of the message stay."""
    async with interrupted() as stage:
        before = stage.chat.find("Continue goes on in its session").text
        assert await stage.press("Continue") == "Continue"
        await stage.clock.advance(5)
        assert stage.prompts() == ["do it", "continue"]
        assert stage.codex.turns[1].request.resume == S1
        shown = stage.chat.find("→ Continue")
        assert shown.text == f"{before}\n\n→ Continue"
        assert shown.message is not None
        assert shown.message.buttons == ()
        assert await stage.unhandled() == []


async def test_ask_again_sends_the_same_prompt_in_a_new_session() -> None:
    """And a reply to the prompt goes on where it was answered last."""
    async with interrupted() as stage:
        assert await stage.press("Ask again") == "Ask again"
        await stage.clock.advance(5)
        assert stage.prompts() == ["do it", "do it"]
        assert stage.codex.turns[1].request.resume is None
        assert not stage.chat.has("starts a new session"), "that is what the person chose"
        reply = stage.chat.message("more", reply_to=stage.prompt.message_id)
        await stage.arrive(reply)
        await stage.clock.advance(5)
        assert stage.codex.turns[2].request.resume == ResumeToken("codex", "s2")


async def test_ask_again_goes_to_the_session_that_was_asked_for() -> None:
    """The person named it, so they meant it."""
    async with interrupted("codex resume old\ndo it") as stage:
        await stage.press("Ask again")
        await stage.clock.advance(5)
        assert stage.prompts() == ["do it", "do it"]
        assert stage.codex.turns[1].request.resume == ResumeToken("codex", "old")


async def test_a_choice_what_follows_and_the_mark_are_one_transaction() -> None:
    """A crash leaves an offer that is open, or a turn that will start."""
    async with interrupted() as stage:
        stage.store.commits.clear()
        await stage.press("Ask again")
        names = [type(change).__name__ for change in stage.store.commits[0]]
        assert names == ["TurnPut", "MessageBound", "OfferTaken", "UpdateHandled"]


async def test_an_offer_is_taken_once() -> None:
    """The second press is told what was chosen, and starts nothing."""
    async with interrupted() as stage:
        again, on = stage.button("Ask again")
        await stage.press("Continue")
        assert await stage.press_data(again, on=on) == "Decided already: Continue"
        await stage.clock.advance(5)
        assert stage.prompts() == ["do it", "continue"]
        assert await stage.unhandled() == []


async def test_two_presses_in_one_answer_are_one_choice() -> None:
    """A person who presses twice gets one turn."""
    async with interrupted() as stage:
        data, on = stage.button("Continue")
        for _ in range(2):
            stage.chat.press(data, on=on)
        updates = [stage.chat._waiting.pop()[0] for _ in range(2)]
        await stage.arrive(*updates)
        await stage.clock.advance(5)
        assert stage.prompts() == ["do it", "continue"]


@pytest.mark.parametrize(("decide", "answer"), [("asker", "Only the person"), ("allowed", "Ask")])
async def test_who_decides(decide: str, answer: str) -> None:
    """The person who asked, or everybody who is served."""
    access = access_policy(chat_id=1, allowed_user_ids=[1, 2])
    async with interrupted(access=access, decide=decide) as stage:
        assert (await stage.press("Ask again", person=2)).startswith(answer)
        await stage.clock.advance(5)
        assert len(stage.prompts()) == (2 if decide == "allowed" else 1)
        if decide == "asker":
            assert await stage.press("Ask again") == "Ask again"


async def test_an_offer_counts_in_its_own_chat_alone() -> None:
    """Button data can be forged."""
    access = access_policy(chat_id=1, allowed_chat_ids=[2])
    async with interrupted(access=access) as stage:
        data, on = stage.button("Continue")
        answer = await stage.press_data(data, on=on, chat=2)
        assert answer == "This button does nothing any more"
        assert stage.prompts() == ["do it"]


@pytest.mark.parametrize(
    "data",
    ["o:i-t1:", "o::continue", "o:i-t1:explode", "o:nobody:continue", "o:", "x", "pick:", ""],
)
async def test_what_is_no_offer_does_nothing(data: str) -> None:
    """Old buttons and made-up ones are answered, and marked."""
    async with interrupted() as stage:
        words = await stage.press_data(data)
        assert words in ("This button does nothing any more", "That turn has ended already")
        assert stage.prompts() == ["do it"]
        assert await stage.unhandled() == []


async def test_an_offer_without_its_turn_does_nothing() -> None:
    """The journal forgets old turns."""
    scope = Scope("memory", 1)
    async with staged() as stage:
        for offer_id, turn_id in (("i-old", "old"), ("i-new", "new")):
            offer = OfferRecord(offer_id=offer_id, kind="interrupted", scope=scope, turn_id=turn_id)
            await stage.store.commit([OfferPut(offer)])
        record = TurnRecord(turn_id="new", scope=scope, engine="codex", state="interrupted")
        await stage.store.commit([TurnPut(record)])
        assert await stage.press_data("o:i-old:again") == "This button does nothing any more"
        # There is no session that could go on.
        assert await stage.press_data("o:i-new:continue") == "This button does nothing any more"
        assert await stage.press_data("o:i-new:again") == "Ask again"


async def test_a_message_that_nobody_remembers_keeps_its_words() -> None:
    """Better buttons that are used up than words that are lost."""
    scope = Scope("memory", 1)
    async with staged() as stage:
        record = TurnRecord(
            turn_id="t", scope=scope, engine="codex", prompt="again", state="interrupted"
        )
        offer = OfferRecord(offer_id="i-t", kind="interrupted", scope=scope, turn_id="t")
        await stage.store.commit([TurnPut(record), OfferPut(offer)])
        await stage.press_data("o:i-t:again")
        await stage.clock.advance(5)
        assert stage.prompts() == ["again"]
        assert [call for call in stage.chat.calls if call.verb == "edit"] == []


async def test_a_press_that_the_journal_refuses_counts_as_soon_as_it_does_not() -> None:
    """Nothing happens before it is written down; then it happens once."""
    async with interrupted() as stage:
        stage.store.refuses = lambda changes: any(isinstance(c, OfferTaken) for c in changes)
        words = await stage.press("Continue")
        assert words == "takopi cannot write this down yet; it counts as soon as it can"
        await stage.clock.advance(30)
        assert stage.prompts() == ["do it"]
        assert len(await stage.unhandled()) == 1
        stage.store.refuses = lambda changes: False
        await stage.clock.advance(60)
        assert stage.prompts() == ["do it", "continue"]
        assert await stage.unhandled() == []


async def test_an_offer_that_closes_meanwhile_does_nothing() -> None:
    """The journal has the last word."""
    async with interrupted() as stage:
        closed = OfferClosed("decided")
        stage.store.refuses = lambda changes: (
            closed if any(isinstance(c, OfferTaken) for c in changes) else False
        )
        assert await stage.press("Continue") == "This button does nothing any more"
        assert stage.prompts() == ["do it"]
        assert await stage.unhandled() == []


async def test_a_decision_that_the_journal_refuses_leaves_the_prompt_waiting() -> None:
    """It is let go only by what is written down."""
    async with staged(backlog="ask") as stage:
        old = stage.chat.message("old", date=1.0)
        await stage.arrive(old)
        stage.store.refuses = lambda changes: True
        await stage.press("Answer")
        await stage.clock.advance(5)
        assert stage.prompts() == []
        stage.store.refuses = lambda changes: False
        await stage.clock.advance(60)
        assert stage.prompts() == ["old"]


async def test_a_press_that_breaks_takopi_is_told_and_marked() -> None:
    """It does not come again after the next start."""
    async with interrupted() as stage:

        async def broken(offer_id: str) -> None:
            raise TypeError("boom")

        stage.store.offer = broken  # type: ignore[method-assign]
        words = await stage.press("Continue")
        assert words == "takopi failed while handling a press (TypeError); its log says where"
        assert await stage.unhandled() == []


async def test_an_old_cancel_does_not_end_what_a_button_started() -> None:
    """It was sent before the button was there, and arrives after the press."""
    async with interrupted() as stage:
        stage.codex.scripts = [until_cancelled]
        await stage.press("Ask again")
        for old in stage.old:
            await stage.arrive(old)
            await stage.clock.advance(5)
        assert stage.codex.playing == 1
        await stage.arrive(stage.chat.message("/cancel"))
        await stage.clock.advance(5)
        assert stage.codex.playing == 0


def test_every_choice_has_a_name_and_is_read_back() -> None:
    """What a button sends leads to its offer and choice."""
    for kind, choices in CHOICES.items():
        (row,) = offer_buttons("a-1", kind)
        assert [button.label for button in row] == list(choices.values())
        assert [read_offer(button.data) for button in row] == [("a-1", c) for c in choices]
        assert [choice_label(kind, choice) for choice in choices] == list(choices.values())
    assert offer_buttons("a-1", "edited", without=["new"]) == ()
