"""Turns that are not to start yet: gathered, changed, or waiting for a person's word."""

import pytest
from msgspec.structs import replace

from bridge.turn_stage import Stage, living, staged
from fakes.clock import settle
from takopi.bridge.records import TurnPut
from takopi.model import ResumeToken

pytestmark = pytest.mark.anyio

SESSION = ResumeToken("codex", "old")


def started(stage: Stage) -> list[str]:
    """List the prompts whose engines were started, in order."""
    return [process.request.prompt for process in stage.processes.all()]


async def test_a_turn_that_is_gathered_starts_when_its_moment_comes() -> None:
    """Its message is there at once; what follows in its session waits with it, others do not."""
    async with staged() as stage:
        until = stage.clock.wall() + 1.0
        await stage.submit("a", asked=SESSION, held_until=until)
        await stage.submit("b", asked=SESSION)
        await stage.submit("c")
        assert started(stage) == ["c"]
        assert stage.chat.texts()[0] == "queued · codex"
        await stage.clock.advance(0.9)
        assert started(stage) == ["c"]
        await stage.clock.advance(0.1)
        assert started(stage) == ["c", "a"]
        stage.processes.last.answer()
        await stage.clock.advance(1)
        assert started(stage) == ["c", "a", "b"]


async def test_holds_end_each_at_its_own_moment() -> None:
    """One timer serves them all, whichever comes first."""
    async with staged() as stage:
        wall = stage.clock.wall()
        await stage.submit("late", held_until=wall + 5)
        await stage.submit("early", held_until=wall + 1)
        await stage.submit("past", held_until=wall - 1)
        await stage.clock.advance(1)
        assert started(stage) == ["past", "early"]
        await stage.clock.advance(4)
        assert started(stage) == ["past", "early", "late"]
        await stage.submit("later", held_until=wall + 7)
        await stage.clock.advance(2)
        assert started(stage)[-1] == "later"


async def test_a_hold_outlives_a_crash_and_a_wall_clock_that_is_set_back() -> None:
    """It is never longer than it was meant to be."""
    stage = Stage()
    async with living(stage):
        await stage.submit("a", held_until=stage.clock.wall() + 2)
    stage.clock.epoch -= 7_200
    async with living(stage):
        assert started(stage) == []
        await stage.clock.advance(2)
        assert started(stage) == ["a"]


async def test_a_turn_that_waits_for_a_person_is_not_shown_and_passed_by() -> None:
    """Whoever asks the person shows it; let go, it starts like any other."""
    async with staged() as stage:
        turn_id = await stage.submit("a", asked=SESSION, held_by_person=True)
        assert stage.chat.texts() == []
        await stage.submit("b", asked=SESSION)
        assert started(stage) == ["b"]
        stage.processes.last.answer()
        await settle()
        waiting = stage.scheduler.freeze(turn_id)
        assert waiting is not None
        stage.scheduler.thaw(replace(waiting, held_by_person=False))
        await settle()
        assert started(stage) == ["b", "a"]
        assert stage.chat.has("starting · codex")


async def test_a_turn_that_the_person_does_not_want_is_dropped_and_told() -> None:
    """Without ever having been shown."""
    async with staged() as stage:
        turn_id = await stage.submit("a", held_by_person=True)
        waiting = stage.scheduler.freeze(turn_id)
        assert waiting is not None
        stage.scheduler.thaw(replace(waiting, cancelled=True, cancel_reason="dropped"))
        assert stage.scheduler.cancel(turn_id)
        await stage.clock.advance(1)
        assert stage.finals() == ["■ cancelled · codex · 0s\n\ndropped"]
        assert started(stage) == []


async def test_a_prompt_that_is_changed_while_it_waits_starts_as_it_was_changed() -> None:
    """It cannot start in between, and keeps its place."""
    async with staged() as stage:
        turn_id = await stage.submit("a", held_until=stage.clock.wall() + 1)
        await stage.submit("b", conversation=turn_id)
        waiting = stage.scheduler.freeze(turn_id)
        assert waiting is not None
        assert waiting.prompt == "a"
        await stage.clock.advance(5)
        assert started(stage) == []
        changed = replace(waiting, prompt="A")
        await stage.journal.commit([TurnPut(changed)])
        stage.scheduler.thaw(changed)
        await settle()
        assert started(stage) == ["A"]
        assert (await stage.state(turn_id)).prompt == "A"


async def test_a_cancel_while_the_prompt_is_changed_comes_after_the_change() -> None:
    """The change must not bring the turn back into the journal as waiting."""
    async with staged() as stage:
        turn_id = await stage.submit("a", held_until=stage.clock.wall() + 1)
        waiting = stage.scheduler.freeze(turn_id)
        assert waiting is not None
        assert stage.scheduler.cancel(turn_id, "enough")
        await stage.clock.advance(5)
        assert stage.finals() == []
        await stage.journal.commit([TurnPut(replace(waiting, prompt="A"))])
        stage.scheduler.thaw(replace(waiting, prompt="A"))
        await stage.clock.advance(5)
        (final,) = stage.finals()
        assert "enough" in final
        assert (await stage.state(turn_id)).state == "cancelled"
        assert started(stage) == []


async def test_only_a_turn_that_waits_can_be_frozen() -> None:
    """What runs, is being cancelled or is not known is left alone."""
    async with staged() as stage:
        running = await stage.submit("a")
        assert stage.scheduler.freeze(running) is None
        assert stage.scheduler.freeze("nobody") is None
        behind = await stage.submit("b", conversation=running)
        assert stage.scheduler.cancel(behind)
        assert stage.scheduler.freeze(behind) is None
        record = stage.record()
        stage.scheduler.thaw(record)
        stage.scheduler.thaw(await stage.state(running))
        assert len(started(stage)) == 1


async def test_what_stood_behind_a_held_turn_starts_when_that_is_cancelled() -> None:
    """Nothing waits for a turn that will never start."""
    async with staged() as stage:
        turn_id = await stage.submit("a", asked=SESSION, held_until=stage.clock.wall() + 60)
        await stage.submit("b", asked=SESSION)
        assert started(stage) == []
        assert stage.scheduler.cancel(turn_id)
        await settle()
        assert started(stage) == ["b"]


async def test_a_list_of_turns_says_what_each_waits_for() -> None:
    """Also when that is a person."""
    async with staged() as stage:
        turn_id = await stage.submit("a", held_by_person=True)
        turn = stage.scheduler.turn(turn_id)
        assert turn is not None
        place = stage.scheduler.line(turn).place
        assert place is not None
        assert place.why == "person"
