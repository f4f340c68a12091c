"""Work on a copy of the index, so that looking at files stages nothing."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import anyio
import msgspec
from anyio.to_thread import run_sync

from takopi.core.texts import tr
from takopi.errors import GitRefused
from takopi.worktrees.git import GitAnswer, GitProgram, git_words
from takopi.worktrees.repository import Tree

__all__ = [
    "MAX_NEW_FILE_BYTES",
    "Scratch",
    "scratch_index",
    "sized",
    "stage_present",
    "untracked",
    "zipped",
]

# What git does not know yet and is larger is no source code; a copy of it at each turn fills disks.
MAX_NEW_FILE_BYTES = 50 * 1024 * 1024


class Scratch(msgspec.Struct, frozen=True):
    """Run git on a copy of a working tree's index.

    Args:
        git: How git is run.
        tree: Whose index it was.
        index: The copy.
    """

    git: GitProgram
    tree: Tree
    index: Path

    async def run(self, args: list[str], stdin: bytes = b"") -> GitAnswer:
        """Run a command at the top of the tree, without hooks.

        Raises:
            GitRefused: It did not end well.
        """
        env = {"GIT_INDEX_FILE": str(self.index)}
        answer = await self.git.quiet(args, self.tree.top, env=env, stdin=stdin)
        if not answer.ok or answer.cut:
            raise GitRefused(
                tr("git cannot take down the files of {path}: {words}. Mend that, then try "
                   "again.", path=self.tree.top, words=git_words(answer))
            )  # fmt: skip
        return answer


@asynccontextmanager
async def scratch_index(git: GitProgram, tree: Tree) -> AsyncIterator[Scratch]:
    """Copy the index of a working tree for a while."""
    folder = await run_sync(_copy_index, tree.repository.git_dir / "index")
    try:
        yield Scratch(git, tree, folder / "index")
    finally:
        with anyio.CancelScope(shield=True):
            await run_sync(partial(shutil.rmtree, folder, ignore_errors=True))


def _copy_index(index: Path) -> Path:
    try:
        folder = Path(tempfile.mkdtemp(prefix="takopi-index-"))
        with suppress(FileNotFoundError):  # a new repository has none
            # With its time: what was written in the same moment as the index must stay suspect.
            shutil.copy2(index, folder / "index")
    except OSError as error:
        raise GitRefused(
            tr("The index {path} cannot be copied ({error}); make room, then try again.",
               path=index, error=error)
        ) from error  # fmt: skip
    return folder


async def untracked(git: GitProgram, tree: Tree, pathspecs: Iterable[str] = ()) -> list[str]:
    """List files that git neither knows nor ignores, from the top; repositories in it are left out.

    Args:
        git: How git is run.
        tree: Where.
        pathspecs: Files and folders from the top; without any, the tree's prefix.

    Raises:
        GitRefused: git does not list them.
    """
    where = tuple(pathspecs) or (tree.prefix or ".",)
    args = ["ls-files", "--others", "--exclude-standard", "-z", "--", *where]
    answer = await git.quiet(args, tree.top)
    if not answer.ok or answer.cut:
        raise GitRefused(
            tr("git does not list the new files of {path}: {words}. Mend that, then try again.",
               path=tree.top, words=git_words(answer))
        )  # fmt: skip
    return [path for path in answer.records if not path.endswith("/")]


def sized(top: Path, paths: Iterable[str]) -> tuple[list[str], list[str]]:
    """Part files that git can take in from those that are too large or cannot be read."""
    small: list[str] = []
    other: list[str] = []
    for path in paths:
        file = top / path
        with suppress(OSError):  # it is gone again
            link = file.is_symlink()
            fits = link or (file.stat().st_size <= MAX_NEW_FILE_BYTES and os.access(file, os.R_OK))
            (small if fits else other).append(path)
    return small, other


async def stage_present(scratch: Scratch) -> str:
    """Put all files as they are now into the copy, and give the id of their tree.

    Raises:
        GitRefused: A file cannot be read.
    """
    tree = scratch.tree
    found = await untracked(scratch.git, tree)
    small, _ = await run_sync(sized, tree.top, found)
    await scratch.run(["add", "--update", "--", tree.prefix or "."])
    args = ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"]
    await scratch.run(args, zipped(small))
    return (await scratch.run(["write-tree"])).text


def zipped(paths: Iterable[str]) -> bytes:
    """Write paths as git reads them with `-z`."""
    return b"".join(os.fsencode(path) + b"\0" for path in paths)
