"""Where prompts run when there are no projects."""

from pathlib import Path

import anyio

from takopi.context import RunContext
from takopi.core.contexts import NO_CONTEXT
from takopi.core.texts import tr
from takopi.core.working_trees import Changes, Kept, Removed, Reverted, Worktree
from takopi.errors import ConfigError, NotARepository

__all__ = ["OneDirectory"]


class OneDirectory:
    """Be one directory for everything.

    Args:
        path: Absolute.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def directory(self, context: RunContext) -> Path:
        """Return the directory.

        Raises:
            ConfigError: A project was named.
        """
        if context.project is not None:
            raise ConfigError(
                tr(
                    "the project {project} is not in the configuration any more; register it again "
                    "with `takopi init`",
                    project=context.project,
                )
            )
        return self._path

    async def has(self, directory: Path) -> bool:
        """Look whether a directory is there."""
        return await anyio.to_thread.run_sync(directory.is_dir, abandon_on_cancel=True)

    async def context_of(self, directory: Path) -> RunContext:
        """Say that it belongs to no project."""
        del directory
        return NO_CONTEXT

    def tree_of(self, directory: Path) -> Path:
        """Name it as it is."""
        return directory

    async def find(self, context: RunContext) -> Path | None:
        """Return the directory, as `directory` does."""
        return await self.directory(context)

    async def trees(self, project: str) -> tuple[Worktree, ...]:
        """Refuse: there are no projects."""
        raise _no_repository(project)

    async def remove(self, context: RunContext, *, force: bool = False) -> Removed | Kept:
        """Refuse: there are no worktrees."""
        del force
        raise _no_repository(context.project or "")

    async def look(self, directory: Path, branch: RunContext | None = None) -> Changes:
        """Refuse: nobody looks into it."""
        del branch
        raise _no_repository(directory)

    async def changes_since(
        self, directory: Path, snapshot: str, until: str | None = None
    ) -> Changes:
        """Refuse: nobody looks into it."""
        del snapshot, until
        raise _no_repository(directory)

    async def snapshot(self, directory: Path) -> str | None:
        """Take nothing down."""
        del directory
        return None

    async def commit(self, directory: Path, text: str) -> str:
        """Refuse: nobody commits in it."""
        del text
        raise _no_repository(directory)

    async def committed(self, directory: Path, text: str, since_s: float) -> str | None:
        """Know of no commit."""
        del directory, text, since_s
        return None

    async def revert(self, directory: Path, snapshot: str | None = None) -> Reverted:
        """Refuse: nothing is put back in it."""
        del snapshot
        raise _no_repository(directory)


def _no_repository(what: object) -> NotARepository:
    return NotARepository(
        tr("takopi does not look into repositories here ({what}); work in a project.", what=what)
    )
