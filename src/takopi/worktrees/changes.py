"""See what was changed in a directory, staging nothing and starting nothing of the repository."""

import os
from collections.abc import Iterator
from pathlib import Path

from anyio.to_thread import run_sync

from takopi.core.texts import tr
from takopi.core.working_trees import ChangeKind, Changes, FileChange, Reverted
from takopi.errors import GitRefused, NotARepository
from takopi.worktrees.committing import commit, committed
from takopi.worktrees.git import GitAnswer, GitProgram
from takopi.worktrees.repository import Tree, find_tree
from takopi.worktrees.reverting import revert
from takopi.worktrees.scratch import Scratch, scratch_index, sized, stage_present, untracked
from takopi.worktrees.status import file_name
from takopi.worktrees.trees import empty_id, head_tree, tree_id

__all__ = [
    "MAX_DIFF_BYTES",
    "ChangeKind",
    "Changes",
    "FileChange",
    "Reverted",
    "changes_since",
    "commit",
    "committed",
    "look",
    "revert",
    "snapshot",
]

MAX_DIFF_BYTES = 512 * 1024

_KINDS: dict[str, ChangeKind] = {
    "A": "added", "C": "added", "D": "deleted", "R": "renamed",
}  # fmt: skip

_DIFF = [
    "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-relative", "--find-renames",
    "-l500", "--ignore-submodules=dirty", "--submodule=short", "--src-prefix=a/", "--dst-prefix=b/",
    "-O/dev/null",
]  # fmt: skip


async def look(
    cwd: Path,
    base: str | None = None,
    *,
    git: GitProgram | None = None,
    max_diff_bytes: int = MAX_DIFF_BYTES,
) -> Changes:
    """See what the files of a directory have that a commit has not.

    Args:
        cwd: A directory of a working tree; what is outside of it is left out.
        base: Since the branch left this one (or this commit); None for the commit it is on.
        git: How git is run.
        max_diff_bytes: How long the diff may be.

    Raises:
        NotARepository: There is nothing to compare with.
        GitRefused: git does not compare, or does not know the base.
    """
    git = git or GitProgram()
    tree = await find_tree(git, cwd)
    before = await head_tree(git, tree) if base is None else await _parting(git, tree, base)
    return await _compared(git, tree, before, (True, max_diff_bytes))


async def changes_since(
    cwd: Path,
    since: str,
    until: str | None = None,
    *,
    git: GitProgram | None = None,
    max_diff_bytes: int = MAX_DIFF_BYTES,
) -> Changes:
    """See what changed in a directory since a snapshot.

    Args:
        cwd: The directory of the snapshot.
        since: What `snapshot` returned.
        until: What it returned later; None for what is there now.
        git: How git is run.
        max_diff_bytes: How long the diff may be.

    Raises:
        NotARepository: The directory is in no working tree any more.
        GitRefused: git does not compare, or the snapshot is gone.
    """
    git = git or GitProgram()
    tree = await find_tree(git, cwd)
    began = await tree_id(git, tree, since)
    if until is None:
        return await _compared(git, tree, began, (False, max_diff_bytes))
    where = [began, await tree_id(git, tree, until), "--", tree.prefix or "."]
    listed = await git.quiet([*_DIFF, "--raw", "--numstat", "-z", *where], tree.top)
    if not listed.ok or listed.cut:
        raise _uncompared(tree)
    answer = await git.quiet([*_DIFF, "--patch", *where], tree.top, max_bytes=max_diff_bytes)
    return _changes(tree, parse_changes(listed.records), answer)


async def snapshot(cwd: Path, *, git: GitProgram | None = None) -> str | None:
    """Take down the files of a directory as they are, new ones included, and name the state.

    Ignored files and new ones above `MAX_NEW_FILE_BYTES` are not in it. git removes the state after
    about two weeks.

    Args:
        cwd: A directory of a working tree.
        git: How git is run.

    Returns:
        The id of a tree; None when the directory is under no git.

    Raises:
        GitRefused: A file cannot be read, or git cannot write.
    """
    git = git or GitProgram()
    try:
        tree = await find_tree(git, cwd)
    except NotARepository:
        return None
    async with scratch_index(git, tree) as scratch:
        return await stage_present(scratch)


