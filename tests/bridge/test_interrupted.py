"""Turns that got lost are told as they are: nothing is started again by itself."""

import msgspec
import pytest

from bridge.turn_stage import SCOPE, Stage, leave_running, living
from fakes.clock import settle
from fakes.scripted_engine import ScriptedRunner
from takopi.bridge.records import TurnPut
from takopi.model import ResumeToken

pytestmark = pytest.mark.anyio


def buttons(stage: Stage, words: str) -> list[str]:
    """List the labels below a message."""
    shown = stage.chat.find(words).message
    assert shown is not None
    return [button.label for row in shown.buttons for button in row]


async def test_a_turn_whose_engine_never_started_is_interrupted() -> None:
    """The journal says that it starts, and no run is there: it is told, not started."""
    stage = Stage()
    record = stage.record("hello", state="starting", run_id="run-x", started_at=0.0)
    await stage.journal.commit([TurnPut(record)])
    async with living(stage):
        await settle()
        (final,) = stage.finals()
        assert final.startswith("⚠ interrupted · codex\n\n")
        assert "takopi was stopped before the engine was started: nothing was done" in final
        assert "nothing is started by itself" in final
        assert buttons(stage, "interrupted") == ["Ask again"]
        assert (await stage.state(record.turn_id)).state == "interrupted"
        offer = await stage.journal.offer("i-t1")
        assert offer is not None
        assert (offer.kind, offer.turn_id, offer.scope) == ("interrupted", "t1", SCOPE)
        assert offer.shown is not None
        assert offer.shown.body.text == final
        assert offer.taken is None
    assert stage.processes.all() == []


async def test_an_interrupted_turn_of_a_known_session_can_be_continued() -> None:
    """Its resume line is there, and both buttons."""
    stage = Stage()
    session = ResumeToken("codex", "s9")
    record = stage.record("hello", state="starting", run_id="run-x", started_at=0.0, asked=session)
    await stage.journal.commit([TurnPut(record)])
    async with living(stage):
        await settle()
        assert buttons(stage, "interrupted") == ["Continue", "Ask again"]
        assert stage.chat.has("codex resume s9")


async def test_a_run_that_the_machine_took_along_is_interrupted() -> None:
    """Nobody saw its end; what it had written is shown, and it is not called an error."""
    stage = Stage()
    turn_id = await leave_running(stage)
    stage.processes.last.vanish()
    async with living(stage):
        await settle()
        (final,) = stage.finals()
        assert final.startswith("⚠ interrupted · codex · 1 step\n\n")
        assert "nobody saw how" in final
        assert buttons(stage, "interrupted") == ["Continue", "Ask again"]
        assert (await stage.state(turn_id)).outcome == "interrupted"


async def test_a_run_whose_directory_is_gone_is_interrupted() -> None:
    """It ran, so nobody can say that nothing was done."""
    stage = Stage()
    await leave_running(stage)
    stage.processes.by_id.clear()
    async with living(stage):
        await settle()
        assert "cannot tell how it went on: its run directory is gone" in stage.finals()[0]


async def test_an_engine_that_is_gone_is_named() -> None:
    """Whoever removed it knows what to do; the run is not touched."""
    stage = Stage()
    await leave_running(stage)
    stage.engines = ("claude",)
    async with living(stage):
        await settle()
        (final,) = stage.finals()
        assert "nobody knows codex" in final
        assert "takopi ps" in final
        assert "codex resume" not in final
    assert stage.processes.last.alive


async def test_a_cancelled_run_that_nobody_can_follow_is_ended() -> None:
    """By its run directory alone."""
    stage = Stage()
    turn_id = await leave_running(stage)
    record = await stage.state(turn_id)
    wish = msgspec.structs.replace(record, cancelled=True)
    await stage.journal.commit([TurnPut(wish)])
    stage.engines = ("claude",)
    async with living(stage):
        await settle()
        assert stage.finals()[0].startswith("■ cancelled")
    assert stage.processes.last.cancels == 1


@pytest.mark.parametrize("known", [True, False])
async def test_an_engine_inside_takopi_ended_with_it(known: bool) -> None:
    """A runner without run directories cannot tell, whatever the journal says."""
    stage = Stage()
    run_id = "run-x" if known else None
    record = stage.record("hello", state="starting", run_id=run_id, started_at=0.0)
    await stage.journal.commit([TurnPut(record)])
    stage.make_runner = lambda engine, *_: ScriptedRunner(engine)
    async with living(stage):
        await settle()
        why = "this engine runs inside takopi" if known else "it has no run directory"
        assert why in stage.finals()[-1]
