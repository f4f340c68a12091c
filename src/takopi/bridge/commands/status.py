"""/status: what runs, what waits and for how long; it changes nothing."""

from dataclasses import dataclass, field

import anyio

from takopi.bridge.border import border
from takopi.bridge.cancelling import cancel_turns
from takopi.bridge.commands.call import CommandCall, CommandPorts, PressCall
from takopi.bridge.commands.slowly import Bodies, answer_slowly
from takopi.bridge.turn import Turn
from takopi.bridge.waiting import give_up_at
from takopi.core.chat import ChatMessage
from takopi.core.help_replies import takes_nothing
from takopi.core.texts import tr, tr_later
from takopi.core.turn_lists import EngineVersion, TurnLine, status_reply
from takopi.model import EngineId
from takopi.transport import MessageRef

__all__ = ["StatusCommand"]

_MOST_SHOWN = 100
_VERSIONS_WITHIN_S = 10.0
"""An engine's CLI may hang; what runs is told all the same."""


@dataclass(frozen=True, slots=True)
class StatusCommand:
    """Say what runs and waits in a chat.

    Args:
        ports: What commands work with.
    """

    ports: CommandPorts
    names: tuple[str, ...] = ("status",)
    # An edit that changes nothing is refused, and counts as one all the same.
    _shown: dict[MessageRef, ChatMessage] = field(default_factory=dict)

    async def answer(self, call: CommandCall) -> None:
        """List the turns as they are now, and the versions once they are known."""
        if call.command.args:
            words = takes_nothing(call.command.name)
            await self.ports.answers.give(call.destination, words, [call.handled])
            return
        lines = self._lines(call.received.scope.chat_id)

        async def work() -> Bodies:
            return [await self._words(lines)]

        answer_slowly(self.ports, call, tr_later("answering /status"), work)

    async def press(self, call: PressCall) -> str:
        """Cancel a turn, or just show how things are now, in the same message."""
        ports, chat = self.ports, call.pressed.scope.chat_id
        verb, turn_id = (*call.args, "", "")[:2]
        if verb != "end":
            await ports.answers.mark([call.handled])
            ports.group.start_soon(self._correct, call, self._lines(chat))
            return ""
        # Only what goes on in the button's own chat: data can be forged, chats are checked.
        turn = next((one for one in self._turns(chat) if one.id == turn_id), None)
        if turn is None or turn.way.concluded:
            await ports.answers.mark([call.handled])
            ports.group.start_soon(self._correct, call, self._lines(chat))
            return tr("That turn has ended already")
        words = tr("Still cancelling") if turn.cancelled.is_set() else tr("Cancelling")
        await cancel_turns(ports.scheduler, ports.answers, [turn], call.handled)
        ports.group.start_soon(self._correct, call, self._lines(chat))
        ports.group.start_soon(self._correct_after, call, turn)
        return words

    def _turns(self, chat: int) -> list[Turn]:
        return [
            one for one in self.ports.scheduler.turns() if one.destination.scope.chat_id == chat
        ]

    def _lines(self, chat: int) -> list[TurnLine]:
        return [self.ports.scheduler.line(turn) for turn in self._turns(chat)]

    async def _correct_after(self, call: PressCall, turn: Turn) -> None:
        """Show how things are once a turn is over that was cancelled here."""
        await turn.over.wait()
        await self._correct(call, self._lines(call.pressed.scope.chat_id))

    async def _correct(self, call: PressCall, lines: list[TurnLine]) -> None:
        with border("answering /status"):
            words = await self._words(lines)
            ref = MessageRef(call.pressed.scope.chat_id, call.pressed.message_id)
            if self._shown.get(ref) == words:
                return
            self._shown.pop(ref, None)
            self._shown[ref] = words
            if len(self._shown) > _MOST_SHOWN:
                del self._shown[next(iter(self._shown))]
            await self.ports.outbox.correct(call.destination, ref, words)

    async def _words(self, lines: list[TurnLine]) -> ChatMessage:
        ports, clock = self.ports, self.ports.clock
        engines = tuple(ports.engines.ids())
        versions: dict[EngineId, str | None] = dict.fromkeys(engines, tr("does not answer"))

        async def ask(engine: EngineId) -> None:
            with border("asking for a version", engine=engine) as found:
                versions[engine] = await ports.engines.version(engine)
            if found.error is not None:
                versions[engine] = tr("cannot tell its version: {why}", why=found.error[:200])

        until = clock.now() + _VERSIONS_WITHIN_S
        async with give_up_at(clock, until), anyio.create_task_group() as group:
            for engine in engines:
                group.start_soon(ask, engine)
        known = [EngineVersion(engine, versions[engine]) for engine in engines]
        return status_reply(lines, ports.version, known)
