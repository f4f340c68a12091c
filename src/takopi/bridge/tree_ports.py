"""What the bridge needs of projects and their working trees."""

from pathlib import Path
from typing import Protocol

from takopi.context import RunContext
from takopi.core.working_trees import Changes, Kept, Removed, Reverted, Worktree

__all__ = ["Workspaces"]


class Workspaces(Protocol):
    """Know where projects lie, and the working trees of their branches.

    Nothing here blocks the event loop, whatever git or a dead disk does, and whoever waits may be
    cancelled. Every method that awaits may raise a leaf of `TakopiError` whose text says what to
    do: the project is not known any more, the disk does not answer, git refused.
    """

    async def directory(self, context: RunContext) -> Path:
        """Return where a context's prompts run; the worktree of a branch is made when it is new.

        Raises:
            WorkDirMissing: The project's directory is gone.
        """
        ...

    async def has(self, directory: Path) -> bool:
        """Tell whether a directory is there.

        Raises:
            WorkDirSilent: Its disk does not answer.
        """
        ...

    async def context_of(self, directory: Path) -> RunContext:
        """Say which project and branch a directory belongs to; none for any other directory."""
        ...

    def tree_of(self, directory: Path) -> Path:
        """Name the working tree of a directory, by rule and without looking at the disk."""
        ...

    async def find(self, context: RunContext) -> Path | None:
        """Return where a context's prompts run; None when its branch has no worktree yet."""
        ...

    async def trees(self, project: str) -> tuple[Worktree, ...]:
        """List the working trees of a project, its main one first."""
        ...

    async def remove(self, context: RunContext, *, force: bool = False) -> Removed | Kept:
        """Remove the worktree of a branch; what would be lost keeps it, unless forced."""
        ...

    async def look(self, directory: Path, branch: RunContext | None = None) -> Changes:
        """See what is in no commit.

        Args:
            directory: Where.
            branch: Given, what its branch has committed since it began counts also.
        """
        ...

    async def changes_since(
        self, directory: Path, snapshot: str, until: str | None = None
    ) -> Changes:
        """See what changed since a snapshot of the directory.

        Args:
            directory: Where.
            snapshot: What it held then.
            until: What it held later, to leave out what changed since; None for now.
        """
        ...

    async def snapshot(self, directory: Path) -> str | None:
        """Take down what a directory holds; None when it is in no repository."""
        ...

    async def commit(self, directory: Path, text: str) -> str:
        """Commit everything that is in no commit, and give the id of the commit."""
        ...

    async def committed(self, directory: Path, text: str, since_s: float) -> str | None:
        """Return the commit that a directory is on, if it says this and was made since a moment."""
        ...

    async def revert(self, directory: Path, snapshot: str | None = None) -> Reverted:
        """Put files back to a snapshot, or to the last commit; what was there is kept."""
        ...
