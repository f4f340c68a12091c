"""What works in a working tree, and which branch a button means."""

from pathlib import Path

from takopi.bridge.commands.call import CommandPorts
from takopi.bridge.turn import Turn
from takopi.context import RunContext
from takopi.core.durations import format_elapsed
from takopi.core.texts import tr
from takopi.core.tree_replies import branch_mark
from takopi.core.working_trees import Worktree

__all__ = ["context_of_tree", "running_in", "tree_of_mark", "work_line", "working_in"]


def running_in(ports: CommandPorts, tree: Path) -> Turn | None:
    """Find a turn whose engine works in a tree, or is about to.

    Args:
        ports: What commands work with.
        tree: What `Workspaces.tree_of` names.
    """
    for turn in ports.scheduler.turns():
        cwd = turn.cwd
        if cwd is not None and not turn.way.concluded and ports.workspaces.tree_of(cwd) == tree:
            return turn
    return None


def working_in(ports: CommandPorts, context: RunContext, tree: Path) -> Turn | None:
    """Find a turn that runs in a tree, or waits for it; the tree is that of the context."""
    found = running_in(ports, ports.workspaces.tree_of(tree))
    if found is not None:
        return found
    for turn in ports.scheduler.turns():
        if turn.record.context == context and not turn.way.concluded:
            return turn
    return None


def work_line(ports: CommandPorts, turn: Turn) -> str:
    """Say in one line what a turn does."""
    line = ports.scheduler.line(turn)
    state = tr("waits") if line.elapsed_s is None else format_elapsed(line.elapsed_s)
    return f"{line.engine} · {state} · {line.prompt}"


def context_of_tree(alias: str, tree: Worktree) -> RunContext:
    """Say which context runs in a tree; the project's own folder needs no branch."""
    return RunContext(alias, None if tree.main else tree.branch)


async def tree_of_mark(ports: CommandPorts, alias: str, mark: str) -> Worktree | None:
    """Find the working tree that a button names; None when it is gone."""
    for tree in await ports.workspaces.trees(alias):
        if tree.branch is not None and branch_mark(tree.branch) == mark:
            return tree
    return None
