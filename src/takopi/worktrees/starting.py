"""Find what a branch starts from when it has no worktree yet."""

from pathlib import Path

import msgspec

from takopi.core.texts import tr
from takopi.errors import GitRefused
from takopi.worktrees.git import GitProgram

__all__ = ["Start", "find_base", "find_start"]


class Start(msgspec.Struct, frozen=True):
    """Say what to check out.

    Args:
        commitish: What the new branch begins at; None when the branch exists here.
        follow: The new branch follows it, as one of a remote.
    """

    commitish: str | None = None
    follow: bool = False


async def find_start(git: GitProgram, root: Path, branch: str, base: str | None) -> Start:
    """Find the branch here, then on a remote, then what a new one begins at.

    Args:
        git: How git is run.
        root: A directory of the repository.
        branch: A name that was checked.
        base: What the configuration says new branches begin at.

    Raises:
        GitRefused: The base is not known, or there is no commit at all.
    """
    if await _is_ref(git, root, f"refs/heads/{branch}"):
        return Start()
    for remote in await _remotes(git, root):
        if await _is_ref(git, root, f"refs/remotes/{remote}/{branch}"):
            return Start(f"refs/remotes/{remote}/{branch}", follow=True)
    return Start(await find_base(git, root, base))


async def find_base(git: GitProgram, root: Path, base: str | None) -> str:
    """Give the commit at which new branches begin.

    Args:
        git: How git is run.
        root: A directory of the repository.
        base: What the configuration says; None for the remote's default branch, or what is
            checked out.

    Raises:
        GitRefused: The base is not known, or there is no commit at all.
    """
    remotes = await _remotes(git, root)
    if base is not None:
        return await _base_commit(git, root, base, remotes)
    for remote in remotes:
        if commit := await _commit(git, root, f"refs/remotes/{remote}/HEAD"):
            return commit
    if commit := await _commit(git, root, "HEAD"):
        return commit
    raise GitRefused(
        tr("{path} has no commit yet, so no branch can begin; make a first commit, then try "
           "again.", path=root)
    )  # fmt: skip


async def _remotes(git: GitProgram, root: Path) -> list[str]:
    names = (await git.quiet(["remote"], root)).text.split()
    return sorted(names, key=lambda name: (name != "origin", name))


async def _base_commit(git: GitProgram, root: Path, base: str, remotes: list[str]) -> str:
    names = [base, *(f"refs/remotes/{remote}/{base}" for remote in remotes)]
    if not base.startswith("-") and "\0" not in base:
        for name in names:
            if commit := await _commit(git, root, name):
                return commit
    raise GitRefused(
        tr("`worktree_base` is {base}, which {path} does not know; fetch it, or set another one.",
           base=base.encode("unicode_escape").decode()[:80], path=root)
    )  # fmt: skip


async def _is_ref(git: GitProgram, root: Path, ref: str) -> bool:
    return (await git.quiet(["show-ref", "--verify", "--quiet", "--", ref], root)).ok


async def _commit(git: GitProgram, root: Path, name: str) -> str | None:
    answer = await git.quiet(["rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"], root)
    return answer.text if answer.ok else None
