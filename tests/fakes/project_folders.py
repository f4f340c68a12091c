"""Working trees that a test only names: what directory a context has is a rule, not a disk."""

from pathlib import Path

from takopi.context import RunContext
from takopi.core.projects import Projects
from takopi.errors import ConfigError


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

    async def directory(self, context: RunContext) -> Path:
        """Return the folder, or refuse as git would."""
        self.asked.append(context)
        if self.refuses:
            raise ConfigError(self.refuses)
        if context.project is None:
            return self.work_dir
        project = self.projects.find(context.project)
        if project is None:
            raise ConfigError(f"no project {context.project}")
        path = Path(project.path)
        return path / ".worktrees" / context.branch if context.branch else path

    async def context_of(self, directory: Path) -> RunContext:
        """Read project and branch off the name."""
        project = self.projects.containing(directory)
        if project is None:
            return RunContext()
        trees = Path(project.worktrees)
        inside = directory.is_relative_to(trees)
        return RunContext(project.alias, str(directory.relative_to(trees)) if inside else None)
