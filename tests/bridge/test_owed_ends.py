"""A journal that takes a turn's end later than the chat does."""

from collections.abc import Sequence

import pytest

from bridge.turn_stage import Stage, living
from fakes.clock import settle
from takopi.bridge.records import Change, TurnPut
from takopi.errors import StoreError

pytestmark = pytest.mark.anyio


def ends(changes: Sequence[Change]) -> StoreError | None:
    over = ("delivering", "done")
    found = any(isinstance(one, TurnPut) and one.turn.state in over for one in changes)
    return StoreError("another program holds it") if found else None


async def test_an_end_that_was_refused_is_written_down_later() -> None:
    """Else the next takopi would take the turn up again, and tell its final a second time."""
    stage = Stage()
    async with living(stage):
        turn_id = await stage.submit()
        stage.processes.last.started()
        await settle()
        stage.store.fault = ends
        stage.processes.last.answer("forty-two")
        await stage.clock.advance(10)
        assert len(stage.finals()) == 1
        assert (await stage.state(turn_id)).state == "running"
        await stage.submit("the next one does not wait for that")
        assert len(stage.processes.all()) == 2
        stage.store.fault = None
        await stage.clock.advance(60)
        assert (await stage.state(turn_id)).state == "done"
        stage.processes.last.started()
        stage.processes.last.answer("more")
        await stage.clock.advance(10)
    async with living(stage):
        await stage.clock.advance(60)
        assert len(stage.finals()) == 2
