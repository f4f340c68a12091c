"""Remove a worktree, and tell first what would go with it."""

from pathlib import Path

from anyio.to_thread import run_sync

from takopi.core.texts import tr, tr_n
from takopi.core.working_trees import Kept, Losses, Removed
from takopi.errors import GitRefused
from takopi.worktrees.git import GitProgram, git_words
from takopi.worktrees.repository import Entry, find_tree
from takopi.worktrees.reverting import keep_state
from takopi.worktrees.status import own_commits, status_of

__all__ = ["Kept", "Losses", "Removed", "remove_entry"]


async def remove_entry(
    git: GitProgram, known: tuple[Entry, ...], root: Path, branch: str, *, force: bool
) -> Removed | Kept:
    """Remove the worktree of a branch, or tell why it should not be.

    Args:
        git: How git is run.
        known: The working trees of the repository.
        root: The project's directory.
        branch: Which branch.
        force: Remove it with what is in it.

    Raises:
        GitRefused: There is no such worktree, or it may not be removed by anybody.
    """
    entry = next((one for one in known if one.branch == branch and not one.bare), None)
    if entry is None:
        raise GitRefused(
            tr("There is no worktree of {branch}; /worktrees lists those there are.", branch=branch)
        )
    await run_sync(_check_removable, entry, root, known)
    there = await run_sync((entry.path / ".git").exists)
    if there and not force:
        kept = await _kept(git, entry, branch)
        if kept is not None:
            return kept
    ref = await _rescued(git, entry.path) if there and force else None
    args = ["worktree", "remove", *(["--force"] if force else []), "--", str(entry.path)]
    answer = await git.quiet(args, root)
    if answer.ok:
        return Removed(branch, entry.path, ref)
    if force or not there:
        raise GitRefused(
            tr("git does not remove {path}: {words}. Mend that, then try again.",
               path=entry.path, words=git_words(answer))
        )  # fmt: skip
    return Kept(git_words(answer), Losses())


async def _rescued(git: GitProgram, path: Path) -> str | None:
    """Keep the files of a worktree as a commit, where that can be done."""
    try:
        return await keep_state(git, await find_tree(git, path))
    except GitRefused:
        return None  # the person said yes to losing them


def _check_removable(entry: Entry, root: Path, known: tuple[Entry, ...]) -> None:
    path = entry.path.resolve()
    if entry.main:
        why = tr("it is the repository's own")
    elif root.resolve().is_relative_to(path):
        why = tr("the project's folder is in it")
    elif entry.locked is not None:
        why = tr("it is locked; `git worktree unlock` frees it")
    elif any(one is not entry and one.path.resolve().is_relative_to(path) for one in known):
        why = tr("another worktree is in its folder; remove that one first")
    else:
        return
    raise GitRefused(
        tr("The worktree {path} of {branch} stays: {why}.",
           path=entry.path, branch=entry.branch, why=why)
    )  # fmt: skip


async def _kept(git: GitProgram, entry: Entry, branch: str) -> Kept | None:
    status = await status_of(git, entry.path, ignored=True)
    commits = await own_commits(git, entry.path, branch)
    losses = Losses(status.changed, status.untracked, commits, status.ignored, status.files)
    files = status.changed + status.untracked
    said = []
    if files:
        said.append(tr_n("{count} file is in no commit", "{count} files are in no commit", files))
    if status.ignored:
        said.append(
            tr_n("{count} file is ignored by git", "{count} files are ignored by git",
                 status.ignored)
        )  # fmt: skip
    if commits:
        said.append(
            tr_n(
                "{count} commit is in no other branch", "{count} commits are in no other branch",
                commits,
            )
        )  # fmt: skip
    return Kept("; ".join(said), losses) if said else None
