"""What every scene of the day has: the person's machine, the chat, the model, and the bot."""

import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import anyio

from fakes.bot_process import BotProcess, untraced
from fakes.engine_homes import prepare_home
from fakes.model_api import FakeModelApi, SeenRequest
from fakes.telegram_api import TOKEN, Message, TelegramApi

if TYPE_CHECKING:
    from subprocess import CompletedProcess

__all__ = ["PLACE", "SECRETS", "Day", "begin_day"]

PLACE = ZoneInfo("Europe/Madrid")

SECRETS = (TOKEN, "sk-fake", "sk-ant-fake")
UNDER_WAY = ("queued ·", "starting ·", "working ·", "cancelling ·")
DONE = "✓ done"
ANSWER_S = 30.0
_TAKEN = "takes the changed configuration"


@dataclass
class Day:
    """Be one person's machine, chat and bot from the morning to the evening.

    Args:
        folder: Where everything of the day lies.
        api: The chat service.
        model: What the engines talk to.
        environment: Of the person's shell, as changes to that of the tests.
        seen: What scenes leave for later ones, by name.
    """

    folder: Path
    api: TelegramApi
    model: FakeModelApi
    environment: Mapping[str, str]
    seen: dict[str, Message] = field(default_factory=dict)
    _bot: BotProcess | None = None

    @property
    def home(self) -> Path:
        """Give takopi's folder."""
        return self.folder / "home" / ".takopi"

    @property
    def config(self) -> Path:
        """Give the configuration."""
        return self.home / "takopi.toml"

    @property
    def bot(self) -> BotProcess:
        """Give the bot that serves."""
        assert self._bot is not None, "no bot runs"
        return self._bot

    def project(self, name: str) -> Path:
        """Give the directory of a project."""
        return self.folder / "code" / name

    # The person's terminal.

    async def run(self, *argv: str, cwd: Path, **changes: str) -> "CompletedProcess[bytes]":
        """Run a program that has to succeed."""
        environment = untraced(self.whole_environment()) | changes
        done = await anyio.run_process(argv, cwd=cwd, env=environment, check=False)
        assert done.returncode == 0, f"{argv}: {done.stdout.decode()}{done.stderr.decode()}"
        return done

    async def takopi(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run a command of takopi that has to succeed, and return what it printed."""
        done = await self.run(sys.executable, "-m", "takopi", *arguments, cwd=cwd or self.folder)
        return done.stdout.decode()

    async def git(self, where: Path, *arguments: str) -> str:
        """Ask git."""
        return (await self.run("git", *arguments, cwd=where)).stdout.decode().strip()

    async def worktree(self, project: str, branch: str) -> Path:
        """Give the worktree of a branch, as git knows it."""
        listed = await self.git(self.project(project), "worktree", "list", "--porcelain")
        for entry in listed.split("\n\n"):
            lines = entry.splitlines()
            if f"branch refs/heads/{branch}" in lines:
                return Path(lines[0].removeprefix("worktree "))
        raise AssertionError(f"{branch} has no worktree:\n{listed}")

    async def configure(self, key: str, value: str) -> None:
        """Change the configuration, and wait until the bot has taken it."""
        taken = self.bot.output.count(_TAKEN)
        await self.takopi("config", "set", key, value)
        await self.taken(taken + 1)

    async def taken(self, times: int) -> None:
        """Wait until the bot has taken a changed configuration so many times."""
        with anyio.fail_after(20):
            while self.bot.output.count(_TAKEN) < times:  # noqa: ASYNC110 - only its output tells
                await anyio.sleep(0.02)

    def whole_environment(self) -> dict[str, str]:
        """Give the environment of the person's shell."""
        return {**os.environ, **self.environment, "TAKOPI_HOME": str(self.home)}

    # The bot.

    async def start_bot(self) -> None:
        """Start the bot and wait until it listens."""
        polls = len(self.api.calls.of("getUpdates"))
        bot = BotProcess(self.home, self.environment)
        self._bot = await bot.__aenter__()
        await self.api.wait_call("getUpdates", count=polls + 1, timeout_s=30)

    async def end_bot(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the bot a signal and wait for its end."""
        status = await self.bot.stop(number)
        await self.bot.__aexit__(None, None, None)
        self._bot = None
        return status

    def printed(self) -> str:
        """Give what the bot printed since it was started last."""
        return "" if self._bot is None else self._bot.output

    async def close(self) -> None:
        """End a bot that a failed scene left running."""
        if self._bot is not None:
            await self._bot.__aexit__(AssertionError, AssertionError("the day broke off"), None)

    # The chat.

    async def answer(self, to: Message, words: str = DONE) -> Message:
        """Wait for the reply to a message that has these words."""
        return await self.api.wait_message(
            lambda m: m.reply_to is to and words in m.text, timeout_s=ANSWER_S
        )

    async def ask(self, text: str, words: str = DONE, **place: object) -> Message:
        """Say something in the chat and wait for the reply that has these words."""
        return await self.answer(self.api.owner.say(text, **place), words)

    async def hear(self, words: str, *, after: Message) -> Message:
        """Wait for what the bot says by itself, newer than another message."""
        return await self.api.wait_message(
            lambda m: m.order > after.order and words in m.text, timeout_s=ANSWER_S
        )

    def replies(self, message: Message) -> list[Message]:
        """List what the bot says to a message, as far as it still stands."""
        return [m for m in self.api.bot_messages() if m.reply_to is message]

    def asked_since(self, number: int) -> Sequence[SeenRequest]:
        """List what the engines asked the model after its first `number` conversations."""
        return self.model.main_requests[number:]

    # What a person would notice.

    def transcript(self) -> str:
        """Tell the day as the chats show it, with what was edited and deleted."""
        lines: list[str] = []
        everything = (m for chat in self.api.world.chats.values() for m in chat.messages.values())
        for message in sorted(everything, key=lambda m: m.order):
            sender = "bot" if message.sender is self.api.world.bot else "Ada"
            place = f"{message.chat.title}" + (f"#{message.thread_id}" if message.thread_id else "")
            reply = f" -> {message.reply_to.id}" if message.reply_to else ""
            state = " (deleted)" if message.deleted else ""
            buttons = " ".join(f"[{button['text']}]" for button in message.buttons)
            lines.append(f"--- {message.id}{reply} {place} {sender}{state} {message.reactions}")
            lines += [f"    was: {text}" for text in message.history[-2:]]
            lines += [message.text or f"<{message.document or message.picture or message.extra}>"]
            lines += [buttons] if buttons else []
        return "\n".join(lines)

    def under_way(self) -> list[str]:
        """List the messages that say that something is still at work."""
        return [m.text for m in self.api.bot_messages() if m.text.startswith(UNDER_WAY)]

    def tokens_in(self, number: int, begun: str) -> str:
        """Say how much the model read in a session since a number of conversations.

        Args:
            number: So many conversations are left out.
            begun: Words of the session's first prompt.
        """
        asked = [seen for seen in self.asked_since(number) if begun in seen.conversation.prompts[0]]
        read = sum(len(json.dumps(request.body)) // 4 for request in asked)
        return f"{read / 1000:.1f}k in"

    def look_around(self) -> None:
        """Refuse what no chat may show: secrets, and what only a programmer reads."""
        whole = self.transcript()
        for secret in SECRETS:
            assert secret not in whole, f"{secret} stands in the chat"
        assert "Traceback" not in whole
        assert self._bot is None or "Traceback" not in self.bot.output


def begin_day(folder: Path, api: TelegramApi, model: FakeModelApi) -> Day:
    """Make the machine: engines that talk to the model, and two repositories."""
    api.world.threaded = True  # @BotFather was told to: private chats have topics
    environment: dict[str, str] = {}
    for engine in ("codex", "claude"):
        prepared = prepare_home(engine, folder / "person", model.url)
        environment |= prepared.environment
    environment |= {
        "XDG_CONFIG_HOME": str(folder / "person" / ".config"),
        "XDG_STATE_HOME": str(folder / "person" / ".local" / "state"),
        "GIT_CONFIG_GLOBAL": str(folder / "person" / ".gitconfig"),
        "TZ": PLACE.key,
    }
    (folder / "person" / ".gitconfig").write_text(
        "[user]\n\tname = Ada\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n"
    )
    return Day(folder, api, model, environment)
