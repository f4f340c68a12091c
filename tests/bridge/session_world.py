"""A bridge with two projects in which sessions go on by themselves, and what is looked at there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio

from bridge.world import World
from fakes.clock import settle
from fakes.project_folders import NamedFolders
from fakes.scripted_engine import ScriptedTurn
from takopi.bridge.memory_store import MemoryStore
from takopi.core.access import access_policy
from takopi.core.chat import Button
from takopi.core.chat_settings import ChatSettings, SessionMode
from takopi.core.projects import Project, Projects
from takopi.model import ResumeToken, TakopiEvent

PROJECTS = Projects(
    (Project("zed", Path("/src/zed")), Project("api", Path("/src/api"), chat_id=-7))
)


@asynccontextmanager
async def chatting(
    mode: SessionMode = "chat", store: MemoryStore | None = None, **options: Any
) -> AsyncIterator[World]:
    """Run a bridge for the length of a test."""
    access = access_policy(chat_id=1, allowed_chat_ids=(-7,), allowed_user_ids=(1, 2))
    chats = ChatSettings(projects=PROJECTS, session_mode=mode)
    folders = NamedFolders(PROJECTS)
    world = World(
        options={"access": access, "chats": chats, **options},
        workspaces=folders,
        store=MemoryStore() if store is None else store,
    )
    async with anyio.create_task_group() as group:
        group.start_soon(world.bridge.run)
        await settle()
        yield world
        group.cancel_scope.cancel()


async def say(world: World, text: str, **more: Any) -> int:
    """Write a message and wait until it was answered; returns its number."""
    number = world.chat.write(text, **more).message_id
    await world.clock.advance(5)
    return number


async def tap(world: World, words: str, label: str, **more: Any) -> None:
    """Press the button below the last message with some words whose label begins so."""
    shown = world.chat.find(words, more.get("chat", 1))
    found = button(world, words, label, **more)
    world.chat.press(found.data, on=shown.message_id, **more)
    await world.clock.advance(5)


def button(world: World, words: str, label: str, **more: Any) -> Button:
    """Find that button."""
    shown = world.chat.find(words, more.get("chat", 1)).message
    assert shown is not None
    buttons = [one for row in shown.buttons for one in row]
    found = [one for one in buttons if one.label.startswith(label)]
    assert found, [one.label for one in buttons]
    return found[0]


def asked(world: World, engine: str = "codex") -> list[tuple[str, str | None]]:
    """List prompt and session asked for of every turn of an engine."""
    turns = world.engines.runners[engine].turns
    return [(t.request.prompt, t.request.resume and t.request.resume.value) for t in turns]


async def gone(turn: ScriptedTurn) -> AsyncIterator[TakopiEvent]:
    """Fail as an engine does that does not know a session."""
    turn.session_unknown = True
    yield turn.failure("no conversation found", resume=turn.request.resume)


def token(value: str, engine: str = "codex") -> ResumeToken:
    """Name a session."""
    return ResumeToken(engine, value)
