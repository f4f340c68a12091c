"""Find the repository that a directory is in, and what git has to say about its working trees."""

import os
from pathlib import Path

import anyio
import msgspec
from anyio.lowlevel import RunVar
from anyio.to_thread import run_sync

from takopi.core.texts import tr
from takopi.errors import GitRefused, NotARepository
from takopi.worktrees.git import GitProgram, git_words

__all__ = [
    "Entry",
    "Repository",
    "Tree",
    "entries",
    "find_repository",
    "find_tree",
    "repository_lock",
]

_USAGE = 129

_LOCKS: RunVar[dict[Path, anyio.Lock]] = RunVar("takopi_repository_locks")


class Repository(msgspec.Struct, frozen=True):
    """Say where a repository keeps what its working trees share.

    Args:
        common_dir: Its directory, absolute; the same for all of its working trees.
        git_dir: The directory of the working tree that was asked in.
        bare: It has no main working tree.
    """

    common_dir: Path
    git_dir: Path
    bare: bool


class Tree(msgspec.Struct, frozen=True):
    """Say which working tree a directory is in.

    Args:
        repository: Whose it is.
        top: Its top, absolute.
        prefix: The directory below it, with a slash at its end; empty at the top.
    """

    repository: Repository
    top: Path
    prefix: str


class Entry(msgspec.Struct, frozen=True):
    """Hold what git keeps about one working tree.

    Args:
        path: Its top.
        head: The commit it is on; None without one.
        branch: What is checked out; None when it is no branch.
        main: It is the repository's own, not a linked one.
        bare: It is the repository itself, without files.
        locked: Why nobody may remove it, may be empty; None when it is not locked.
    """

    path: Path
    head: str | None
    branch: str | None
    main: bool
    bare: bool
    locked: str | None


def repository_lock(repository: Repository) -> anyio.Lock:
    """Give the lock under which takopi changes a repository; others go on meanwhile."""
    try:
        locks = _LOCKS.get()
    except LookupError:
        locks = {}
        _LOCKS.set(locks)
    return locks.setdefault(repository.common_dir, anyio.Lock())


async def find_repository(git: GitProgram, cwd: Path) -> Repository:
    """Find the repository of a directory.

    Raises:
        NotARepository: It is in none.
        GitRefused: git does not want to work there, or the directory is gone.
    """
    wanted = ["--is-bare-repository", "--path-format=absolute", "--git-dir", "--git-common-dir"]
    answer = await git.quiet(["rev-parse", *wanted], cwd)
    if not answer.ok and "not a git repository" in answer.said:
        raise NotARepository(
            tr("{path} is in no git repository; make one with `git init`, or work in "
               "another project.", path=cwd)
        )  # fmt: skip
    found = answer.text.split("\n")
    if not answer.ok or len(found) != 3:
        raise GitRefused(
            tr("git does not work in {path}: {words}. Mend that, then try again.",
               path=cwd, words=git_words(answer))
        )  # fmt: skip
    return Repository(Path(found[2]), Path(found[1]), found[0] == "true")


async def find_tree(git: GitProgram, cwd: Path) -> Tree:
    """Find the working tree of a directory.

    Raises:
        NotARepository: It is in none.
        GitRefused: git does not want to work there, or the repository names files elsewhere.
    """
    repository = await find_repository(git, cwd)
    answer = await git.quiet(
        ["rev-parse", "--is-inside-work-tree", "--show-toplevel", "--show-prefix"], cwd
    )
    found = answer.text.split("\n")
    if repository.bare or not answer.ok or len(found) not in {2, 3} or found[0] != "true":
        raise NotARepository(
            tr("{path} has no files under git; work in a branch: `@branch`.", path=cwd)
        )
    top = Path(found[1])
    if not await run_sync(_belongs, top, repository.git_dir):
        raise GitRefused(
            tr("The repository of {path} says that its files are in {top}; remove `core.worktree` "
               "from its configuration, then try again.", path=cwd, top=top)
        )  # fmt: skip
    return Tree(repository, top, found[2] if len(found) == 3 else "")


def _belongs(top: Path, git_dir: Path) -> bool:
    # `core.worktree` could make any directory of the disk the one that is looked at and changed.
    dot = top / ".git"
    try:
        if dot.is_file():
            said = os.fsdecode(dot.read_bytes()).removeprefix("gitdir:").strip()
            dot = top / said
        return dot.samefile(git_dir)
    except OSError:
        return False


async def entries(git: GitProgram, repository: Repository, cwd: Path) -> tuple[Entry, ...]:
    """List the working trees that git knows of, the main one first.

    Args:
        git: How git is run.
        repository: Whose.
        cwd: A directory of it.

    Raises:
        GitRefused: git did not list them.
    """
    args = ["worktree", "list", "--porcelain"]
    answer = await git.quiet([*args, "-z"], cwd)
    records = answer.records
    if answer.code == _USAGE:  # before git 2.36 there was no -z
        answer = await git.quiet(args, cwd)
        records = tuple(answer.text.split("\n"))
    if not answer.ok or answer.cut:
        raise GitRefused(
            tr("git does not list the worktrees of {path}: {words}. Mend that, then try again.",
               path=cwd, words=git_words(answer))
        )  # fmt: skip
    found = parse_entries(records)
    if found and not found[0].bare and repository.git_dir == repository.common_dir:
        # In a submodule git names its own directory instead of the folder with the files.
        top = (await find_tree(git, cwd)).top
        found = (msgspec.structs.replace(found[0], path=top), *found[1:])
    return found


def parse_entries(records: tuple[str, ...]) -> tuple[Entry, ...]:
    """Read the records of `git worktree list --porcelain`; an empty one ends a tree.

    See https://git-scm.com/docs/git-worktree#_porcelain_format.
    """
    found: list[Entry] = []
    facts: dict[str, str] = {}
    for record in (*records, ""):
        if record:
            key, _, value = record.partition(" ")
            facts[key] = value
        elif "worktree" in facts:
            head, branch = facts.get("HEAD"), facts.get("branch")
            found.append(
                Entry(
                    path=Path(facts["worktree"]),
                    head=head if head and head.strip("0") else None,
                    branch=branch.removeprefix("refs/heads/") if branch else None,
                    main=not found,
                    bare="bare" in facts,
                    locked=facts.get("locked"),
                )
            )
            facts = {}
    return tuple(found)
