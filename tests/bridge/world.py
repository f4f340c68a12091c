"""A bridge in a world of its own: one chat service, two engines, a clock that tests move."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from fakes.clock import VirtualClock, settle
from fakes.project_folders import NamedFolders
from fakes.scripted_engine import ScriptedDirectory, ScriptedHost, ScriptedRunner
from fakes.transport import Call, MemoryTransport
from takopi.bridge.bridge import Bridge, BridgeOptions, BridgePorts
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.ports import CommandPlugins, ProjectFiles
from takopi.core.access import access_policy
from takopi.transcription import Transcriber


@dataclass
class World:
    """Hold everything that a test of the bridge looks at."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    options: dict[str, Any] = field(default_factory=dict)
    store: MemoryStore = field(default_factory=MemoryStore)
    files: ProjectFiles | None = None
    workspaces: NamedFolders | None = None
    transcriber: Transcriber | None = None
    plugins: CommandPlugins | None = None

    def __post_init__(self) -> None:
        self.chat = MemoryTransport(self.clock)
        self.codex = ScriptedRunner("codex")
        self.claude = ScriptedRunner("claude")
        self.engines = ScriptedDirectory(
            {"codex": self.codex, "claude": self.claude}, versions={"codex": "1.2.3"}
        )
        self.host = ScriptedHost()
        self._ids = 0
        ports = BridgePorts(
            self.chat,
            self.store,
            self.clock,
            self.engines,
            self.host,
            self.workspaces,
            files=self.files,
            transcriber=self.transcriber,
            plugins=self.plugins,
        )
        options: dict[str, Any] = {
            "access": access_policy(chat_id=1),
            "default_engine": "codex",
            "work_dir": Path("/projects"),
            "new_id": self._new_id,
            "version": "9.9",
            **self.options,
        }
        self.bridge = Bridge(ports, BridgeOptions(**options))

    def _new_id(self) -> str:
        self._ids += 1
        return f"t{self._ids}"

    async def rest(self) -> None:
        """Wait until nothing happens any more without time passing."""
        await settle()

    def sent(self, *verbs: str) -> list[Call]:
        """List the accepted calls of some kinds."""
        return [call for call in self.chat.calls if call.accepted and call.verb in verbs]

    def finals(self, chat: int = 1) -> list[str]:
        """List what the chat shows that looks like a final."""
        words = ("✓ done", "✗ error", "■ cancelled")
        return [text for text in self.chat.texts(chat) if text.startswith(words)]


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[World]:
    """Run a bridge for the length of a test; whatever still runs then is torn down."""
    world = World(options=options)
    async with anyio.create_task_group() as group:
        group.start_soon(world.bridge.run)
        await settle()
        yield world
        group.cancel_scope.cancel()
