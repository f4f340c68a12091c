"""How the bridge stops."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from bridge.turn_stage import Stage, living, staged
from bridge.world import World
from fakes.clock import settle
from fakes.scripted_engine import ScriptedRunner, ScriptedTurn, prompt_answer, until_cancelled
from takopi.bridge.records import Change, TurnPut, UpdateHandled
from takopi.core.chat import ChatMessage
from takopi.errors import FloodLimited
from takopi.model import ResumeToken

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def stoppable(**options: Any) -> AsyncIterator[tuple[World, anyio.Event]]:
    """Run a bridge that a test stops; the event tells that `run` has returned."""
    world, stopped = World(options=options), anyio.Event()

    async def run() -> None:
        await world.bridge.run()
        stopped.set()

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        await settle()
        yield world, stopped
        group.cancel_scope.cancel()


async def stubborn(turn: ScriptedTurn):
    """Never end, whatever is asked."""
    yield turn.started()
    await anyio.sleep_forever()


async def test_stop_cancels_what_runs_and_waits_and_tells() -> None:
    """Each message says why; no waiting turn is started on the way; no new update is taken."""
    async with stoppable(max_runs=1) as (world, stopped):
        world.codex.default = until_cancelled
        world.chat.write("one")
        world.chat.write("two")
        await settle()
        world.bridge.stop()
        await settle()
        world.chat.write("three")
        await world.clock.until(stopped.is_set, within_s=10)
        assert len(world.codex.turns) == 1
        assert world.codex.turns[0].closed == 1
        texts = world.chat.texts()
        assert len(texts) == 2
        for text in texts:
            assert text.startswith("■ cancelled · codex")
            assert "takopi is stopping" in text


async def test_an_idle_bridge_stops_at_once() -> None:
    """Nothing has to be waited for."""
    async with stoppable() as (world, stopped):
        world.bridge.stop()
        await settle()
        assert stopped.is_set()


async def test_a_stubborn_engine_does_not_keep_the_bot_from_telling() -> None:
    """After six of ten seconds its final is out and its run is being let go."""
    async with stoppable() as (world, stopped):
        world.codex.default = stubborn
        world.chat.write("one")
        await settle()
        world.bridge.stop()
        await world.clock.until(stopped.is_set, within_s=10)
        assert world.chat.find("takopi is stopping").text.startswith("■ cancelled")
        assert world.codex.turns[0].closed == 1


async def test_a_blocked_chat_does_not_keep_the_bot_beyond_its_time() -> None:
    """What the service does not take in time is left; leaving may need the rest of ten seconds."""
    async with stoppable() as (world, stopped):
        world.codex.default = until_cancelled
        world.chat.write("one")
        await settle()
        world.chat.fault = lambda call: FloodLimited(300) if call.verb != "menu" else None
        start = world.clock.now()
        world.bridge.stop()
        await world.clock.until(stopped.is_set, within_s=10)
        assert world.clock.now() - start == pytest.approx(8.5)


async def test_a_second_stop_is_immediate() -> None:
    """Nothing is waited for, and no time passes."""
    async with stoppable() as (world, stopped):
        world.codex.default = stubborn
        world.chat.write("one")
        await settle()
        start = world.clock.now()
        world.bridge.stop()
        await settle()
        assert not stopped.is_set()
        world.bridge.stop()
        await settle()
        assert stopped.is_set()
        assert world.clock.now() == start
        assert world.codex.turns[0].closed == 1


async def test_what_a_second_stop_comes_in_between_is_answered_once() -> None:
    """It is written down, and goes out after the next start; nothing says that it failed."""
    async with stoppable() as (world, stopped):
        take, may = world.store.commit, anyio.Event()

        async def slow(changes: Sequence[Change]) -> None:
            if any(isinstance(change, UpdateHandled) for change in changes):
                await may.wait()
            await take(changes)

        world.store.commit = slow  # type: ignore[method-assign]
        world.chat.write("/usage")
        await settle()
        world.bridge.stop()
        world.bridge.stop()
        await settle()
        may.set()
        await world.clock.until(stopped.is_set, within_s=10)
        (letter,) = (await world.store.load()).letters
        assert isinstance(letter.body, ChatMessage)
        assert "failed" not in letter.body.body.text


async def test_stop_while_the_last_answers_are_waited_for() -> None:
    """The end of the updates does not make the bot deaf to stop."""
    async with stoppable() as (world, stopped):
        world.codex.default = until_cancelled
        world.chat.write("one")
        world.chat.end()
        await settle()
        assert not stopped.is_set()
        world.bridge.stop()
        await world.clock.until(stopped.is_set, within_s=10)
        assert world.chat.has("takopi is stopping")


async def test_a_batch_that_was_begun_is_finished() -> None:
    """Every update of it has its effect, the next batch has none."""
    async with stoppable() as (world, stopped):
        world.codex.default = prompt_answer
        world.chat.feed(*(world.chat.message(f"p{number}") for number in range(3)))
        await settle()
        world.bridge.stop()
        await world.clock.until(stopped.is_set, within_s=10)
        assert len(world.codex.turns) == 3
        assert len(world.finals()) == 3


AWAY = "takopi is away; the run goes on without it, and the answer comes when takopi is back"


async def leave(stage: Stage, within_s: float = 8.0) -> float:
    """Let the scheduler leave in order; returns how long that took."""
    start = stage.clock.now()
    async with anyio.create_task_group() as group:
        group.start_soon(stage.scheduler.detach, start + within_s)
        group.start_soon(stage.scheduler.wait_idle)
        await stage.clock.advance(within_s)
        end = stage.clock.now()
    return end - start


async def test_engines_go_on_when_takopi_goes() -> None:
    """Nothing is ended, nothing is concluded, the chat is told, and the next takopi delivers."""
    stage = Stage()
    async with living(stage):
        turn_id = await stage.submit("hello")
        process = stage.processes.last
        process.started()
        await stage.clock.advance(5)
        await leave(stage)
        assert stage.scheduler.turns() == []
        assert stage.chat.texts()[0].startswith("working · codex")
        assert stage.chat.has(AWAY)
        assert stage.finals() == []
        assert (await stage.state(turn_id)).state == "running"
        assert process.alive
        assert process.cancels == 0
    process.answer()
    async with living(stage):
        await stage.clock.advance(5)
        assert stage.finals()[0].startswith("✓ done")
        assert len(stage.chat.texts()) == 1


async def test_what_waits_stays_in_the_journal_and_starts_later() -> None:
    """Also what is submitted while takopi goes."""
    stage = Stage(max_runs=1)
    async with living(stage):
        await stage.submit("one")
        await stage.submit("two")
        await stage.submit("three", held_until=stage.clock.wall() + 2)
        await leave(stage)
        assert stage.chat.has("takopi is away; this starts when takopi is back")
        await stage.submit("four")
        assert stage.scheduler.turns() == []
        assert len(stage.processes.all()) == 1
    async with living(stage):
        for _ in range(4):
            stage.processes.last.answer()
            await stage.clock.advance(9)
        prompts = [process.request.prompt for process in stage.processes.all()]
        assert prompts == ["one", "two", "three", "four"]
        assert len(stage.finals()) == 4


async def test_an_engine_that_cannot_go_on_alone_is_ended_and_told() -> None:
    """Without a run directory the next takopi could not find it."""
    stage = Stage()
    runner = ScriptedRunner("codex", until_cancelled)
    stage.make_runner = lambda *_: runner
    stage.engines = ("codex",)
    async with living(stage):
        turn_id = await stage.submit("hello")
        await leave(stage)
        (final,) = stage.finals()
        assert final.startswith("■ cancelled")
        assert "takopi is stopping, and this turn cannot go on without it" in final
        assert (await stage.state(turn_id)).state == "cancelled"
        assert runner.turns[0].closed == 1


async def test_an_engine_that_is_just_starting_has_a_moment_for_its_run_directory() -> None:
    """It is left as soon as it can be, and ended when it never can."""
    stage = Stage()
    ready = anyio.Event()
    turns: list[ScriptedTurn] = []

    async def slow(turn: ScriptedTurn):
        turns.append(turn)
        await turn.interrupted.wait()
        yield turn.failure("cancelled")

    runner = ScriptedRunner("codex", slow)

    def prepare(turn: ScriptedTurn) -> None:
        if turn.number == 1:
            turn.detach = ready.is_set  # type: ignore[method-assign]

    runner.prepare = prepare
    stage.make_runner = lambda *_: runner
    stage.engines = ("codex",)
    async with living(stage):
        first = await stage.submit("hello")
        second = await stage.submit("again")
        async with anyio.create_task_group() as group:
            group.start_soon(stage.scheduler.detach, stage.clock.now() + 8)
            await stage.clock.advance(1)
            ready.set()
            await stage.clock.advance(8)
        assert (await stage.state(first)).state == "starting"
        assert (await stage.state(second)).state == "cancelled"
        assert [turn.interrupts for turn in turns] == [0, 1]


async def test_a_turn_that_is_being_cancelled_is_not_left() -> None:
    """Somebody wants its end; the wish is carried out before takopi goes."""
    async with staged() as stage:
        turn_id = await stage.submit("hello")
        process = stage.processes.last
        process.started()
        process.deaf = True
        await settle()
        stage.scheduler.cancel(turn_id)
        async with anyio.create_task_group() as group:
            group.start_soon(stage.scheduler.detach, stage.clock.now() + 4)
            await stage.clock.advance(4)
            stage.scheduler.drop_stubborn()
            await settle()
        assert stage.finals()[0].startswith("■ cancelled")
        assert process.cancels > 0


async def test_a_turn_that_was_taken_up_can_be_left_again() -> None:
    """However often takopi is started anew, the engine works on."""
    stage = Stage()
    async with living(stage):
        await stage.submit("hello")
        stage.processes.last.started()
        await settle()
        await leave(stage)
    for _ in range(3):
        async with living(stage):
            await stage.clock.advance(20)
            await leave(stage)
    process = stage.processes.last
    assert process.cancels == 0
    process.answer()
    async with living(stage):
        await stage.clock.advance(5)
        assert len(stage.finals()) == 1
        assert len(stage.chat.texts()) == 1


async def test_a_chat_that_does_not_answer_keeps_nobody() -> None:
    """The last look at a turn is tried for a while, no longer."""
    async with staged() as stage:
        await stage.submit("hello")
        stage.chat.fault = lambda call: FloodLimited(300)
        assert await leave(stage, within_s=3.0) == pytest.approx(3.0)
        assert stage.processes.last.alive
        assert stage.scheduler.turns() == []


async def test_a_turn_that_was_not_started_yet_stays_in_the_journal() -> None:
    """Takopi goes before the engine was opened: the next one starts it."""
    stage = Stage()
    async with living(stage):
        record = stage.record("hello", asked=ResumeToken("codex", "old"))
        await stage.journal.commit([TurnPut(record)])
        stage.scheduler.submit(record)
        async with anyio.create_task_group() as group:
            group.start_soon(stage.scheduler.detach, stage.clock.now() + 4)
            await stage.clock.advance(4)
        assert stage.processes.all() == []
        assert (await stage.state(record.turn_id)).state == "queued"
    async with living(stage):
        assert len(stage.processes.all()) == 1


@pytest.mark.parametrize("cancelled", [False, True])
async def test_an_engine_that_was_left_stays_left(cancelled: bool) -> None:
    """Also when its turn does not stop reading by itself, and somebody wants its end meanwhile."""
    stage = Stage()

    async def endless(turn: ScriptedTurn):
        yield turn.started()
        await anyio.sleep_forever()

    runner = ScriptedRunner("codex", endless)
    runner.prepare = lambda turn: setattr(turn, "detach", lambda: True)
    stage.make_runner = lambda *_: runner
    async with living(stage):
        turn_id = await stage.submit("hello")
        async with anyio.create_task_group() as group:
            group.start_soon(stage.scheduler.detach, stage.clock.now() + 8)
            await stage.clock.advance(1)
            if cancelled:
                stage.scheduler.cancel(turn_id)
                await settle()
                stage.scheduler.drop_stubborn()
            await stage.clock.advance(8)
        assert stage.finals() == []
        record = await stage.state(turn_id)
        assert (record.state, record.cancelled) == ("running", cancelled)


async def test_a_turn_that_raises_when_it_is_left_is_ended() -> None:
    """A plug-in's mistake keeps nobody."""
    stage = Stage()
    runner = ScriptedRunner("codex", until_cancelled)

    def detach() -> bool:
        raise LookupError("boom")

    runner.prepare = lambda turn: setattr(turn, "detach", detach)
    stage.make_runner = lambda *_: runner
    async with living(stage):
        await stage.submit("hello")
        await leave(stage)
        assert stage.finals()[0].startswith("■ cancelled")
