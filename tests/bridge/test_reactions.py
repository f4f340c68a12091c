"""A reaction on the prompt says that it was seen, and never gets in the way of a message."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from bridge.schedule_stage import living
from bridge.world import World, serving
from fakes.clock import VirtualClock, settle
from fakes.scripted_engine import until_cancelled
from takopi.bridge.reactions import MAX_WAITING, REFUSED_FOR_S, Reactions
from takopi.bridge.records import TurnRecord
from takopi.core.access import access_policy
from takopi.core.chat import Scope
from takopi.errors import FloodLimited, TargetLost, TransportError

pytestmark = pytest.mark.anyio


def reactions(world: World) -> list[tuple[int | None, str]]:
    """List the reactions in the order in which they were put there."""
    return [(call.message_id, call.text) for call in world.chat.calls if call.verb == "react"]


async def test_a_prompt_is_seen_at_once_and_its_turn_is_done_in_the_end() -> None:
    async with serving(reactions=True) as world:
        world.codex.default = until_cancelled
        prompt = world.chat.write("one").message_id
        await settle()
        assert reactions(world) == [(prompt, "👀")]
        world.chat.write("/cancel")
        await settle()
        await world.clock.advance(10)
        assert reactions(world) == [(prompt, "👀"), (prompt, "")]
        answered = world.chat.write("/claude two").message_id
        await settle()
        await world.clock.advance(10)
        assert reactions(world)[2:] == [(answered, "👀"), (answered, "👌")]


async def test_a_prompt_that_waits_is_seen_too() -> None:
    async with serving(reactions=True, max_runs=1) as world:
        world.codex.default = until_cancelled
        first, second = (world.chat.write(text).message_id for text in ("one", "two"))
        await settle()
        await world.clock.advance(5)
        assert reactions(world) == [(first, "👀"), (second, "👀")]


async def test_nobody_else_gets_one() -> None:
    """Commands, strangers, and everybody where it is switched off."""
    access = access_policy(chat_id=1, allowed_user_ids=(1,))
    async with serving(reactions=True, access=access) as world:
        world.chat.write("let me in", person=9)
        world.chat.write("/help")
        await settle()
        await world.clock.advance(10)
        assert reactions(world) == []
    async with serving() as world:
        world.chat.write("one")
        await settle()
        await world.clock.advance(10)
        assert world.finals()
        assert reactions(world) == []


async def test_a_chat_that_hangs_on_a_reaction_gets_its_messages_all_the_same() -> None:
    async with serving(reactions=True) as world:
        hung: list[int] = []

        async def react(ref: Any, emoji: str | None) -> None:
            hung.append(ref.message_id)
            await anyio.sleep_forever()

        world.chat.react = react
        world.chat.write("one")
        await settle()
        await world.clock.advance(10)
        world.chat.write("two")
        await settle()
        await world.clock.advance(10)
        assert len(world.finals()) == 2
        assert len(hung) == 1


class Service:
    """Take reactions, or fail as it was told."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.since = clock.now()
        self.calls: list[tuple[float, int, str | None]] = []
        self.errors: list[Exception] = []
        self.most = self._now = 0

    async def react(self, ref: Any, emoji: str | None) -> None:
        self.calls.append((self.clock.now() - self.since, ref.message_id, emoji))
        self._now += 1
        self.most = max(self.most, self._now)
        await self.clock.sleep_until(self.clock.now() + 0.5)
        self._now -= 1
        if self.errors:
            raise self.errors.pop(0)


@asynccontextmanager
async def acknowledging() -> AsyncIterator[tuple[VirtualClock, Service, Reactions]]:
    """Make what reacts."""
    clock = VirtualClock()
    service = Service(clock)
    async with anyio.create_task_group() as group:
        yield clock, service, Reactions(service, clock, group)
        group.cancel_scope.cancel()


def turn(number: int, **more: Any) -> TurnRecord:
    """Be a turn that one message asked for."""
    fields: dict[str, Any] = {"messages": (number,), "outcome": "done", **more}
    return TurnRecord(turn_id=f"t{number}", scope=Scope("memory", 1), engine="codex", **fields)


async def test_one_at_a_time_with_a_pause_and_only_the_newest_of_a_message() -> None:
    async with acknowledging() as (clock, service, wanted):
        for number in (1, 2, 3):
            wanted.seen(turn(number))
        await settle()
        wanted.over(turn(2))
        wanted.over(turn(3, outcome="failed"))
        await clock.advance(10)
        assert service.calls == [(0.0, 1, "👀"), (1.5, 2, "👌"), (3.0, 3, None)]
        assert service.most == 1


async def test_a_group_gets_longer_pauses() -> None:
    async with acknowledging() as (clock, service, wanted):
        for number in (1, 2):
            wanted.seen(turn(number, chat_kind="group"))
        await clock.advance(10)
        assert [at for at, _, _ in service.calls] == [0.0, 3.5]


async def test_too_many_at_once_lose_the_oldest() -> None:
    async with acknowledging() as (clock, service, wanted):
        for number in range(MAX_WAITING + 5):
            wanted.seen(turn(number))
        await clock.advance(100)
        assert [number for _, number, _ in service.calls] == list(range(5, MAX_WAITING + 5))


@pytest.mark.parametrize(
    ("error", "silent_s"),
    [
        (FloodLimited(40), 40),
        (TransportError("REACTION_INVALID"), REFUSED_FOR_S),
        (RuntimeError("a bug"), REFUSED_FOR_S),
        (TargetLost("gone"), 0),
    ],
)
async def test_a_chat_that_refuses_is_left_alone_for_a_while(error, silent_s) -> None:
    """But not because of one message that is gone."""
    async with acknowledging() as (clock, service, wanted):
        service.errors.append(error)
        wanted.seen(turn(1))
        wanted.seen(turn(2))
        await clock.advance(5)
        assert len(service.calls) == (1 if silent_s else 2)
        await clock.advance(silent_s)
        wanted.seen(turn(3))
        await clock.advance(5)
        assert service.calls[-1][1] == 3


@pytest.mark.parametrize("more", [{"origin": "schedule"}, {"silent": True}, {"messages": ()}])
async def test_what_nobody_wrote_in_the_chat_gets_none(more) -> None:
    async with acknowledging() as (clock, service, wanted):
        wanted.seen(turn(1, **more))
        wanted.over(turn(1, **more))
        await clock.advance(5)
        assert service.calls == []


async def test_what_a_stop_left_unsaid_is_said_by_the_next_takopi() -> None:
    """Of the turns that ended last, in chats that are served; once more does no harm."""
    refused = TransportError("not now")
    async with living(reactions=True) as world:
        world.chat.write("long ago")
        await world.clock.advance(200)
        world.chat.fault = lambda call: refused if call.text == "👌" else None
        prompt = world.chat.write("one").message_id
        await settle()
        await world.clock.advance(5)
        assert world.finals()
    async with living(before=world, reactions=True) as later:
        await later.clock.advance(5)
        assert reactions(later) == [(prompt, "👌")]
    elsewhere = access_policy(chat_id=7)
    async with living(before=world, reactions=True, access=elsewhere) as strange:
        await strange.clock.advance(5)
        assert reactions(strange) == []
