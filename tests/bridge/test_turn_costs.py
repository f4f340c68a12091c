"""What turns cost is written down with their finals."""

import msgspec
import pytest

from bridge.world import serving
from fakes.scripted_engine import ScriptedTurn
from takopi.bridge.ports import TurnFilter

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("end", ["done", "failed", "cancelled"])
async def test_what_a_turn_cost_is_written_down_with_its_final(end: str) -> None:
    """However it ended; and what is no number of it costs nothing."""
    told = {"cost_usd": 0.25, "input_tokens": 7, "odd": object()}

    async def costly(turn: ScriptedTurn):
        yield turn.started()
        if end == "cancelled":
            await turn.interrupted.wait()
        completed = turn.answer("ok") if end == "done" else turn.failure("no", resume=turn.session)
        yield msgspec.structs.replace(completed, usage=told)

    async with serving() as world:
        world.codex.scripts = [costly]
        world.chat.write("hello")
        await world.clock.advance(1)
        if end == "cancelled":
            world.chat.write("/cancel")
            await world.clock.advance(1)
        [turn] = await world.store.newest_turns(TurnFilter(), 9)
        assert turn.outcome == end
        [row] = await world.store.usage_since(0)
        assert dict(row.usage) == {"cost_usd": 0.25, "input_tokens": 7}


async def test_a_turn_counts_what_it_took_itself_where_the_engine_sums_the_session_up() -> None:
    """A reply does not count what was said before it; another session begins with nothing."""
    told = {"input_tokens": 0, "output_tokens": 1}

    async def summing(turn: ScriptedTurn):
        yield turn.started()
        told["input_tokens"] += 100
        yield msgspec.structs.replace(turn.answer("ok"), usage={**told, "of_session": True})

    async with serving() as world:
        world.codex.default = summing
        first = world.chat.write("hello").message_id
        await world.clock.advance(5)
        world.chat.write("and more", reply_to=first)
        await world.clock.advance(5)
        world.chat.write("codex resume from-the-desk\ngo on")
        await world.clock.advance(5)
        told["input_tokens"] = 0
        world.chat.write("something else")
        await world.clock.advance(5)
        rows = await world.store.usage_since(0)
        counts = [row.usage.get("input_tokens") for row in rows]
        assert sorted(counts, key=str) == [100, 100, 100, None]
        assert all("of_session" not in row.usage for row in rows)
