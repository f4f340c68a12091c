"""What is known of working trees: which there are, what was changed in one, what one would lose."""

from pathlib import PurePath
from typing import Literal, TypeAlias

import msgspec

__all__ = [
    "ChangeKind",
    "Changes",
    "FileChange",
    "Kept",
    "Losses",
    "Removed",
    "Reverted",
    "Worktree",
]

ChangeKind: TypeAlias = Literal["added", "modified", "deleted", "renamed", "conflict"]


class Worktree(msgspec.Struct, frozen=True):
    """Describe one working tree of a project.

    Args:
        branch: What is checked out; None when it is no branch.
        path: Its top.
        main: It is the repository's own: never removed.
        head: The commit it is on; None without one.
        dirty: Files that are in no commit; None when git did not tell.
        ahead: Commits that the branch it follows lacks; None when it follows none.
        behind: Commits that it lacks itself.
        last_commit_s: When its commit was made, in Unix seconds.
        locked: Somebody told git to keep it.
        missing: Its folder is gone.
    """

    branch: str | None
    path: PurePath
    main: bool = False
    head: str | None = None
    dirty: int | None = 0
    ahead: int | None = None
    behind: int | None = None
    last_commit_s: int | None = None
    locked: bool = False
    missing: bool = False


class FileChange(msgspec.Struct, frozen=True):
    """Describe how one file changed.

    Args:
        path: Its name from the top of the working tree, as text that can be shown.
        kind: What happened to it.
        added: Lines that came; None when it has no lines.
        removed: Lines that went; None when it has no lines.
        was: Its name before, when it got another one.
    """

    path: str
    kind: ChangeKind = "modified"
    added: int | None = None
    removed: int | None = None
    was: str | None = None

    @property
    def binary(self) -> bool:
        """Say whether it has no lines."""
        return self.added is None


class Changes(msgspec.Struct, frozen=True):
    """Hold what was changed.

    Args:
        files: Every file, in the order of their names.
        diff: The unified diff, up to a limit.
        cut: The diff is longer than that.
    """

    files: tuple[FileChange, ...] = ()
    diff: str = ""
    cut: bool = False

    @property
    def added(self) -> int:
        """Count the lines that came."""
        return sum(file.added or 0 for file in self.files)

    @property
    def removed(self) -> int:
        """Count the lines that went."""
        return sum(file.removed or 0 for file in self.files)


class Reverted(msgspec.Struct, frozen=True):
    """Say what was put back.

    Args:
        files: The files, as a person may read them; empty when nothing had changed.
        kept: The ref under which the state before is kept; None when nothing had changed.
    """

    files: tuple[str, ...] = ()
    kept: str | None = None


class Losses(msgspec.Struct, frozen=True):
    """Say what is in a worktree and nowhere else.

    Args:
        changed: Files that git knows and that differ from the commit.
        untracked: Files and folders that git does not know.
        commits: Commits of the branch that no other branch has; they stay with the branch.
        ignored: Files that git ignores; folders that are ignored as a whole do not count.
        files: The files, as a person may read them.
    """

    changed: int = 0
    untracked: int = 0
    commits: int = 0
    ignored: int = 0
    files: tuple[str, ...] = ()


class Removed(msgspec.Struct, frozen=True):
    """Say which worktree is gone; its branch stays.

    Args:
        branch: Whose it was.
        path: Where it was.
        kept: The ref under which its files are kept that were in no commit; None without such.
    """

    branch: str
    path: PurePath
    kept: str | None = None


class Kept(msgspec.Struct, frozen=True):
    """Say that a worktree was left as it is, and what to ask the person.

    Args:
        reason: One sentence for the person.
        changes: What would be lost.
    """

    reason: str
    changes: Losses
