"""Sessions that go on by themselves, from end to end: two projects, a bot of its own process."""

import os
import re
from pathlib import Path

import pytest

from fakes.bot_process import BotProcess, write_config
from fakes.telegram_api import TelegramApi
from fakes.telegram_api.world import Message
from fakes.toy_engine import install_toy_engine

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(120)]

CONFIG = """default_engine = "toy"
[projects.zed]
path = "{path}/zed"
[projects.api]
path = "{path}/api"
"""


class Talk:
    """Talk with the bot.

    Args:
        api: The stand-in.
    """

    def __init__(self, api: TelegramApi) -> None:
        self.api = api

    async def ask(self, text: str, words: str | None = None, **more: Message) -> Message:
        """Say something, and return the new message with some words; else the final."""
        before = {message.id for message in self.api.bot_messages()}
        self.api.owner.say(text, **more)
        return await self.hear(words or "✓ done", before)

    async def hear(self, words: str, before: set[int]) -> Message:
        """Wait for a new message with some words."""
        return await self.api.wait_message(
            lambda m: words in m.text and m.id not in before, timeout_s=40
        )

    async def press(self, message: Message, label: str, words: str) -> Message:
        """Press a button, and return the new message with some words."""
        before = {one.id for one in self.api.bot_messages()}
        self.api.owner.press(message, label)
        return await self.hear(words, before)


def session_of(message: Message) -> str:
    """Return the session that a message of the bot names."""
    (session,) = re.findall(r"^toy --resume (toy-[0-9a-f]+)$", message.text, re.MULTILINE)
    return str(session)


async def test_sessions_of_two_projects(tmp_path: Path) -> None:
    """They go on by themselves, are left, listed, taken up, and begun anew when they are gone."""
    home, programs = tmp_path / "home", tmp_path / "bin"
    for name in ("zed", "api"):
        (tmp_path / name).mkdir()
    environment = {"PATH": f"{programs}:{os.environ['PATH']}"}
    async with TelegramApi() as api:
        config = write_config(home, api, tmp_path, CONFIG.format(path=tmp_path))
        config.write_text(config.read_text("utf-8") + 'session_mode = "chat"\n', "utf-8")
        install_toy_engine(home, programs)
        talk = Talk(api)
        async with BotProcess(home, environment):
            await api.wait_call("getUpdates", timeout_s=60)
            zed = session_of(await talk.ask("/zed fix the parser"))
            other = session_of(await talk.ask("/api fix the server"))
            assert zed != other
            assert session_of(await talk.ask("/zed and the lexer")) == zed
            await talk.ask("/new /zed", "The next prompt for toy in zed begins a new session")
            fresh = await talk.ask("/zed look at the docs")
            assert session_of(fresh) not in (zed, other)
            assert session_of(await talk.ask("/new /zed again")) != session_of(fresh)

        # Another takopi knows what was left and what goes on.
        async with BotProcess(home, environment):
            listed = await talk.ask("/sessions /zed", "Sessions in zed")
            lines = [line.split(" · ")[0] for line in listed.text.splitlines()[1:]]
            assert lines == ["1. again", "2. look at the docs", "3. fix the parser"]
            taken = await talk.press(listed, "3. fix the parser", "go on with this session now")
            assert taken.text.endswith(f"ctx: zed\ntoy --resume {zed}")
            assert session_of(await talk.ask("/zed go on")) == zed
            taken = await talk.ask(f"/resume {session_of(fresh)}", "“look at the docs”")
            assert session_of(await talk.ask("to work", reply_to=taken)) == session_of(fresh)
            assert session_of(await talk.ask("/api more")) == other
            final = await talk.ask(f"/resume {zed} run: pwd > where.txt")
            assert "ctx: zed" in final.text
            assert (tmp_path / "zed" / "where.txt").exists()
            lost = await talk.ask("/resume toy toy-dead1 say hello", "does not know the session")
            anew = await talk.press(lost, "Start anew", "toy heard: say hello")
            assert "toy-dead1" not in anew.text
            assert session_of(await talk.ask("and on")) == session_of(anew)
