"""What takopi itself answers: the commands, and the buttons of its messages."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio
from anyio.abc import TaskGroup

from takopi.bridge.border import border
from takopi.bridge.letters import Place
from takopi.bridge.outbox import Outbox
from takopi.bridge.ports import EngineDirectory, MenuCommand
from takopi.bridge.scheduler import Scheduler
from takopi.bridge.turn import Turn
from takopi.core.chat import ButtonPressed, ChatMessage, MessageReceived
from takopi.core.commands import COMMANDS, GREETING
from takopi.core.replies import (
    CANCEL_PREFIX,
    EngineVersion,
    TurnLine,
    cancel_choice,
    help_reply,
    message,
    status_reply,
)
from takopi.core.route import BoundTurn, Command
from takopi.model import EngineId

__all__ = ["CommandDesk", "menu"]

_NOTHING_RUNS = "Nothing runs or waits here, so there is nothing to cancel."
_IS_OVER = "That turn has ended already; there is nothing to cancel."

_Answer = Callable[[MessageReceived, Place, str, BoundTurn | None], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class CommandDesk:
    """Answer commands at once, so that none acts on what was asked for after it.

    Args:
        outbox: Sends the answers.
        scheduler: Knows and ends the turns.
        engines: Knows the engines.
        default_engine: Named in help.
        version: Of takopi.
        group: What takes time runs in it.
    """

    outbox: Outbox
    scheduler: Scheduler
    engines: EngineDirectory
    default_engine: EngineId
    version: str
    group: TaskGroup

    async def answer(
        self, received: MessageReceived, place: Place, command: Command, bound: BoundTurn | None
    ) -> None:
        """Answer one command.

        Args:
            received: The message.
            place: Where the answer goes.
            command: What it asks for.
            bound: The turn of the message that it replies to.
        """
        answers: dict[str, _Answer] = {
            "cancel": self._cancel,
            "status": self._status,
            "help": self._help,
            GREETING: self._help,
        }
        await answers[command.name](received, place, command.args, bound)

    def press(self, pressed: ButtonPressed) -> str:
        """Do what a button says; return the few words that its presser sees."""
        if not pressed.data.startswith(CANCEL_PREFIX):
            return "This button does nothing any more"
        turn = self.scheduler.turn(pressed.data.removeprefix(CANCEL_PREFIX))
        # A button counts in its own chat alone: data can be forged, chats are checked.
        if turn is None or turn.place.scope.chat_id != pressed.scope.chat_id:
            return "That turn has ended already"
        again = turn.cancelled.is_set()
        if not self.scheduler.cancel(turn.id):
            return "That turn has ended already"
        return "Still cancelling" if again else "Cancelling"

    async def _help(
        self, received: MessageReceived, place: Place, args: str, bound: BoundTurn | None
    ) -> None:
        del received, args, bound
        await self._say(place, help_reply(self.engines.ids(), self.default_engine))

    async def _status(
        self, received: MessageReceived, place: Place, args: str, bound: BoundTurn | None
    ) -> None:
        del args, bound
        chat = received.scope.chat_id
        turns = [turn for turn in self.scheduler.turns() if turn.place.scope.chat_id == chat]
        lines = [self.scheduler.line(turn) for turn in turns]
        self.group.start_soon(self._say_status, place, lines)

    async def _say_status(self, place: Place, lines: list[TurnLine]) -> None:
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
        await self._say(place, status_reply(lines, self.version, known))

    async def _cancel(
        self, received: MessageReceived, place: Place, args: str, bound: BoundTurn | None
    ) -> None:
        reply = received.reply
        if bound is not None or (reply is not None and reply.from_this_bot):
            # A message of ours that nobody remembers belongs to a turn that is long over.
            if bound is None or not self.scheduler.cancel(bound.turn_id):
                await self._say(place, message(_IS_OVER))
            return
        here = [turn for turn in self.scheduler.turns() if turn.place.scope == received.scope]
        if not here:
            await self._say(place, message(_NOTHING_RUNS))
        elif args.lower() == "all":
            self._cancel_all(here)
        elif args:
            words = f"/cancel takes nothing or the word all, not {args[:60]}."
            await self._say(place, message(words))
        else:
            await self._cancel_one(here, place)

    def _cancel_all(self, turns: list[Turn]) -> None:
        # The waiting ones first: else the end of a running one would start the next.
        for turn in sorted(turns, key=lambda turn: turn.started_at is not None):
            self.scheduler.cancel(turn.id)

    async def _cancel_one(self, here: list[Turn], place: Place) -> None:
        """Cancel the turn that is meant, or ask which."""
        running = [turn for turn in here if turn.started_at is not None]
        candidates = running or here
        if len(candidates) == 1:
            self.scheduler.cancel(candidates[0].id)
        else:
            lines = [self.scheduler.line(turn) for turn in candidates]
            await self._say(place, cancel_choice(lines))

    async def _say(self, place: Place, answer: ChatMessage) -> None:
        await self.outbox.say(place, answer, notify=False)


def menu(engines: EngineDirectory, default_engine: EngineId) -> tuple[MenuCommand, ...]:
    """Make the command menu of the chat."""
    commands = [MenuCommand(spec.name, spec.description) for spec in COMMANDS]
    for engine in engines.ids():
        standing = " (the default)" if engine == default_engine else ""
        commands.append(MenuCommand(engine, f"Ask {engine}{standing}"))
    return tuple(commands[:100])
