"""Where prompts run: the projects of the configuration and the worktrees of their branches."""

from functools import partial
from pathlib import Path

from anyio.to_thread import run_sync

from takopi.context import RunContext
from takopi.core.contexts import NO_CONTEXT
from takopi.core.projects import Project, Projects
from takopi.errors import ConfigError
from takopi.utils.git import git_stdout
from takopi.worktrees.worktrees import Worktrees

__all__ = ["ProjectWorkspaces"]


class ProjectWorkspaces:
    """Find the directory of a context, and the context of a directory.

    Args:
        projects: Of the configuration.
        work_dir: Where prompts run that belong to no project; absolute.
        worktrees: Makes worktrees.
    """

    def __init__(self, projects: Projects, work_dir: Path, worktrees: Worktrees) -> None:
        self._projects = projects
        self._work_dir = work_dir
        self._worktrees = worktrees

    async def directory(self, context: RunContext) -> Path:
        """Return where a context's prompts run; the worktree of a branch is made when it is new.

        Raises:
            ConfigError: The project is not in the configuration any more.
            WorkDirMissing: Its directory is gone.
            BranchRefused: No branch can be called so.
            NotARepository: The project has no branches.
            GitRefused: git did not make the worktree.
        """
        if context.project is None:
            return self._work_dir
        return await self._worktrees.directory(self.project(context.project), context.branch)

    async def context_of(self, directory: Path) -> RunContext:
        """Say which project and branch a directory belongs to."""
        project = self._projects.containing(directory)
        if project is None:
            return NO_CONTEXT
        if not directory.is_relative_to(project.worktrees):
            return RunContext(project.alias)
        # git is asked in a thread, with a time limit of its own.
        ask = partial(git_stdout, ["branch", "--show-current"], cwd=directory)
        return RunContext(project.alias, await run_sync(ask) or None)

    def project(self, alias: str) -> Project:
        """Return a project.

        Raises:
            ConfigError: It is not in the configuration any more.
        """
        found = self._projects.find(alias)
        if found is None:
            raise ConfigError(
                f"the project {alias} is not in the configuration any more; register it again "
                "with `takopi init`, or send the prompt without it"
            )
        return found
