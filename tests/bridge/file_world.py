"""A bridge in a world whose chat service has files."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, BinaryIO

import anyio

from bridge.world import World
from fakes.clock import settle
from fakes.project_folders import NamedFolders
from takopi.bridge.memory_store import MemoryStore
from takopi.core.chat import IncomingFile, MessageReceived
from takopi.core.chat_settings import ChatSettings
from takopi.core.file_rules import FileRules
from takopi.core.projects import Projects
from takopi.files.project_files import LocalFiles

PDF = IncomingFile(kind="document", file_id="d1", name="plan.pdf", size=4)
PHOTO = IncomingFile(kind="photo", file_id="p1", name="photo-9.jpg", size=5)


class FileWorld(World):
    """Be a world whose chat service has files.

    Args:
        root: The one directory in which prompts run.
    """

    def __init__(
        self,
        root: Path,
        store: MemoryStore | None = None,
        projects: Projects | None = None,
        max_runs: int = 4,
        **rules: Any,
    ) -> None:
        self.root = root
        super().__init__(
            options={
                "work_dir": root,
                "chats": ChatSettings(projects=projects or Projects(())),
                "max_runs": max_runs,
            },
            store=store or MemoryStore(),
            files=LocalFiles(FileRules(**rules), root.parent / "home"),
            workspaces=NamedFolders(projects, root) if projects else None,
        )
        self.content = {"d1": b"plan", "p1": b"photo"}
        self.fetches: list[str] = []
        self.failures: list[Exception] = []
        self.held: set[str] = set()
        self.chat.fetch = self._fetch

    async def _fetch(self, file: IncomingFile, into: BinaryIO, max_bytes: int) -> None:
        self.fetches.append(file.file_id)
        if file.file_id in self.held:
            await anyio.sleep_forever()
        if self.failures:
            raise self.failures.pop(0)
        assert len(self.content[file.file_id]) <= max_bytes
        into.write(self.content[file.file_id])

    @asynccontextmanager
    async def on(self) -> AsyncIterator["FileWorld"]:
        """Let a bridge live."""
        async with anyio.create_task_group() as group:
            group.start_soon(self.bridge.run)
            await settle()
            yield self
            group.cancel_scope.cancel()

    async def sends(self, text: str = "", **more: Any) -> MessageReceived:
        """Let the person send something, and wait until nothing happens any more."""
        update = self.chat.write(text, **more)
        await settle()
        return update

    async def says(self, text: str, **more: Any) -> str:
        """Let the person send something; returns what the bot says last."""
        await self.sends(text, **more)
        return self.chat.texts()[-1]

    def attached(self) -> list[list[str]]:
        """List the files that each turn of codex got, relative to its directory."""
        return [
            [str(path.relative_to(self.root)) for path in turn.request.attachments]
            for turn in self.codex.turns
        ]

    def arrived(self) -> dict[str, bytes]:
        """List what lies where arriving files go."""
        folder = self.root / "incoming"
        return {path.name: path.read_bytes() for path in sorted(folder.glob("*"))}
