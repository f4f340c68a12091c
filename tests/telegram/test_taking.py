"""From the server to the journal: nothing is confirmed before it is written, nothing acts twice."""

from collections.abc import Sequence
from typing import Any

import anyio
import pytest

from fakes.scripted_engine import gated
from fakes.telegram_api import OWNER_ID, TelegramApi, disorder
from takopi.bridge.memory_store import MemoryStore
from takopi.core.access import access_policy
from takopi.core.chat import ChatUpdate
from takopi.core.outbox_budget import OutboxLimits
from takopi.errors import StoreFull
from telegram.served import GROUP_ID, served

pytestmark = pytest.mark.anyio

QUICK = OutboxLimits(private_rate_s=0.001, private_burst=1000, global_per_s=10_000)


class Refusing(MemoryStore):
    """Refuse what comes until somebody makes room, and note how far the service has told."""

    def __init__(self) -> None:
        super().__init__()
        self.full = True
        self.newest: list[int | None] = []
        self.refused = anyio.Event()

    async def accept(self, updates: Sequence[ChatUpdate], newest: int | None, at: float) -> Any:
        self.newest.append(newest)
        if self.full:
            self.refused.set()
            raise StoreFull("the disk is full")
        return await super().accept(updates, newest, at)


async def test_what_the_journal_refuses_is_never_confirmed(api: TelegramApi) -> None:
    """Not while the bot goes on, not when it stops; the next one gets it and runs it once."""
    store = Refusing()
    async with served(api, store=store):
        api.owner.say("precious")
        await store.refused.wait()
        await api.wait_message(lambda message: "cannot write it down" in message.text)
        assert len(api.updates.pending) == 1
    assert len(api.updates.pending) == 1
    assert "offset" not in api.calls.of("getUpdates")[-1].params
    store.full = False
    async with served(api, store=store) as bot:
        await api.wait_for(lambda: not api.updates.pending)
        await api.wait_for(lambda: bot.codex.turns)
        assert [turn.request.prompt for turn in bot.codex.turns] == ["precious"]


async def test_the_journal_hears_how_far_the_service_has_told(api: TelegramApi) -> None:
    """The number counts strangers, and what means nothing."""
    store = Refusing()
    store.full = False
    api.world.group(GROUP_ID)
    api.owner.say("hello")
    last = api.updates.push("poll", {"id": "5"}, wanted=True)
    async with served(api, store=store):
        await api.wait_for(lambda: not api.updates.pending)
        assert store.newest[-1] == last
        api.person(6666).say("let me in")
        await api.wait_for(lambda: not api.updates.pending)
        assert store.newest[-1] == last + 1


async def test_a_restart_runs_nothing_twice_and_loses_nothing(api: TelegramApi) -> None:
    """What was accepted and not confirmed comes again and is known; what is new runs."""
    store = MemoryStore()
    async with served(api, store=store) as bot:
        api.faults.add("drop", "getUpdates", skip=1, times=1000)
        api.owner.say("one")
        await api.wait_for(lambda: bot.codex.turns)
    assert len(api.updates.pending) == 1, "the confirmation was lost"
    api.faults.clear()
    api.owner.say("two")
    async with served(api, store=store) as bot:
        await api.wait_for(lambda: not api.updates.pending)
        await api.wait_for(lambda: bot.codex.turns)
        assert [turn.request.prompt for turn in bot.codex.turns] == ["two"]


@pytest.mark.parametrize("seed", range(12))
async def test_updates_twice_and_in_disorder_run_once(api: TelegramApi, seed: int) -> None:
    """Repeats under one number or another, in any order: each prompt reaches an agent once."""
    prompts = {f"prompt {number}" for number in range(12)}
    api.updates.hold()
    for prompt in sorted(prompts):
        api.owner.say(prompt)
    presses = [api.owner.press_data(api.owner.say("/status"), "gone:1") for _ in range(3)]
    api.updates.release(disorder(seed, repeats=0.5))
    assert len(api.updates.pending) > 18
    async with served(api, limits=QUICK) as bot:
        await api.wait_for(lambda: not api.updates.pending)
        await api.wait_for(lambda: len(bot.codex.turns) >= len(prompts))
        await api.wait_for(lambda: all(api.world.presses[press] for press in presses))
        ran = [turn.request.prompt for turn in bot.codex.turns]
    assert sorted(ran) == sorted(prompts)
    answered = [call.params["callback_query_id"] for call in api.calls.of("answerCallbackQuery")]
    assert sorted(answered) == sorted(presses)


async def test_an_edit_that_comes_twice_is_one(api: TelegramApi) -> None:
    """It is known by message and date, under whatever number it comes."""
    async with served(api, limits=QUICK):
        said = api.owner.say("go")
        await api.wait_message(lambda message: "answer to go" in message.text)
        api.owner.edit(said, "go on", edit_date=1_800_000_000)
        api.owner.edit(said, "go on", edit_date=1_800_000_000)
        mark = api.owner.say("/status")
        await api.wait_message(lambda message: message.reply_to is mark)
        await api.wait_for(lambda: not api.updates.pending)
        offered = [m for m in api.bot_messages() if any("Send" in b["text"] for b in m.buttons)]
        assert len(offered) == 1


@pytest.mark.long
async def test_a_group_that_becomes_a_supergroup_is_served_on(api: TelegramApi) -> None:
    """What still has to be said goes to the new id, and the same people are heard there."""
    api.world.group(-77)
    moved: list[tuple[int, int]] = []
    options = {
        "access": access_policy(chat_id=OWNER_ID, allowed_chat_ids=[-77]),
        "on_chat_moved": lambda old, new: moved.append((old, new)),
    }
    gate = anyio.Event()
    async with served(api, limits=QUICK, **options) as bot:
        bot.codex.default = gated(gate)
        api.owner.say("go", -77)
        await api.wait_for(lambda: bot.codex.turns)
        await api.wait_for(lambda: api.bot_messages(-77))
        api.owner.upgrade(-77, -100770)
        await api.wait_for(lambda: moved)
        gate.set()
        await api.wait_message(lambda message: "done" in message.text, chat_id=-100770)
        api.owner.say("/status", -100770)
        await api.wait_message(lambda m: "Versions" in (m.text or ""), chat_id=-100770)
        api.person(6666).say("/status", -100770)
        await api.wait_for(lambda: not api.updates.pending)
    assert moved == [(-77, -100770)]
    assert len(api.bot_messages(-100770)) == 2
