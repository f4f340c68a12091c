"""/queue: what waits in a chat, and in which order; and the buttons that change that."""

from collections.abc import Sequence
from dataclasses import dataclass

from takopi.bridge.cancelling import cancel_turns
from takopi.bridge.commands.call import CommandCall, CommandPorts, PressCall
from takopi.bridge.turn import Turn
from takopi.core.chat import ChatMessage
from takopi.core.help_replies import takes_nothing
from takopi.core.texts import tr
from takopi.core.turn_lists import queue_reply
from takopi.errors import StoreFull
from takopi.transport import MessageRef

__all__ = ["QueueCommand"]


@dataclass(frozen=True, slots=True)
class QueueCommand:
    """List what waits, and let people say what is next.

    Args:
        ports: What commands work with.
    """

    ports: CommandPorts
    names: tuple[str, ...] = ("queue",)

    async def answer(self, call: CommandCall) -> None:
        """List what waits in the chat."""
        if call.command.args:
            words = takes_nothing(call.command.name)
        else:
            words = self._list(call.received.scope.chat_id)
        await self.ports.answers.give(call.destination, words, [call.handled])

    async def press(self, call: PressCall) -> str:
        """Move a turn up, let it be next, or cancel it."""
        verb, turn_id = (*call.args, "", "")[:2]
        waiting = self._waiting(call.pressed.scope.chat_id)
        # Only what waits in the button's own chat: data can be forged, chats are checked.
        place = next((n for n, turn in enumerate(waiting) if turn.id == turn_id), None)
        if place is None:
            await self.ports.answers.mark([call.handled])
            words = tr("It does not wait any more")
        else:
            words = await self._do(verb, waiting, place, call)
        if verb != "go":
            await self._show(call)
        return words

    async def _do(self, verb: str, waiting: Sequence[Turn], place: int, call: PressCall) -> str:
        turn, ports = waiting[place], self.ports
        if verb == "end":
            await cancel_turns(ports.scheduler, ports.answers, [turn], call.handled)
            return tr("Cancelling")
        if verb not in ("up", "next", "go"):
            await ports.answers.mark([call.handled])
            return tr("This button does nothing any more")
        before = waiting[place - 1].id if verb == "up" and place else None
        if verb == "up" and not place:
            await ports.answers.mark([call.handled])
            return tr("It is the first already")
        try:
            moved = await ports.scheduler.order.promote(
                ports.store, turn.id, before, [call.handled]
            )
        except StoreFull as error:
            await ports.answers.mark([call.handled])
            return tr("Nothing changed: {why}", why=str(error)[:150])
        if verb == "up":
            return tr("Moved up")
        return tr("It is next") if moved else tr("It is next already")

    def _waiting(self, chat_id: int) -> list[Turn]:
        waiting = self.ports.scheduler.order.waiting()
        return [turn for turn in waiting if turn.destination.scope.chat_id == chat_id]

    def _list(self, chat_id: int) -> ChatMessage:
        return queue_reply([self.ports.scheduler.line(turn) for turn in self._waiting(chat_id)])

    async def _show(self, call: PressCall) -> None:
        """Let the list show how things are now."""
        ref = MessageRef(call.pressed.scope.chat_id, call.pressed.message_id)
        words = self._list(call.pressed.scope.chat_id)
        await self.ports.outbox.correct(call.destination, ref, words)
