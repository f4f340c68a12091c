"""How updates end: with an effect and a mark in one transaction, or waiting for the journal."""

from collections.abc import Sequence
from itertools import pairwise

import anyio
import pytest

from bridge.dispatch_stage import Stage, staged
from fakes.scripted_engine import gated, until_cancelled
from takopi.bridge.records import Change, TurnPut, UpdateHandled

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]


def prompts_only(changes: Sequence[Change]) -> bool:
    """Refuse what would start something."""
    return any(isinstance(change, TurnPut) and change.turn.state == "queued" for change in changes)


# Poison.


async def test_an_update_that_breaks_takopi_is_told_and_does_not_come_again() -> None:
    """Its neighbours are served as if it were not there."""
    stage = Stage()
    async with stage.on():

        async def broken(chat_id: int, message_id: int) -> None:
            raise TypeError("boom")

        stage.store.turn_of_message = broken  # type: ignore[method-assign]
        poison = stage.chat.message("hello", reply_to=3), stage.edit(stage.chat.message("x"), "y")
        await stage.arrive(stage.chat.message("before"), *poison, stage.chat.message("after"))
        await stage.clock.advance(5)
        assert stage.prompts() == ["before", "after"]
        told = "takopi failed while handling a message (TypeError); its log says where"
        assert stage.answers() == [told, told]
        assert await stage.unhandled() == []
    async with stage.on():
        assert len(stage.answers()) == 2


async def test_what_breaks_behind_the_journal_is_told_and_marked() -> None:
    """A scheduler that fails costs that turn alone."""
    async with staged() as stage:
        good = stage.scheduler.submit

        def broken(record: object) -> None:
            raise RuntimeError("boom")

        stage.scheduler.submit = broken  # type: ignore[method-assign]
        await stage.arrive(stage.chat.message("one"))
        stage.scheduler.submit = good  # type: ignore[method-assign]
        await stage.arrive(stage.chat.message("two"))
        assert stage.chat.has("takopi failed while handling a message (RuntimeError)")
        assert stage.prompts() == ["two"]
        assert await stage.unhandled() == []


async def test_an_error_that_cannot_be_told_is_marked_all_the_same() -> None:
    """Else it would come again with every start."""
    async with staged() as stage:

        async def broken(*args: object, **more: object) -> None:
            raise RuntimeError("boom")

        stage.outbox.say = broken  # type: ignore[method-assign,assignment]
        await stage.arrive(stage.chat.message("/help"))
        assert await stage.unhandled() == []
        assert stage.chat.calls == []


# A journal that refuses.


async def test_a_refused_prompt_is_told_once_and_starts_when_the_journal_takes_it() -> None:
    """It is neither lost nor run twice; the pauses between the tries grow."""
    async with staged() as stage:
        tries: list[float] = []

        def refuses(changes: Sequence[Change]) -> bool:
            if prompts_only(changes):
                tries.append(stage.clock.now())
            return prompts_only(changes)

        stage.store.refuses = refuses
        await stage.arrive(stage.chat.message("one"))
        await stage.clock.advance(200)
        assert stage.prompts() == []
        assert stage.answers() == [
            "Not started yet: takopi cannot write it down (the disk is full). It tries again by "
            "itself."
        ]
        assert [later - now for now, later in pairwise(tries)] == [
            1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0,
        ]  # fmt: skip
        stage.store.refuses = lambda changes: False
        await stage.clock.advance(60)
        assert stage.prompts() == ["one"]
        assert await stage.unhandled() == []
        await stage.clock.advance(300)
        assert stage.prompts() == ["one"]


async def test_prompts_keep_their_order_behind_a_refused_one() -> None:
    """Those of the same answer and of later ones; a turn that waits gets its forward in the end."""
    gate = anyio.Event()
    async with staged(max_runs=1) as stage:
        stage.codex.scripts = [gated(gate)]
        await stage.arrive(stage.chat.message("runs"))
        await stage.arrive(stage.chat.message("waits"))
        refused = 1

        def refuses(changes: Sequence[Change]) -> bool:
            nonlocal refused
            refused -= prompts_only(changes)
            return prompts_only(changes) and refused >= 0

        stage.store.refuses = refuses
        await stage.arrive(stage.chat.message("theirs", forwarded=True), stage.chat.message("two"))
        assert [turn.prompt for turn in stage.scheduler.turns()] == ["runs", "waits"]
        await stage.arrive(stage.chat.message("three"))
        gate.set()
        await stage.clock.advance(30)
        assert stage.prompts() == ["runs", "waits\n\ntheirs", "two", "three"]
        assert await stage.unhandled() == []


