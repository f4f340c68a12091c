"""Where prompts run: the projects of the configuration and the worktrees of their branches."""

from functools import partial
from pathlib import Path

from anyio.to_thread import run_sync

from takopi.app.disks import Disks
from takopi.context import RunContext
from takopi.core.contexts import NO_CONTEXT
from takopi.core.projects import Project, Projects
from takopi.core.texts import tr
from takopi.core.working_trees import Changes, Kept, Removed, Reverted, Worktree
from takopi.errors import ConfigError, GitRefused, WorkDirMissing
from takopi.utils.git import git_stdout
from takopi.worktrees import changes
from takopi.worktrees.worktrees import Worktrees

__all__ = ["ProjectWorkspaces"]


class ProjectWorkspaces:
    """Find the directory of a context, the context of a directory, and what was changed in it.

    Args:
        projects: Of the configuration.
        work_dir: Where prompts run that belong to no project; absolute.
        worktrees: Makes worktrees.
        disks: Asked before anything else looks at a directory; git would wait for ever.
    """

    def __init__(
        self,
        projects: Projects,
        work_dir: Path,
        worktrees: Worktrees,
        disks: Disks | None = None,
    ) -> None:
        self._projects = projects
        self._work_dir = work_dir
        self._worktrees = worktrees
        self._disks = disks or Disks()

    async def directory(self, context: RunContext) -> Path:
        """Return where a context's prompts run; the worktree of a branch is made when it is new.

        Raises:
            ConfigError: The project is not in the configuration any more.
            WorkDirMissing: Its directory is gone.
            WorkDirSilent: The disk of the directory does not answer.
            BranchRefused: No branch can be called so.
            NotARepository: The project has no branches.
            GitRefused: git did not make the worktree.
        """
        if context.project is None:
            await self._disks.has(self._work_dir)
            return self._work_dir
        project = await self._project(context.project)
        return await self._worktrees.directory(project, context.branch)

    async def has(self, directory: Path) -> bool:
        """Tell whether a directory is there.

        Raises:
            WorkDirSilent: Its disk does not answer.
        """
        return await self._disks.has(directory)

    async def context_of(self, directory: Path) -> RunContext:
        """Say which project and branch a directory belongs to."""
        project = self._projects.containing(directory)
        if project is None:
            return NO_CONTEXT
        if not directory.is_relative_to(project.worktrees):
            return RunContext(project.alias)
        # git is asked in a thread, with a time limit of its own.
        ask = partial(git_stdout, ["branch", "--show-current"], cwd=directory)
        return RunContext(project.alias, await run_sync(ask, abandon_on_cancel=True) or None)

    def tree_of(self, directory: Path) -> Path:
        """Name the working tree of a directory, by rule and without looking at the disk."""
        return Path(self._projects.tree_of(directory))

    async def find(self, context: RunContext) -> Path | None:
        """Return where a context's prompts run; None when its branch has no worktree yet."""
        if context.project is None or context.branch is None:
            return await self.directory(context)
        return await self._worktrees.find(await self._project(context.project), context.branch)

    async def trees(self, project: str) -> tuple[Worktree, ...]:
        """List the working trees of a project, its main one first."""
        return await self._worktrees.list(await self._project(project))

    async def remove(self, context: RunContext, *, force: bool = False) -> Removed | Kept:
        """Remove the worktree of a branch; what would be lost keeps it, unless forced.

        Raises:
            GitRefused: It is none of a branch, or may not be removed.
        """
        if context.project is None or context.branch is None:
            raise GitRefused(tr("Only a worktree of a branch can be removed; name one: @branch."))
        project = await self._project(context.project)
        return await self._worktrees.remove(project, context.branch, force=force)

    async def look(self, directory: Path, branch: RunContext | None = None) -> Changes:
        """See what is in no commit; of a branch also what it has committed since it began."""
        await self._there(directory)
        base = None
        if branch is not None and branch.project is not None and branch.branch is not None:
            base = await self._worktrees.base(await self._project(branch.project))
        return await changes.look(directory, base)

    async def changes_since(
        self, directory: Path, snapshot: str, until: str | None = None
    ) -> Changes:
        """See what changed since a snapshot of the directory, up to now or to another one."""
        await self._there(directory)
        return await changes.changes_since(directory, snapshot, until)

    async def snapshot(self, directory: Path) -> str | None:
        """Take down what a directory holds; None when it is in no repository."""
        await self._there(directory)
        return await changes.snapshot(directory)

    async def commit(self, directory: Path, text: str) -> str:
        """Commit everything that is in no commit, and give the id of the commit."""
        await self._there(directory)
        return await changes.commit(directory, text)

    async def committed(self, directory: Path, text: str, since_s: float) -> str | None:
        """Return the commit that a directory is on, if it says this and was made since a moment."""
        await self._there(directory)
        return await changes.committed(directory, text, since_s)

    async def revert(self, directory: Path, snapshot: str | None = None) -> Reverted:
        """Put files back to a snapshot, or to the last commit; what was there is kept."""
        await self._there(directory)
        return await changes.revert(directory, snapshot)

    async def _there(self, directory: Path) -> None:
        if not await self._disks.has(directory):
            raise WorkDirMissing(directory)

    async def _project(self, alias: str) -> Project:
        """Return a project whose directory is there.

        Raises:
            ConfigError: It is not in the configuration any more.
            WorkDirMissing: Its directory is gone.
            WorkDirSilent: The disk of its directory does not answer.
        """
        found = self._projects.find(alias)
        if found is None:
            raise ConfigError(
                tr("the project {alias} is not in the configuration any more; register it again "
                   "with `takopi init`, or send the prompt without it", alias=alias)
            )  # fmt: skip
        await self._there(Path(found.path))
        return found
