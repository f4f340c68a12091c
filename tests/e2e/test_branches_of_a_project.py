"""One conversation about a branch, with a bot of its own process and real git.

The place is bound, the branch worked in, looked at, put back, committed and removed.
"""

import os
from pathlib import Path

import anyio
import pytest

from fakes.bot_process import BotProcess, write_config
from fakes.telegram_api import TelegramApi
from fakes.telegram_api.world import Message
from fakes.toy_engine import install_toy_engine

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(120)]

CONFIG = 'default_engine = "toy"\n[projects.shop]\npath = "{path}"\n'


async def git(path: Path, *args: str) -> str:
    """Run git with a person, and return what it printed."""
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    done = await anyio.run_process(["git", "-C", str(path), *who, *args])
    return done.stdout.decode().strip()


class Talk:
    """Talk with the bot, and know which of its messages are new.

    Args:
        api: The stand-in.
    """

    def __init__(self, api: TelegramApi) -> None:
        self.api = api

    async def ask(self, text: str, words: str, reply_to: Message | None = None) -> Message:
        """Say something, and return the answer that has some words."""
        before = {message.id for message in self.api.bot_messages()}
        self.api.owner.say(text, **({"reply_to": reply_to} if reply_to else {}))
        return await self._new(words, before)

    async def press(self, message: Message, label: str, words: str) -> Message:
        """Press a button, and return the message that has some words then."""
        before = {m.id for m in self.api.bot_messages() if words not in m.text}
        self.api.owner.press(message, label)
        return await self._new(words, before - {message.id})

    async def _new(self, words: str, before: set[int]) -> Message:
        return await self.api.wait_message(
            lambda m: words in (m.text or "") and m.id not in before, timeout_s=40
        )


async def test_a_branch_from_its_first_prompt_to_its_removal(tmp_path: Path) -> None:
    """Nothing is changed that was not shown, and what is thrown away is kept."""
    shop, home, programs = tmp_path / "shop", tmp_path / "home", tmp_path / "bin"
    await anyio.run_process(["git", "init", "-q", "--initial-branch=main", str(shop)])
    (shop / "a.txt").write_text("one\n")
    await git(shop, "add", "a.txt")
    await git(shop, "commit", "-q", "-m", "first")
    person = tmp_path / "person"
    person.mkdir()
    (person / ".gitconfig").write_text("[user]\nname = Ann\nemail = ann@example.org\n")
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(person)}
    async with TelegramApi() as api:
        write_config(home, api, tmp_path, CONFIG.format(path=shop))
        install_toy_engine(home, programs)
        talk = Talk(api)
        async with BotProcess(home, environment):
            await api.wait_call("getUpdates", timeout_s=60)
            await talk.ask("/ctx set shop @fix/a", "run in ctx: shop @fix/a from now on")
            final = await talk.ask("run: echo two > a.txt\nchange it", "✓ done")
            assert "ctx: shop @fix/a" in final.text
            tree = shop / ".worktrees" / "fix+a"
            assert (tree / "a.txt").read_text() == "two\n"
            assert (shop / "a.txt").read_text() == "one\n"

            diff = await talk.ask("/diff", "since this turn began", reply_to=final)
            assert "-one\n+two" in diff.text
            question = await talk.press(diff, "Revert", "Put files back in shop @fix/a?")
            done = await talk.press(question, "Put 1 file back", "What was there is kept as")
            assert (tree / "a.txt").read_text() == "one\n"
            kept = next(word for word in done.text.split() if word.startswith("refs/")).strip(";")
            assert await git(tree, "show", f"{kept}:a.txt") == "two"

            again = await talk.ask("run: echo three > a.txt\nagain", "✓ done")
            diff = await talk.ask("/diff", "since this turn began", reply_to=again)
            question = await talk.press(diff, "Commit", "Commit in shop @fix/a?")
            await talk.press(question, "Commit so", "Committed in shop @fix/a")
            assert await git(tree, "log", "-1", "--format=%s") == "run: echo three > a.txt"

            listed = await talk.ask("/worktrees", "Worktrees of shop")
            assert "@fix/a – clean" in listed.text
            question = await talk.press(listed, "Remove @fix/a", "1 commit is in no other branch")
            await talk.press(question, "Remove all the same", "its branch stays")
            assert not tree.exists()
            assert await git(shop, "show", "fix/a:a.txt") == "three"
            await talk.ask("/ctx clear", "run in no project from now on")
