"""The bot as a process on loopback: ready, resident memory, and the first sign of life."""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import anyio

from benchmarks.figure import Figure
from benchmarks.processes import median_ms, resident_mb, seconds_of

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from fakes.bot_process import BotProcess, write_config
from fakes.telegram_api import TelegramApi
from fakes.toy_engine import install_toy_engine

__all__ = ["measure"]


async def _one_start(scratch: Path, prompts: int) -> tuple[float, float, list[float]]:
    """Start the bot once and return seconds to getUpdates, resident MB, seconds to each reply."""
    home = scratch / "home" / ".takopi"
    replies: list[float] = []
    async with TelegramApi() as api:
        # A chat each: what a chat's budget holds back is not what is measured.
        people = [api.person(1000 + number) for number in range(prompts)]
        ids = str([person.id for person in people])
        write_config(home, api, scratch, 'default_engine = "toy"')
        with (home / "takopi.toml").open("a") as config:
            config.write(f"allowed_chat_ids = {ids}\nallowed_user_ids = {ids}\n")
        install_toy_engine(home, scratch / "bin")
        begin = time.monotonic()
        path = f"{scratch / 'bin'}:/usr/bin:/bin"
        async with BotProcess(home, {"PATH": path}) as bot:
            await api.wait_for(lambda: api.calls.of("getUpdates") or None, 60)
            ready = time.monotonic() - begin
            memory = resident_mb(bot.process.pid)
            for number, person in enumerate(people):
                sent = len(api.calls.of("sendMessage"))
                begin = time.monotonic()
                person.say(f"hello {number}")
                call = await api.wait_for(
                    lambda n=sent: next(iter(api.calls.of("sendMessage")[n:]), None), 20
                )
                replies.append(call.at - begin)
                await api.wait_message(
                    lambda m, n=number: f"toy heard: hello {n}" in (m.text or ""), timeout_s=60
                )
    return ready, memory, replies


def measure(rounds: int = 5, prompts: int = 8, *, warm_up: bool = True) -> list[Figure]:
    """Start the bot and import aiogram in turns.

    Args:
        rounds: So many pairs are measured.
        prompts: So many prompts in each.
        warm_up: Leave out the first pair; without it the figures say little.
    """
    ready, plain, memory, replies = [], [], [], []
    for number in range(0 if warm_up else 1, rounds + 1):
        with tempfile.TemporaryDirectory() as scratch:
            took, resident, seen = anyio.run(_one_start, Path(scratch), prompts if number else 1)
        bare = seconds_of([sys.executable, "-c", "import aiogram"])
        if number:  # the first pair warms up
            ready.append(took)
            plain.append(bare)
            memory.append(resident)
            replies += seen
    ratio = statistics.median(ready) / statistics.median(plain)
    compared = f"{median_ms(ready):.0f} ms against {median_ms(plain):.0f} ms"
    detail = f"{len(replies)} prompts, slowest {max(replies) * 1000:.0f} ms"
    return [
        Figure("bot ready / import aiogram", ratio, 0.6, detail=compared),
        Figure("bot resident when ready", statistics.median(memory), 90, "MB"),
        Figure("update to first sendMessage, p50", median_ms(replies), 30, "ms", detail),
    ]
