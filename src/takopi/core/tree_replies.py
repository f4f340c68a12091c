"""What `/worktrees` says, and what its buttons carry.

A button has room for a project's name, not for a branch's: that is named by a digest, and what
would be lost by another one, so that a button removes only what its message told.
"""

import hashlib
from collections.abc import Sequence

import msgspec

from takopi.context import RunContext
from takopi.core.chat import Button, ChatMessage
from takopi.core.commands import nearest_names, press_data
from takopi.core.replies import Styled, bold, code, message
from takopi.core.shorten import one_line
from takopi.core.texts import tr, tr_n
from takopi.core.working_trees import Kept, Losses, Removed, Worktree

__all__ = [
    "TreeLine",
    "branch_mark",
    "busy_reply",
    "losses_mark",
    "no_project_reply",
    "no_tree_reply",
    "removal_question",
    "removed_reply",
    "trees_reply",
    "trees_usage",
]

_BRANCH_UNITS = 60
_LABEL_UNITS = 30
_MOST_LINES = 25
_MOST_BUTTONS = 10
_MOST_FILES = 8
_WORK_UNITS = 80
_DAY_S = 86_400


class TreeLine(msgspec.Struct, frozen=True):
    """Be one working tree of the list.

    Args:
        tree: The tree.
        work: What runs or waits there, in one line; empty for nothing.
    """

    tree: Worktree
    work: str = ""


def branch_mark(branch: str | None) -> str:
    """Name a branch in a button, in 8 letters."""
    return hashlib.sha256((branch or "").encode("utf-8", "surrogatepass")).hexdigest()[:8]


def losses_mark(losses: Losses) -> str:
    """Name what a person was told would be lost, in 8 letters."""
    return hashlib.sha256(msgspec.json.encode(losses)).hexdigest()[:8]


def trees_usage() -> ChatMessage:
    """Say how `/worktrees` is used."""
    return message(
        code("/worktrees"),
        tr(" – the working trees of this place's project; "),
        code("/worktrees project"),
        tr(" – those of another one"),
        "\n",
        code("/worktrees remove @branch"),
        tr(" – remove one; its branch stays"),
    )


def no_tree_reply(context: RunContext, branches: Sequence[str]) -> ChatMessage:
    """Say that a branch has no worktree that could be removed.

    Args:
        context: Project and branch.
        branches: Those that have one.
    """
    pieces: list[str | Styled] = [
        tr("@{branch} has no worktree in {project}.",
           branch=one_line(context.branch or "", _BRANCH_UNITS), project=context.project),
        " ",
    ]  # fmt: skip
    near = nearest_names(context.branch or "", branches, limit=1)
    if near:
        command = f"/worktrees remove {context.project} @{near[0]}"
        pieces += [tr("Did you mean this one? "), code(command), " "]
    pieces += [code(f"/worktrees {context.project}"), tr(" lists those there are.")]
    return message(*pieces)


def no_project_reply(aliases: Sequence[str], branch: str | None = None) -> ChatMessage:
    """Say that no project holds, so that nobody knows whose working trees are meant.

    Args:
        aliases: The projects.
        branch: Whose worktree was to be removed; None when they were to be listed.
    """
    if not aliases:
        return message(
            tr("No project is registered; run "),
            code("takopi init"),
            tr(" in its folder on the computer where takopi runs."),
        )
    rows = tuple(
        (Button(f"/{alias}", press_data("worktrees", "l", alias)),)
        for alias in aliases[:_MOST_BUTTONS]
    )
    return message(
        tr("No project holds here. Name one, as in "),
        code(
            f"/worktrees {aliases[0]}"
            if branch is None
            else f"/worktrees remove {aliases[0]} @{one_line(branch, _BRANCH_UNITS)}"
        ),
        ".",
        buttons=rows,
    )


def trees_reply(alias: str, lines: Sequence[TreeLine], now: float) -> ChatMessage:
    """List the working trees of a project, with buttons that open and remove them.

    Args:
        alias: The project.
        lines: Its trees, the main one first.
        now: Unix seconds.
    """
    pieces: list[str | Styled] = [bold(tr("Worktrees of {project}", project=alias)), "\n"]
    for line in lines[:_MOST_LINES]:
        pieces += [*_line(line, now), "\n"]
    if len(lines) > _MOST_LINES:
        pieces.append(tr("and {count} more", count=len(lines) - _MOST_LINES))
    if len(lines) == 1:
        pieces += [tr("A prompt that begins with @branch makes another one.")]
    rows = [_row(alias, line.tree) for line in lines]
    return message(*pieces, buttons=tuple(row for row in rows if row)[:_MOST_BUTTONS])


