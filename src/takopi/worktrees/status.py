"""Tell what a working tree has that no commit, or no other branch, has."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from takopi.core.texts import tr
from takopi.errors import GitRefused
from takopi.worktrees.git import GitProgram, git_words

__all__ = ["Status", "file_name", "last_commit_s", "own_commits", "status_of"]

_FIELDS = {"1": 8, "u": 10}  # before the path; renames are not asked for


class Status(msgspec.Struct, frozen=True):
    """Count what is in a working tree and in no commit.

    Args:
        changed: Files that git knows and that differ, and submodules.
        untracked: Files and folders that git does not know.
        files: All of them, as a person may read them.
        conflicts: Files in which a merge is not decided.
        ahead: Commits that the branch it follows lacks; None when it follows none.
        behind: Commits that it lacks itself.
        ignored: Files that git ignores, when asked for; whole folders of them are left out.
    """

    changed: int = 0
    untracked: int = 0
    files: tuple[str, ...] = ()
    conflicts: int = 0
    ahead: int | None = None
    behind: int | None = None
    ignored: int = 0


def file_name(path: str) -> str:
    """Give a file's name as text that can be shown: no bytes, no ends of lines in it."""
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


async def status_of(git: GitProgram, tree: Path, *, ignored: bool = False) -> Status:
    """Look what a working tree has, submodules included.

    Args:
        git: How git is run.
        tree: Where.
        ignored: Tell about ignored files too.

    Raises:
        GitRefused: git does not tell.
    """
    args = ["status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal"]
    args += ["--ignored=traditional"] if ignored else []
    answer = await git.quiet([*args, "--ignore-submodules=none", "--no-renames"], tree)
    if not answer.ok or answer.cut:
        raise GitRefused(
            tr("git does not tell what was changed in {path}: {words}. Mend that, then try "
               "again.", path=tree, words=git_words(answer))
        )  # fmt: skip
    return parse_status(answer.records)


def parse_status(records: Iterable[str]) -> Status:
    """Read the records of `git status --porcelain=v2 --branch -z`.

    See https://git-scm.com/docs/git-status#_porcelain_format_version_2.
    """
    changed = untracked = conflicts = ignored = 0
    ahead = behind = None
    files: list[str] = []
    for record in records:
        kind, _, rest = record.partition(" ")
        if record.startswith("# branch.ab "):
            first, second = record.split(" ")[2:4]
            ahead, behind = int(first), -int(second)
        elif kind == "?":
            untracked += 1
            files.append(file_name(rest))
        elif kind == "!":
            if not rest.endswith("/"):  # folders are caches and packages, a file may be a secret
                ignored += 1
                files.append(file_name(rest))
        elif kind in _FIELDS:
            changed += 1
            conflicts += kind == "u"
            files.append(file_name(record.split(" ", _FIELDS[kind])[-1]))
    return Status(changed, untracked, tuple(files), conflicts, ahead, behind, ignored)


async def last_commit_s(git: GitProgram, tree: Path) -> int | None:
    """Tell when the commit was made that a working tree is on, in Unix seconds."""
    answer = await git.quiet(["rev-list", "--max-count=1", "--timestamp", "HEAD"], tree)
    first = answer.text.partition(" ")[0]
    return int(first) if answer.ok and first.isdigit() else None


async def own_commits(git: GitProgram, tree: Path, branch: str) -> int:
    """Count the commits of a branch that no other branch has, here or on a remote.

    Raises:
        GitRefused: git does not tell.
    """
    others = ["--not", f"--exclude={branch}", "--branches", "--remotes", "--tags"]
    answer = await git.quiet(["rev-list", "--count", f"refs/heads/{branch}", *others], tree)
    if not answer.ok or not answer.text.isdigit():
        raise GitRefused(
            tr("git does not tell which commits {branch} has: {words}. Mend that, then try "
               "again.", branch=branch, words=git_words(answer))
        )  # fmt: skip
    return int(answer.text)
