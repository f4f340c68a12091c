"""/diff: what a turn or a branch changed, and committing or reverting it."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from takopi.bridge.commands.call import CommandCall, CommandPorts, PressCall
from takopi.bridge.commands.in_trees import running_in, tree_of_mark, work_line
from takopi.bridge.commands.slowly import Bodies, Questions, answer_slowly
from takopi.bridge.commands.turn_span import TurnSpan, span_of
from takopi.bridge.ports import TurnFilter
from takopi.bridge.records import TurnRecord
from takopi.context import RunContext
from takopi.core.chat import ChatMessage
from takopi.core.context_replies import context_reply
from takopi.core.ctx_replies import branch_wrong
from takopi.core.decisions import BadBranch
from takopi.core.diff_replies import (
    DiffView,
    commit_question,
    commit_words,
    committed_reply,
    diff_reply,
    diff_usage,
    nothing_reply,
    read_diff,
    revert_question,
    reverted_reply,
)
from takopi.core.diff_text import changes_mark, hidden_files, without_files
from takopi.core.file_rules import DENIED
from takopi.core.replies import message
from takopi.core.texts import tr, tr_later
from takopi.core.tree_replies import branch_mark, busy_reply
from takopi.core.working_trees import Changes

__all__ = ["DiffCommand"]

_NO_BRANCH = "-"
_LONGEST_TURN_ID = 40
_MOST_TURNS = 200
"""So many turns of a place are looked through for those that worked beside one and after it."""


@dataclass(frozen=True, slots=True)
class _Target:
    """Be what is looked at.

    Args:
        context: Project and branch.
        directory: Where its files are.
        key: How buttons name it.
        chat_id: The chat that asks.
        turn: The turn that is meant; None for the whole place.
    """

    context: RunContext
    directory: Path
    key: tuple[str, ...]
    chat_id: int
    turn: TurnRecord | None = None

    @property
    def before(self) -> str | None:
        return None if self.turn is None else self.turn.before


_Found = _Target | ChatMessage
_Act = Callable[[_Target], Awaitable[ChatMessage]]


@dataclass(frozen=True, slots=True)
class DiffCommand:
    """Show what was changed, commit it, and put it back.

    Args:
        ports: What commands work with.
        questions: What its buttons asked.
    """

    ports: CommandPorts
    questions: Questions = field(default_factory=Questions)
    names: tuple[str, ...] = ("diff",)

    async def answer(self, call: CommandCall) -> None:
        """Begin with what is asked for, or say how it is asked for."""
        asked = read_diff(call.command.args)
        if asked is None:
            await self.ports.answers.give(call.destination, diff_usage(), [call.handled])
            return
        wrong = None if asked.branch is None else branch_wrong(asked.branch)
        if wrong is not None:
            await self.ports.answers.give(call.destination, context_reply(wrong), [call.handled])
            return
        find = partial(self._asked, call, asked.branch)
        if asked.message:
            act = partial(self._commit, asked.message, call.arrived_at)
            answer_slowly(self.ports, call, tr_later("committing"), partial(self._alone, find, act))
            return
        answer_slowly(self.ports, call, tr_later("looking at changes"), partial(self._show, find))

    async def press(self, call: PressCall) -> str:
        """Ask before something is committed or put back, and do what was agreed to."""
        verb, *key = call.args or ("",)
        mark = key.pop() if verb in {"C", "R"} and key else ""
        acts: dict[str, tuple[str, _Act]] = {
            "c": (tr("Looking"), self._ask_commit),
            "C": (tr("Committing"), partial(self._agreed_commit, mark, call.arrived_at)),
            "r": (tr("Looking"), self._ask_revert),
            "R": (tr("Putting back"), partial(self._agreed_revert, mark)),
        }
        if verb not in acts:
            await self.ports.answers.mark([call.handled])
            return tr("This button does nothing any more")
        shown, act = acts[verb]
        find = partial(self._pressed, call.pressed.scope.chat_id, tuple(key))
        work, what = partial(self._alone, find, act), tr_later("changing files")
        if verb in {"C", "R"}:
            self.questions.decided(call)
            answer_slowly(self.ports, call, what, work, instead=True)
            return shown
        question = self.questions.of(call)
        if question.open:
            await self.ports.answers.mark([call.handled])
        else:
            answer_slowly(self.ports, call, what, work, question=question)
        return shown

    # What is meant.

    async def _asked(self, call: CommandCall, branch: str | None) -> _Found:
        ports = self.ports
        if call.bound is not None and branch is None:
            return await self._of_turn(call.bound.turn_id, call.received.scope.chat_id)
        held = None if call.bound is None else call.bound.context
        here = held or ports.router.context_here(call.received.scope).context
        if branch is not None:
            if here.project is None:
                return context_reply(BadBranch(branch))
            here = RunContext(here.project, branch)
        return await self._of_place(here, call.received.scope.chat_id)

    async def _pressed(self, chat_id: int, key: tuple[str, ...]) -> _Found:
        match key:
            case ("t", turn_id):
                return await self._of_turn(turn_id, chat_id)
            case ("w",):
                return await self._of_place(RunContext(), chat_id)
            case ("b", alias, mark) if mark == _NO_BRANCH:
                return await self._of_place(RunContext(alias), chat_id)
            case ("b", alias, mark):
                tree = await tree_of_mark(self.ports, alias, mark)
                if tree is not None:
                    return await self._of_place(RunContext(alias, tree.branch), chat_id)
            case _:
                pass
        return message(tr("This button does nothing any more."))

    async def _of_turn(self, turn_id: str, chat_id: int) -> _Found:
        turn = await self.ports.store.turn(turn_id)
        # Button data can be forged, chats are checked.
        if turn is None or turn.scope.chat_id != chat_id or turn.cwd is None:
            return message(tr("That turn changed nothing that takopi knows of: it never started."))
        key = ("t", turn_id) if len(turn_id) <= _LONGEST_TURN_ID else ()
        return _Target(turn.context, Path(turn.cwd), key, chat_id, turn)

    async def _of_place(self, context: RunContext, chat_id: int) -> _Found:
        directory = await self.ports.workspaces.find(context)
        if directory is None:
            return message(
                tr("@{branch} has no worktree, so nothing is changed in one; /worktrees lists "
                   "those there are.", branch=context.branch)
            )  # fmt: skip
        mark = branch_mark(context.branch) if context.branch else _NO_BRANCH
        key = ("w",) if context.project is None else ("b", context.project, mark)
        return _Target(context, directory, key, chat_id)

    # What is shown.

    async def _show(self, find: Callable[[], Awaitable[_Found]]) -> Bodies:
        target = await find()
        if isinstance(target, ChatMessage):
            return [target]
        workspaces = self.ports.workspaces
        uncommitted = await workspaces.look(target.directory)
        changes, since, back_to = uncommitted, tr("in no commit"), tr("the last commit")
        notes: tuple[str, ...] = ()
        if target.turn is not None and target.before is not None:
            span = await self._span(target.turn, target.directory)
            changes = await workspaces.changes_since(target.directory, target.before, span.until)
            since, back_to = _since(span), _turn_state()
            notes = _span_notes(span)
        elif target.turn is None and target.context.branch is not None:
            changes = await workspaces.look(target.directory, target.context)
            since = tr("since the branch began")
        gone_back = changes if target.before is not None else uncommitted
        files = self.ports.files
        hidden = hidden_files(changes, DENIED if files is None else files.rules.denied)
        view = DiffView(
            context=target.context,
            since=since,
            changes=changes,
            diff=without_files(changes.diff, hidden),
            hidden=len(hidden),
            target=target.key,
            commits=bool(uncommitted.files),
            back_to=back_to if gone_back.files else "",
            notes=notes,
        )
        return diff_reply(view)

    async def _span(self, turn: TurnRecord, directory: Path) -> TurnSpan:
        """Look which other turns worked in the directory of a turn since it began."""
        found = await self.ports.store.newest_turns(TurnFilter(context=turn.context), _MOST_TURNS)
        tree_of = self.ports.workspaces.tree_of
        tree = tree_of(directory)
        there = [one for one in found if one.cwd is not None and tree_of(Path(one.cwd)) == tree]
        complete = len(found) < _MOST_TURNS or found[-1].seq < turn.seq
        return span_of(turn, there, complete=complete)

    # What is done.

    async def _alone(self, find: Callable[[], Awaitable[_Found]], act: _Act) -> Bodies:
        """Do something in a working tree in which no turn runs, and let none start meanwhile."""
        target = await find()
        if isinstance(target, ChatMessage):
            return [target]
        tree = self.ports.workspaces.tree_of(target.directory)
        async with self.ports.scheduler.gate.hold(tree):
            turn = running_in(self.ports, tree)
            if turn is not None:
                return [busy_reply(target.context, work_line(self.ports, turn))]
            return [await act(target)]

    async def _commit(self, words: str, asked_at: float, target: _Target) -> ChatMessage:
        # A takopi that died may have made it, and come to no answer.
        workspaces = self.ports.workspaces
        commit = await workspaces.committed(target.directory, words, asked_at)
        if commit is None:
            commit = await workspaces.commit(target.directory, words)
        return committed_reply(_view(target, Changes()).name, commit, words)

    async def _ask_commit(self, target: _Target) -> ChatMessage:
        return await self._agreed_commit("", math.inf, target)

    async def _agreed_commit(self, mark: str, asked_at: float, target: _Target) -> ChatMessage:
        """Commit what a person was shown; ask when it is something else by now."""
        whole = tr("All that is in no commit is committed, not only what this turn changed.")
        notes = (whole,) if target.before is not None else ()
        view = _view(target, await self.ports.workspaces.look(target.directory), notes)
        words = await self._words(target)
        if words and await self.ports.workspaces.committed(target.directory, words, asked_at):
            return await self._commit(words, asked_at, target)
        if not view.changes.files:
            return nothing_reply(view.name)
        now = changes_mark(view.changes, words)
        if now != mark or not words:
            return commit_question(view, words, now)
        return await self._commit(words, asked_at, target)

    async def _words(self, target: _Target) -> str:
        if target.turn is not None:
            return commit_words(target.turn.prompt)
        # What is said in one chat is no business of another one.
        wanted = TurnFilter(context=target.context, chat_id=target.chat_id)
        found = await self.ports.store.newest_turns(wanted, _MOST_TURNS)
        return next((commit_words(turn.prompt) for turn in found if turn.cwd is not None), "")

    async def _ask_revert(self, target: _Target) -> ChatMessage:
        return await self._agreed_revert("", target)

    async def _agreed_revert(self, mark: str, target: _Target) -> ChatMessage:
        """Put back what a person was shown; ask when it is something else by now."""
        workspaces = self.ports.workspaces
        if target.before is not None:
            changes = await workspaces.changes_since(target.directory, target.before)
        else:
            changes = await workspaces.look(target.directory)
        view = _view(target, changes)
        if not changes.files:
            return nothing_reply(view.name)
        now = changes_mark(changes)
        if now != mark:
            return revert_question(view, now)
        return reverted_reply(view.name, await workspaces.revert(target.directory, target.before))


def _since(span: TurnSpan) -> str:
    if span.until is None:
        return tr("since this turn began")
    return tr("since this turn began, until the next one did")


def _span_notes(span: TurnSpan) -> tuple[str, ...]:
    notes = []
    if span.beside:
        notes.append(tr("Another turn worked there meanwhile; its changes are among these."))
    if span.later:
        notes.append(tr("Later turns worked there, too; their changes are among these."))
    return tuple(notes)


def _turn_state() -> str:
    return tr("how they were when this turn began")


def _view(target: _Target, changes: Changes, notes: tuple[str, ...] = ()) -> DiffView:
    back_to = _turn_state() if target.before is not None else tr("the last commit")
    return DiffView(
        context=target.context,
        since="",
        changes=changes,
        diff="",
        target=target.key,
        back_to=back_to,
        notes=notes,
    )
