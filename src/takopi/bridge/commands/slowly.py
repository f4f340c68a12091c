"""Answers that take their time: what git does is done in the group, and told when it is ready."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from takopi.bridge.border import border
from takopi.bridge.commands.call import CommandCall, CommandPorts, PressCall
from takopi.core.chat import ChatMessage, Document
from takopi.core.replies import message
from takopi.core.shorten import one_line
from takopi.core.texts import tr
from takopi.transport import MessageRef

__all__ = ["Bodies", "Work", "answer_slowly"]

Bodies: TypeAlias = Sequence[ChatMessage | Document]
Work: TypeAlias = Callable[[], Awaitable[Bodies]]

_ERROR_UNITS = 1500


def answer_slowly(
    ports: CommandPorts,
    call: CommandCall | PressCall,
    what: str,
    work: Work,
    *,
    instead: bool = False,
) -> None:
    """Begin with something, and answer when it is done, or say why it was not.

    Args:
        ports: What commands work with.
        call: What asks for it; it is marked with the answer.
        what: In a few words, for the log and the person.
        work: Gives what is answered, at least one message.
        instead: Whether the answer takes the place of the message whose button was pressed.
    """
    ref = None
    if instead and isinstance(call, PressCall):
        ref = MessageRef(call.pressed.scope.chat_id, call.pressed.message_id)
    ports.group.start_soon(_answer, ports, call, what, work, ref)


async def _answer(
    ports: CommandPorts,
    call: CommandCall | PressCall,
    what: str,
    work: Work,
    ref: MessageRef | None,
) -> None:
    bodies: Bodies = ()
    with border(what) as found:
        bodies = await work()
    if found.error is not None:
        ref = None  # what stands there may still be wanted
        bodies = [message(one_line(found.error, _ERROR_UNITS))]
    with border("answering") as told:
        await _send(ports, call, bodies, ref)
    if told.error is not None:
        await ports.answers.mark([call.handled])


async def _send(
    ports: CommandPorts, call: CommandCall | PressCall, bodies: Bodies, ref: MessageRef | None
) -> None:
    place = call.place
    first, *others = bodies
    if ref is not None and isinstance(first, ChatMessage):
        await ports.outbox.correct(place, ref, first, changes=[call.handled])
    else:
        await ports.outbox.say(place, first, notify=False, changes=[call.handled])
    for body in others:
        delivery = await ports.outbox.say(place, body, notify=False)
        if isinstance(body, Document):
            await delivery.over.wait()
            if delivery.refs == [None]:
                words = message(tr("The chat did not take {name}.", name=body.filename))
                await ports.outbox.say(place, words, notify=False)
