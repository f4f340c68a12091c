"""The only way out to a chat service: the plan decides, this pump makes the calls.

The pump asks the plan for what may go, starts each call in a task of its own and sleeps until the
plan's next moment or until something new is posted; no chat waits for another's call.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import anyio
from anyio.lowlevel import checkpoint

from takopi.bridge.border import border
from takopi.bridge.letters import Delivery, FinalPost, Letter, LiveMessage, Place
from takopi.bridge.ports import Clock, Store, Transport
from takopi.bridge.records import Change, JournalState, MessageBound, MessageRole
from takopi.bridge.waiting import wait_until
from takopi.core.chat import ChatMessage, Document, Scope
from takopi.core.outbox_budget import OutboxLimits
from takopi.core.outbox_plan import Item, Offer, OutboxPlan, Priority
from takopi.core.replies import message
from takopi.errors import (
    ChatLost,
    FloodLimited,
    TargetLost,
    TransportError,
    TransportUnavailable,
    Unauthorized,
)
from takopi.logging import get_logger
from takopi.transport import MessageRef

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

__all__ = ["Outbox"]

_log = get_logger(__name__)

# How long a letter is tried again while the service does not answer.
_PATIENCE_S = {
    Priority.FINAL: 24 * 3600.0,
    Priority.ASK: 24 * 3600.0,
    Priority.ANSWER: 3600.0,
    Priority.TIDY: 3600.0,
}
_LONGEST_PAUSE_S = 60.0
_HANDFUL = 8


class Outbox:
    """Send messages in order and within budgets.

    Args:
        transport: The chat service.
        store: Takes what must not be lost.
        clock: Tells the time.
        limits: Budgets of the service.
    """

    def __init__(
        self,
        transport: Transport,
        store: Store,
        clock: Clock,
        limits: OutboxLimits | None = None,
    ) -> None:
        self._transport = transport
        self._store = store
        self._clock = clock
        self._plan = OutboxPlan(limits)
        self._letters: dict[int, Letter] = {}
        self._lives: dict[int, LiveMessage] = {}
        self._numbers = 0
        self._news = anyio.Event()
        self._empty = anyio.Event()
        self._group: TaskGroup | None = None

    def restore(self, state: JournalState) -> dict[str, Delivery]:
        """Put back what an earlier takopi did not get out; call it before `run`.

        Returns:
            The deliveries of finals, by turn id.
        """
        del state
        return {}

    async def run(self) -> None:
        """Send what is posted, until cancelled.

        Raises:
            Unauthorized: The service does not know the bot any more.
        """
        async with anyio.create_task_group() as self._group:
            while True:
                self._news = anyio.Event()
                # A breath between handfuls: many chats may be due at the same moment.
                while self._start_calls():
                    await checkpoint()
                due = self._plan.due(self._clock.now())
                await wait_until(self._news.wait, self._clock, due)

    async def drain(self, deadline: float) -> bool:
        """Wait until every letter is accepted or given up; False when the moment came first."""
        while self._plan.waiting():
            self._empty = anyio.Event()
            if not await wait_until(self._empty.wait, self._clock, deadline):
                return False
        return True

    # Living messages.

    def live(
        self,
        place: Place,
        compose: Callable[[float], ChatMessage],
        turn_id: str,
        ref: MessageRef | None = None,
    ) -> LiveMessage:
        """Let a message live; it goes out at once, silently, and again when it changed.

        Args:
            place: Where it lives.
            compose: Makes what it shows at a moment.
            turn_id: The turn that it belongs to.
            ref: The message that goes on living, when an earlier takopi sent it.
        """
        live = LiveMessage(place, compose, turn_id, self._number(), ref=ref)
        self._lives[live.slot] = live
        self._plan.open(live.slot, place.scope.chat_id, place.kind, self._clock.now())
        self._hurry()
        return live

    def touch(self, live: LiveMessage) -> None:
        """Note that a living message may look different now."""
        if self._plan.mark(live.place.scope.chat_id, live.slot, self._clock.now()):
            self._news.set()

    def beat(self, live: LiveMessage, *, beating: bool) -> None:
        """Say whether a living message shows an age; the age starts now."""
        chat, now = live.place.scope.chat_id, self._clock.now()
        self._plan.set_beating(chat, live.slot, now, beating=beating)
        self._news.set()

    def close(self, live: LiveMessage) -> None:
        """Leave a living message as it stands."""
        self._lives.pop(live.slot, None)
        self._plan.close(live.place.scope.chat_id, live.slot)
        self._news.set()

    # Letters.

    async def say(
        self,
        place: Place,
        message: ChatMessage,
        *,
        notify: bool = True,
        turn_id: str | None = None,
        offered: Sequence[str] = (),
        changes: Sequence[Change] = (),
    ) -> Delivery:
        """Send an answer; it and the changes are written down together.

        Args:
            place: Where it goes.
            message: What it says.
            notify: Whether the person's device may make a sound.
            turn_id: The turn that it belongs to; a reply to it is then a reply to the turn.
            offered: The offers whose buttons it carries.
            changes: What the journal takes in the same transaction.
        """
        del offered
        delivery = Delivery([None], left=1)
        letter = Letter(place, message, Priority.ANSWER, delivery, notify=notify, turn_id=turn_id)
        self._post([letter])
        await self._commit(changes, place.scope.chat_id)
        return delivery

    async def ask(
        self,
        place: Place,
        message: ChatMessage,
        *,
        notify: bool = True,
        turn_id: str | None = None,
        offered: Sequence[str] = (),
        changes: Sequence[Change] = (),
    ) -> Delivery:
        """Send what a person has to decide; the arguments are those of `say`."""
        del offered
        delivery = Delivery([None], left=1)
        letter = Letter(place, message, Priority.ASK, delivery, notify=notify, turn_id=turn_id)
        self._post([letter])
        await self._commit(changes, place.scope.chat_id)
        return delivery

    async def correct(
        self,
        place: Place,
        ref: MessageRef,
        message: ChatMessage,
        *,
        changes: Sequence[Change] = (),
    ) -> Delivery:
        """Put a message in place of one that was sent before."""
        delivery = Delivery([None], left=1)
        self._post([Letter(place, message, Priority.ANSWER, delivery, target=ref)])
        await self._commit(changes, place.scope.chat_id)
        return delivery

    async def final(
        self, final: FinalPost, *, instead: LiveMessage | None, changes: Sequence[Change] = ()
    ) -> Delivery:
        """Send the parts of a final.

        Args:
            final: The parts; nothing of another kind comes between them.
            instead: The living message whose place they take: it is left alone at once, and taken
                back when every part was accepted.
            changes: What the journal takes in the same transaction.
        """
        parts = final.parts
        delivery = Delivery([None] * len(parts), left=len(parts))
        letters = [
            Letter(
                final.place,
                part,
                Priority.FINAL,
                delivery,
                index=index,
                notify=final.notify and index == 0,
                turn_id=final.turn_id,
            )
            for index, part in enumerate(parts)
        ]
        letters[-1].instead = instead
        if final.as_edit:
            letters[0].target = instead
        # The letters first: a slot that is closed while no letter names it is forgotten.
        self._post(letters)
        if instead is not None:
            self.close(instead)
        await self._commit(changes, final.place.scope.chat_id)
        return delivery

    async def _commit(self, changes: Sequence[Change], chat: int) -> None:
        if changes:
            with border("writing down what is sent", chat=chat):
                await self._store.commit(changes)

    def _replaced(self, letter: Letter, live: LiveMessage, lost: TransportError | None) -> None:
        """Leave nothing of a living message behind, and say so when a part did not arrive."""
        refs = letter.delivery.refs
        fate = Delivery([None], left=1)
        if None in refs and not isinstance(lost, ChatLost):
            what = "The answer" if not any(refs) else "A part of the answer"
            why = f": {lost}" if lost is not None else ""
            words = message(f"{what} could not be sent{why}"[:1000])
            edited = None if any(refs) else live
            self._post([Letter(live.place, words, Priority.ANSWER, fate, target=edited)])
        if any(refs) and live.ref not in refs:
            fate = Delivery([None], left=1)
            self._post([Letter(live.place, None, Priority.TIDY, fate, target=live)])

    def _post(self, letters: Sequence[Letter]) -> None:
        now, group = self._clock.now(), self._number()
        for letter in letters:
            number = self._number()
            self._letters[number] = letter
            slot = letter.target.slot if isinstance(letter.target, LiveMessage) else None
            item = Item(
                id=number,
                chat=letter.place.scope.chat_id,
                kind=letter.place.kind,
                priority=letter.priority,
                group=group if len(letters) > 1 else 0,
                last=letter is letters[-1],
                slot=slot,
                free=letter.body is None,
            )
            self._plan.add(item, now)
        self._hurry()

    # The pump.

    def _hurry(self) -> None:
        """Start what may go before anything else happens; the pump then looks when to wake."""
        self._start_calls()
        self._news.set()

    def _start_calls(self) -> bool:
        """Start a handful of calls; True when there may be more."""
        now, group = self._clock.now(), self._group
        if group is None:
            return False
        for _ in range(_HANDFUL):
            offer = self._plan.offer(now)
            if offer is None:
                return False
            if offer.item is not None:
                self._plan.begin(offer, now)
                group.start_soon(self._deliver, offer, self._letters[offer.item])
                continue
            live = self._lives[offer.slot or 0]
            look = live.next_look(now, beat=offer.beat)
            if look is None:
                self._plan.skip(offer, now)
                continue
            self._plan.begin(offer, now)
            group.start_soon(self._show, offer, live, look)
        return True

    async def _show(self, offer: Offer, live: LiveMessage, look: ChatMessage) -> None:
        shown_at = self._clock.now()
        anew = live.ref is None
        error = await self._attempt(offer, lambda: self._send_look(live, look))
        if error is not None:
            self._show_failed(offer, live, error)
        else:
            live.shown, live.shown_at, live.failures = look, shown_at, 0
            if anew and live.ref:
                await self._bind(live.ref, live.place.scope, live.turn_id, "progress")
            self._plan.done(offer)
        self._news.set()

    async def _send_look(self, live: LiveMessage, look: ChatMessage) -> None:
        if live.ref is not None:
            await self._transport.edit(live.ref, look)
        else:
            options = live.place.options(notify=False)
            live.ref = await self._transport.send(live.place.scope, look, options)

    def _show_failed(self, offer: Offer, live: LiveMessage, error: TransportError) -> None:
        now = self._clock.now()
        if isinstance(error, FloodLimited):
            self._plan.block(offer.chat, now + error.retry_after_s)
            self._plan.again(offer, now)
        elif isinstance(error, TransportUnavailable):
            # Nothing is kept of this look: the next try shows what holds then.
            live.failures += 1
            self._plan.again(offer, now + _pause_s(live.failures))
        elif isinstance(error, TargetLost) and live.ref is not None:
            live.ref = None
            self._plan.again(offer, now, lost=True)
        elif live.after(error):
            self._plan.again(offer, now)
        else:
            self._given_up("progress", offer, error)
            self._plan.done(offer)
            self.close(live)

    async def _deliver(self, offer: Offer, letter: Letter) -> None:
        sent: list[MessageRef | None] = []

        async def call() -> None:
            sent.append(await self._send_letter(letter))

        error = await self._attempt(offer, call)
        if error is None or (isinstance(error, TargetLost) and letter.verb == "delete"):
            ref = sent[0] if sent else None
            if ref is not None and letter.turn_id is not None:
                role: MessageRole = "final" if letter.priority is Priority.FINAL else "answer"
                await self._bind(ref, letter.place.scope, letter.turn_id, role)
            if letter.turn_page():
                self._plan.again(offer, self._clock.now())
            else:
                self._settle(offer, letter, ref)
        elif not self._tried_later(offer, letter, error):
            self._given_up(letter.priority.name.lower(), offer, error)
            self._settle(offer, letter, None, error)
        self._news.set()

    async def _send_letter(self, letter: Letter) -> MessageRef | None:
        ref, body = letter.target_ref, letter.body
        if body is None:
            if ref is not None:
                await self._transport.delete(ref)
            return None
        if isinstance(body, ChatMessage) and ref is not None:
            await self._transport.edit(ref, body)
            return ref
        scope, options = letter.place.scope, letter.place.options(notify=letter.notify)
        if isinstance(body, Document):
            return await self._transport.send_document(scope, body, options)
        return await self._transport.send(scope, body, options)

    def _tried_later(self, offer: Offer, letter: Letter, error: TransportError) -> bool:
        """Put a letter back for another try; False when it has to be given up."""
        now = self._clock.now()
        if isinstance(error, FloodLimited):
            self._plan.block(offer.chat, now + error.retry_after_s)
            self._plan.again(offer, now)
            return True
        if isinstance(error, TransportUnavailable):
            first = letter.first_failed_at = letter.first_failed_at or now
            if now - first >= _PATIENCE_S[letter.priority]:
                return False
            letter.failures += 1
            self._plan.again(offer, now + _pause_s(letter.failures))
            return True
        if letter.after(error):
            self._plan.again(offer, now)
            return True
        return False

    def _settle(
        self,
        offer: Offer,
        letter: Letter,
        ref: MessageRef | None,
        lost: TransportError | None = None,
    ) -> None:
        self._letters.pop(offer.item or 0, None)
        self._plan.done(offer)
        letter.delivery.settle(letter.index, ref)
        if letter.instead is not None:
            self._replaced(letter, letter.instead, lost)
        if not self._plan.waiting():
            self._empty.set()

    async def _attempt(
        self, offer: Offer, call: Callable[[], Awaitable[None]]
    ) -> TransportError | None:
        """Make a call; return why it failed, also when the reason is a mistake of ours."""
        with border("sending a message", chat=offer.chat) as found:
            try:
                await call()
            except Unauthorized:
                raise
            except TransportError as error:
                return error
        return None if found.error is None else TransportError(found.error)

    async def _bind(self, ref: MessageRef, scope: Scope, turn_id: str, role: MessageRole) -> None:
        """Remember whose message it is; that this fails cannot undo the sending."""
        with border("remembering a message", chat=scope.chat_id, turn=turn_id):
            bound = MessageBound(scope.chat_id, int(ref.message_id), turn_id, role)
            await self._store.commit([bound])

    def _given_up(self, what: str, offer: Offer, error: TransportError) -> None:
        record = _log.info if isinstance(error, ChatLost) else _log.error
        record("outbox.given_up", what=what, chat=offer.chat, error=str(error))

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers


def _pause_s(failures: int) -> float:
    return min(_LONGEST_PAUSE_S, 2.0 ** (min(failures, 8) - 1))
