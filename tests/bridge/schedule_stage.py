"""A bridge whose schedules a test looks at, and that may have lived before."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio

from bridge.world import World
from fakes.clock import settle
from fakes.project_folders import NamedFolders
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.records import Change, SchedulePut
from takopi.core.access import access_policy
from takopi.core.chat_settings import ChatSettings
from takopi.core.projects import Project, Projects
from takopi.core.schedules import ScheduleRecord

ZED = Project("zed", Path("/src/zed"), default_engine="claude")
API = Project("api", Path("/src/api"), chat_id=-7)
PROJECTS = Projects((ZED, API))
ACCESS = access_policy(chat_id=1, allowed_chat_ids=(-7,), allowed_user_ids=(1,))


class FullStore(MemoryStore):
    """Be a journal that takes no schedule, or nothing at all."""

    refuses: type[Exception] | None = None

    async def commit(self, changes: Sequence[Change]) -> None:
        if self.refuses and any(isinstance(change, SchedulePut) for change in changes):
            raise self.refuses("the disk is full; make room")
        await super().commit(changes)


@asynccontextmanager
async def living(
    store: MemoryStore | None = None, before: World | None = None, **options: Any
) -> AsyncIterator[World]:
    """Run a bridge, with the journal and the clock of an earlier one if wanted."""
    given = {"chats": ChatSettings(projects=PROJECTS), "access": ACCESS, **options}
    world = World(
        options=given,
        store=store or (before.store if before else FullStore()),
        workspaces=NamedFolders(PROJECTS),
    )
    if before is not None:
        world.clock.epoch = before.clock.wall() - world.clock.now()
        world.chat._numbers = before.chat.number() + 100
    async with anyio.create_task_group() as group:
        group.start_soon(world.bridge.run)
        await settle()
        yield world
        group.cancel_scope.cancel()


def prompts(world: World) -> list[tuple[str, str, str]]:
    """List engine, directory and prompt of every turn that was started."""
    turns = [*world.codex.turns, *world.claude.turns]
    return [(t.runner.engine, str(t.request.cwd), t.request.prompt) for t in turns]


def data(world: World, words: str, label: str) -> tuple[str, int]:
    """Find what a button below a message carries, and the message."""
    shown = world.chat.find(words)
    assert shown.message is not None
    found = [b.data for row in shown.message.buttons for b in row if label in b.label]
    assert found, f"no button {label} below {shown.text}"
    return found[0], shown.message_id


async def press(world: World, words: str, label: str) -> str:
    """Press a button; return what its presser sees."""
    carried, number = data(world, words, label)
    name = world.chat.press(carried, on=number)
    await settle()
    (answer,) = [c.text for c in world.chat.calls if c.verb == "answer" and name in c.text]
    return answer.removeprefix(f"{name}: ")


async def the(world: World) -> ScheduleRecord:
    """Return the one schedule that the journal has."""
    (found,) = (await world.store.load()).schedules
    return found
