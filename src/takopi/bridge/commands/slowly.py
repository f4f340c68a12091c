"""Answers that take their time: what git does is done in the group, and told when it is ready."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from takopi.bridge.border import border
from takopi.bridge.commands.call import CommandCall, CommandPorts, PressCall
from takopi.core.chat import ChatMessage, Document
from takopi.core.replies import message
from takopi.core.shorten import one_line
from takopi.core.texts import tr
from takopi.transport import MessageRef

__all__ = ["Bodies", "Question", "Questions", "Work", "answer_slowly"]

Bodies: TypeAlias = Sequence[ChatMessage | Document]
Work: TypeAlias = Callable[[], Awaitable[Bodies]]

_ERROR_UNITS = 1500
_MOST_QUESTIONS = 200


@dataclass(slots=True)
class Question:
    """Be what a button asks when it is pressed, in a message of its own.

    Args:
        ref: The message, once it stands there.
        open: Whether it is being asked just now.
    """

    ref: MessageRef | None = None
    open: bool = False


@dataclass(frozen=True, slots=True)
class Questions:
    """Remember what buttons asked, so that who presses one twice is not asked twice.

    Args:
        known: By chat, message and button data.
    """

    known: dict[tuple[int, int, str], Question] = field(default_factory=dict)

    def of(self, call: PressCall) -> Question:
        """Find the question of a button; a new one when it asked nothing yet."""
        pressed = call.pressed
        key = (pressed.scope.chat_id, pressed.message_id, pressed.data)
        question = self.known.pop(key, None) or Question()
        self.known[key] = question  # as the newest
        while len(self.known) > _MOST_QUESTIONS:
            self.known.pop(next(iter(self.known)))
        return question

    def decided(self, call: PressCall) -> None:
        """Forget a question that was answered: what its message says then is to stay."""
        ref = _pressed(call)
        for key, question in list(self.known.items()):
            if question.ref == ref:
                del self.known[key]


def answer_slowly(
    ports: CommandPorts,
    call: CommandCall | PressCall,
    what: str,
    work: Work,
    *,
    instead: bool = False,
    question: Question | None = None,
) -> None:
    """Begin with something, and answer when it is done, or say why it was not.

    Args:
        ports: What commands work with.
        call: What asks for it; it is marked with the answer.
        what: In a few words, for the log and the person.
        work: Gives what is answered, at least one message.
        instead: Whether the answer takes the place of the message whose button was pressed.
        question: What the answer asks; the message that asked it before asks it anew.
    """
    target = question or Question()
    target.open = True
    if instead and isinstance(call, PressCall):
        target.ref = _pressed(call)
    ports.group.start_soon(_answer, ports, call, what, work, target)


async def _answer(
    ports: CommandPorts,
    call: CommandCall | PressCall,
    what: str,
    work: Work,
    target: Question,
) -> None:
    bodies: Bodies = ()
    with border(what) as found:
        bodies = await work()
    if found.error is not None:
        target.open, target = False, Question()  # what stands there may still be wanted
        bodies = [message(one_line(found.error, _ERROR_UNITS))]
    with border("answering") as told:
        await _send(ports, call, bodies, target)
    target.open = False
    if told.error is not None:
        await ports.answers.mark([call.handled])


async def _send(
    ports: CommandPorts, call: CommandCall | PressCall, bodies: Bodies, target: Question
) -> None:
    destination = call.destination
    first, *others = bodies
    if target.ref is not None and isinstance(first, ChatMessage):
        await ports.outbox.correct(destination, target.ref, first, changes=[call.handled])
    else:
        sent = await ports.outbox.say(destination, first, notify=False, changes=[call.handled])
        if not others:
            await sent.over.wait()
            target.ref = sent.refs[0]
    for body in others:
        delivery = await ports.outbox.say(destination, body, notify=False)
        if isinstance(body, Document):
            await delivery.over.wait()
            if delivery.refs == [None]:
                words = message(tr("The chat did not take {name}.", name=body.filename))
                await ports.outbox.say(destination, words, notify=False)


def _pressed(call: PressCall) -> MessageRef:
    return MessageRef(call.pressed.scope.chat_id, call.pressed.message_id)
