"""One turn, whatever its engine does."""

from collections.abc import Callable, Sequence

import anyio
import msgspec
import pytest

from bridge.turn_stage import staged
from bridge.world import serving
from fakes.scripted_engine import ScriptedTurn, until_cancelled
from takopi.bridge.records import Change, LetterPut, TurnPut, TurnRecord
from takopi.bridge.turn_driver import CANCEL_GRACE_S, CLOSE_GRACE_S
from takopi.errors import StoreError, StoreFull
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


async def test_every_step_of_a_turn_is_written_down() -> None:
    """In its order, with what is known by then."""
    async with staged() as stage:
        turn_id = await stage.submit("hello")
        record = await stage.state(turn_id)
        assert (record.state, record.run_id, record.cwd) == ("starting", "run-1", "/projects")
        assert record.started_at == stage.clock.wall()
        stage.processes.last.started()
        await stage.clock.advance(5)
        record = await stage.state(turn_id)
        assert (record.state, record.session) == ("running", ResumeToken("codex", "s1"))
        stage.processes.last.answer()
        await stage.clock.advance(5)
        record = await stage.state(turn_id)
        assert (record.state, record.outcome) == ("done", "done")
        assert record.ended_at == stage.clock.wall() - 5
        assert stage.states(turn_id) == ["starting", "running", "delivering", "done"]


async def test_the_start_is_written_down_before_anything_is_started() -> None:
    """With the name of the run directory, so that it is known in every case what was started."""
    seen: list[list[str]] = []
    async with staged() as stage:
        stage.processes.prepare = lambda process: seen.append(stage.states("t1"))
        await stage.submit("hello")
        request = stage.processes.last.request
        assert seen == [["starting"]]
        assert request.run_id == "run-1"


async def test_the_final_and_the_outcome_are_written_down_together() -> None:
    """One transaction decides and posts."""
    async with staged() as stage:
        turn_id = await stage.submit("hello")
        stage.processes.last.answer()
        await stage.clock.advance(5)
        (together,) = [
            changes
            for changes in stage.store.commits
            if any(isinstance(c, TurnPut) and c.turn.state == "delivering" for c in changes)
        ]
        letters = [change.letter for change in together if isinstance(change, LetterPut)]
        assert [letter.turn_id for letter in letters] == [turn_id]


async def test_a_lost_journal_can_be_made_again_from_the_run() -> None:
    """The whole turn stands in the facts of the run."""
    async with staged() as stage:
        turn_id = await stage.submit("hello", asked=ResumeToken("codex", "old"))
        found = stage.processes.last.request.record["turn_record"]
        wire = msgspec.json.decode(msgspec.json.encode(found))
        record = msgspec.convert(wire, TurnRecord)
        written = await stage.state(turn_id)
        names = {"progress_id": written.progress_id, "seq": written.seq}
        assert msgspec.structs.replace(record, **names) == written


def refusing(error: Exception, *states: str) -> Callable[[Sequence[Change]], Exception | None]:
    """Let the journal refuse to write down that a turn is in one of some states."""

    def fault(changes: Sequence[Change]) -> Exception | None:
        puts = [change.turn.state for change in changes if isinstance(change, TurnPut)]
        return error if any(state in states for state in puts) else None

    return fault


@pytest.mark.parametrize(
    "error", [StoreFull("the disk is full; free some space"), StoreError("it broke; mend it")]
)
async def test_nothing_is_started_that_could_not_be_written_down(error: StoreError) -> None:
    """The turn fails with what to do, and its session goes on."""
    async with staged() as stage:
        stage.store.fault = refusing(error, "starting")
        session = ResumeToken("codex", "old")
        turn_id = await stage.submit("hello", asked=session)
        assert stage.processes.all() == []
        (final,) = stage.finals()
        assert final.startswith("✗ error")
        assert f"nothing was started, because it could not be written down: {error}" in final
        assert "then send the prompt again" in final
        assert (await stage.state(turn_id)).state == "failed"
        stage.store.fault = None
        await stage.submit("hello", asked=session)
        assert len(stage.processes.all()) == 1


async def test_a_journal_that_refuses_later_stops_no_turn() -> None:
    """The answer comes, from memory if need be."""
    async with staged() as stage:
        stage.store.fault = refusing(StoreFull("full"), "running", "delivering", "done")
        turn_id = await stage.submit("hello")
        stage.processes.last.started()
        stage.processes.last.answer()
        await stage.clock.advance(5)
        assert stage.finals()[0].startswith("✓ done")
        assert stage.scheduler.turn(turn_id) is None


async def test_a_journal_that_breaks_is_no_reason_to_stop() -> None:
    """An error that is no refusal is a mistake of ours, and costs no more."""
    async with staged() as stage:
        stage.store.fault = refusing(RuntimeError("boom"), "running", "done")
        await stage.submit("hello")
        stage.processes.last.started()
        stage.processes.last.answer()
        await stage.clock.advance(5)
        assert stage.finals()[0].startswith("✓ done")


async def test_a_turn_that_is_cancelled_while_it_starts_is_not_started() -> None:
    """Whoever cancels in the last moment is heard."""
    async with staged() as stage:

        def cancel(changes: Sequence[Change]) -> None:
            stage.scheduler.cancel("t1")

        stage.store.fault = cancel
        await stage.submit("hello")
        assert stage.processes.all() == []
        assert stage.finals()[0].startswith("■ cancelled")


async def test_a_mistake_of_ours_costs_one_turn_and_is_told() -> None:
    """What fails outside of the engine, too, ends in a final."""
    async with staged() as stage:
        turn_id = await stage.submit("hello")
        stage.processes.last.started()
        stage.processes.last.deaf = True
        await stage.clock.advance(5)
        good = stage.clock.sleep_until

        async def sleep_until(deadline: float) -> None:
            stage.clock.sleep_until = good  # type: ignore[method-assign]
            raise LookupError("boom")

        stage.clock.sleep_until = sleep_until  # type: ignore[method-assign]
        stage.scheduler.cancel(turn_id)
        await stage.clock.advance(5)
        (final,) = stage.finals()
        assert "takopi failed while running the turn (" in final
        assert stage.scheduler.turn(turn_id) is None


@pytest.mark.parametrize("what", ["lost", "output_bytes", "ended_background"])
async def test_what_a_plug_in_does_not_know_of_its_turn_costs_nothing(what: str) -> None:
    """A turn that raises when it is asked about itself ends all the same."""

    async def failing(turn: ScriptedTurn):
        yield turn.started()
        yield turn.failure("it broke")

    class Odd(ScriptedTurn):
        """Raise when somebody looks."""

        def __getattribute__(self, name: str) -> object:
            if name == what:
                raise LookupError("boom")
            return super().__getattribute__(name)

    async with serving() as world:
        world.codex.scripts = [failing]
        world.codex.prepare = lambda turn: setattr(turn, "__class__", Odd)
        world.chat.write("hello")
        await world.clock.advance(20)
        (final,) = world.finals()
        assert "it broke" in final
