"""What a start finds waiting begins only when all that still runs has its place."""

import pytest
from anyio.lowlevel import checkpoint
from msgspec.structs import replace

from bridge.turn_stage import Stage, living
from fakes.clock import settle
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.records import TurnPut, TurnRecord
from takopi.model import ResumeToken

pytestmark = pytest.mark.anyio

SESSION = ResumeToken("codex", "s-1")


class SlowStore(MemoryStore):
    """Be a journal that takes a while to read."""

    async def turn_of_message(self, chat_id: int, message_id: int) -> TurnRecord | None:
        for _ in range(50):
            await checkpoint()
        return await super().turn_of_message(chat_id, message_id)


async def test_a_turn_that_ends_early_starts_nothing_in_a_session_that_is_used() -> None:
    """A person let the older prompt go while the younger one worked; then takopi was killed."""
    stage = Stage()
    stage.journal = SlowStore()
    over = stage.record(state="delivering", outcome="done", run_id="run-0")
    await stage.journal.commit([TurnPut(over)])
    async with living(stage):
        older = await stage.submit("older", asked=SESSION, held_by_person=True)
        await stage.submit("a reply", conversation="elsewhere", held_by_person=True)
        await stage.submit("younger", asked=SESSION)
        stage.processes.last.started()
        await settle()
        waits = replace(await stage.state(older), held_by_person=False)
        await stage.journal.commit([TurnPut(waits), TurnPut(over)])
    async with living(stage):
        assert [one.request.prompt for one in stage.processes.all()] == ["younger"]
        stage.processes.last.answer("done")
        await stage.clock.advance(5)
        prompts = [one.request.prompt for one in stage.processes.all()]
        assert prompts == ["younger", "older"]
