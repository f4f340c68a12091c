"""Topics from end to end: a bot of its own process, in a forum group and in a private chat."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from fakes.bot_process import BotProcess, write_config
from fakes.telegram_api import OWNER_ID, TelegramApi
from fakes.telegram_api.world import Message
from fakes.toy_engine import install_toy_engine

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(120)]

FORUM = -1009000
TOPICS = """default_engine = "toy"
[projects.zed]
path = "{path}"
[transports.telegram.topics]
enabled = true
auto = true
"""


async def repository(path: Path) -> Path:
    """Make a repository with one commit."""
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    at = ("git", "-C", str(path))
    await anyio.run_process(["git", "init", "-q", str(path)])
    await anyio.run_process([*at, *who, "commit", "-q", "--allow-empty", "-m", "first"])
    return path


def seen_in(path: Path) -> tuple[Path, Path]:
    """Return in which worktree a prompt ran, and where it says that it did."""
    (where,) = path.glob(".worktrees/*/where.txt")
    return where.parent, Path(where.read_text("utf-8").strip())


async def prepared(tmp_path: Path, api: TelegramApi) -> Callable[[], BotProcess]:
    """Make a home whose bot serves the owner everywhere; return what starts it."""
    home, bin_dir = tmp_path / "home", tmp_path / "bin"
    path = await repository(tmp_path / "zed")
    config = write_config(home, api, path, TOPICS.format(path=path))
    more = f"allowed_chat_ids = [{FORUM}]\nallowed_user_ids = [{OWNER_ID}]\n"
    config.write_text(config.read_text("utf-8") + more, "utf-8")
    install_toy_engine(home, bin_dir)
    environment = {"PATH": f"{bin_dir}:{os.environ['PATH']}"}
    return lambda: BotProcess(home, environment)


async def says(api: TelegramApi, words: str, chat: int, thread: int | None = None) -> Message:
    """Wait until the bot says something in one place."""

    def fits(message: Message) -> bool:
        return words in message.text and message.thread_id == thread and not message.deleted

    return await api.wait_message(fits, chat_id=chat, timeout_s=40)


async def test_a_forum_group(tmp_path: Path) -> None:
    """A topic of a branch, and one of a session."""
    async with TelegramApi() as api:
        forum = api.world.group(FORUM, forum=True)
        start = await prepared(tmp_path, api)
        async with start():
            await api.wait_call("getUpdates", timeout_s=60)
            api.owner.say("/topic zed @dev", FORUM)
            told = await says(api, "zed @dev has a topic now: ", FORUM)
            (thread,) = forum.topics
            assert forum.topics == {thread: "zed @dev"}
            assert told.text.endswith(f"https://t.me/c/9000/{thread}")
            await says(api, "This topic works on zed @dev.", FORUM, thread)
            api.owner.say("run: pwd > where.txt\nhello", FORUM, thread_id=thread)
            await says(api, "toy heard: hello", FORUM, thread)
            tree, said = seen_in(tmp_path / "zed")
            assert said == tree

            api.owner.say("what is new here", FORUM)
            pointer = await says(api, "→ what is new here", FORUM)
            own = max(forum.topics)
            assert forum.topics[own] == "what is new here"
            await says(api, "toy heard: what is new here", FORUM, own)
            api.owner.say("and now", FORUM, reply_to=pointer)
            await says(api, "toy heard: and now", FORUM, own)
        sent = api.calls.of("sendMessage")
        assert not any(call.params.get("message_thread_id") == 1 for call in sent)


async def test_a_topic_that_was_deleted_is_made_anew(tmp_path: Path) -> None:
    """And one that a person named keeps its name."""
    async with TelegramApi() as api:
        forum = api.world.group(FORUM, forum=True)
        start = await prepared(tmp_path, api)
        async with start():
            await api.wait_call("getUpdates", timeout_s=60)
            api.owner.say("/topic zed @dev", FORUM)
            await says(api, "zed @dev has a topic now: ", FORUM)
            (thread,) = forum.topics
            api.owner.say("what is new here", FORUM)
            await says(api, "→ what is new here", FORUM)
            own = max(forum.topics)
            await says(api, "toy heard: what is new here", FORUM, own)
            api.owner.change_topic(FORUM, own, "edited", "News")
            api.world.delete_topic(FORUM, thread)
            api.owner.say("/topic zed @dev", FORUM)
            await api.wait_for(lambda: len(api.calls.of("createForumTopic")) == 3 or None, 40)
            await says(api, "This topic works on zed @dev.", FORUM, max(forum.topics))
            api.owner.say("/topic zed", FORUM, thread_id=own)
            await says(api, "This topic works on zed from now on.", FORUM, own)
            assert forum.topics[own] == "News"


async def test_a_private_chat_with_topics(tmp_path: Path) -> None:
    """Without Threaded Mode it says so; a bot that dies on the way to a topic loses nothing."""
    async with TelegramApi() as api:
        start = await prepared(tmp_path, api)
        chat = api.owner.chat
        async with start() as bot:
            await api.wait_call("getUpdates", timeout_s=60)
            api.owner.say("/topic zed")
            await says(api, "Threaded Mode", OWNER_ID)
            api.world.threaded = True
            api.faults.add("hang_after", "createForumTopic")
            api.owner.say("hello there")
            await api.wait_for(lambda: chat.topics or None, 20)
            (orphan,) = chat.topics
            await bot.stop(signal.SIGKILL)
        async with start():
            await says(api, "→ hello there", OWNER_ID)
            _, thread = sorted(chat.topics)
            final = await says(api, "toy heard: hello there", OWNER_ID, thread)
            api.owner.say("go on", reply_to=final, thread_id=thread)
            await says(api, "toy heard: go on", OWNER_ID, thread)
            implicit = api.owner.make_topic(OWNER_ID, "Fix", implicit=True)
            api.owner.say("/topic zed", thread_id=implicit)
            await says(api, "This topic works on zed from now on.", OWNER_ID, implicit)
            await api.wait_for(lambda: chat.topics[implicit] == "zed" or None, 20)
        heard = [m for m in chat.messages.values() if "toy heard: hello there" in m.text]
        assert [message.thread_id for message in heard] == [thread]
        assert not [m for m in chat.messages.values() if m.thread_id == orphan and m.text]
