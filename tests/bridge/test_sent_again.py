"""What is written of a final and when: never without its letters, never an older state later."""

import anyio
import pytest

from bridge.outbox_desk import at, desk, text
from bridge.turn_stage import staged
from bridge.world import serving
from fakes.clock import settle
from fakes.scripted_engine import ScriptedTurn
from fakes.transport import Call
from takopi.bridge.answers import Answers
from takopi.bridge.cancelling import cancel_turns
from takopi.bridge.records import LetterPut, TurnPut, UpdateHandled
from takopi.core.letter_forms import REPEATED
from takopi.errors import TransportUnavailable

pytestmark = pytest.mark.anyio

UNHEARD = TransportUnavailable("no answer", maybe_accepted=True)


async def test_a_final_that_was_sent_again_says_so_for_ever() -> None:
    """What is added to it later leaves the line where it is."""
    unheard: list[Call] = []

    def once(call: Call) -> Exception | None:
        if "answer to hello" not in call.text or unheard:
            return None
        unheard.append(call)
        return UNHEARD

    async with serving() as world:

        def prepare(turn: ScriptedTurn) -> None:
            turn.background_at_close = ("npm run dev",)

        world.codex.prepare = prepare
        world.chat.unheard = once
        world.chat.write("hello")
        await world.clock.advance(30)
        first, second = (text for text in world.chat.texts() if "answer to hello" in text)
        assert REPEATED not in first
        assert second.startswith(REPEATED)
        assert "ended 1 background process: npm run dev" in second


async def test_a_line_that_has_no_room_any_more_gives_way() -> None:
    """A text of full length is put in place as it is."""
    async with desk() as d:
        d.chat.unheard = lambda call: None if d.chat.texts()[1:] else UNHEARD
        delivery = await d.final(text("short"))
        await d.clock.advance(10)
        (ref,) = delivery.refs
        assert ref is not None
        assert d.chat.texts()[-1].startswith(REPEATED)
        await d.outbox.correct(at(), ref, text("longer"))
        await d.clock.advance(10)
        assert d.chat.texts()[-1] == f"{REPEATED}\nlonger"
        await d.outbox.correct(at(), ref, text("x" * 4096))
        await d.clock.advance(10)
        assert d.chat.texts()[-1] == "x" * 4096


async def test_a_decided_final_is_written_down_with_its_letters_only() -> None:
    """A wish that is written down in between does not tell of it: a crash would lose the final."""
    async with staged() as stage:
        turn_id = await stage.submit("hello")
        turn = stage.scheduler.turn(turn_id)
        assert turn is not None
        stage.processes.last.started()
        await stage.clock.advance(1)
        answers = Answers(stage.store, stage.outbox)  # type: ignore[arg-type]
        async with anyio.create_task_group() as group, turn.writing:
            group.start_soon(cancel_turns, stage.scheduler, answers, [turn], UpdateHandled(7))
            await settle()
            assert turn.way.concluded, "the engine ended while the wish waits to be written down"
        await stage.clock.advance(10)
        assert stage.states(turn_id) == ["starting", "running", "delivering", "cancelled"]
        marked = next(changes for changes in stage.store.commits if UpdateHandled(7) in changes)
        wishes = [put.turn for put in marked if isinstance(put, TurnPut)]
        assert [(wish.state, wish.cancelled) for wish in wishes] == [("running", True)]
        for changes in stage.store.commits:
            if any(isinstance(c, TurnPut) and c.turn.state == "delivering" for c in changes):
                assert any(isinstance(c, LetterPut) for c in changes)


async def test_a_wish_that_is_written_after_the_final_changes_nothing() -> None:
    """Only its mark is written down."""
    async with staged() as stage:
        turn_id = await stage.submit("hello")
        turn = stage.scheduler.turn(turn_id)
        assert turn is not None
        stage.processes.last.started()
        stage.processes.last.answer("yes")
        await settle()
        answers = Answers(stage.store, stage.outbox)  # type: ignore[arg-type]
        await cancel_turns(stage.scheduler, answers, [turn], UpdateHandled(7))
        assert (UpdateHandled(7),) == tuple(stage.store.commits[-1])
        await stage.clock.advance(10)
        assert (await stage.state(turn_id)).state == "done"
