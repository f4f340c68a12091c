"""From updates to turns and answers.

Every update ends with a mark in the journal that it was handled, in one transaction with what it
led to. What goes wrong with one update is logged, told in one line and marked too: an update that
breaks takopi must not come again for ever. Only when it is the journal that refuses, nothing
happened: the person is told once, and the update is read again, in its place before later ones,
until the journal takes it. A takopi that ends meanwhile finds it unhandled when it starts again.
"""

from collections.abc import Sequence

import anyio
from anyio.abc import TaskGroup

from takopi.bridge.answers import destination_of, marks
from takopi.bridge.border import border
from takopi.bridge.commands.call import CommandCall
from takopi.bridge.desks import DispatcherOptions, DispatcherPorts, make_desks
from takopi.bridge.offer_desk import NOTHING
from takopi.bridge.ordering import in_order, read_together
from takopi.bridge.records import AcceptedUpdate, UpdateHandled
from takopi.bridge.steps import Decided, Draft, HeldBack, KeptFiles, Refused, Step, Told, TooLate
from takopi.bridge.voice_desk import VoiceDesk, VoicePorts, is_voice_prompt
from takopi.core.chat import (
    ButtonPressed,
    ChatMessage,
    MessageEdited,
    MessageReceived,
    TopicChanged,
)
from takopi.core.decisions import Command, EngineExplained
from takopi.core.offers import OFFER_PREFIX
from takopi.core.prompt_replies import not_done_reply, not_written_reply
from takopi.core.replies import engine_reply, message, route_reply
from takopi.core.texts import tr_later, translated
from takopi.errors import StoreError, TransportError
from takopi.logging import get_logger
from takopi.model import EngineId

__all__ = ["Dispatcher", "DispatcherOptions", "DispatcherPorts"]

_log = get_logger(__name__)

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
_COUNTS_LATER = tr_later("takopi cannot write this down yet; it counts as soon as it can")


