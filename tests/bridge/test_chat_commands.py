"""What takopi itself answers in the chat."""

from collections.abc import AsyncIterator

import anyio
import pytest

from bridge.world import serving
from fakes.scripted_engine import ScriptedTurn, gated, until_cancelled
from takopi.core.missing_engines import UNKNOWN_VERSION
from takopi.model import TakopiEvent

pytestmark = pytest.mark.anyio


async def test_cancel_as_a_reply_to_the_progress_message_ends_the_turn() -> None:
    """The engine is interrupted, and the progress message becomes the cancelled final."""
    async with serving() as world:
        world.codex.default = until_cancelled
        world.chat.write("hello")
        await world.rest()
        progress = world.chat.find("codex")
        world.chat.write("/cancel", reply_to=progress.message_id)
        await world.rest()
        assert world.codex.turns[0].interrupts == 1
        assert world.codex.turns[0].closed == 1
        (final,) = world.chat.shown.values()
        assert final.message_id == progress.message_id
        assert final.text.startswith("■ cancelled · codex")
        assert "codex resume s1" in final.text


async def test_cancel_as_a_reply_to_the_prompt_ends_the_turn() -> None:
    """The person's own message names its turn too."""
    async with serving() as world:
        world.codex.default = until_cancelled
        prompt = world.chat.write("hello")
        world.chat.write("other")
        await world.rest()
        world.chat.write("/cancel", reply_to=prompt.message_id)
        await world.rest()
        assert [turn.interrupts for turn in world.codex.turns] == [1, 0]


async def test_cancel_without_a_reply_ends_the_only_running_turn() -> None:
    """With one turn there is nothing to choose."""
    async with serving() as world:
        world.codex.default = until_cancelled
        world.chat.write("hello")
        await world.rest()
        world.chat.write("/cancel")
        await world.rest()
        assert len(world.finals()) == 1
        assert world.codex.playing == 0


async def test_cancel_offers_a_choice_between_several_turns() -> None:
    """Several turns are listed with a button each, and the button cancels its turn."""
    async with serving() as world:
        world.codex.default = world.claude.default = until_cancelled
        world.chat.write("tidy the tests")
        world.chat.write("/claude " + "write docs " * 20)
        await world.clock.advance(61)
        world.chat.write("/cancel")
        await world.rest()
        choice = world.chat.find("Which one?")
        assert choice.message is not None
        labels = [row[0].label for row in choice.message.buttons]
        assert labels[0] == "codex · 1m 01s · tidy the tests"
        assert labels[1].startswith("claude · 1m 01s · write docs")
        assert labels[1].endswith("…")
        world.chat.press(choice.message.buttons[1][0].data)
        await world.rest()
        assert (world.codex.playing, world.claude.playing) == (1, 0)


async def test_status_says_of_a_cli_without_a_version_that_it_is_there() -> None:
    async with serving() as world:
        world.engines.versions["claude"] = UNKNOWN_VERSION
        world.chat.write("/status")
        await world.rest()
        assert world.chat.has("\nclaude is installed, but does not tell its version")


async def test_cancel_means_the_turns_of_this_place_only() -> None:
    """A topic's /cancel does not reach into another topic."""
    async with serving() as world:
        world.codex.default = until_cancelled
        world.chat.write("hello", thread=5)
        await world.rest()
        world.chat.write("/cancel", thread=6)
        await world.rest()
        assert world.chat.has("Nothing runs or waits here, so there is nothing to cancel.")
        assert world.codex.playing == 1


async def test_cancel_when_nothing_runs_says_so() -> None:
    """Cancelling is idempotent, and says what it finds."""
    async with serving() as world:
        world.chat.write("/cancel")
        prompt = world.chat.write("hello")
        await world.clock.advance(3)
        world.chat.write("/cancel", reply_to=prompt.message_id)
        await world.clock.advance(3)
        assert world.chat.has("Nothing runs or waits here")
        assert world.chat.has("That turn has ended already; there is nothing to cancel.")


async def test_cancel_as_a_reply_to_a_forgotten_message_touches_no_other_turn() -> None:
    """A message of ours that nobody remembers is not taken for the running turn."""
    from takopi.core.chat import RepliedTo

    async with serving() as world:
        world.codex.default = until_cancelled
        world.chat.write("hello")
        await world.rest()
        world.chat.write("/cancel", reply=RepliedTo(9, "old", from_this_bot=True))
        await world.rest()
        assert world.chat.has("That turn has ended already")
        assert world.codex.playing == 1


