"""What waits for people who were taken out of the configuration does not start."""

import anyio
import pytest

from bridge.world import World
from fakes.clock import settle
from takopi.bridge.records import TurnPut, TurnRecord
from takopi.core.access import access_policy
from takopi.core.chat import Scope

pytestmark = pytest.mark.anyio


def waiting(turn_id: str, person: int, chat: int = 1) -> TurnPut:
    """Make a prompt that an earlier takopi took."""
    return TurnPut(
        TurnRecord(
            turn_id=turn_id,
            scope=Scope("memory", chat),
            engine="codex",
            prompt=f"of {person} in {chat}",
            messages=(7,),
            person=person,
        )
    )


async def test_only_prompts_of_people_who_are_served_start() -> None:
    """The others end as cancelled, and say why."""
    world = World(options={"access": access_policy(chat_id=1, allowed_user_ids=[1, 2])})
    strangers = [waiting("t2", person=3), waiting("t3", person=1, chat=9)]
    await world.store.commit([waiting("t1", person=2), *strangers])
    async with anyio.create_task_group() as group:
        group.start_soon(world.bridge.run)
        await settle()
        await world.clock.advance(5)
        assert [turn.request.prompt for turn in world.codex.turns] == ["of 2 in 1"]
        for turn_id in ("t2", "t3"):
            turn = await world.store.turn(turn_id)
            assert turn is not None
            assert turn.outcome == "cancelled"
        assert any("not served any more" in text for text in world.finals())
        group.cancel_scope.cancel()