async def _parting(git: GitProgram, tree: Tree, base: str) -> str:
    found = await tree_id(git, tree, base)
    answer = await git.quiet(["merge-base", "--end-of-options", base, "HEAD"], tree.top)
    return answer.text if answer.ok else found


async def _compared(git: GitProgram, tree: Tree, before: str, how: tuple[bool, int]) -> Changes:
    with_large, max_diff_bytes = how
    found = await untracked(git, tree)
    small, large = await run_sync(sized, tree.top, found)
    async with scratch_index(git, tree) as scratch:
        await _announce(scratch, small)
        where = [before, "--", tree.prefix or "."]
        listed = await scratch.run([*_DIFF, "--raw", "--numstat", "-z", *where])
        unmerged = (await scratch.run(["ls-files", "--unmerged", "-z"])).records
        conflicts = frozenset(record.partition("\t")[2] for record in unmerged)
        files = parse_changes(listed.records, conflicts)
        if with_large:
            files += tuple(FileChange(file_name(path), "added") for path in large)
        answer = await git.quiet(
            [*_DIFF, "--patch", *where],
            tree.top,
            env={"GIT_INDEX_FILE": str(scratch.index)},
            max_bytes=max_diff_bytes,
        )
    return _changes(tree, files, answer)


def _changes(tree: Tree, files: tuple[FileChange, ...], answer: GitAnswer) -> Changes:
    if not answer.ok:
        raise _uncompared(tree)
    diff = answer.out.decode("utf-8", "ignore" if answer.cut else "replace")
    return Changes(tuple(sorted(files, key=lambda file: file.path)), diff, answer.cut)


def _uncompared(tree: Tree) -> GitRefused:
    return GitRefused(
        tr("git does not compare the files of {path}; try again when nothing changes them.",
           path=tree.top)
    )  # fmt: skip


async def _announce(scratch: Scratch, paths: list[str]) -> None:
    # As empty files, which reads none of them and writes no object; that they are not empty is
    # seen by comparing. One that is gone by then has never been there.
    if not paths:
        return
    blob = await empty_id(scratch.git, scratch.tree, "blob")
    lines = (f"100644 {blob}\t".encode() + os.fsencode(path) + b"\0" for path in paths)
    await scratch.run(["update-index", "-z", "--index-info"], b"".join(lines))


def parse_changes(
    records: tuple[str, ...], conflicts: frozenset[str] = frozenset()
) -> tuple[FileChange, ...]:
    """Read what `git diff --raw --numstat -z` prints.

    Args:
        records: Its records.
        conflicts: The files in which a merge is not decided; compared as they lie there, git
            calls them modified.

    See https://git-scm.com/docs/git-diff#_raw_output_format.
    """
    kinds: dict[str, ChangeKind] = {}
    lines: dict[str, tuple[int | None, int | None]] = {}
    was: dict[str, str] = {}
    left = iter(records)
    for record in left:
        if record.startswith(":"):
            letter = record.rpartition(" ")[2][:1]
            path = next(left)
            if letter in "RC":
                before, path = path, next(left)
                was[path] = before
            kinds[path] = "conflict" if path in conflicts else _KINDS.get(letter, "modified")
        else:
            path, count = _counted(record, left)
            lines[path] = count
    return tuple(
        FileChange(
            path=file_name(path),
            kind=kind,
            added=lines.get(path, (None, None))[0],
            removed=lines.get(path, (None, None))[1],
            was=file_name(was[path]) if path in was and kind == "renamed" else None,
        )
        for path, kind in kinds.items()
    )


def _counted(record: str, left: Iterator[str]) -> tuple[str, tuple[int | None, int | None]]:
    added, removed, path = record.split("\t", 2)
    if not path:
        next(left)  # the name before
        path = next(left)
    if added == "-":
        return path, (None, None)
    return path, (int(added), int(removed))