async def test_a_queued_turn_can_be_cancelled_and_never_starts() -> None:
    """Its message says cancelled, and the turns behind it move up."""
    gate = anyio.Event()
    async with serving() as world:
        world.codex.scripts = [gated(gate)]
        first = world.chat.write("one")
        await world.rest()
        second = world.chat.write("two", reply_to=first.message_id)
        world.chat.write("three", reply_to=first.message_id)
        await world.clock.advance(4)
        assert world.chat.has("queued · codex · 2 before it")
        world.chat.write("/cancel", reply_to=second.message_id)
        await world.clock.advance(8)
        assert [text for text in world.finals() if "cancelled" in text] == [
            "■ cancelled · codex · 0s\n\ncodex resume s1"
        ]
        assert world.chat.has("queued · codex · 1 before it")
        gate.set()
        await world.clock.advance(8)
        assert [turn.request.prompt for turn in world.codex.turns] == ["one", "three"]


async def test_a_queued_turn_that_is_cancelled_names_the_session_it_waited_for() -> None:
    """Also when that was not known yet when the turn was asked for."""
    known = anyio.Event()

    async def late(turn: ScriptedTurn) -> AsyncIterator[TakopiEvent]:
        await known.wait()
        yield turn.started()
        await turn.interrupted.wait()

    async with serving() as world:
        world.codex.scripts = [late]
        first = world.chat.write("one")
        second = world.chat.write("two", reply_to=first.message_id)
        await world.clock.advance(4)
        known.set()
        await world.clock.advance(4)
        world.chat.write("/cancel", reply_to=second.message_id)
        await world.clock.advance(4)
        assert world.finals() == ["■ cancelled · codex · 0s\n\ncodex resume s1"]


async def test_cancel_ends_a_waiting_turn_when_none_runs_here() -> None:
    """A turn that waits for the limit is the chat's only one."""
    gate = anyio.Event()
    async with serving(max_runs=1) as world:
        world.codex.scripts = [gated(gate)]
        world.chat.write("one", thread=5)
        world.chat.write("two")
        await world.rest()
        world.chat.write("/cancel")
        await world.rest()
        assert world.chat.has("■ cancelled")
        gate.set()
        await world.rest()
        assert len(world.codex.turns) == 1


async def test_cancel_all_empties_the_chat() -> None:
    """The waiting ones go first, so that none of them starts on the way."""
    async with serving(max_runs=1) as world:
        world.codex.default = until_cancelled
        for number in range(4):
            world.chat.write(f"p{number}")
        await world.rest()
        world.chat.write("/cancel all")
        await world.clock.advance(20)
        assert len(world.finals()) == 4
        assert len(world.codex.turns) == 1


async def test_cancel_with_other_words_explains_itself() -> None:
    """A word that /cancel does not take cancels nothing."""
    async with serving() as world:
        world.codex.default = until_cancelled
        world.chat.write("hello")
        await world.rest()
        world.chat.write("/cancel everything")
        await world.rest()
        assert world.chat.has(
            "/cancel takes nothing, or the word all as in /cancel all; not everything."
        )
        assert world.codex.playing == 1


async def test_the_cancel_button_is_answered_at_once_and_is_repeatable() -> None:
    """Each press is answered with what it meets."""
    async with serving() as world:
        gate = anyio.Event()

        async def slow(turn):
            yield turn.started()
            await turn.interrupted.wait()
            await gate.wait()
            yield turn.failure("cancelled", resume=turn.session)

        world.codex.scripts = [slow]
        world.chat.write("hello")
        await world.rest()
        presses = [world.chat.press("cancel:t1")]
        await world.rest()
        presses.append(world.chat.press("cancel:t1"))
        await world.rest()
        gate.set()
        await world.rest()
        presses.append(world.chat.press("cancel:t1"))
        presses.append(world.chat.press("other:t1"))
        await world.rest()
        words = [call.text for call in world.sent("answer")]
        said = ["Cancelling", "Still cancelling", "That turn has ended already"]
        said.append("This button does nothing any more")
        assert words == [f"{press}: {word}" for press, word in zip(presses, said, strict=True)]
        assert world.codex.turns[0].interrupts == 1


async def test_a_button_of_another_chat_cancels_nothing() -> None:
    """Button data counts in the chat of its turn only."""
    from takopi.core.access import access_policy

    access = access_policy(chat_id=1, allowed_chat_ids=[2])
    async with serving(access=access) as world:
        world.codex.default = until_cancelled
        world.chat.write("hello")
        await world.rest()
        world.chat.press("cancel:t1", chat=2)
        await world.rest()
        assert world.codex.playing == 1
        (answer,) = world.sent("answer")
        assert answer.text.endswith("That turn has ended already")


async def test_a_press_that_cannot_be_answered_still_counts() -> None:
    """The service may refuse the answer; the turn is cancelled all the same."""
    from takopi.errors import TransportError

    async with serving() as world:
        world.codex.default = until_cancelled
        world.chat.write("hello")
        await world.rest()
        world.chat.fault = lambda call: TransportError("old") if call.verb == "answer" else None
        world.chat.press("cancel:t1")
        await world.rest()
        assert world.codex.playing == 0


