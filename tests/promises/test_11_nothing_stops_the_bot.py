"""Promise 11: one bad update, handler, plug-in or engine line never stops the bot.

Full: 10,000 broken lines for each engine, 10,000 broken updates, plug-ins that raise everywhere.
"""

import asyncio
import json
import random
from typing import Any

import msgspec
import pytest

from bridge.world import World
from fakes.scripted_engine import ScriptedTurn
from promises.forms import in_a_world, shards, share
from runners.cases import engines, events_of
from runners.test_fuzz import broken_run, mutate
from takopi.model import ActionEvent, CompletedEvent, StartedEvent
from takopi.telegram.api import BotIdentity
from takopi.telegram.updates import translate
from takopi.telegram.wire import Update

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("engine", engines())
@shards(2)
def test_broken_lines_cost_themselves(engine: str, shard: int) -> None:
    """Whatever an engine prints, the turn ends once, and no line of it raises."""
    runs = share(10_000, 2)
    for seed in range(shard * runs, (shard + 1) * runs):
        events = events_of(broken_run(engine, seed))
        ends = [event for event in events if isinstance(event, CompletedEvent)]
        assert ends == events[-1:], seed
        assert len([event for event in events if isinstance(event, StartedEvent)]) <= 1, seed
        assert "the module of the engine" not in str(ends[0].error), (seed, ends[0].error)
        for event in events:
            msgspec.json.encode(event)
            if isinstance(event, ActionEvent):
                assert "could not make sense" not in event.action.title, (seed, event.action)


BOT = BotIdentity(42, "takopi_bot")
ADA = {"id": 7, "is_bot": False, "first_name": "Ada"}
MESSAGE = {
    "message_id": 3, "date": 1, "chat": {"id": 7, "type": "private"}, "from": ADA, "text": "/hi x",
    "entities": [{"type": "bot_command", "offset": 0, "length": 3}],
    "reply_to_message": {"message_id": 2, "date": 1, "chat": {"id": 7, "type": "private"},
                         "from": {"id": 42, "is_bot": True, "first_name": "b"}, "text": "ok"},
}  # fmt: skip
UPDATES: tuple[dict[str, Any], ...] = (
    {"message": MESSAGE},
    {"edited_message": {**MESSAGE, "edit_date": 2}},
    {"message": {**MESSAGE, "forward_origin": {"type": "user", "sender_user": ADA, "date": 1}}},
    {"message": {**MESSAGE, "migrate_to_chat_id": -1005}},
    {"message": {**MESSAGE, "media_group_id": "1", "caption": "words", "photo": [{}]}},
    {"callback_query": {"id": "1", "from": ADA, "message": MESSAGE, "data": "cancel:t1"}},
    {"channel_post": MESSAGE},
    {"my_chat_member": {"chat": {"id": 7}}},
)


@shards(2)
def test_broken_updates_cost_themselves(shard: int) -> None:
    """An update that is not as it should be is left out or read; nothing else is raised."""
    rng = random.Random(shard)
    for _ in range(share(10_000, 2, short=2000)):
        value: Any = {"update_id": 9, **rng.choice(UPDATES)}
        for _ in range(rng.randrange(1, 4)):
            value = mutate(value, rng)
        raw = json.dumps(value).encode("utf-8", "surrogatepass")
        try:
            read = msgspec.json.decode(raw, type=Update)
        except msgspec.DecodeError:
            continue
        translate(read, BOT)


@shards(4)
def test_plug_ins_that_raise_cost_their_own_turn(shard: int) -> None:
    """A raising engine, codec or store of words stops nothing: the next prompt is answered."""
    rng = random.Random(shard)

    async def play(world: World) -> None:
        calm = {name: getattr(world.codex, name) for name in ("format_resume", "is_resume_line")}

        def boom(*args: object) -> Any:
            raise rng.choice((RuntimeError, KeyError, OSError, AttributeError))("boom")

        async def broken(turn: ScriptedTurn):
            if rng.random() < 0.5:
                yield turn.started()
            boom()

        for number in range(share(2000, 4, short=50)):
            for name, whole in calm.items():
                setattr(world.codex, name, boom if rng.random() < 0.3 else whole)
            if rng.random() < 0.5:
                world.codex.scripts = [broken]
            world.chat.write(f"prompt {number}")
            await asyncio.sleep(rng.choice((0, 5)))
        await asyncio.sleep(600)
        for name, whole in calm.items():
            setattr(world.codex, name, whole)
        world.codex.scripts = []
        world.chat.write("the last one")
        await asyncio.sleep(60)
        assert "answer to the last one" in world.chat.texts()[-1]

    in_a_world(play)
