"""/worktrees: list, open and remove the working trees of a project."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from takopi.bridge.commands.call import CommandCall, CommandPorts, PressCall
from takopi.bridge.commands.contexts import bind_place
from takopi.bridge.commands.in_trees import (
    context_of_tree,
    tree_of_mark,
    work_line,
    working_in,
)
from takopi.bridge.commands.slowly import Bodies, Questions, Work, answer_slowly
from takopi.context import RunContext
from takopi.core.chat import ChatMessage, Scope
from takopi.core.context_replies import context_reply
from takopi.core.ctx_replies import bound_reply, branch_wrong, project_unknown
from takopi.core.replies import message
from takopi.core.texts import tr, tr_later
from takopi.core.tree_replies import (
    TreeLine,
    busy_reply,
    losses_mark,
    no_project_reply,
    no_tree_reply,
    removal_question,
    removed_reply,
    trees_reply,
    trees_usage,
)
from takopi.core.working_trees import Kept, Worktree

__all__ = ["WorktreesCommand"]


@dataclass(frozen=True, slots=True)
class WorktreesCommand:
    """List working trees, bind places to them, and remove them.

    Args:
        ports: What commands work with.
        questions: What its buttons asked.
    """

    ports: CommandPorts
    questions: Questions = field(default_factory=Questions)
    names: tuple[str, ...] = ("worktrees",)

    async def answer(self, call: CommandCall) -> None:
        """Begin with what is asked for, or say how it is asked for."""
        words = call.command.args.split()
        removing = bool(words) and words[0].lower() == "remove"
        branches = [word.removeprefix("@") for word in words if word.startswith("@")]
        named = [word.removeprefix("/") for word in words if not word.startswith("@")][removing:]
        if len(named) > 1 or len(branches) != removing:
            await self.ports.answers.give(call.destination, trees_usage(), [call.handled])
            return
        alias = self._alias(call, named[0] if named else None, branches[0] if branches else None)
        wrong = branch_wrong(branches[0]) if branches else None
        if wrong is not None:
            alias = context_reply(wrong)
        if isinstance(alias, ChatMessage):
            await self.ports.answers.give(call.destination, alias, [call.handled])
            return
        if branches:
            context = RunContext(alias, branches[0])
            work: Work = partial(self._remove, call.received.scope, context, None)
            answer_slowly(self.ports, call, tr_later("removing a worktree"), work)
        else:
            answer_slowly(
                self.ports, call, tr_later("listing worktrees"), partial(self._list, alias)
            )

    async def press(self, call: PressCall) -> str:
        """List, open, remove, or remove with what is in it, whatever a button says."""
        verb, alias, mark, losses = (*call.args, "", "", "", "")[:4]
        scope = call.pressed.scope
        known = self.ports.settings.projects.find(alias) is not None
        works: dict[str, tuple[str, str, Work]] = {
            "l": (tr("Looking"), tr_later("listing worktrees"), partial(self._list, alias)),
            "o": (
                tr("Opening"),
                tr_later("opening a worktree"),
                partial(self._open, scope, alias, mark),
            ),
            "r": (
                tr("Looking what is in it"),
                tr_later("removing a worktree"),
                partial(self._press_remove, scope, alias, mark, None),
            ),
            "f": (
                tr("Removing"),
                tr_later("removing a worktree"),
                partial(self._press_remove, scope, alias, mark, losses),
            ),
        }
        if not known or verb not in works:
            await self.ports.answers.mark([call.handled])
            return tr("This button does nothing any more")
        shown, what, work = works[verb]
        if verb == "f":
            self.questions.decided(call)
            answer_slowly(self.ports, call, what, work, instead=True)
            return shown
        question = self.questions.of(call) if verb == "r" else None
        if question is not None and question.open:
            await self.ports.answers.mark([call.handled])
        else:
            answer_slowly(self.ports, call, what, work, question=question)
        return shown

    def _alias(self, call: CommandCall, named: str | None, branch: str | None) -> str | ChatMessage:
        """Say whose working trees are meant, or answer that nobody knows."""
        projects = self.ports.settings.projects
        if named is not None:
            found = projects.find(named)
            return project_unknown(named, projects.aliases) if found is None else found.alias
        bound = None if call.bound is None else call.bound.context.project
        here = bound or self.ports.router.context_here(call.received.scope).context.project
        return here or no_project_reply(projects.aliases, branch)

    async def _list(self, alias: str) -> Bodies:
        lines = [self._line(alias, tree) for tree in await self.ports.workspaces.trees(alias)]
        return [trees_reply(alias, lines, self.ports.clock.wall())]

    def _line(self, alias: str, tree: Worktree) -> TreeLine:
        turn = working_in(self.ports, context_of_tree(alias, tree), Path(tree.path))
        return TreeLine(tree, "" if turn is None else work_line(self.ports, turn))

    async def _open(self, scope: Scope, alias: str, mark: str) -> Bodies:
        tree = await tree_of_mark(self.ports, alias, mark)
        if tree is None:
            return [_gone()]
        await bind_place(self.ports, scope, context_of_tree(alias, tree))
        here = self.ports.router.context_here(scope)
        aliases = self.ports.settings.projects.aliases
        return [bound_reply(here, aliases, topic=scope.thread_id is not None)]

    async def _press_remove(
        self, scope: Scope, alias: str, mark: str, losses: str | None
    ) -> Bodies:
        tree = await tree_of_mark(self.ports, alias, mark)
        if tree is None:
            return [_gone()]
        return await self._remove(scope, RunContext(alias, tree.branch), losses)

    async def _remove(self, scope: Scope, context: RunContext, losses: str | None) -> Bodies:
        """Remove a worktree in which nothing works; ask when it has what would be lost.

        Args:
            scope: Where it was asked for.
            context: Whose worktree.
            losses: What a person agreed to lose, as `losses_mark` names it.
        """
        ports = self.ports
        trees = await ports.workspaces.trees(context.project or "")
        tree = next((one for one in trees if one.branch == context.branch), None)
        if tree is None:
            branches = [one.branch for one in trees if one.branch is not None and not one.main]
            return [no_tree_reply(context, branches)]
        path = Path(tree.path)
        async with ports.scheduler.gate.hold(ports.workspaces.tree_of(path)):
            turn = working_in(ports, context, path)
            if turn is not None:
                return [busy_reply(context, work_line(ports, turn))]
            done = await ports.workspaces.remove(context)
            if isinstance(done, Kept) and losses == losses_mark(done.changes):
                done = await ports.workspaces.remove(context, force=True)
        if isinstance(done, Kept):
            return [removal_question(context, done)]
        here = ports.router.context_here(scope).context
        return [removed_reply(done, bound=here == context)]


def _gone() -> ChatMessage:
    return message(tr("There is no such worktree any more; /worktrees lists those there are."))
