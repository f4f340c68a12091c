"""What takopi itself answers: the commands, and the Cancel buttons."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup

from takopi.bridge.answers import Answers, marks, place_of
from takopi.bridge.border import border
from takopi.bridge.cancelling import asked_before, cancel_turns
from takopi.bridge.letters import Place
from takopi.bridge.outbox import Outbox
from takopi.bridge.ports import EngineDirectory, MenuCommand
from takopi.bridge.records import AcceptedUpdate, UpdateHandled
from takopi.bridge.scheduler import Scheduler
from takopi.bridge.turn import Turn
from takopi.core.chat import ButtonPressed, MessageReceived
from takopi.core.commands import COMMANDS, GREETING
from takopi.core.prompt_replies import picked_reply
from takopi.core.replies import (
    CANCEL_PREFIX,
    PICK_PREFIX,
    EngineVersion,
    TurnLine,
    cancel_choice,
    help_reply,
    message,
    status_reply,
)
from takopi.core.route import BoundTurn, Command
from takopi.model import EngineId
from takopi.transport import MessageRef

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["CommandCall", "CommandDesk", "menu"]

_NOTHING_RUNS = "Nothing runs or waits here, so there is nothing to cancel."
_IS_OVER = "That turn has ended already; there is nothing to cancel."
_NEVER_STARTED = "dropped: cancelled before it was started."
_ENDED = "That turn has ended already"


@dataclass(frozen=True, slots=True)
class CommandCall:
    """Be one command that somebody sent.

    Args:
        received: The message.
        place: Where the answer goes.
        command: What it asks for.
        bound: The turn of the message that it replies to.
        handled: The mark of the update.
        refused: What was sent before it and could not be written down yet, so that it has no turn;
            cancelling takes it out of this list.
    """

    received: MessageReceived
    place: Place
    command: Command
    bound: BoundTurn | None
    handled: UpdateHandled
    refused: list[AcceptedUpdate]


@dataclass(frozen=True, slots=True)
class CommandDesk:
    """Answer commands at once, and let none act on what was asked for after it.

    Args:
        answers: Sends the answers, with their marks.
        outbox: Changes messages.
        scheduler: Knows and ends the turns.
        engines: Knows the engines.
        default_engine: Named in help.
        version: Of takopi.
        group: What takes time runs in it.
    """

    answers: Answers
    outbox: Outbox
    scheduler: Scheduler
    engines: EngineDirectory
    default_engine: EngineId
    version: str
    group: TaskGroup

    async def answer(self, call: CommandCall) -> None:
        """Answer one command and mark it."""
        answers: dict[str, Callable[[CommandCall], Awaitable[None]]] = {
            "cancel": self._cancel,
            "status": self._status,
            "help": self._help,
            GREETING: self._help,
        }
        await answers[call.command.name](call)

    async def press(self, pressed: ButtonPressed, handled: UpdateHandled) -> str:
        """Do what a Cancel button says; return the few words that its presser sees."""
        picked = pressed.data.startswith(PICK_PREFIX)
        prefix = PICK_PREFIX if picked else CANCEL_PREFIX
        turn = self.scheduler.turn(pressed.data.removeprefix(prefix))
        # A button counts in its own chat alone: data can be forged, chats are checked.
        if turn is not None and turn.place.scope.chat_id != pressed.scope.chat_id:
            turn = None
        if turn is None or turn.way.concluded:
            await self.answers.mark([handled])
            words = _ENDED
        else:
            words = "Still cancelling" if turn.cancelled.is_set() else "Cancelling"
            await cancel_turns(self.scheduler, self.answers, [turn], handled)
        if picked:
            shown = picked_reply(turn.engine, turn.prompt) if turn else message(_ENDED)
            ref = MessageRef(pressed.scope.chat_id, pressed.message_id)
            await self.outbox.correct(Place(pressed.scope, pressed.chat_kind), ref, shown)
        return words

    async def _help(self, call: CommandCall) -> None:
        words = help_reply(self.engines.ids(), self.default_engine)
        await self.answers.give(call.place, words, [call.handled])

    async def _status(self, call: CommandCall) -> None:
        chat = call.received.scope.chat_id
        turns = [turn for turn in self.scheduler.turns() if turn.place.scope.chat_id == chat]
        lines = [self.scheduler.line(turn) for turn in turns]
        self.group.start_soon(self._say_status, call, lines)

    async def _say_status(self, call: CommandCall, lines: list[TurnLine]) -> None:
        engines = tuple(self.engines.ids())
        versions: dict[EngineId, str | None] = {}

        async def ask(engine: EngineId) -> None:
            with border("asking for a version", engine=engine) as found:
                versions[engine] = await self.engines.version(engine)
            if found.error is not None:
                versions[engine] = f"cannot tell its version: {found.error[:200]}"

        async with anyio.create_task_group() as group:
            for engine in engines:
                group.start_soon(ask, engine)
        known = [EngineVersion(engine, versions[engine]) for engine in engines]
        with border("answering /status"):
            words = status_reply(lines, self.version, known)
            await self.answers.give(call.place, words, [call.handled])

    async def _cancel(self, call: CommandCall) -> None:
        reply, args = call.received.reply, call.command.args
        if call.bound is not None or (reply is not None and reply.from_this_bot):
            # A message of ours that nobody remembers belongs to a turn that is long over.
            turn = self.scheduler.turn(call.bound.turn_id) if call.bound else None
            meant = [turn] if turn is not None and _means(call, turn) else []
            await self._end(call, meant, _IS_OVER)
            return
        here = [
            turn
            for turn in self.scheduler.turns()
            if turn.place.scope == call.received.scope and _means(call, turn)
        ]
        if args and args.lower() != "all":
            words = message(f"/cancel takes nothing or the word all, not {args[:60]}.")
            await self.answers.give(call.place, words, [call.handled])
            return
        if call.refused and (args or not here):
            await self._drop(call)
            if not here:
                await self.answers.mark([call.handled])
                return
        running = [turn for turn in here if turn.started_at is not None]
        meant = here if args else running or here
        if len(meant) > 1 and not args:
            words = cancel_choice([self.scheduler.line(turn) for turn in meant])
            await self.answers.give(call.place, words, [call.handled])
        else:
            await self._end(call, meant, _NOTHING_RUNS)

    async def _drop(self, call: CommandCall) -> None:
        """Let prompts rest that the journal did not take, and say so at each of them."""
        dropped = list(call.refused)
        call.refused.clear()
        for accepted in dropped:
            handled = marks((accepted,))
            update = accepted.update
            if isinstance(update, MessageReceived):
                place = place_of(update, update.message_id)
                await self.answers.give(place, message(_NEVER_STARTED), handled)
            # The answer goes out also when the journal refuses; then the mark is owed.
            await self.answers.mark(handled)

    async def _end(self, call: CommandCall, turns: list[Turn], otherwise: str) -> None:
        """Cancel turns, or say why there is nothing to cancel."""
        if turns:
            await cancel_turns(self.scheduler, self.answers, turns, call.handled)
        else:
            await self.answers.give(call.place, message(otherwise), [call.handled])


def _means(call: CommandCall, turn: Turn) -> bool:
    """Tell whether a command may act on a turn: it goes on, and was asked for before."""
    return not turn.way.concluded and asked_before(turn.record, call.received.message_id)


def menu(engines: EngineDirectory, default_engine: EngineId) -> tuple[MenuCommand, ...]:
    """Make the command menu of the chat."""
    commands = [MenuCommand(spec.name, spec.description) for spec in COMMANDS]
    for engine in engines.ids():
        standing = " (the default)" if engine == default_engine else ""
        commands.append(MenuCommand(engine, f"Ask {engine}{standing}"))
    return tuple(commands[:100])
