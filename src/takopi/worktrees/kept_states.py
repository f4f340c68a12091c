"""Forget states that were kept when files were put back, once nobody will ask for them."""

from datetime import UTC, datetime
from pathlib import Path

from takopi.worktrees.git import GitProgram
from takopi.worktrees.repository import find_tree, repository_lock
from takopi.worktrees.reverting import KEPT, KEPT_FORMAT

__all__ = ["forget_kept_states"]

KEEP_DAYS = 30
KEEP_STATES = 100


async def forget_kept_states(cwd: Path, now: float, *, git: GitProgram | None = None) -> int:
    """Forget states of a repository that are older than a month, and all but the newest hundred.

    Only names that takopi itself gives are looked at. git removes the files of such a state when it
    tidies up the next time.

    Args:
        cwd: A directory of a working tree.
        now: Present moment, unix seconds.
        git: How git is run.

    Returns:
        How many were forgotten.

    Raises:
        NotARepository: The directory is in no working tree.
    """
    git = git or GitProgram()
    tree = await find_tree(git, cwd)
    async with repository_lock(tree.repository):
        answer = await git.quiet(["for-each-ref", "--format=%(refname)", KEPT], tree.top)
        kept = {ref: at for ref in answer.text.split() if (at := _kept_at(ref)) is not None}
        newest = sorted(kept, key=kept.__getitem__, reverse=True)
        oldest = now - KEEP_DAYS * 86_400
        gone = [ref for n, ref in enumerate(newest) if n >= KEEP_STATES or kept[ref] < oldest]
        if not gone:
            return 0
        lines = "".join(f"delete {ref}\n" for ref in gone).encode()
        done = await git.quiet(["update-ref", "--stdin"], tree.top, stdin=lines)
    return len(gone) if done.ok else 0


def _kept_at(ref: str) -> float | None:
    try:
        made = datetime.strptime(ref.removeprefix(KEPT), KEPT_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None
    return made.timestamp()
