"""/cancel, and the Cancel buttons."""

from dataclasses import dataclass

from takopi.bridge.answers import destination_of, marks
from takopi.bridge.border import border
from takopi.bridge.cancelling import asked_before, cancel_turns
from takopi.bridge.commands.call import CommandCall, CommandPorts, PressCall
from takopi.bridge.letters import Destination
from takopi.bridge.records import TurnRecord
from takopi.bridge.turn import Turn
from takopi.core.chat import ChatMessage, MessageReceived
from takopi.core.prompt_replies import picked_reply
from takopi.core.replies import CANCEL_PREFIX, PICK_PREFIX, marked, message
from takopi.core.texts import tr, tr_later, translated
from takopi.core.turn_lists import cancel_choice
from takopi.core.turn_state import TurnEnd
from takopi.transport import MessageRef

__all__ = ["CancelCommand"]

_NOTHING_RUNS = tr_later("Nothing runs or waits here, so there is nothing to cancel.")
_IS_OVER = tr_later("That turn has ended already; there is nothing to cancel.")


@dataclass(frozen=True, slots=True)
class CancelCommand:
    """End turns, and let no command act on what was asked for after it.

    Args:
        ports: What commands work with.
    """

    ports: CommandPorts
    names: tuple[str, ...] = ("cancel",)

    async def answer(self, call: CommandCall) -> None:
        """End what is meant, or ask which of several is."""
        ports = self.ports
        reply, args = call.received.reply, call.command.args
        if call.bound is not None or (reply is not None and reply.from_this_bot):
            # A message of ours that nobody remembers belongs to a turn that is long over.
            turn = ports.scheduler.turn(call.bound.turn_id) if call.bound else None
            meant = [turn] if turn is not None and _means(call, turn) else []
            await self._end(call, meant, _IS_OVER)
            return
        here = [
            turn
            for turn in ports.scheduler.turns()
            if call.received.scope in (turn.record.scope, turn.record.asked_in)
            and _means(call, turn)
        ]
        if args and args.lower() != "all":
            said = args[:60].replace("`", "'")
            words = message(
                *marked(
                    tr(
                        "/cancel takes nothing, or the word all as in `/cancel all`; not {words}.",
                        words=said,
                    )
                )
            )
            await ports.answers.give(call.destination, words, [call.handled])
            return
        if call.refused and (args or not here):
            await self._drop(call)
            if not here:
                await ports.answers.mark([call.handled])
                return
        running = [turn for turn in here if turn.started_at is not None]
        meant = here if args else running or here
        if len(meant) > 1 and not args:
            words = cancel_choice([ports.scheduler.line(turn) for turn in meant])
            await ports.answers.give(call.destination, words, [call.handled])
        else:
            await self._end(call, meant, _NOTHING_RUNS)

    async def press(self, call: PressCall) -> str:
        """Do what a Cancel button says, or one of a choice between turns."""
        ports, pressed = self.ports, call.pressed
        picked = pressed.data.startswith(PICK_PREFIX)
        prefix = PICK_PREFIX if picked else CANCEL_PREFIX
        name = pressed.data.removeprefix(prefix)
        turn = ports.scheduler.turn(name)
        # A button counts in its own chat alone: data can be forged, chats are checked.
        if turn is not None and turn.destination.scope.chat_id != pressed.scope.chat_id:
            turn = None
        # Read before anything is marked: the journal may refuse.
        known = await ports.store.turn(name) if picked and turn is None else None
        if turn is None or turn.way.concluded:
            await ports.answers.mark([call.handled])
            words = tr("That turn has ended already")
        else:
            words = tr("Still cancelling") if turn.cancelled.is_set() else tr("Cancelling")
            await cancel_turns(ports.scheduler, ports.answers, [turn], call.handled)
        if picked and turn is not None:
            await self._show_picked(call, turn.record, turn.way.outcome)
            if not turn.way.concluded:
                ports.group.start_soon(self._tell_end, call, turn)
        elif known is not None and known.scope.chat_id == pressed.scope.chat_id:
            await self._show_picked(call, known, known.outcome)
        elif picked:
            await self._correct(call, message(tr("That turn has ended already")))
        return words

    async def _tell_end(self, call: PressCall, turn: Turn) -> None:
        """Show in place of a choice how the turn ended that was picked."""
        await turn.over.wait()
        if turn.way.outcome is not None:
            with border("cancelling the turn", turn=turn.id):
                await self._show_picked(call, turn.record, turn.way.outcome)

    async def _show_picked(self, call: PressCall, turn: TurnRecord, end: TurnEnd | None) -> None:
        await self._correct(call, picked_reply(turn.engine, turn.prompt, end))

    async def _correct(self, call: PressCall, shown: ChatMessage) -> None:
        pressed = call.pressed
        ref = MessageRef(pressed.scope.chat_id, pressed.message_id)
        await self.ports.outbox.correct(Destination(pressed.scope, pressed.chat_kind), ref, shown)

    async def _drop(self, call: CommandCall) -> None:
        """Let prompts rest that the journal did not take, and say so at each of them."""
        dropped = list(call.refused)
        call.refused.clear()
        for accepted in dropped:
            handled = marks((accepted,))
            update = accepted.update
            if isinstance(update, MessageReceived):
                destination = destination_of(update, update.message_id)
                words = tr("dropped: cancelled before it was started.")
                await self.ports.answers.give(destination, message(words), handled)
            # The answer goes out also when the journal refuses; then the mark is owed.
            await self.ports.answers.mark(handled)

    async def _end(self, call: CommandCall, turns: list[Turn], otherwise: str) -> None:
        """Cancel turns, or say why there is nothing to cancel."""
        ports = self.ports
        if turns:
            await cancel_turns(ports.scheduler, ports.answers, turns, call.handled)
        else:
            await ports.answers.give(
                call.destination, message(translated(otherwise)), [call.handled]
            )


def _means(call: CommandCall, turn: Turn) -> bool:
    """Tell whether a command may act on a turn: it goes on, and was asked for before."""
    return not turn.way.concluded and asked_before(turn.record, call.received.message_id)
