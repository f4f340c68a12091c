"""A silent engine is noticed, named, and can be ended."""

import pytest

from bridge.turn_stage import Stage, living, staged
from takopi.core.watchdog import StallLimits

pytestmark = pytest.mark.anyio


def shown(stage: Stage) -> str:
    """Return the one message of the chat."""
    (text,) = stage.chat.texts()
    return text


async def test_a_silent_engine_is_named_until_it_says_something() -> None:
    """Five minutes without a word are told, with Cancel, and the line goes when it speaks."""
    async with staged() as stage:
        await stage.submit("hello")
        process = stage.processes.last
        process.started()
        await stage.clock.advance(295)
        assert "no output" not in shown(stage)
        await stage.clock.advance(25)
        assert shown(stage).endswith("no output for 5 min")
        message = stage.chat.find("no output").message
        assert message is not None
        assert message.buttons[0][0].label == "Cancel"
        await stage.clock.advance(120)
        assert shown(stage).endswith("no output for 7 min")
        process.step("make")
        await stage.clock.advance(5)
        assert "no output" not in shown(stage)
        assert process.cancels == 0


async def test_a_silent_engine_can_be_cancelled() -> None:
    """Whatever it does."""
    async with staged() as stage:
        turn_id = await stage.submit("hello")
        stage.processes.last.deaf = True
        await stage.clock.advance(330)
        assert "no output for 5 min" in shown(stage)
        stage.scheduler.cancel(turn_id)
        await stage.clock.advance(60)
        assert stage.finals()[0].startswith("■ cancelled")


async def test_output_that_shows_nothing_is_output() -> None:
    """What counts is that the engine prints, not that a person would see it."""
    async with staged() as stage:
        await stage.submit("hello")
        for _ in range(4):
            await stage.clock.advance(200)
            stage.processes.last.started()
        assert "no output" not in shown(stage)


async def test_a_silent_engine_is_ended_when_that_is_wanted() -> None:
    """The final says why, and makes a sound."""
    async with staged(limits=StallLimits(60, 120)) as stage:
        turn_id = await stage.submit("hello")
        stage.processes.last.started()
        await stage.clock.advance(90)
        assert "no output for 1 min" in shown(stage)
        await stage.clock.advance(50)
        (final,) = stage.finals()
        assert final.startswith("✗ error · codex")
        assert "it printed nothing for 2 min, so takopi ended it (kill_after_s = 120)" in final
        assert "codex resume s1" in final
        record = await stage.state(turn_id)
        assert (record.state, record.cancelled) == ("failed", True)
        assert stage.processes.last.cancels


async def test_nobody_looks_when_both_limits_are_off() -> None:
    """And nothing is said, however long it takes."""
    async with staged(limits=StallLimits(0, 0)) as stage:
        await stage.submit("hello")
        await stage.clock.advance(3_600)
        assert "no output" not in shown(stage)
        assert stage.processes.last.alive


async def test_waiting_for_a_person_is_not_silence() -> None:
    """An agent that asks may wait for ever; after the answer it counts again."""
    async with staged(limits=StallLimits(300, 600)) as stage:
        await stage.submit("hello")
        process = stage.processes.last
        process.ask()
        await stage.clock.advance(7_200)
        assert "no output" not in shown(stage)
        assert process.alive
        process.ask("completed")
        await stage.clock.advance(320)
        assert "no output for 5 min" in shown(stage)


async def test_a_laptop_that_slept_is_not_silence() -> None:
    """Where the monotonic clock stands still, the wall clock tells."""
    async with staged(limits=StallLimits(300, 600)) as stage:
        await stage.submit("hello")
        await stage.clock.advance(100)
        stage.clock.epoch += 8 * 3_600
        await stage.clock.advance(100)
        assert stage.processes.last.alive
        assert "no output" not in shown(stage)


async def test_a_run_that_was_taken_up_is_watched_as_well() -> None:
    """Its silence counts from then on."""
    stage = Stage(limits=StallLimits(300, 0))
    async with living(stage):
        await stage.submit("hello")
        stage.processes.last.started()
        await stage.clock.advance(100)
    await stage.clock.advance(3_600)
    async with living(stage):
        await stage.clock.advance(250)
        assert "no output" not in shown(stage)
        await stage.clock.advance(100)
        assert "no output for 5 min" in shown(stage)
