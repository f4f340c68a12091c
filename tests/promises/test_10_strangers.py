"""Promise 10: nobody but the allowed can start, steer, answer or cancel anything.

Full: 10,000 messages, edits, presses and forwards of strangers: no process, no call, no record.
"""

import asyncio
import random

import pytest

from bridge.world import World
from fakes.scripted_engine import until_cancelled
from promises.forms import in_a_world, shards, share
from takopi.core.access import access_policy
from takopi.core.chat import ButtonPressed, ChatUpdate, MessageEdited, MessageReceived, Scope

pytestmark = pytest.mark.timeout(300)

# Person and chat: a served person elsewhere, an unserved one here, nobody at all anywhere.
STRANGERS = ((66, 66), (66, 1), (66, -10), (None, 1), (None, -10), (1, 66), (1, -66), (-10, -10))
TEXTS = ("/cancel", "/cancel all", "/status", "/help", "/start", "do it", "/codex do it",
         "do it\n`codex resume s1`", "", "/claude", "/nobody", "\x00", "x" * 4000)  # fmt: skip


def strange(world: World, rng: random.Random) -> ChatUpdate:
    """Make an update of somebody who is not served, as like a served one as can be."""
    person, chat = rng.choice(STRANGERS)
    kind = "private" if chat > 0 else "group"
    shown = [number for (_, number) in world.chat.shown] or [1]
    place = {
        "update_id": world.chat.number(), "scope": Scope("memory", chat), "chat_kind": kind,
        "sender_id": person,
    }  # fmt: skip
    match rng.randrange(3):
        case 0:
            data = rng.choice(("cancel:t1", "cancel:t2", "o:1:again", "o:t1:continue", ""))
            number = world.chat.number()
            return ButtonPressed(
                press_id=f"p{number}", message_id=rng.choice(shown), data=data, **place
            )
        case 1:
            return MessageEdited(
                message_id=rng.choice([*shown, *range(101, 110)]), text=rng.choice(TEXTS),
                edited_at=rng.random(), **place,
            )  # fmt: skip
    made = world.chat.message(
        rng.choice(TEXTS), chat=chat, person=person, kind=kind,
        reply_to=rng.choice((None, *shown)), forwarded=rng.random() < 0.3,
    )  # fmt: skip
    assert isinstance(made, MessageReceived)
    return made


@shards(4)
def test_strangers_have_no_effect(shard: int) -> None:
    """A turn that runs goes on, nothing starts, nobody is answered, nothing is written down."""
    rng = random.Random(shard)

    async def play(world: World) -> None:
        taken: list[ChatUpdate] = []
        accept = world.store.accept

        async def watched(updates, newest, arrived_at):
            taken.extend(updates)
            return await accept(updates, newest, arrived_at)

        world.store.accept = watched  # type: ignore[method-assign]
        world.codex.default = until_cancelled
        world.chat.write("hello")
        await asyncio.sleep(5)
        ours, served = len(taken), world.chat.shown.copy()
        await asyncio.sleep(0.2)
        world.chat.calls.clear()
        began = world.clock.now()
        for _ in range(share(10_000, 4, short=800)):
            world.chat.feed(*(strange(world, rng) for _ in range(rng.choice((1, 1, 20)))))
            if rng.random() < 0.01:
                await asyncio.sleep(0.01)
        await asyncio.sleep(1)
        assert world.chat.accepted == len(world.chat.batches)
        assert {call.verb for call in world.chat.calls} <= {"edit"}
        assert len(world.chat.calls) <= 2 + (world.clock.now() - began) / 3
        assert world.chat.shown.keys() == served.keys()
        assert [turn.interrupts for turn in world.codex.turns] == [0]
        assert world.claude.turns == []
        assert taken[ours:] == []
        world.chat.write("/cancel all")
        await asyncio.sleep(20)
        assert len(world.finals()) == 1

    access = access_policy(chat_id=1, allowed_chat_ids=(-10,), allowed_user_ids=(1,))
    in_a_world(play, access=access)
