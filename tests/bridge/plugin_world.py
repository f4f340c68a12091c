"""Commands of plug-ins for tests: each is a function, with a bridge that has them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

import anyio

from bridge.world import World
from fakes.clock import settle
from fakes.project_folders import NamedFolders
from takopi.bridge.memory_store import MemoryStore
from takopi.commands import CommandContext, accept_command
from takopi.core.chat_settings import ChatSettings
from takopi.core.projects import Project, Projects
from takopi.errors import PluginError
from takopi.plugin_catalogue import PluginCatalogue

__all__ = ["Command", "Plugins", "Source", "commands", "living"]

Handle = Callable[[CommandContext], Awaitable[Any]]
PROJECTS = Projects(
    (
        Project("web", PurePath("/web")),
        Project("api", PurePath("/api"), default_engine="codex", chat_id=-8),
    )
)


class Command:
    """Be a command whose work is a function."""

    def __init__(self, command_id: str, handle: Handle) -> None:
        self.id = command_id
        self.description = f"Does {command_id}"
        self.handle = handle


@dataclass
class Source:
    """Be the place of a command in a package."""

    id: str
    what: object
    package: str = "toy-pack"
    loads: int = 0

    @property
    def place(self) -> str:
        return f"entry point {self.id}"

    def load(self) -> object:
        self.loads += 1
        if isinstance(self.what, BaseException):
            raise self.what
        return self.what


@dataclass
class Plugins:
    """Know the commands of a test."""

    sources: list[Source]
    config_path: Path | None = Path("/home/takopi.toml")
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    there: tuple[str, ...] = ("codex",)
    always_answers: bool = False

    def __post_init__(self) -> None:
        self.catalogue = PluginCatalogue("command", self.sources, accept_command)

    def table(self, plugin_id: str) -> dict[str, Any]:
        return dict(self.tables.get(plugin_id, {}))

    def installed(self, engine: str) -> bool:
        if engine == "broken":
            raise PluginError("it is broken")
        return engine in self.there


def commands(**handles: Handle) -> Plugins:
    """Make commands of functions."""
    return Plugins([Source(name, Command(name, handle)) for name, handle in handles.items()])


@asynccontextmanager
async def living(plugins: Plugins, store: MemoryStore | None = None) -> AsyncIterator[World]:
    """Run a bridge with plug-ins; what runs at the end is torn down, as by a crash."""
    chats = ChatSettings(projects=PROJECTS)
    world = World(
        options={"chats": chats},
        store=store or MemoryStore(),
        workspaces=NamedFolders(PROJECTS),
        plugins=plugins,
    )
    async with anyio.create_task_group() as group:
        group.start_soon(world.bridge.run)
        await settle()
        yield world
        group.cancel_scope.cancel()