async def test_help_lists_commands_engines_and_examples() -> None:
    """/help and /start answer the same, in one silent message."""
    async with serving() as world:
        world.chat.write("/help")
        await world.rest()
        (text,) = world.chat.texts()
        for words in ("/cancel", "/status", "/codex (default)", "/claude", "//compact", "Reply"):
            assert words in text
        world.chat.write("/start")
        await world.rest()
        assert world.chat.texts() == [text, text]
        assert all(call.options and not call.options.notify for call in world.sent("send"))


async def test_status_says_what_runs_what_waits_and_versions() -> None:
    """/status lists the turns of this chat with their age and place."""
    async with serving() as world:
        world.codex.default = until_cancelled
        first = world.chat.write("tidy the tests")
        await world.rest()
        world.chat.write("then the docs", reply_to=first.message_id)
        await world.clock.advance(75)
        world.chat.write("/status")
        await world.clock.advance(3)
        text = world.chat.find("Versions").text
        assert text == (
            "Running\n1. codex · 1m 15s · 1 step · tidy the tests\n\n"
            "Waiting\n2. codex · 1 before it in this session · asked 1 min ago · then the docs\n\n"
            "Versions\ntakopi 9.9\ncodex 1.2.3\nclaude not installed"
        )
        shown = world.chat.find("Versions")
        assert shown.message is not None
        (first_row, refresh) = shown.message.buttons
        assert [button.label for button in first_row] == ["Cancel 1", "Cancel 2"]
        world.chat.press(first_row[1].data, on=shown.message_id)
        await world.clock.advance(3)
        assert "Waiting" not in world.chat.find("Versions").text
        gone = world.chat.press(first_row[1].data, on=shown.message_id)
        await world.clock.advance(7)
        assert any(c.text == f"{gone}: That turn has ended already" for c in world.sent("answer"))
        world.chat.press(refresh[0].data, on=shown.message_id)
        await world.clock.advance(10)
        text = world.chat.find("Versions").text
        assert "1. codex · 1m 28s · 1 step · tidy the tests\n\nVersions" in text


async def test_a_turn_that_is_cancelled_in_status_is_shown_until_it_ends() -> None:
    async with serving() as world:
        gate = anyio.Event()
        world.codex.default = gated(gate)  # it does not heed being interrupted
        world.chat.write("tidy the tests")
        await world.clock.advance(5)
        world.chat.write("/status")
        await world.clock.advance(3)
        shown = world.chat.find("Versions")
        assert shown.message is not None
        cancel = shown.message.buttons[0][0].data
        for _ in range(2):
            world.chat.press(cancel, on=shown.message_id)
            await world.clock.advance(2)
        assert "1. codex · cancelling" in world.chat.find("Versions").text
        gate.set()
        await world.clock.advance(5)
        assert "Nothing runs and nothing waits." in world.chat.find("Versions").text
        toasts = [(call.text or "").partition(": ")[2] for call in world.sent("answer")]
        assert toasts == ["Cancelling", "Still cancelling"]


async def test_status_does_not_wait_for_an_engine_that_hangs() -> None:
    """What runs is told all the same."""
    async with serving() as world:
        world.engines.hanging = anyio.Event()
        world.chat.write("/status")
        await world.clock.advance(11)
        assert world.chat.has("codex does not answer\nclaude does not answer")


async def test_status_when_nothing_runs() -> None:
    """An idle bot says so."""
    async with serving() as world:
        world.chat.write("/status")
        await world.rest()
        assert world.chat.has("Nothing runs and nothing waits.")


async def test_an_engine_that_cannot_tell_its_version_is_listed_all_the_same() -> None:
    """A version that cannot be asked for costs /status nothing else."""
    async with serving() as world:

        async def version(engine: str) -> str:
            raise RuntimeError("boom")

        world.engines.version = version  # type: ignore[method-assign]
        world.chat.write("/status")
        await world.rest()
        assert world.chat.has("codex cannot tell its version: takopi failed while asking for a")


async def test_hints_are_answers_and_nothing_is_sent_to_an_engine() -> None:
    """Unknown commands, lone directives, conflicts and empty messages start nothing."""
    async with serving() as world:
        done = world.chat.write("hello")
        await world.clock.advance(10)
        world.chat.write("/cancle")
        world.chat.write("/claude")
        world.chat.write("/claude go on", reply_to=done.message_id)
        world.chat.write("/claude /codex both")
        world.chat.write("")
        world.chat.write("/x@otherbot", addressed_to_other=True)
        world.chat.write("/zzzzqqq now")
        await world.clock.advance(20)
        assert len(world.codex.turns) + len(world.claude.turns) == 1
        for words in (
            "Nobody here knows /cancle, so nothing was sent. Did you mean /cancel?",
            "double the slash: //cancle",
            "Nobody here knows /zzzzqqq, so nothing was sent. /help lists what there is.",
            "/claude at the start of a message asks claude",
            "This session belongs to codex, and claude cannot continue it; nothing was sent.",
            "This names two engines, claude and codex; nothing was sent.",
            "There is no text in this message",
        ):
            assert world.chat.has(words), words
        assert len(world.chat.texts()) == 7
