"""Working trees that a test only names: what directory a context has is a rule, not a disk."""

from collections.abc import Awaitable
from pathlib import Path
from typing import Protocol

import anyio

from takopi.context import RunContext
from takopi.core.projects import Projects
from takopi.core.working_trees import Changes, Kept, Removed, Reverted, Worktree
from takopi.errors import ConfigError, GitRefused


class Slowly(Protocol):
    """Be awaited in every method of the folders; gets its name."""

    def __call__(self, name: str, /) -> Awaitable[None]: ...


class NamedFolders:
    """Give each project and branch a folder of its own name.

    Args:
        projects: Those that are known.
        work_dir: For no project.
    """

    def __init__(self, projects: Projects, work_dir: Path = Path("/work")) -> None:
        self.projects = projects
        self.work_dir = work_dir
        self.asked: list[RunContext] = []
        self.refuses = ""
        self.made: list[Worktree] = []
        """The worktrees of the first project."""
        self.loses: dict[str, Kept] = {}
        self.removed: list[tuple[str, bool]] = []
        self.uncommitted = Changes()
        self.on_branch = Changes()
        self.since: dict[str, Changes] = {}
        self.snapshots: list[str | None] = []
        self.commits: list[tuple[Path, str]] = []
        self.committed_at = 0.0
        """When the last commit was made, unix seconds."""
        self.reverts: list[tuple[Path, str | None]] = []
        self.slowly: Slowly | None = None

    async def directory(self, context: RunContext) -> Path:
        """Return the folder, or refuse as git would."""
        self.asked.append(context)
        await self._slow("directory")
        if context.project is None:
            return self.work_dir
        project = self.projects.find(context.project)
        if project is None:
            raise ConfigError(f"no project {context.project}")
        path = Path(project.path)
        return path / ".worktrees" / context.branch if context.branch else path

    async def has(self, directory: Path) -> bool:
        """Look whether a directory is there, on the real disk."""
        await self._slow("has")
        return await anyio.Path(directory).is_dir()

    async def context_of(self, directory: Path) -> RunContext:
        """Read project and branch off the name."""
        project = self.projects.containing(directory)
        if project is None:
            return RunContext()
        trees = Path(project.worktrees)
        inside = directory.is_relative_to(trees)
        return RunContext(project.alias, str(directory.relative_to(trees)) if inside else None)

    def tree_of(self, directory: Path) -> Path:
        """Name the tree by the rule."""
        return Path(self.projects.tree_of(directory))

    async def find(self, context: RunContext) -> Path | None:
        """Return the folder of a worktree that was made."""
        if context.branch is None:
            return await self.directory(context)
        await self._slow("find")
        return next((Path(one.path) for one in self.made if one.branch == context.branch), None)

    async def trees(self, project: str) -> tuple[Worktree, ...]:
        """List what was made."""
        await self._slow("trees")
        return tuple(self.made) if project == self.projects.all[0].alias else ()

    async def remove(self, context: RunContext, *, force: bool = False) -> Removed | Kept:
        """Forget a worktree, or say what would be lost."""
        await self._slow("remove")
        branch = context.branch or ""
        if branch in self.loses and not force:
            return self.loses[branch]
        path = await self.find(context)
        if path is None:
            raise GitRefused(f"There is no worktree of {branch}.")
        self.made = [one for one in self.made if one.branch != branch]
        self.removed.append((branch, force))
        return Removed(branch, path, "refs/takopi/kept/1" if force else None)

    async def look(self, directory: Path, branch: RunContext | None = None) -> Changes:
        """Show what a test says."""
        await self._slow("look")
        return self.uncommitted if branch is None else self.on_branch

    async def changes_since(
        self, directory: Path, snapshot: str, until: str | None = None
    ) -> Changes:
        """Show what a test says of a snapshot, or of two as `s1..s2`."""
        return self.since[snapshot if until is None else f"{snapshot}..{until}"]

    async def snapshot(self, directory: Path) -> str | None:
        """Give the next snapshot of the test."""
        await self._slow("snapshot")
        return self.snapshots.pop(0) if self.snapshots else None

    async def commit(self, directory: Path, text: str) -> str:
        """Take it down; nothing is uncommitted then."""
        await self._slow("commit")
        if not self.uncommitted.files:
            raise GitRefused("Nothing was changed, so there is nothing to commit.")
        self.commits.append((directory, text))
        self.uncommitted = Changes()
        return "0123456789abcdef"

    async def committed(self, directory: Path, text: str, since_s: float) -> str | None:
        """Know the last commit, if that is new enough."""
        newest = self.commits[-1:] == [(directory, text)]
        return "0123456789abcdef" if newest and self.committed_at >= since_s else None

    async def revert(self, directory: Path, snapshot: str | None = None) -> Reverted:
        """Take it down; nothing is uncommitted then."""
        await self._slow("revert")
        self.reverts.append((directory, snapshot))
        files = tuple(file.path for file in self.uncommitted.files)
        self.uncommitted = Changes()
        return Reverted(files, "refs/takopi/kept/2") if files else Reverted()

    async def _slow(self, name: str) -> None:
        await anyio.lowlevel.checkpoint()
        if self.slowly is not None:
            await self.slowly(name)
        if self.refuses:
            raise ConfigError(self.refuses)
