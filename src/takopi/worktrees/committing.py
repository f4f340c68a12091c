"""Commit what was changed, as the person would."""

from collections.abc import Sequence
from pathlib import Path
from posixpath import normpath

import anyio
from anyio.to_thread import run_sync

from takopi.core.texts import tr
from takopi.errors import GitRefused, GitTooSlow
from takopi.worktrees.git import GitProgram, git_words
from takopi.worktrees.repository import Tree, find_tree, repository_lock
from takopi.worktrees.scratch import untracked, zipped
from takopi.worktrees.status import status_of
from takopi.worktrees.trees import head_commit

__all__ = ["commit", "committed"]


async def commit(
    cwd: Path,
    message: str,
    paths: Sequence[str] | None = None,
    *,
    git: GitProgram | None = None,
) -> str:
    """Commit the changes of a directory, new files included, and give the commit's id.

    The person's hooks run, and their name is on it. When it is refused the files are as they were,
    and what was staged still is.

    Args:
        cwd: A directory of a working tree.
        message: What the commit says.
        paths: Files and folders below `cwd`; None for all of it.
        git: How git is run.

    Raises:
        NotARepository: The directory is in no working tree.
        GitRefused: There is nothing to commit, nobody to commit it, or a hook refused.
        GitTooSlow: A hook took too long; nothing is committed.
    """
    git = git or GitProgram()
    tree = await find_tree(git, cwd)
    text = message.replace("\0", "").strip()
    if not text:
        raise GitRefused(tr("A commit needs a message; write what was changed."))
    async with repository_lock(tree.repository):
        await _check_person(git, tree)
        await _check_state(git, tree)
        wanted = _pathspecs(tree, paths)
        new = await untracked(git, tree, wanted)
        return await _committed(git, tree, text, (wanted, new))


async def committed(
    cwd: Path, message: str, since_s: float, *, git: GitProgram | None = None
) -> str | None:
    """Give the id of the commit that a directory is on, if it says something and is that new.

    So a commit is known that was made just before whoever made it died.

    Args:
        cwd: A directory of a working tree.
        message: What it says; hooks may have added to it.
        since_s: It was made then or later, unix seconds.
        git: How git is run.

    Raises:
        NotARepository: The directory is in no working tree.
    """
    git = git or GitProgram()
    tree = await find_tree(git, cwd)
    answer = await git.quiet(["log", "-1", "--format=%H %ct%n%B", "HEAD", "--"], tree.top)
    head, _, body = answer.text.partition("\n")
    commit_id, _, made_s = head.partition(" ")
    text = "\n".join(line.rstrip() for line in message.replace("\0", "").strip().splitlines())
    if not answer.ok or not text or not body.startswith(text):
        return None
    return commit_id if int(made_s) + 1 > since_s else None  # git counts whole seconds


def _pathspecs(tree: Tree, paths: Sequence[str] | None) -> list[str]:
    """Name what is committed from the top; nothing names everything."""
    if paths is None:
        return [tree.prefix] if tree.prefix else []
    found = [normpath(f"{tree.prefix}{path}") for path in paths]
    outside = any(path.startswith(("../", "/")) or path == ".." or "\0" in path for path in found)
    if outside or not found:
        raise GitRefused(tr("Name files below the project's folder, such as src/main.py."))
    return found


async def _check_person(git: GitProgram, tree: Tree) -> None:
    for name in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        if not (await git.quiet(["-c", "user.useConfigOnly=true", "var", name], tree.top)).ok:
            raise GitRefused(
                tr("git does not know who commits; run `git config --global user.name \"Your "
                   "Name\"` and `git config --global user.email you@example.org`, then try again.")
            )  # fmt: skip


async def _check_state(git: GitProgram, tree: Tree) -> None:
    status = await status_of(git, tree.top)
    if status.conflicts:
        raise GitRefused(
            tr("A merge is not decided in {files}; decide it, then commit.",
               files=", ".join(status.files[:5]))
        )  # fmt: skip
    if not status.files:
        raise GitRefused(tr("Nothing was changed in {path}, so there is nothing to commit.",
                            path=tree.top))  # fmt: skip


async def _committed(
    git: GitProgram, tree: Tree, text: str, what: tuple[list[str], list[str]]
) -> str:
    wanted, new = what
    before = await head_commit(git, tree)
    async with anyio.TemporaryDirectory(prefix="takopi-commit-") as folder:
        file = Path(folder, "message")
        await run_sync(file.write_text, text + "\n", "utf-8", "replace")
        args = ["commit", "--quiet", "--cleanup=whitespace", f"--file={file}"]
        if wanted:
            args += ["--only", "--pathspec-from-file=-", "--pathspec-file-nul"]
        else:
            args.append("--all")
        stdin = zipped(f":(top,literal){path}" for path in wanted)
        made = late = False
        try:
            await _stage(git, tree, new)
            answer = await git.hooked(args, tree.top, stdin=stdin, limit_s=git.commit_s)
            made = answer.ok
            refusal = GitRefused(
                tr("git does not commit: {words}. Nothing is lost; mend that, then try again.",
                   words=git_words(answer))
            )  # fmt: skip
        except GitTooSlow as error:
            late = True
            refusal = error
        finally:
            with anyio.CancelScope(shield=True):
                after = await head_commit(git, tree)
                # A hook may hang after the commit was made.
                made = made or (late and after != before)
                if not made:
                    await _unstage(git, tree, new, head=after)
    if made and after is not None:
        return after
    raise refusal


async def _stage(git: GitProgram, tree: Tree, new: list[str]) -> None:
    if not new:
        return
    args = ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"]
    answer = await git.quiet(args, tree.top, stdin=zipped(new))
    if not answer.ok:
        raise GitRefused(
            tr("git cannot take in the new files: {words}. Mend that, then try again.",
               words=git_words(answer))
        )  # fmt: skip


async def _unstage(git: GitProgram, tree: Tree, new: list[str], *, head: str | None) -> None:
    if not new:
        return
    if head is None:
        args = ["update-index", "--force-remove", "-z", "--stdin"]
    else:  # to the commit, in which somebody else may have put them meanwhile
        args = ["reset", "--quiet", "--pathspec-from-file=-", "--pathspec-file-nul"]
    await git.quiet(args, tree.top, stdin=zipped(new))
