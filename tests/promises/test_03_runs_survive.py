"""Promise 3: a run in flight survives the bot's death, and its answer is delivered.

Full: the real `takopi` process against the stand-in, killed 60 times at the n-th call that the
stand-in sees; whatever it was doing, each prompt has its answer once, or once more and marked.
The thousand kills of promise 1 are of the same bridge, journal and run host.
"""

import os
import random
import signal
from pathlib import Path

import psutil
import pytest

from fakes.bot_process import BotProcess, write_config
from fakes.telegram_api import Message, TelegramApi
from fakes.toy_engine import install_toy_engine
from promises.forms import shards, share
from takopi.core.letter_forms import REPEATED
from takopi.process.home import home_id
from takopi.process.tree import MARK

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

SHARDS = 6


@shards(SHARDS)
async def test_the_real_process_is_killed_again_and_again(shard: int, tmp_path: Path) -> None:
    """Engines go on without it, and the next one delivers what they said."""
    rng = random.Random(shard)
    home, log = tmp_path / "one" / ".takopi", tmp_path / "starts"
    home.mkdir(mode=0o700, parents=True)
    install_toy_engine(home, tmp_path / "bin")
    environment = {
        "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    async with TelegramApi() as api:
        write_config(home, api, tmp_path, 'default_engine = "toy"')
        asked: list[Message] = []
        for _ in range(share(60, SHARDS, short=1)):
            for _ in range(rng.choice((1, 2))):
                number, nap_s = len(asked) + 1, rng.choice((0, 0.2, 1.5))
                text = f"word{number};\nrun: echo {number} >> {log}; sleep {nap_s}"
                asked.append(api.owner.say(text))
            await killed_at_a_call(home, environment, api, rng.randrange(3, 12))
        polls = len(api.calls.of("getUpdates"))
        async with BotProcess(home, environment) as bot:
            await api.wait_call("getUpdates", count=polls + 1)
            await api.wait_for(lambda: not unsaid(api, asked), 90)
            assert await bot.stop() == 0
        started = log.read_text().split() if log.exists() else []
        assert len(started) == len(set(started)), "a prompt was started twice"
        for number, prompt in enumerate(asked, start=1):
            answers = [m for m in api.bot_messages() if is_answer(m, number)]
            assert all(REPEATED in message.text for message in answers[1:])
            # Told as interrupted only when nothing was started, and then nothing was.
            assert bool(answers) == (str(number) in started), prompt.text
    mark = home_id(home)
    assert [p.pid for p in psutil.process_iter() if marked(p, mark)] == []


async def killed_at_a_call(
    home: Path, environment: dict[str, str], api: TelegramApi, calls: int
) -> None:
    """Start the bot and kill it as soon as the stand-in has seen so many calls of it."""
    before = len(api.calls.calls)
    async with BotProcess(home, environment) as bot:
        # A bot that has nothing left to say polls on, and is killed while it does.
        await api.wait_for(
            lambda: len(api.calls.calls) >= before + calls or bot_rests(api, before), 60
        )
        bot.process.send_signal(signal.SIGKILL)
        await bot.process.wait()


def bot_rests(api: TelegramApi, before: int) -> bool:
    """Tell whether a bot has nothing left to do but to poll."""
    calls = api.calls.calls[before:]
    polls = any(call.method == "getUpdates" for call in calls)
    return polls and not api.updates.pending and not working(api)


def working(api: TelegramApi) -> bool:
    """Tell whether a message says that something goes on."""
    words = ("working", "starting", "queued")
    return any((message.text or "").startswith(words) for message in api.bot_messages())


def unsaid(api: TelegramApi, asked: list[Message]) -> list[int]:
    """List the prompts that nobody can read an answer to, nor that there is none."""
    shown = api.bot_messages()
    return [
        number
        for number, prompt in enumerate(asked, start=1)
        if not any(is_answer(m, number) or is_told(m, prompt) for m in shown)
    ]


def is_answer(message: Message, number: int) -> bool:
    """Tell whether a message is the answer to a prompt."""
    return f"toy heard: word{number};" in (message.text or "")


def is_told(message: Message, prompt: Message) -> bool:
    """Tell whether a message says that a prompt's engine was never started."""
    return message.reply_to is prompt and "interrupted" in (message.text or "")


def marked(process: psutil.Process, mark: str) -> bool:
    """Tell whether a process belongs to a home."""
    try:
        return process.environ().get(MARK, "").startswith(f"{mark}/") and process.pid != os.getpid()
    except psutil.Error:
        return False
