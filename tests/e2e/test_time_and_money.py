"""Schedules, the queue and a budget from end to end: a bot of its own process that is killed."""

import os
import signal
import time
from pathlib import Path

import pytest

from fakes.bot_process import BotProcess, appears, write_config
from fakes.telegram_api import OWNER_ID, TelegramApi
from fakes.telegram_api.world import Message
from fakes.toy_engine import install_toy_engine
from takopi.bridge.records import SchedulePut
from takopi.core.chat import Scope
from takopi.core.schedules import ScheduleRecord
from takopi.store.opening import open_journal

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(120)]


def schedule(name: str, prompt: str, in_s: float) -> ScheduleRecord:
    """Make a schedule that asks every hour, first in some seconds."""
    now = time.time()
    return ScheduleRecord(
        schedule_id=name,
        scope=Scope("telegram", OWNER_ID),
        chat_kind="private",
        person=OWNER_ID,
        when="1h",
        prompt=prompt,
        engine="toy",
        made_at=now + in_s - 3600,
        next_at=now + in_s,
    )


async def plan(home: Path, *records: ScheduleRecord) -> None:
    """Write schedules into the journal of a bot that does not run."""
    store = open_journal(home / "takopi.db", rebuild=list, now=time.time())
    try:
        await store.commit([SchedulePut(record) for record in records])
    finally:
        await store.close()


async def says(api: TelegramApi, *words: str) -> Message:
    """Wait until the bot has said some words in one message."""
    return await api.wait_message(lambda m: all(word in m.text for word in words), timeout_s=40)


async def test_time_queue_and_money(tmp_path: Path) -> None:
    """What is due is asked, what was missed is told, an order outlives a kill, a budget asks."""
    home, bin_dir, gate = tmp_path / "home", tmp_path / "bin", tmp_path / "gate"
    async with TelegramApi() as api:
        extra = 'default_engine = "toy"\n[budget]\ndaily_usd = 1.0\nper_turn_usd = 0.5\n'
        write_config(home, api, tmp_path, extra)
        install_toy_engine(home, bin_dir)
        environment = {"PATH": f"{bin_dir}:{os.environ['PATH']}"}
        me = api.owner
        async with BotProcess(home, environment):
            await api.wait_call("getUpdates", timeout_s=60)
            me.say("/every 30m check the build")
            await says(api, "toy is asked every 30m", "check the build")
            me.say("/at tomorrow 9:00 tag it")
            await says(api, "toy is asked at tomorrow 09:00", "tag it")

        missed = schedule("s2", "deploy", -1800)
        await plan(home, schedule("s1", "look around", 3), missed)
        async with BotProcess(home, environment) as bot:
            told = await says(api, "takopi was away", "deploy")
            await says(api, "toy heard: look around", "scheduled, every 1h")
            assert not any("heard: deploy" in message.text for message in api.bot_messages())
            me.press(told, "Run now: deploy")
            await says(api, "toy heard: deploy")
            me.say("/schedules")
            listed = await says(api, "Schedules", "1. ", "4. ")
            me.press(listed, "1. Delete")

            first = me.say(f"run: touch {tmp_path / 'on'}\nwait: {gate}\nfirst")
            await appears(tmp_path / "on")
            for word in ("one", "two"):
                me.say(f"{word}\nrun: echo {word} >> {tmp_path / 'order'}", reply_to=first)
                await says(api, "queued")
            waits = await says(api, "2 before it in this session")
            me.press(waits, "Run next")
            await says(api, "1 before it in this session")
            me.say("/queue")
            await says(api, "Waiting", "1. toy", "two", "2. toy")
            me.say("/status")
            await says(api, "Running", "Waiting", "Versions")
            await bot.stop(signal.SIGKILL)

        gate.touch()
        async with BotProcess(home, environment):
            await says(api, "toy heard: one")
            await says(api, "toy heard: two")
            assert (tmp_path / "order").read_text("utf-8").split() == ["two", "one"]
            me.say("cost: 0.9\ndear")
            await says(
                api, "toy heard: dear", "this turn cost $0.90, more than per_turn_usd = $0.50"
            )
            await says(api, "$0.90 of today's budget of $1.00 is used up")
            me.say("cost: 0.2\nmore")
            await says(api, "Today's budget is used up: $1.10 of $1.00")
            me.say("another")
            question = await says(api, "Not started, because today's budget is used up")
            me.press(question, "Run anyway")
            await says(api, "toy heard: another")
            me.say("/usage")
            await says(api, "Today", "$1.10", "Engines", "toy")