async def test_a_waiting_turn_starts_although_its_forward_was_refused() -> None:
    """Then the forward is a prompt of its own, as it is when it comes late."""
    gate = anyio.Event()
    async with staged(max_runs=1) as stage:
        stage.codex.scripts = [gated(gate)]
        await stage.arrive(stage.chat.message("runs"))
        await stage.arrive(stage.chat.message("waits"))
        stage.store.refuses = prompts_only
        await stage.arrive(stage.chat.message("theirs", forwarded=True))
        stage.store.refuses = lambda changes: any(
            isinstance(change, UpdateHandled) for change in changes
        )
        gate.set()
        await stage.clock.advance(1.5)
        stage.store.refuses = lambda changes: False
        await stage.clock.advance(30)
        assert stage.prompts() == ["runs", "waits", "theirs"]


async def test_a_journal_that_cannot_be_read_is_waited_for() -> None:
    """A reply must not start a session of its own because nobody could look it up."""
    async with staged() as stage:
        first = stage.chat.message("/claude one")
        await stage.arrive(first)
        await stage.clock.advance(5)
        stage.store.blind = True
        await stage.arrive(
            stage.chat.message("two", reply_to=first.message_id), stage.edit(first, "uno")
        )
        await stage.clock.advance(5)
        assert stage.prompts() == ["one"]
        assert stage.chat.has("Not started yet: takopi cannot write it down (the disk does not")
        stage.store.blind = False
        await stage.clock.advance(60)
        assert stage.prompts() == ["one", "two"]
        assert stage.claude.turns[1].request.resume is not None
        assert stage.chat.has("had started before it was edited")


async def test_a_refused_prompt_is_there_after_a_start() -> None:
    """The update stands unhandled in the journal."""
    stage = Stage()
    async with stage.on():
        stage.store.refuses = prompts_only
        await stage.arrive(stage.chat.message("one"))
    stage.store.refuses = lambda changes: False
    async with stage.on():
        assert stage.prompts() == ["one"]
        assert await stage.unhandled() == []


async def test_cancel_works_while_the_journal_refuses_and_ends_nothing_later() -> None:
    """Its mark is owed and made up for, so that it does not act again after a start."""
    stage = Stage(max_runs=1)
    stage.codex.default = until_cancelled
    async with stage.on():
        await stage.arrive(stage.chat.message("runs"), stage.chat.message("waits"))
        stage.store.refuses = lambda changes: any(
            isinstance(change, UpdateHandled) for change in changes
        )
        await stage.arrive(stage.chat.message("/cancel"))
        await stage.clock.advance(5)
        assert stage.prompts() == ["runs", "waits"]
        assert len(await stage.unhandled()) == 1
        stage.store.refuses = lambda changes: False
        await stage.arrive(stage.edit(stage.chat.message("unknown"), "x"))
        assert await stage.unhandled() == []


@pytest.mark.parametrize("command", ["/cancel", "/cancel all"])
async def test_cancel_means_also_what_waits_for_the_journal(command: str) -> None:
    """What was sent before it, in the same place; it is not started when the journal takes it."""
    stage = Stage()
    async with stage.on():
        stage.store.refuses = lambda changes: any(
            isinstance(change, UpdateHandled) for change in changes
        )
        elsewhere = stage.chat.message("elsewhere", thread=5)
        before, cancel = stage.chat.message("before"), stage.chat.message(command)
        await stage.arrive(before, elsewhere)
        await stage.arrive(stage.chat.message("after"))
        await stage.arrive(cancel)
        await stage.clock.advance(5)
        dropped = stage.chat.find("dropped: cancelled before it was started.")
        assert dropped.options is not None
        assert dropped.options.reply_to is not None
        assert dropped.options.reply_to.message_id == before.message_id
        assert stage.prompts() == []
        stage.store.refuses = lambda changes: False
        await stage.clock.advance(60)
        assert stage.prompts() == ["elsewhere", "after"]
        left = [update for update in await stage.unhandled() if update != cancel]
        assert left == []


