"""Name states of files by what git calls them."""

from typing import Literal

from takopi.core.texts import tr
from takopi.errors import GitRefused
from takopi.worktrees.git import GitProgram
from takopi.worktrees.repository import Tree

__all__ = ["empty_id", "head_commit", "head_tree", "tree_id"]


async def head_commit(git: GitProgram, tree: Tree) -> str | None:
    """Give the commit that a working tree is on; None before the first one."""
    answer = await git.quiet(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], tree.top)
    return answer.text if answer.ok else None


async def head_tree(git: GitProgram, tree: Tree) -> str:
    """Give the state of the commit that a working tree is on; before the first one, no files."""
    answer = await git.quiet(["rev-parse", "--verify", "--quiet", "HEAD^{tree}"], tree.top)
    return answer.text if answer.ok else await empty_id(git, tree, "tree")


async def tree_id(git: GitProgram, tree: Tree, name: str) -> str:
    """Give the state that a commit, branch or snapshot names.

    Raises:
        GitRefused: git knows none of that name.
    """
    if not name.startswith("-") and "\0" not in name:
        args = ["rev-parse", "--verify", "--quiet", f"{name}^{{tree}}"]
        answer = await git.quiet(args, tree.top)
        if answer.ok:
            return answer.text
    raise GitRefused(
        tr("git does not know {name} any more; compare with a commit or branch instead.",
           name=name.encode("unicode_escape").decode()[:80])
    )  # fmt: skip


async def empty_id(git: GitProgram, tree: Tree, kind: Literal["blob", "tree"]) -> str:
    """Give the id of an empty file or folder, which depends on the repository's format."""
    return (await git.quiet(["hash-object", "-t", kind, "--stdin"], tree.top)).text
