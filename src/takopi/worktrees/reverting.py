"""Put files back to how they were, and keep what is thrown away."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import msgspec
from anyio.to_thread import run_sync

from takopi.core.texts import tr
from takopi.core.working_trees import Reverted
from takopi.errors import GitRefused
from takopi.worktrees.git import GitProgram, git_words
from takopi.worktrees.repository import Tree, find_tree, repository_lock
from takopi.worktrees.scratch import Scratch, scratch_index, stage_present, zipped
from takopi.worktrees.status import file_name, status_of
from takopi.worktrees.trees import head_commit, head_tree, tree_id

__all__ = ["KEPT", "KEPT_FORMAT", "Reverted", "keep_state", "revert"]

KEPT = "refs/takopi/kept/"
KEPT_FORMAT = "%Y%m%dT%H%M%S.%fZ"

_UNFINISHED = (
    "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply", "BISECT_LOG",
)  # fmt: skip
_NO_FILE = "000000"
_SUBMODULE = "160000"
_NAMED = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "takopi"), ("EMAIL", "takopi@localhost"))
}


class _Change(msgspec.Struct, frozen=True):
    mode: str
    blob: str
    path: str
    new: bool

    @property
    def gone(self) -> bool:
        return self.mode == _NO_FILE

    @property
    def line(self) -> bytes:
        return f"{self.mode} {self.blob}\t".encode() + os.fsencode(self.path) + b"\0"


async def revert(
    cwd: Path, to_snapshot: str | None = None, *, git: GitProgram | None = None
) -> Reverted:
    """Put the files of a directory back to a snapshot, or to the commit it is on.

    The state before is kept as a commit, so nothing is lost. Ignored files, submodules and new
    files above `MAX_NEW_FILE_BYTES` stay as they are.

    Args:
        cwd: A directory of a working tree; what is outside of it stays.
        to_snapshot: What `snapshot` returned; None for the commit.
        git: How git is run.

    Raises:
        NotARepository: The directory is in no working tree.
        GitRefused: A merge is not finished, or a file cannot be kept or changes meanwhile; nothing
            was put back.
    """
    git = git or GitProgram()
    tree = await find_tree(git, cwd)
    async with repository_lock(tree.repository):
        await _check_finished(git, tree)
        if to_snapshot is None:
            target = await head_tree(git, tree)
        else:
            target = await tree_id(git, tree, to_snapshot)
        async with scratch_index(git, tree) as scratch:
            staged = (await scratch.run(["write-tree"])).text
            present = await stage_present(scratch)
            changes = await _changes(scratch, present, target)
            if not changes:
                return Reverted()
            await run_sync(_check_way, tree.top, changes)
            kept = await _keep(git, tree, present, staged)
            await _put_back(scratch, present, changes)
        await _reset_index(git, tree, changes, whole=to_snapshot is None and not tree.prefix)
    return Reverted(tuple(file_name(change.path) for change in changes), kept)


async def keep_state(git: GitProgram, tree: Tree) -> str | None:
    """Keep what is in a working tree and in no commit, and name the ref; None without such.

    Raises:
        GitRefused: A file cannot be kept.
    """
    async with scratch_index(git, tree) as scratch:
        staged = (await scratch.run(["write-tree"])).text
        present = await stage_present(scratch)
    if {staged, present} == {await head_tree(git, tree)}:
        return None
    return await _keep(git, tree, present, staged)


async def _check_finished(git: GitProgram, tree: Tree) -> None:
    folder = tree.repository.git_dir
    unfinished = await run_sync(lambda: any((folder / name).exists() for name in _UNFINISHED))
    if unfinished or (await status_of(git, tree.top)).conflicts:
        raise GitRefused(
            tr("A merge or rebase is not finished in {path}; end it with `git merge --abort` or "
               "`git rebase --abort`, then revert.", path=tree.top)
        )  # fmt: skip


async def _changes(scratch: Scratch, present: str, target: str) -> list[_Change]:
    """List what has to change for the target, those first that are removed."""
    args = ["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", present, target]
    answer = await scratch.run([*args, "--", scratch.tree.prefix or "."])
    records = answer.records
    found: list[_Change] = []
    for head, path in zip(records[::2], records[1::2], strict=True):
        before, mode, _, blob, _ = head.removeprefix(":").split(" ")
        if _SUBMODULE not in {before, mode}:  # the files in it are not ours to move
            found.append(_Change(mode, blob, path, before == _NO_FILE))
    return sorted(found, key=lambda change: not change.gone)


def _check_way(top: Path, changes: list[_Change]) -> None:
    """Refuse to write over files that are not kept: git thinks nothing of those that it ignores."""
    leaving = {change.path for change in changes if change.gone}
    for change in changes:
        for path in _occupied(top, change.path) if change.new else ():
            if path not in leaving:
                raise GitRefused(
                    tr("Nothing was put back: {file} is in the way and git ignores it, so it would "
                       "be lost; move it, then try again.", file=file_name(path))
                )  # fmt: skip


def _occupied(top: Path, path: str) -> Iterator[str]:
    """List the files that stand where a file is to be, above it or in a folder of its name."""
    for above in reversed(PurePosixPath(path).parents[:-1]):
        place = top / above
        if place.is_symlink() or (os.path.lexists(place) and not place.is_dir()):
            yield str(above)
            return
    place = top / path
    if place.is_dir() and not place.is_symlink():
        for folder, _, names in os.walk(place):
            yield from (str(Path(folder, name).relative_to(top)) for name in names)
    elif os.path.lexists(place):
        yield path


async def _keep(git: GitProgram, tree: Tree, present: str, staged: str) -> str:
    """Keep a state as a commit, and what is staged as one of its parents."""
    head = await head_commit(git, tree)
    parents = ["-p", head] if head else []
    if staged != present:
        index = await _commit_tree(git, tree, staged, parents, "What was staged")
        parents = [*parents, "-p", index]
    kept = await _commit_tree(git, tree, present, parents, "Kept before files were put back")
    ref = f"{KEPT}{datetime.now(UTC):{KEPT_FORMAT}}"
    answer = await git.quiet(["update-ref", "--", ref, kept, "0" * len(kept)], tree.top)
    if not answer.ok:
        raise _not_kept(git_words(answer))
    return ref


async def _commit_tree(
    git: GitProgram, tree: Tree, state: str, parents: list[str], message: str
) -> str:
    args = ["commit-tree", "--no-gpg-sign", *parents, "-m", message, state]
    answer = await git.quiet(args, tree.top, env=_NAMED)
    if not answer.ok:
        raise _not_kept(git_words(answer))
    return answer.text


def _not_kept(words: str) -> GitRefused:
    return GitRefused(
        tr("The present state could not be kept ({words}), so nothing was put back; mend that, "
           "then try again.", words=words)
    )  # fmt: skip


async def _put_back(scratch: Scratch, present: str, changes: list[_Change]) -> None:
    async with scratch_index(scratch.git, scratch.tree) as other:
        await other.run(["read-tree", present])
        lines = b"".join(change.line for change in changes)
        await other.run(["update-index", "-z", "--index-info"], lines)
        target = (await other.run(["write-tree"])).text
    # Two trees and an index that knows each file's time: git touches nothing when one of them
    # changed after it was kept.
    args = ["read-tree", "-m", "-u", "--no-recurse-submodules", present, target]
    env = {"GIT_INDEX_FILE": str(scratch.index)}
    answer = await scratch.git.quiet(args, scratch.tree.top, env=env)
    if not answer.ok:
        raise GitRefused(
            tr("Nothing was put back: {words}. Try again when nothing changes the files.",
               words=git_words(answer))
        )  # fmt: skip


async def _reset_index(git: GitProgram, tree: Tree, changes: list[_Change], *, whole: bool) -> None:
    """Let nothing stay staged of what was put back."""
    paths = zipped(change.path for change in changes)
    if await head_commit(git, tree) is None:
        args = ["update-index", "--force-remove", "-z", "--stdin"]
        answer = await git.quiet(args, tree.top, stdin=paths)
    elif whole:
        answer = await git.quiet(["reset", "--quiet"], tree.top)
    else:
        args = ["reset", "--quiet", "--pathspec-from-file=-", "--pathspec-file-nul"]
        answer = await git.quiet(args, tree.top, stdin=paths)
    if not answer.ok:
        raise GitRefused(
            tr("The files were put back, but git still has changes staged: {words}. Run "
               "`git reset`.", words=git_words(answer))
        )  # fmt: skip