class Dispatcher:
    """Handle updates, one answer of the service after the other.

    The moment at which it is made tells what was sent while takopi was away.

    Args:
        ports: What updates need.
        options: How they are handled.
        group: What takes time runs in it.
    """

    def __init__(
        self, ports: DispatcherPorts, options: DispatcherOptions, group: TaskGroup
    ) -> None:
        desks = make_desks(ports, options, group)
        self._ports = ports
        self._options = options
        self._group = group
        self._answers = desks.answers
        self._router = desks.router
        self._keeper = desks.keeper
        self._intake = desks.intake
        self._prompts = desks.prompts
        self._offers = desks.offers
        self._commands = desks.commands
        self.schedule_turns = desks.schedule_turns
        """Makes the turns of schedules, by what is known in the chats."""
        self._voice = VoiceDesk(
            VoicePorts(
                ports.transport,
                ports.transcriber,
                ports.outbox,
                desks.answers,
                ports.clock,
                group,
            ),
            self.take,
        )
        self._turnstile = anyio.Lock()
        self._unhandled: list[AcceptedUpdate] = []
        self._said: Sequence[AcceptedUpdate] = ()
        self._told: set[int] = set()
        self._pause_s = _FIRST_PAUSE_S
        self._tries_again = False
        self._closed = False

    async def take(self, updates: Sequence[AcceptedUpdate]) -> None:
        """Handle updates that the journal has; raises nothing but for a lost token.

        Args:
            updates: The new ones of one answer of the service, or those that a start found
                unhandled.
        """
        # What was begun is finished: half of it would be lost or come twice.
        with anyio.CancelScope(shield=True):
            async with self._turnstile:
                if self._closed:
                    return  # the journal has them, and the next takopi finds them unhandled
                at_hand, self._unhandled = [*self._unhandled, *updates], []
                if at_hand:
                    await self._handle(at_hand)
                if not await self._answers.mark(()):
                    self._try_again()

    def close(self) -> None:
        """Handle nothing any more; what is not handled is left to the next takopi."""
        self._closed = True

    def load(self, engine: EngineId) -> None:
        """Load an engine now, so that the first message does not wait for that."""
        self._router.load(engine)

    async def _handle(self, at_hand: Sequence[AcceptedUpdate]) -> None:
        # Presses first: they are about what stands in the chat already, and a message may freeze
        # the very turn that a press lets go.
        said = []
        at_hand = [self._options.access.here(accepted) for accepted in at_hand]
        if self._ports.topics is not None:
            await self._ports.topics.heard(at_hand)
        for accepted in at_hand:
            if isinstance(accepted.update, ButtonPressed):
                await self._pressed(accepted, accepted.update)
            elif isinstance(accepted.update, TopicChanged):
                await self._topic_changed(accepted, accepted.update)
            elif self._is_spoken(accepted):
                self._voice.begin(accepted)
            else:
                said.append(accepted)
        refused = False
        self._said = in_order(said)
        for together in read_together(self._said):
            refused = await self._do_all(together, refused=refused) or refused
        if not self._unhandled:
            self._pause_s = _FIRST_PAUSE_S
            self._told.clear()

    # Messages and edits.

    async def _do_all(self, updates: Sequence[AcceptedUpdate], *, refused: bool) -> bool:
        steps = await self._intake.read(updates)
        try:
            for step in steps:
                refused = await self._do(step, refused=refused) or refused
        finally:
            for step in steps:
                if isinstance(step, Draft) and step.before is not None and not step.settled:
                    self._ports.scheduler.thaw(step.before)
        return refused

    async def _do(self, step: Step, *, refused: bool) -> bool:
        """Do one thing; True when the journal refused it.

        Args:
            step: What is to be done.
            refused: Whether the journal refused something before: prompts keep their order.
        """
        if isinstance(step, HeldBack):
            wait_s = step.until - self._ports.clock.wall()
            self._read_again(step.updates, wait_s)
            return False
        updates = _updates(step)
        if isinstance(step, Refused) or (refused and isinstance(step, Draft)):
            error = step.error if isinstance(step, Refused) else None
            await self._refused(updates, error)
            return True
        with border("handling a message", updates=[a.update.update_id for a in updates]) as found:
            try:
                await self._effect(step)
            except StoreError as error:
                await self._refused(updates, error, prompt=not isinstance(step, Decided))
                return True
        if found.error is not None:
            await self._answer(updates, message(found.error[:1000]))
        return False

    async def _effect(self, step: Step) -> None:
        match step:
            case Draft():
                await self._prompts.take(step)
            case TooLate():
                await self._prompts.offer_anew(step)
            case Decided(_, _, Command() as command):
                await self._command(step, command)
            case Decided(accepted, received, EngineExplained(engine)):
                here = self._router.engine_here(received.scope)
                explained = engine_reply(engine, here, self._ports.engines.missing(engine))
                await self._answer((accepted,), explained)
            case Decided(accepted, _, decision):
                answer = route_reply(decision, self._options.default_engine)
                await self._answer((accepted,), answer)
            case Told(updates, answer):
                await self._answer(updates, answer)
            case KeptFiles(record, updates) if self._keeper is not None:
                self._keeper.keep(record, updates)

    def _is_spoken(self, accepted: AcceptedUpdate) -> bool:
        """Tell whether an update is a voice note that has to become words first."""
        update = accepted.update
        if not isinstance(update, MessageReceived) or not is_voice_prompt(update):
            return False
        if not self._options.access.admits(update):
            return False
        to_bot = update.reply is not None and update.reply.from_this_bot
        aside = update.chat_kind == "group" and not to_bot
        return not aside or self._router.trigger(update.scope) == "all"

    async def _command(self, step: Decided, command: Command) -> None:
        received = step.received
        destination = destination_of(received, received.message_id)
        handled = UpdateHandled(step.accepted.id)
        waiting = [waits for waits in self._unhandled if _sent_before(waits, received)]
        others = [waits for waits in self._unhandled if waits not in waiting]
        spoken = [note for note in self._voice.under_way() if _sent_before(note, received)]
        before = [*waiting, *spoken]
        arrived_at = step.accepted.arrived_at
        also = tuple(marks(step.others))
        call = CommandCall(
            received,
            destination,
            command,
            step.bound,
            handled,
            before,
            arrived_at,
            also,
            followed=any(_comes_along(said, received) for said in self._said),
        )
        try:
            await self._commands.answer(call)
        finally:
            for note in spoken:
                if note not in before:
                    self._voice.drop(note)
            self._unhandled = [*(waits for waits in before if waits not in spoken), *others]

    async def _answer(self, updates: Sequence[AcceptedUpdate], answer: ChatMessage | None) -> None:
        """Answer updates, or let them rest without a word; they are marked in either case."""
        handled = marks(updates)
        update = updates[0].update if updates else None
        with border("answering", marks=[mark.id for mark in handled]) as found:
            if answer is not None and isinstance(update, MessageReceived | MessageEdited):
                await self._answers.give(destination_of(update, update.message_id), answer, handled)
                return
        if answer is None or found.error is not None:
            with border("marking what was handled"):
                await self._answers.mark(handled)

    async def _topic_changed(self, accepted: AcceptedUpdate, change: TopicChanged) -> None:
        handled, topics = UpdateHandled(accepted.id), self._ports.topics
        if topics is None or not self._options.access.admits(change):
            await self._answers.mark([handled])
            return
        with border("handling a changed topic", update=change.update_id):
            try:
                await topics.changed(change, handled)
            except StoreError as error:
                _log.error("journal.refuses", update=change.update_id, error=str(error))
                self._unhandled.append(accepted)
                self._try_again()

    # Presses.

    async def _pressed(self, accepted: AcceptedUpdate, pressed: ButtonPressed) -> None:
        handled = UpdateHandled(accepted.id)
        if not self._options.access.admits(pressed):
            await self._answers.mark([handled])
            return
        words = ""
        with border("handling a press", update=pressed.update_id) as found:
            try:
                words = await self._press(pressed, handled, accepted.arrived_at)
            except StoreError as error:
                _log.error("journal.refuses", update=pressed.update_id, error=str(error))
                self._unhandled.append(accepted)
                self._try_again()
                words = translated(_COUNTS_LATER)
        if found.error is not None:
            words = found.error[:180]
            await self._answers.mark([handled])
        self._group.start_soon(self._answer_press, pressed.press_id, words)

    async def _press(
        self, pressed: ButtonPressed, handled: UpdateHandled, arrived_at: float
    ) -> str:
        if pressed.data.startswith(OFFER_PREFIX):
            return await self._offers.press(pressed, handled)
        words = await self._commands.press(pressed, handled, arrived_at)
        if words is None:
            await self._answers.mark([handled])
        return translated(NOTHING) if words is None else words

    async def _answer_press(self, press_id: str, words: str) -> None:
        with border("answering a press"):
            try:
                await self._ports.transport.answer_press(press_id, words)
            except TransportError as error:
                _log.info("press.not_answered", error=str(error))

    # What is read again.

    async def _refused(
        self, updates: Sequence[AcceptedUpdate], error: StoreError | None, *, prompt: bool = True
    ) -> None:
        """Keep updates that the journal refused, and say once that they wait.

        Args:
            updates: They were not handled.
            error: Why; None for those that only stand behind others.
            prompt: Whether they ask an engine; else they are a command.
        """
        self._unhandled += updates
        self._try_again()
        new = [accepted for accepted in updates if accepted.id not in self._told]
        self._told.update(accepted.id for accepted in new)
        if not new or error is None:
            return
        _log.error("journal.refuses", updates=len(updates), error=str(error))
        update = new[0].update
        if isinstance(update, MessageReceived | MessageEdited):
            with border("telling of a journal that refuses"):
                destination = destination_of(update, update.message_id)
                words = not_written_reply if prompt else not_done_reply
                await self._answers.give(destination, words(str(error)), ())

    def _try_again(self) -> None:
        """Read everything that is left again, after a while that grows."""
        if self._tries_again:
            return
        self._tries_again = True
        self._group.start_soon(self._take_again, self._pause_s)
        self._pause_s = min(_LONGEST_PAUSE_S, self._pause_s * 2)

    async def _take_again(self, pause_s: float) -> None:
        clock = self._ports.clock
        await clock.sleep_until(clock.now() + pause_s)
        self._tries_again = False
        await self.take(())

    def _read_again(self, updates: Sequence[AcceptedUpdate], wait_s: float) -> None:
        """Read updates again after a moment: what belongs to them may come until then."""
        self._unhandled += updates
        self._group.start_soon(self._wait_for_more, wait_s)

    async def _wait_for_more(self, wait_s: float) -> None:
        clock = self._ports.clock
        await clock.sleep_until(clock.now() + wait_s)
        await self.take(())


def _updates(step: Step) -> Sequence[AcceptedUpdate]:
    match step:
        case Draft() | Told() | HeldBack() | KeptFiles():
            return step.updates
        case Decided():
            return (step.accepted, *step.others)
        case _:
            return (step.accepted,)


def _comes_along(said: AcceptedUpdate, received: MessageReceived) -> bool:
    """Tell whether somebody forwarded a message behind another one."""
    update = said.update
    if not isinstance(update, MessageReceived) or not update.forwarded:
        return False
    same = (update.scope, update.sender_id) == (received.scope, received.sender_id)
    return same and update.message_id > received.message_id


def _sent_before(waits: AcceptedUpdate, received: MessageReceived) -> bool:
    """Tell whether a message that waits was sent in the same place before another."""
    update = waits.update
    if not isinstance(update, MessageReceived) or update.scope != received.scope:
        return False
    return update.message_id < received.message_id
