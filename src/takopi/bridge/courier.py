"""Letters on their way: one call after the other, until a chat has them or they are given up."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from takopi.bridge.calls import Calls
from takopi.bridge.letters import Delivery, Letter, LiveMessage
from takopi.bridge.living import Living
from takopi.bridge.mailroom import Mailroom, bound
from takopi.bridge.ports import Clock
from takopi.bridge.records import Change, LetterGone, LetterPut, LetterRecord, MessageRole
from takopi.core.chat import ChatMessage, Document, Scope
from takopi.core.outbox_patience import ASIDE_PAUSE_S, Failure, Verdict, after_failure, aside
from takopi.core.outbox_plan import Item, Offer, OutboxPlan, Priority
from takopi.core.replies import message
from takopi.core.texts import tr, tr_later, translated
from takopi.errors import (
    ChatLost,
    ChatMoved,
    FloodLimited,
    TargetLost,
    ThreadLost,
    TransportError,
    TransportUnavailable,
    Unauthorized,
)
from takopi.logging import get_logger
from takopi.transport import MessageRef

__all__ = ["Courier", "CourierPorts"]

_log = get_logger(__name__)

# Messages with lines above their text are rare, and what changes them comes soon.
_REMEMBERED = 1000

_HELD_UP = tr_later(
    "The answer is held up: the chat service fails on it again and again, though it takes other "
    "messages. Later ones come first; takopi goes on trying for a day."
)


@dataclass(frozen=True, slots=True)
class CourierPorts:
    """Bind what a courier needs.

    Args:
        plan: Decides when.
        calls: Makes the calls.
        mail: Writes letters down.
        living: Shows the messages whose place finals take.
        clock: Tells the time.
        moved: Told the old and the new id of a chat.
        lost: Told that a topic takes no messages.
        news: Told that something may go out.
    """

    plan: OutboxPlan
    calls: Calls
    mail: Mailroom
    living: Living
    clock: Clock
    moved: Callable[[int, int], Awaitable[None]]
    lost: Callable[[Scope, ThreadLost], None]
    news: Callable[[], None]


class Courier:
    """Bring letters to their chats.

    Args:
        ports: What it needs.
    """

    def __init__(self, ports: CourierPorts) -> None:
        self._ports = ports
        self._plan = ports.plan
        self._mail = ports.mail
        self._letters: dict[int, Letter] = {}
        self._tops: dict[MessageRef, tuple[str, ...]] = {}

    def take(self, letters: Sequence[Letter]) -> None:
        """Let letters that are written down wait for their turn."""
        now = self._ports.clock.now()
        for letter in letters:
            self._letters[letter.id] = letter
            self._plan.add(_item(letter), now)
        self._ports.news()

    def begin(self, offer: Offer) -> Callable[[], Coroutine[Any, Any, None]]:
        """Begin the letter that is offered."""
        self._plan.begin(offer, self._ports.clock.now())
        letter = self._letters[offer.item or 0]
        return lambda: self._deliver(offer, letter)

    def of(self, live: LiveMessage) -> list[Letter]:
        """List the letters that edit or take back a living message."""
        return [letter for letter in self._letters.values() if letter.target is live]

    def top(self, ref: MessageRef) -> tuple[str, ...]:
        """Return the lines with which a message was sent; whatever is put into it keeps them."""
        return self._tops.get(ref, ())

    async def move(self, chat: int, new: int) -> None:
        """Bring what was meant for a chat to the chat's new id."""
        moved = [letter for letter in self._letters.values() if letter.chat == chat]
        for letter in moved:
            letter.move(new)
        await self._mail.rewrite(moved)

    # One call.

    async def _deliver(self, offer: Offer, letter: Letter) -> None:
        chat = letter.chat
        await self._cut(offer, letter, letter.pieces())
        # The lines above a text tell of earlier tries: this one is counted after they are made.
        call, is_new, top = self._call(letter), letter.is_new, letter.lines()
        if is_new:
            await self._mail.begin(letter)
        try:
            outcome = await self._ports.calls.make(chat, call)
        except Unauthorized:
            if is_new:
                self._mail.refused(letter)
                await self._mail.pay()
            raise
        error = outcome.error
        if outcome.ref is not None and top:
            self._remember(outcome.ref, top)
        if is_new and error is not None and not outcome.unclear:
            self._mail.refused(letter)
        if error is None or (isinstance(error, TargetLost) and letter.takes_back):
            await self._settle(offer, letter, outcome.ref)
        elif not await self._tried_later(offer, letter, error, chat):
            record = _log.info if isinstance(error, ChatLost) else _log.error
            what = letter.record.priority.name.lower()
            record("outbox.given_up", what=what, chat=chat, error=str(error))
            await self._settle(offer, letter, None, error)
        self._ports.news()

    def _remember(self, ref: MessageRef, top: tuple[str, ...]) -> None:
        self._tops[ref] = top
        if len(self._tops) > _REMEMBERED:
            del self._tops[next(iter(self._tops))]

    def _call(self, letter: Letter) -> Callable[[], Awaitable[MessageRef | None]]:
        transport, ref, body = self._ports.calls.transport, letter.target_ref, letter.outgoing()
        destination = letter.destination
        options = destination.options(notify=letter.record.notify)

        async def call() -> MessageRef | None:
            if body is None:
                if ref is not None:
                    await transport.delete(ref)
                return None
            if isinstance(body, Document):
                return await transport.send_document(destination.scope, body, options)
            if ref is None:
                return await transport.send(destination.scope, body, options)
            await transport.edit(ref, body)
            return ref

        return call

    # What was not taken.

    async def _tried_later(
        self, offer: Offer, letter: Letter, error: TransportError, chat: int
    ) -> bool:
        """Put a letter back for another try; False when it has to be given up."""
        now, scope = self._ports.clock.now(), letter.record.scope
        if isinstance(error, FloodLimited):
            self._plan.block(offer.chat, now + error.retry_after_s)
        if isinstance(error, FloodLimited | TransportUnavailable):
            return await self._waited(offer, letter, flood=isinstance(error, FloodLimited))
        if isinstance(error, ChatMoved) and error.new_chat_id != chat:
            await self._ports.moved(chat, error.new_chat_id)
            if letter.chat == chat:
                # It was being written down while the chat moved.
                letter.move(error.new_chat_id)
                await self._mail.rewrite([letter])
        elif not letter.after(error):
            return False
        elif isinstance(error, ThreadLost):
            self._ports.lost(scope, error)
            self._leave_thread(letter)
        await self._cut(offer, letter, letter.pages)
        self._plan.again(offer, now)
        return True

    async def _waited(self, offer: Offer, letter: Letter, *, flood: bool) -> bool:
        clock = self._ports.clock
        now, record = clock.now(), letter.record
        failure = Failure(
            now=now,
            age_s=clock.wall() - record.posted_at,
            priority=record.priority,
            taken_at=self._ports.calls.taken_at,
            flood=flood,
        )
        verdict = after_failure(letter.trouble, failure)
        letter.trouble = verdict.trouble
        if verdict.step == "give up":
            return False
        if verdict.step == "again":
            self._plan.again(offer, now + verdict.pause_s, let_pass=self._held_up(letter, verdict))
        elif record.priority is Priority.FINAL and letter.simpler():
            await self._cut(offer, letter, letter.pages)
            self._plan.again(offer, now)
        else:
            await self._step_aside(offer, letter)
        return True

    def _held_up(self, letter: Letter, verdict: Verdict) -> bool:
        """Show that a final takes long; True when others have to find out why.

        The message that says so is edited again and again: whether the service takes that tells a
        sick letter from an outage. Without such a message the others of the chat have to be let
        through, also between the parts of the final.
        """
        if not verdict.held_up or letter.record.priority is not Priority.FINAL:
            return False
        return not self._ports.living.held_up(letter.delivery.instead)

    async def _step_aside(self, offer: Offer, letter: Letter) -> None:
        now = self._ports.clock.now()
        letter.trouble = aside(letter.trouble, now)
        self._plan.step_aside(offer, now + ASIDE_PAUSE_S)
        if letter.record.priority is Priority.FINAL and not letter.delivery.told:
            letter.delivery.told = True
            words = message(translated(_HELD_UP))
            await self._mail.post([self._letter(letter, Priority.ANSWER, words)])

    def _leave_thread(self, letter: Letter) -> None:
        """Let what belongs to a letter follow it; one line about the topic is enough."""
        for other in self._family(letter):
            if other.record.scope.thread_id is not None:
                other.record = replace(other.record, scope=letter.record.scope, reply_to=None)

    async def _cut(
        self, offer: Offer, letter: Letter, pieces: Sequence[ChatMessage | Document]
    ) -> None:
        """Send pieces in place of a letter, one after the other, each with a row of its own."""
        if not pieces or (len(pieces) == 1 and pieces[0] is letter.record.body):
            return
        numbers = self._mail.number(len(pieces) - 1)
        behind = [one for one in self._family(letter) if one.position > letter.position]
        for other in behind:
            other.step_back(len(numbers))
        more = letter.cut(pieces, numbers)
        await self._mail.rewrite([letter, *more, *behind])
        if more:
            self._letters.update((one.id, one) for one in more)
            self._plan.split(offer, [_item(one) for one in more])

    # What is over.

    async def _settle(
        self,
        offer: Offer,
        letter: Letter,
        ref: MessageRef | None,
        lost: TransportError | None = None,
    ) -> None:
        delivery, record = letter.delivery, letter.record
        delivery.refs[letter.position] = ref
        following, changes = self._consequences(letter, lost)
        if record.priority is not Priority.FINAL and not letter.is_new:
            self._mail.forget(letter)
        else:
            changes.insert(0, LetterGone(letter.id))
            if ref is not None and record.turn_id is not None:
                role: MessageRole = "final" if record.priority is Priority.FINAL else "answer"
                changes.append(bound(ref, record.turn_id, role))
            await self._mail.post(following, changes)
        del self._letters[letter.id]
        self._plan.done(offer)
        if letter.target is not None and record.priority is not Priority.FINAL:
            self._ports.living.close(letter.target)
        if delivery.left == 1:
            self._mail.over(letter)
        delivery.settle()

    def _consequences(
        self, letter: Letter, lost: TransportError | None
    ) -> tuple[list[Letter], list[Change]]:
        """Leave nothing of a living message behind, and say so when a part did not arrive."""
        delivery, following, changes = letter.delivery, list[Letter](), list[Change]()
        if lost is not None and letter.record.priority is Priority.FINAL:
            if not isinstance(lost, ChatLost):
                following.append(self._loss(letter, lost))
            if following and following[0].target is not None:
                # What tells of the loss stands in its place: it is not taken back any more.
                delivery.instead = None
                changes += self._last_of(letter)
        live = delivery.instead
        if live is None or delivery.left > 1:
            return following, changes
        taken = live.ref is not None and live.ref in delivery.refs
        if any(delivery.refs) and not taken and (live.ref is not None or live.calling):
            following.append(self._letter(letter, Priority.TIDY, None, live))
        else:
            self._ports.living.close(live)
        return following, changes

    def _loss(self, letter: Letter, lost: TransportError) -> Letter:
        refs = letter.delivery.refs
        words = (
            tr("The answer could not be sent: {why}", why=lost)
            if len(refs) == 1
            else tr("A part of the answer could not be sent: {why}", why=lost)
        )
        live = None if any(refs) else letter.delivery.instead
        body = message(words[:1000])
        return self._letter(letter, Priority.ANSWER, body, live)

    def _last_of(self, letter: Letter) -> list[Change]:
        """Let the last part take nothing back."""
        changes: list[Change] = []
        for other in self._family(letter):
            if other.record.instead:
                other.record = replace(other.record, instead=False)
                changes.append(LetterPut(other.record))
        return changes

    def _family(self, letter: Letter) -> list[Letter]:
        """List the other letters of the same delivery."""
        everyone = self._letters.values()
        return [one for one in everyone if one.delivery is letter.delivery and one is not letter]

    def _letter(
        self,
        about: Letter,
        priority: Priority,
        body: ChatMessage | None,
        target: LiveMessage | None = None,
    ) -> Letter:
        """Write a letter that follows from another."""
        record = LetterRecord(
            letter_id=self._mail.number(1)[0],
            scope=about.record.scope,
            chat_kind=about.record.chat_kind,
            priority=priority,
            body=body,
            turn_id=about.record.turn_id,
            reply_to=about.record.reply_to,
            notify=False,
            posted_at=self._ports.clock.wall(),
        )
        return Letter(record, Delivery([None], left=1), target=target)


def _item(letter: Letter) -> Item:
    record = letter.record
    return Item(
        id=letter.id,
        chat=letter.chat,
        kind=record.chat_kind,
        priority=record.priority,
        group=record.group,
        last=record.last,
        slot=letter.target.slot if letter.target is not None else None,
        free=letter.takes_back,
    )
