"""Name the repositories a person works in, and find the one that is meant."""

import re
from pathlib import PurePath

import msgspec

from takopi.model import EngineId

__all__ = ["Project", "Projects", "is_alias"]

# A directive or menu command must be able to name it, so it has Telegram's letters and a dash more.
_ALIAS = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


def is_alias(text: str) -> bool:
    """Say whether a text can name a project.

    Args:
        text: 1 to 32 of `a-z`, `0-9`, `_`, `-`; the first is a letter or digit.
    """
    return _ALIAS.fullmatch(text) is not None


class Project(msgspec.Struct, frozen=True):
    """Describe one repository that the person registered.

    Args:
        alias: Its name in directives.
        path: Its directory, absolute.
        worktrees_dir: Where worktrees of branches go: below `path`, or absolute.
        worktree_base: What a new branch starts from; None for the remote's default branch.
        default_engine: The engine of its prompts; None for that of the configuration.
        chat_id: The chat that is bound to it; None without one.
    """

    alias: str
    path: PurePath
    worktrees_dir: str = ".worktrees"
    worktree_base: str | None = None
    default_engine: EngineId | None = None
    chat_id: int | None = None

    def __post_init__(self) -> None:
        """Refuse a path that would mean another place in another directory."""
        if not self.path.is_absolute():
            raise ValueError(f"the path of the project {self.alias} is not absolute: {self.path}")

    @property
    def worktrees(self) -> PurePath:
        """Give the directory in which worktrees are made."""
        return self.path / self.worktrees_dir  # an absolute worktrees_dir stays as it is


class Projects(msgspec.Struct, frozen=True):
    """Hold the projects in the order of the configuration.

    Args:
        all: The projects; no two of one alias.
    """

    all: tuple[Project, ...] = ()

    @property
    def aliases(self) -> tuple[str, ...]:
        """List the names of all projects, in the order of the configuration."""
        return tuple(project.alias for project in self.all)

    def find(self, alias: str) -> Project | None:
        """Return the project of a name, however its letters are written; None for no such one."""
        if not alias.isascii():  # some foreign letters become ASCII in lower case
            return None
        wanted = alias.lower()
        return next((one for one in self.all if one.alias.lower() == wanted), None)

    def of_chat(self, chat_id: int | None) -> Project | None:
        """Return the project that a chat is bound to; None when it is bound to none."""
        if chat_id is None:
            return None
        return next((one for one in self.all if one.chat_id == chat_id), None)

    def containing(self, path: PurePath) -> Project | None:
        """Return the innermost project in whose directory or worktrees a path lies.

        Args:
            path: Absolute and without links or `..`, as are the projects' own.
        """
        found: Project | None = None
        deepest = 0
        for one in self.all:
            for root in (one.path, one.worktrees):
                if len(root.parts) > deepest and path.is_relative_to(root):
                    found, deepest = one, len(root.parts)
        return found

    def tree_of(self, path: PurePath) -> PurePath:
        """Name the working tree that a path lies in: of a project, of one of its branches, or none.

        Args:
            path: As for `containing`.
        """
        project = self.containing(path)
        if project is None:
            return path
        trees = project.worktrees
        if path != trees and path.is_relative_to(trees):
            return trees / path.relative_to(trees).parts[0]
        return project.path