async def test_cancel_ends_a_turn_before_what_waits_for_the_journal() -> None:
    """One at a time, unless all are meant."""
    async with staged() as stage:
        stage.codex.default = until_cancelled
        await stage.arrive(stage.chat.message("runs"))
        stage.store.refuses = prompts_only
        await stage.arrive(stage.chat.message("waits"))
        await stage.arrive(stage.chat.message("/cancel"))
        stage.store.refuses = lambda changes: False
        await stage.clock.advance(60)
        assert stage.prompts() == ["runs", "waits"]
        assert stage.codex.playing == 1
        stage.store.refuses = prompts_only
        await stage.arrive(stage.chat.message("waits more"))
        await stage.arrive(stage.chat.message("/cancel all"))
        stage.store.refuses = lambda changes: False
        await stage.clock.advance(60)
        assert stage.prompts() == ["runs", "waits"]
        assert stage.codex.playing == 0


async def test_marks_that_are_owed_are_made_up_for_by_themselves() -> None:
    """Nobody has to write another message for that."""
    async with staged() as stage:
        stage.codex.default = until_cancelled
        await stage.arrive(stage.chat.message("runs"))
        stage.store.refuses = lambda changes: any(
            isinstance(change, UpdateHandled) for change in changes
        )
        await stage.arrive(stage.chat.message("/cancel"))
        stage.store.refuses = lambda changes: False
        await stage.clock.advance(30)
        assert await stage.unhandled() == []


async def test_nothing_is_handled_after_the_end() -> None:
    """What is left belongs to the next takopi."""
    async with staged() as stage:
        stage.dispatcher.close()
        await stage.arrive(stage.chat.message("one"))
        assert stage.prompts() == []
        assert len(await stage.unhandled()) == 1


# Cancelling.


async def test_a_wish_to_cancel_and_its_mark_are_one_transaction() -> None:
    """After a crash between the two the same command would end the next turn."""
    async with staged() as stage:
        stage.codex.default = until_cancelled
        await stage.arrive(stage.chat.message("one"))
        stage.store.commits.clear()
        await stage.arrive(stage.chat.message("/cancel"))
        put, mark = stage.store.commits[0]
        assert isinstance(put, TurnPut)
        assert put.turn.cancelled
        assert isinstance(mark, UpdateHandled)


async def test_an_old_cancel_stops_nothing_new() -> None:
    """Ids of messages tell what was sent first, whatever came first."""
    async with staged() as stage:
        stage.codex.default = until_cancelled
        old = [stage.chat.message(text) for text in ("/cancel", "/cancel all")]
        new = stage.chat.message("new")
        old.append(stage.chat.message("/cancel", reply_to=new.message_id))
        await stage.arrive(new)
        for command in old[:2]:
            await stage.arrive(command)
        await stage.clock.advance(5)
        assert stage.codex.playing == 1
        assert stage.chat.has("Nothing runs or waits here, so there is nothing to cancel.")
        await stage.arrive(old[2])
        await stage.clock.advance(5)
        assert stage.codex.playing == 0


async def test_cancel_lets_the_queue_go_on_and_cancel_all_empties_it() -> None:
    """One turn ends, or all that were sent before."""
    async with staged(max_runs=1) as stage:
        stage.codex.default = until_cancelled
        await stage.arrive(*(stage.chat.message(f"p{number}") for number in range(4)))
        await stage.arrive(stage.chat.message("/cancel"))
        await stage.clock.advance(5)
        assert stage.prompts() == ["p0", "p1"]
        command, later = stage.chat.message("/cancel all"), stage.chat.message("later")
        await stage.arrive(later)
        await stage.arrive(command)
        await stage.clock.advance(20)
        assert stage.prompts() == ["p0", "p1", "later"]


async def test_a_choice_loses_its_buttons_when_one_is_pressed() -> None:
    """It says what was picked, and then how that ended; also when it is pressed again."""
    async with staged() as stage:
        stage.codex.default = until_cancelled
        await stage.arrive(stage.chat.message("one"), stage.chat.message("two"))
        await stage.arrive(stage.chat.message("/cancel"))
        await stage.clock.advance(5)
        choice = stage.chat.find("Which one?")
        assert choice.message is not None
        (first,), _ = choice.message.buttons
        gate = stage.codex.turns[0].close_gate = anyio.Event()
        assert await stage.press_data(first.data, on=choice.message_id) == "Cancelling"
        await stage.clock.advance(2)
        assert choice.text == "To be cancelled: codex · one"
        assert choice.message.buttons == ()
        gate.set()
        await stage.clock.advance(5)
        assert choice.text == "Cancelled: codex · one"
        assert stage.codex.playing == 1
        for data, text in ((first.data, "Cancelled: codex · one"), ("pick:t99", "That turn has")):
            again = await stage.press_data(data, on=choice.message_id)
            assert again == "That turn has ended already"
            await stage.clock.advance(5)
            assert choice.text.startswith(text)
        assert await stage.unhandled() == []