def _line(line: TreeLine, now: float) -> list[str | Styled]:
    tree = line.tree
    name = f"@{one_line(tree.branch, _BRANCH_UNITS)}" if tree.branch else tr("(no branch)")
    said = [tr("the project's own folder")] if tree.main else []
    if tree.missing:
        said.append(tr("its folder is gone"))
    elif tree.dirty is None:
        said.append(tr("git does not tell what was changed"))
    elif tree.dirty:
        said.append(tr_n("{count} file changed", "{count} files changed", tree.dirty))
    else:
        said.append(tr("clean"))
    if tree.ahead:
        said.append(tr("{count} ahead", count=tree.ahead))
    if tree.behind:
        said.append(tr("{count} behind", count=tree.behind))
    if tree.last_commit_s is not None:
        said.append(tr("last commit {age} ago", age=_age(now - tree.last_commit_s)))
    if tree.locked:
        said.append(tr("locked"))
    if line.work:
        said.append(one_line(line.work, _WORK_UNITS))
    return [code(name), " – " + " · ".join(said)]


def _age(seconds: float) -> str:
    if seconds >= 2 * _DAY_S:
        return tr("{count} days", count=int(seconds // _DAY_S))
    if seconds >= 7200:
        return tr("{count} h", count=int(seconds // 3600))
    return tr("{count} min", count=max(0, int(seconds // 60)))


def _row(alias: str, tree: Worktree) -> tuple[Button, ...]:
    if tree.branch is None:
        return ()
    name, mark = one_line(tree.branch, _LABEL_UNITS), branch_mark(tree.branch)
    row = [Button(tr("Open @{branch}", branch=name), press_data("worktrees", "o", alias, mark))]
    if not tree.main and not tree.locked:
        label = tr("Remove @{branch}", branch=name)
        row.append(Button(label, press_data("worktrees", "r", alias, mark)))
    return tuple(row)


def busy_reply(context: RunContext, work: str) -> ChatMessage:
    """Say that a turn runs or waits in a working tree, so that nothing is done there.

    Args:
        context: Whose tree.
        work: The turn, in one line.
    """
    where = f" ({_name(context)})" if context.project else ""
    return message(
        tr("Nothing was changed here{where}, because a turn works there: {turn}",
           where=where, turn=one_line(work, _WORK_UNITS)),
        "\n",
        tr("Wait for its answer or /cancel it, then try again."),
    )  # fmt: skip


def removal_question(context: RunContext, kept: Kept) -> ChatMessage:
    """Ask before a worktree is removed with what is in it."""
    losses = kept.changes
    pieces: list[str | Styled] = [
        bold(tr("Remove the worktree of {name}?", name=_name(context))),
        "\n",
        one_line(kept.reason, 300),
        ".\n",
    ]
    for file in losses.files[:_MOST_FILES]:
        pieces += [code(one_line(file, _WORK_UNITS)), "\n"]
    if len(losses.files) > _MOST_FILES:
        pieces += [tr("and {count} more", count=len(losses.files) - _MOST_FILES), "\n"]
    if losses.commits:
        pieces += [tr("The commits stay with the branch."), "\n"]
    if losses.changed or losses.untracked:
        pieces += [tr("Files that git does not ignore are kept under a ref, as far as git can.")]
    mark = branch_mark(context.branch)
    data = press_data("worktrees", "f", context.project or "", mark, losses_mark(losses))
    return message(*pieces, buttons=((Button(tr("Remove all the same"), data),),))


def removed_reply(removed: Removed, *, bound: bool) -> ChatMessage:
    """Say which worktree is gone.

    Args:
        removed: Which.
        bound: Whether the place where it was asked for is bound to its branch.
    """
    pieces: list[str | Styled] = [
        tr("The worktree of @{branch} is gone; its branch stays.",
           branch=one_line(removed.branch, _BRANCH_UNITS)),
    ]  # fmt: skip
    if removed.kept:
        pieces += ["\n", tr("Its files are kept as "), code(removed.kept), "."]
    if bound:
        pieces += [
            "\n",
            tr("This place is still bound to it: the next prompt makes it anew. To end that: "),
            code("/ctx clear"),
        ]
    return message(*pieces)


def _name(context: RunContext) -> str:
    branch = f" @{one_line(context.branch, _BRANCH_UNITS)}" if context.branch else ""
    return f"{context.project}{branch}"
