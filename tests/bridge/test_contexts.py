"""Prompts run where their words, their place or the message that they reply to says."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from bridge.world import World
from fakes.clock import settle
from fakes.project_folders import NamedFolders
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.records import PlacePut
from takopi.core.access import access_policy
from takopi.core.chat import RepliedTo
from takopi.core.chat_settings import ChatSettings
from takopi.core.places import PlaceRecord
from takopi.core.preferences import Preferences
from takopi.core.projects import Project, Projects

pytestmark = pytest.mark.anyio

ZED = Project("zed", Path("/src/zed"), default_engine="claude")
API = Project("api", Path("/src/api"), chat_id=-7)
PROJECTS = Projects((ZED, API))


@asynccontextmanager
async def projects(
    *places: PlaceRecord, store: MemoryStore | None = None, **chats: Any
) -> AsyncIterator[World]:
    """Run a bridge that knows two projects."""
    settings = ChatSettings(projects=PROJECTS, **chats)
    access = access_policy(chat_id=1, allowed_chat_ids=(-7,), allowed_user_ids=(1,))
    options = {"chats": settings, "access": access}
    folders = NamedFolders(PROJECTS)
    world = World(options=options, workspaces=folders, store=store or MemoryStore())
    await world.store.commit([PlacePut(place) for place in places])
    async with anyio.create_task_group() as group:
        group.start_soon(world.bridge.run)
        await settle()
        yield world
        group.cancel_scope.cancel()


def runs(world: World) -> list[tuple[str, str, str]]:
    """List engine, directory and prompt of every turn that was started."""
    turns = [*world.codex.turns, *world.claude.turns]
    return [(t.runner.engine, str(t.request.cwd), t.request.prompt) for t in turns]


@pytest.mark.parametrize(
    ("text", "chat", "expected"),
    [
        ("fix it", 1, ("codex", "/work", "fix it")),
        ("/zed fix it", 1, ("claude", "/src/zed", "fix it")),
        ("/zed @feat/x /codex fix it", 1, ("codex", "/src/zed/.worktrees/feat/x", "fix it")),
        ("@main /ZED fix it", 1, ("claude", "/src/zed/.worktrees/main", "fix it")),
        ("fix it", -7, ("codex", "/src/api", "fix it")),
        ("@dev fix it", -7, ("codex", "/src/api/.worktrees/dev", "fix it")),
        ("/zed fix it", -7, ("claude", "/src/zed", "fix it")),
        ("/zed\n/review this", 1, ("claude", "/src/zed", "/review this")),
        ("ask @dev about it", 1, ("codex", "/work", "ask @dev about it")),
    ],
)
async def test_directives_and_the_chat_say_where(text, chat, expected) -> None:
    async with projects() as world:
        world.chat.write(text, chat=chat)
        await settle()
        assert runs(world) == [expected]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("@dev fix it", "No project holds here that @dev could belong to"),
        ("/zed /api fix it", "A prompt runs in one place: /zed or /api?"),
        ("/zed @a @b fix it", "A prompt runs in one place: @a or @b?"),
        ("/zed @../x fix it", "@../x is no branch that takopi opens"),
        ("/zed @--help fix it", "@--help is no branch that takopi opens"),
        ("/zed", "/zed goes before what is to be done there"),
        ("/zed @dev", "/zed @dev goes before what is to be done there"),
        ("/zed /help", "/help"),
    ],
)
async def test_directives_that_are_no_prompt_are_answered_and_start_nothing(text, words) -> None:
    async with projects() as world:
        world.chat.write(text)
        await settle()
        assert words in world.chat.texts()[-1]
        assert runs(world) == []


async def test_the_footer_names_the_context_and_a_reply_stays_in_it() -> None:
    """By the journal, and over what a directive says."""
    async with projects() as world:
        world.chat.write("/zed @dev one")
        await settle()
        assert "ctx: zed @dev" in world.finals()[0]
        final = max(number for chat, number in world.chat.shown if chat == 1)
        world.chat.write("/api two", reply_to=final)
        await settle()
        await world.clock.advance(10)
        assert runs(world)[-1] == ("claude", "/src/zed/.worktrees/dev", "two")
        assert "/api does not count here" in world.finals()[-1]


async def test_the_line_of_a_forgotten_message_counts_when_the_bot_wrote_it() -> None:
    async with projects() as world:
        words = "✓ done\nctx: api @old\n`codex resume s9`"
        world.chat.write("go on", reply=RepliedTo(7, words, from_this_bot=True))
        await settle()
        assert runs(world) == [("codex", "/src/api/.worktrees/old", "go on")]
        assert world.codex.turns[0].request.resume is not None


async def test_what_was_bound_by_hand_holds_until_a_directive_says_otherwise() -> None:
    bound = PlaceRecord(
        key="memory:1", project="zed", branch="dev", preferences=Preferences(engine="codex")
    )
    async with projects(bound) as world:
        world.chat.write("one")
        world.chat.write("/api two")
        await settle()
        assert runs(world) == [
            ("codex", "/src/zed/.worktrees/dev", "one"),
            ("codex", "/src/api", "two"),
        ]


async def test_a_branch_that_git_refuses_ends_the_turn_with_its_words() -> None:
    async with projects() as world:
        world.workspaces.refuses = "git said no; commit first"
        world.chat.write("/zed @dev one")
        await settle()
        assert "git said no; commit first" in world.finals()[0]
        assert runs(world) == []


async def test_in_chat_mode_prompts_go_on_by_themselves_each_in_its_own_context() -> None:
    async with projects(session_mode="chat") as world:
        for text in ("/codex one", "/zed /codex two", "/codex three", "/zed /codex four"):
            world.chat.write(text)
            await settle()
        plain, zed = (
            [t for t in world.codex.turns if str(t.request.cwd) == path]
            for path in ("/work", "/src/zed")
        )
        for first, second in (plain, zed):
            assert first.request.resume is None
            assert second.request.resume == first.session
        assert plain[0].session != zed[0].session


async def test_in_chat_mode_two_prompts_at_once_share_the_new_session() -> None:
    """The second waits for the first, and does not begin another."""
    async with projects(session_mode="chat") as world:
        world.chat.feed(world.chat.message("one"), world.chat.message("two"))
        await settle()
        first, second = world.codex.turns
        assert second.request.resume == first.session


@pytest.mark.parametrize("thread", [None, 5])
async def test_a_prompt_in_a_place_of_a_removed_project_says_that_it_ran_elsewhere(
    thread: int | None,
) -> None:
    """Nobody is to believe that it worked where the topic's name says."""
    key = "memory:1" if thread is None else f"memory:1:{thread}"
    async with projects(PlaceRecord(key=key, project="gone")) as world:
        world.chat.write("fix it", thread=thread)
        await world.clock.advance(5)
        assert runs(world) == [("codex", "/work", "fix it")]
        assert world.chat.has("project gone is not known any more")
        world.chat.write("/zed fix that", thread=thread)
        await world.clock.advance(5)
        assert "not known" not in world.chat.find("answer to fix that").text


async def test_help_knows_the_projects() -> None:
    """A person who asks about a project's name hears how it goes before a prompt."""
    async with projects() as world:
        world.chat.write("/help")
        world.chat.write("/help Zed")
        await world.rest()
        everything, one = world.chat.texts()
        assert "/zed @feat/login add a test – or /api" in everything
        assert one.startswith("/zed goes before what is to be done there")
