"""Give each branch of a project a directory of its own."""

from pathlib import Path

import anyio
import msgspec
from anyio.to_thread import run_sync

from takopi.core.branches import check_branch, worktree_folder
from takopi.core.projects import Project
from takopi.core.texts import tr
from takopi.core.working_trees import Kept, Removed, Worktree
from takopi.errors import BranchRefused, GitRefused, GitTooSlow, WorkDirMissing
from takopi.worktrees.git import GitAnswer, GitProgram, git_words
from takopi.worktrees.placing import exclude, free_folder, make_worktrees_dir
from takopi.worktrees.removing import remove_entry
from takopi.worktrees.repository import (
    Entry,
    Repository,
    entries,
    find_repository,
    find_tree,
    repository_lock,
)
from takopi.worktrees.starting import Start, find_base, find_start
from takopi.worktrees.status import Status, last_commit_s, status_of

__all__ = ["Worktree", "Worktrees"]

_LOOKS_AT_ONCE = 4
_MAKING = "initializing"  # git locks a worktree so while it makes it


class Worktrees:
    """Find, make, list and remove the worktrees of projects.

    Args:
        git: How git is run.
    """

    def __init__(self, git: GitProgram | None = None) -> None:
        self._git = git or GitProgram()
        self._making: set[tuple[Path, str]] = set()

    async def directory(self, project: Project, branch: str | None) -> Path:
        """Give the directory in which to work on a branch, and make it when there is none.

        Args:
            project: Whose.
            branch: None for the project's own directory, whatever is checked out there.

        Raises:
            BranchRefused: No branch can be called so.
            NotARepository: The project has no branches.
            GitRefused: git, or what is in the way, does not let it be made.
            WorkDirMissing: The project's directory is gone, or not in that branch.
        """
        root = Path(project.path)
        if not await run_sync(root.is_dir):
            raise WorkDirMissing(root)
        if branch is None:
            return root
        _check(branch)
        repository = await find_repository(self._git, root)
        key = (repository.common_dir, branch)
        # Whose worktree is there does not wait until another one is made, which can take minutes.
        top = None if key in self._making else await self._ready(repository, root, branch)
        if top is None:
            async with repository_lock(repository):
                self._making.add(key)
                try:
                    top = await self._find_or_make(project, repository, branch)
                finally:
                    self._making.discard(key)
        return await self._inside(project, repository, top)

    async def find(self, project: Project, branch: str) -> Path | None:
        """Give the directory in which a branch is worked on; None when it has no worktree.

        Raises:
            BranchRefused: No branch can be called so.
            NotARepository: The project has no branches.
            GitRefused: git does not list the worktrees.
            WorkDirMissing: The project's directory is not in that branch.
        """
        _check(branch)
        root = Path(project.path)
        repository = await find_repository(self._git, root)
        top = await self._ready(repository, root, branch)
        return None if top is None else await self._inside(project, repository, top)

    async def base(self, project: Project) -> str:
        """Give the commit at which new branches of a project begin.

        Raises:
            GitRefused: The project's `worktree_base` is not known, or there is no commit at all.
        """
        return await find_base(self._git, Path(project.path), project.worktree_base)

    async def list(self, project: Project) -> tuple[Worktree, ...]:
        """List the working trees of a project's repository, the main one first.

        Raises:
            NotARepository: The project has no branches.
            GitRefused: git does not list them.
        """
        root = Path(project.path)
        repository = await find_repository(self._git, root)
        found = [one for one in await entries(self._git, repository, root) if not one.bare]
        seen: dict[int, Worktree] = {}
        limiter = anyio.CapacityLimiter(_LOOKS_AT_ONCE)

        async def see(number: int, entry: Entry) -> None:
            async with limiter:
                seen[number] = await self._described(entry)

        async with anyio.create_task_group() as group:
            for number, entry in enumerate(found):
                group.start_soon(see, number, entry)
        return tuple(seen[number] for number in range(len(found)))

    async def remove(self, project: Project, branch: str, *, force: bool = False) -> Removed | Kept:
        """Remove the worktree of a branch; the branch stays.

        Args:
            project: Whose.
            branch: Which.
            force: The person saw what would be lost, and said yes.

        Raises:
            BranchRefused: No branch can be called so.
            NotARepository: The project has no branches.
            GitRefused: There is no such worktree, or it may not be removed.
        """
        _check(branch)
        root = Path(project.path)
        repository = await find_repository(self._git, root)
        async with repository_lock(repository):
            known = await entries(self._git, repository, root)
            return await remove_entry(self._git, known, root, branch, force=force)

    async def _described(self, entry: Entry) -> Worktree:
        one = Worktree(
            branch=entry.branch,
            path=entry.path,
            main=entry.main,
            head=entry.head,
            locked=entry.locked is not None,
        )
        if not await anyio.Path(entry.path, ".git").exists():
            return msgspec.structs.replace(one, missing=True)
        try:
            status: Status | None = await status_of(self._git, entry.path)
            age = await last_commit_s(self._git, entry.path)
        except GitRefused:
            status = age = None  # one that is broken must not hide the others
        if status is None:
            return msgspec.structs.replace(one, dirty=None)
        return msgspec.structs.replace(
            one,
            dirty=status.changed + status.untracked,
            ahead=status.ahead,
            behind=status.behind,
            last_commit_s=age,
        )

    async def _find_or_make(self, project: Project, repository: Repository, branch: str) -> Path:
        root = Path(project.path)
        found = await self._existing(repository, root, branch)
        if found is not None:
            return found
        start = await find_start(self._git, root, branch, project.worktree_base)
        parent = await run_sync(make_worktrees_dir, project)
        if not repository.bare:
            tree = await find_tree(self._git, root)
            top = await run_sync(tree.top.resolve)
            await run_sync(exclude, repository.common_dir, top, parent)
        folder = await run_sync(free_folder, parent, worktree_folder(branch))
        answer: GitAnswer | None = None
        try:
            answer = await self._git.hooked(_add_command(start, branch, folder), root)
        except GitTooSlow:
            # A hook that hangs comes last: what it should have adorned is there.
            found = await self._existing(repository, root, branch)
            if found is None:
                raise
        found = await self._existing(repository, root, branch)
        if found is None:
            words = git_words(answer) if answer is not None else ""
            raise GitRefused(
                tr("git makes no worktree for {branch}: {words}. Mend that, or take another "
                   "branch.", branch=branch, words=words)
            )  # fmt: skip
        return found

    async def _ready(self, repository: Repository, root: Path, branch: str) -> Path | None:
        for entry in await entries(self._git, repository, root):
            if entry.branch != branch or entry.bare or entry.locked == _MAKING:
                continue
            if await self._is_of(repository, entry):
                return entry.path
        return None

    async def _is_of(self, repository: Repository, entry: Entry) -> bool:
        """Say whether a working tree is where git thinks it is."""
        if not await anyio.Path(entry.path, ".git").exists():
            return False
        try:
            found = await find_repository(self._git, entry.path)
        except GitRefused:
            return False
        return found.common_dir == repository.common_dir

    async def _existing(self, repository: Repository, root: Path, branch: str) -> Path | None:
        for entry in await entries(self._git, repository, root):
            if entry.branch != branch or entry.bare:
                continue
            if await self._is_of(repository, entry):
                _check_finished(entry)
                return entry.path
            if await anyio.Path(entry.path, ".git").is_dir():
                raise GitRefused(
                    tr("In {path}, where the worktree of {branch} was, is another repository now; "
                       "move it, then try again.", path=entry.path, branch=branch)
                )  # fmt: skip
            if await self._repaired(repository, root, entry):
                return entry.path
        return None

    async def _repaired(self, repository: Repository, root: Path, entry: Entry) -> bool:
        if entry.locked is not None or entry.main:
            raise GitRefused(
                tr("The folder {path} of the branch {branch} is missing, and git was told to "
                   "keep it; bring it back, or run `git worktree unlock` for it.",
                   path=entry.path, branch=entry.branch)
            )  # fmt: skip
        if await anyio.Path(entry.path).is_dir():  # only the file that leads to the repository went
            await self._git.quiet(["worktree", "repair", "--", str(entry.path)], root)
            if await self._is_of(repository, entry):
                return True
        # Only this one, and not `prune`: the disk of another one may just not be there now.
        await self._git.quiet(["worktree", "remove", "--", str(entry.path)], root)
        return False

    async def _inside(self, project: Project, repository: Repository, top: Path) -> Path:
        root = Path(project.path)
        if repository.bare:
            return top
        tree = await find_tree(self._git, root)
        try:
            if await run_sync(top.samefile, tree.top):
                return root
        except OSError as error:  # somebody removed it just now
            raise WorkDirMissing(top) from error
        folder = top / tree.prefix  # the project may be one folder of a large repository
        if not await run_sync(folder.is_dir):
            raise WorkDirMissing(folder)
        return folder


def _check(branch: str) -> None:
    why = check_branch(branch)
    if why is not None:
        shown = branch.encode("unicode_escape").decode()[:80]
        raise BranchRefused(
            tr("{branch} cannot be a branch: {why}; name another one, such as @fix/login.",
               branch=shown, why=why)
        )  # fmt: skip


def _check_finished(entry: Entry) -> None:
    if entry.locked == _MAKING:
        raise GitRefused(
            tr("The worktree {path} was not made to its end; when nobody is making it now, run "
               "`git worktree remove -f -f` for it, then try again.", path=entry.path)
        )  # fmt: skip


def _add_command(start: Start, branch: str, folder: Path) -> list[str]:
    add = ["worktree", "add"]
    if start.commitish is None:
        return [*add, "--", str(folder), branch]
    follow = "--track" if start.follow else "--no-track"
    return [*add, follow, "-b", branch, "--", str(folder), start.commitish]
