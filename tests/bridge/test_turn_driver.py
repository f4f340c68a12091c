"""One turn, whatever its engine does."""

import anyio
import pytest

from bridge.world import serving
from fakes.scripted_engine import ScriptedTurn, until_cancelled
from takopi.bridge.turn_driver import CANCEL_GRACE_S, CLOSE_GRACE_S
from takopi.model import ResumeToken

pytestmark = pytest.mark.anyio


async def test_progress_shows_what_the_engine_does_and_keeps_moving() -> None:
    """Edits come when something changed, at least 3 s apart; else every 10 s for the age."""
    gate = anyio.Event()

    async def busy(turn: ScriptedTurn):
        yield turn.started()
        for number in range(5):
            yield turn.step(f"step-{number}", number)
        await gate.wait()
        yield turn.answer("ok")

    async with serving() as world:
        world.codex.scripts = [busy]
        world.chat.write("hello")
        await world.clock.advance(35)
        assert world.chat.has("working · codex · 33s · step 5")
        edits = [call.at - 1000.0 for call in world.sent("edit")]
        assert edits == [3.0, 13.0, 23.0, 33.0]
        gate.set()
        await world.rest()
        assert len(world.finals()) == 1


async def test_edits_are_skipped_when_a_person_would_see_no_difference() -> None:
    """An event that shows nothing new waits for the next heartbeat."""
    gate = anyio.Event()

    async def chatty(turn: ScriptedTurn):
        yield turn.started()
        yield turn.step("same")
        for _ in range(20):
            await world.clock.sleep_until(world.clock.now() + 1)
            yield turn.step("same")
        await gate.wait()
        yield turn.answer("ok")

    async with serving() as world:
        world.codex.scripts = [chatty]
        world.chat.write("hello")
        await world.clock.advance(14)
        assert [call.at - 1000.0 for call in world.sent("edit")] == [3.0, 13.0]


async def test_a_cancelled_turn_shows_that_it_is_being_cancelled() -> None:
    """Until the engine has ended, the progress message says cancelling."""
    gate = anyio.Event()

    async def slow(turn: ScriptedTurn):
        yield turn.started()
        await turn.interrupted.wait()
        await gate.wait()
        yield turn.failure("cancelled", resume=turn.session)

    async with serving() as world:
        world.codex.scripts = [slow]
        world.chat.write("hello")
        await world.clock.advance(1)
        world.chat.write("/cancel")
        await world.clock.advance(3)
        assert world.chat.has("cancelling · codex")
        gate.set()
        await world.rest()
        assert len(world.finals()) == 1


async def test_an_answer_that_came_before_the_cancellation_is_kept() -> None:
    """An engine that ends well while it is being cancelled is done, not cancelled."""

    async def in_time(turn: ScriptedTurn):
        yield turn.started()
        await turn.interrupted.wait()
        yield turn.answer("just made it")

    async with serving() as world:
        world.codex.scripts = [in_time]
        world.chat.write("hello")
        await world.rest()
        world.chat.write("/cancel")
        await world.rest()
        (final,) = world.finals()
        assert final.startswith("✓ done")
        assert "just made it" in final


async def test_an_engine_that_does_not_end_is_dropped() -> None:
    """After the grace the person is told, and the session is free once the run is let go."""

    async def deaf(turn: ScriptedTurn):
        yield turn.started()
        await anyio.sleep_forever()

    async with serving() as world:
        world.codex.scripts = [deaf]
        first = world.chat.write("hello")
        await world.rest()
        world.chat.write("/cancel")
        await world.clock.advance(CANCEL_GRACE_S - 1)
        assert world.finals() == []
        await world.clock.advance(2)
        (final,) = world.finals()
        assert "the engine did not end when it was told to" in final
        world.chat.write("again", reply_to=first.message_id)
        await world.clock.advance(5)
        assert world.codex.turns[1].request.resume == ResumeToken("codex", "s1")


async def test_an_interrupt_that_raises_or_hangs_does_not_stop_the_cancellation() -> None:
    """What a runner does wrong there is logged; the turn ends."""
    async with serving() as world:
        world.codex.default = until_cancelled

        def prepare(turn: ScriptedTurn) -> None:
            async def interrupt() -> None:
                turn.interrupted.set()
                raise RuntimeError("boom")

            turn.interrupt = interrupt  # type: ignore[method-assign]

        world.codex.prepare = prepare
        world.chat.write("hello")
        await world.rest()
        world.chat.write("/cancel")
        await world.rest()
        (final,) = world.finals()
        assert final.startswith("■ cancelled")


async def test_closing_that_hangs_frees_the_session_in_the_end() -> None:
    """The final is out at once, the next turn waits for the release but not for ever."""
    async with serving() as world:

        def prepare(turn: ScriptedTurn) -> None:
            turn.close_gate = anyio.Event() if turn.number == 1 else None

        world.codex.prepare = prepare
        first = world.chat.write("one")
        await world.rest()
        assert world.finals()
        world.chat.write("two", reply_to=first.message_id)
        await world.clock.advance(CLOSE_GRACE_S - 1)
        assert len(world.codex.turns) == 1
        await world.clock.advance(2)
        assert len(world.codex.turns) == 2


async def test_ended_background_processes_are_added_to_the_final() -> None:
    """What outlived the turn is named in its final by an edit."""
    async with serving() as world:

        def prepare(turn: ScriptedTurn) -> None:
            turn.background_at_close = ("npm run dev",)

        world.codex.prepare = prepare
        world.chat.write("hello")
        await world.clock.advance(3)
        (final,) = world.finals()
        assert "ended 1 background process: npm run dev" in final
        assert "answer to hello" in final
        assert len(world.sent("send")) == 2


async def test_ended_background_processes_are_told_apart_when_the_final_cannot_take_them() -> None:
    """A final that came as a file is followed by a line of its own."""

    async def endless(turn: ScriptedTurn):
        yield turn.started()
        yield turn.answer("line of the answer\n" * 3000)

    async with serving() as world:

        def prepare(turn: ScriptedTurn) -> None:
            turn.background_at_close = ("npm run dev", "sleep 9")

        world.codex.prepare = prepare
        world.codex.scripts = [endless]
        world.chat.write("hello")
        await world.clock.advance(9)
        note = world.chat.find("ended 2 background processes: npm run dev, sleep 9")
        world.chat.write("more", reply_to=note.message_id)
        await world.clock.advance(3)
        assert world.codex.turns[1].request.resume == ResumeToken("codex", "s1")


async def test_finals_keep_the_order_in_which_their_turns_ended() -> None:
    """A long answer, which takes longer to lay out, is not overtaken by a short one."""

    async def long(turn: ScriptedTurn):
        yield turn.started()
        yield turn.answer("the long one\n\n" + "word " * 4500)

    async with serving() as world:
        world.codex.scripts = [long]
        world.chat.feed(world.chat.message("one"), world.chat.message("two"))
        await world.clock.advance(60)
        texts = [call.text for call in world.sent("send") if "✓ done" in call.text]
        assert ["the long one" in text for text in texts] == [True, False]
