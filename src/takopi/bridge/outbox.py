"""The only way out to a chat service: the plan decides, this pump makes the calls.

The pump asks the plan for what may go, starts each call in a task of its own and sleeps until the
plan's next moment or until something new is posted; no chat waits for another's call.

Every letter is in the journal from before it is offered to the plan until after the chat has it
(`mailroom`). A letter becomes a second message on the screen only when takopi died, or a call
ended without an answer, between the service's acceptance and our commit: once for each such event,
and with a line on top that says so. What certainly was not taken is not marked; edits and takings
back can be repeated without a trace and are not marked either.

What a letter goes through (`courier`): a lost edit target makes it a new message, a lost reply
target costs the reply, a lost topic leads to the chat with a line that says so, refused formatting
to plain text. A final that is refused as plain text too becomes a file, and a refused file becomes
text. What the service does not take without saying why is the business of `core/outbox_patience`.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import anyio
from anyio.lowlevel import checkpoint
from msgspec.structs import replace as changed

from takopi.bridge.beside import CallsBeside
from takopi.bridge.border import border
from takopi.bridge.calls import Calls
from takopi.bridge.courier import Courier, CourierPorts
from takopi.bridge.letters import Delivery, Destination, FinalPost, Letter, LiveMessage
from takopi.bridge.living import Living, LivingHooks
from takopi.bridge.mailroom import Mailroom, bound
from takopi.bridge.ports import Clock, Store, Transport
from takopi.bridge.records import Change, JournalState, LetterGone, LetterRecord, TurnPut
from takopi.bridge.waiting import wait_until
from takopi.core.chat import ChatMessage, Document, Scope
from takopi.core.letter_forms import under_lines, with_room
from takopi.core.outbox_budget import OutboxLimits
from takopi.core.outbox_plan import OutboxPlan, Priority
from takopi.errors import ThreadLost
from takopi.transport import MessageRef

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

__all__ = ["Outbox"]

_HANDFUL = 8


class Outbox:
    """Send messages in order, within budgets, and until they arrived.

    Args:
        transport: The chat service.
        store: Takes what must not be lost.
        clock: Tells the time.
        limits: Budgets of the service.
        on_moved: Told the old and the new id of a chat that has got a new one.
    """

    def __init__(
        self,
        transport: Transport,
        store: Store,
        clock: Clock,
        limits: OutboxLimits | None = None,
        on_moved: Callable[[int, int], None] | None = None,
    ) -> None:
        self._clock = clock
        self._on_moved = on_moved
        self._plan = OutboxPlan(limits)
        self._mail = Mailroom(store, clock, self._hand_on)
        calls = Calls(transport, clock)
        hooks = LivingHooks(self._live_sent, self.move, self._lost, self._hurry)
        self._living = Living(self._plan, calls, clock, hooks)
        ports = CourierPorts(
            self._plan, calls, self._mail, self._living, clock, self.move, self._lost, self._hurry
        )
        self._courier = Courier(ports)
        self.beside = CallsBeside(self._plan, clock)
        """Makes the calls that bring no message."""
        self.on_thread_lost: Callable[[Scope, ThreadLost], None] | None = None
        """Told of topics that take no messages."""
        self._moved: dict[int, int] = {}
        self._slots = 0
        self._news = anyio.Event()
        self._empty = anyio.Event()
        self._group: TaskGroup | None = None

    def restore(self, state: JournalState) -> dict[str, Delivery]:
        """Put back what an earlier takopi did not get out; call it before `run`.

        Returns:
            The deliveries of finals, by turn id.
        """
        progress = {turn.turn_id: turn.progress_id for turn in state.turns}
        deliveries = {}
        for letters in self._mail.restore(state):
            first, last = letters[0], letters[-1]
            number = progress.get(last.record.turn_id or "")
            if last.record.instead and number is not None:
                self._stand_instead(letters, MessageRef(last.chat, number))
            self._courier.take(letters)
            if first.record.group not in (0, first.id):
                self._plan.resume(first.chat, first.record.group)
            if first.record.priority is Priority.FINAL and first.record.turn_id is not None:
                deliveries[first.record.turn_id] = first.delivery
        return deliveries

    def _stand_instead(self, letters: Sequence[Letter], ref: MessageRef) -> None:
        """Let letters of an earlier takopi take the place of their progress message."""
        first, turn = letters[0], letters[0].record.turn_id or ""
        live = LiveMessage(first.destination, _nothing, turn, self._slot(), ref=ref, retired=True)
        first.delivery.instead = live
        if first.target_ref == ref:
            first.target = live
        self._living.add(live)

    async def run(self) -> None:
        """Send what is posted, until cancelled.

        Raises:
            Unauthorized: The service does not know the bot any more.
        """
        async with anyio.create_task_group() as self._group:
            self._group.start_soon(self._mail.run)
            try:
                while True:
                    self._news = anyio.Event()
                    # A breath between handfuls: many chats may be due at the same moment.
                    while self._start_calls():
                        await checkpoint()
                    due = self._plan.due(self._clock.now())
                    await wait_until(self._news.wait, self._clock, due)
            finally:
                self._group = None  # what is said now stands in the journal

    def owe(self, end: TurnPut) -> None:
        """Write the end of a turn down as soon as the journal takes it."""
        self._mail.owe(end)

    async def drain(self, deadline: float) -> bool:
        """Wait until every letter is accepted or given up; False when the moment came first."""
        while self._plan.waiting() or self._mail.busy():
            if self._empty.is_set():
                self._empty = anyio.Event()
            if not await wait_until(self._empty.wait, self._clock, deadline):
                return False
        await self._mail.pay()
        return True

    # Living messages.

    def live(
        self,
        destination: Destination,
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
        live = LiveMessage(self._here(destination), compose, turn_id, self._slot(), ref=ref)
        self._living.add(live)
        self._hurry()
        return live

    def touch(self, live: LiveMessage) -> None:
        """Note that a living message may look different now."""
        self._living.touch(live)

    def beat(self, live: LiveMessage, *, beating: bool) -> None:
        """Say whether a living message shows an age; the age starts now."""
        self._living.beat(live, beating=beating)

    def close(self, live: LiveMessage) -> None:
        """Leave a living message as it stands."""
        self._living.close(live)

    # Letters.

    async def say(
        self,
        destination: Destination,
        message: ChatMessage | Document,
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

        Raises:
            OfferClosed: A change came too late; nothing was changed, and nothing is sent.
        """
        record = changed(
            self._record(destination, message, Priority.ANSWER),
            notify=notify,
            turn_id=turn_id,
            offered=tuple(offered),
        )
        return await self._post_one(record, changes)

    async def ask(
        self,
        destination: Destination,
        message: ChatMessage,
        *,
        notify: bool = True,
        turn_id: str | None = None,
        offered: Sequence[str] = (),
        changes: Sequence[Change] = (),
    ) -> Delivery:
        """Send what a person has to decide; the arguments are those of `say`.

        Raises:
            OfferClosed: A change came too late; nothing was changed, and nothing is sent.
            StoreError: The same, because the journal refused: nobody could decide it later.
        """
        record = changed(
            self._record(destination, message, Priority.ASK),
            notify=notify,
            turn_id=turn_id,
            offered=tuple(offered),
        )
        return await self._post_one(record, changes, must=True)

    async def correct(
        self,
        destination: Destination,
        ref: MessageRef,
        message: ChatMessage,
        *,
        changes: Sequence[Change] = (),
    ) -> Delivery:
        """Put a message in place of one that was sent before; for the rest it is like `say`.

        What stood above the text, that it was sent again say, stays where there is room for it.
        """
        top = self._courier.top(ref)
        if top and len(with_room(message, top)) == 1:
            message = ChatMessage(under_lines(message.body, top), message.buttons)
        record = self._record(destination, message, Priority.ANSWER)
        known = record.scope.chat_id == destination.scope.chat_id
        target = int(ref.message_id) if known else None
        return await self._post_one(changed(record, target=target), changes)

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
        numbers = self._mail.number(len(parts))
        delivery = Delivery([None] * len(parts), left=len(parts), instead=instead)
        letters = []
        for index, (number, part) in enumerate(zip(numbers, parts, strict=True)):
            last = number == numbers[-1]
            record = changed(
                self._record(final.destination, part, Priority.FINAL, number),
                turn_id=final.turn_id,
                group=numbers[0] if len(parts) > 1 else 0,
                index=index,
                last=last,
                notify=final.notify and index == 0,
                instead=last and instead is not None,
            )
            letters.append(Letter(record, delivery, index))
        if final.as_edit:
            letters[0].target = instead
        if instead is not None:
            self._living.retire(instead)
        await self._mail.post(letters, changes)
        return delivery

    async def keep_back(
        self, destination: Destination, message: ChatMessage, changes: Sequence[Change] = ()
    ) -> LetterGone:
        """Write down what the chat is told if takopi ends before the answer to this was given.

        Returns:
            What forgets it; it belongs into the transaction of the answer, or to `let_go`.

        Raises:
            StoreError: The journal refused; nothing was changed.
        """
        record = self._record(destination, message, Priority.ANSWER)
        await self._mail.keep_back(record, changes)
        return LetterGone(record.letter_id)

    async def let_go(self, kept: LetterGone) -> None:
        """Forget what was kept back."""
        await self._mail.post((), [kept])

    async def move(self, chat: int, new: int) -> None:
        """Bring to a chat's new id what waits for the old one, and what comes for it later."""
        if self._moved.get(chat, chat) == new:
            return
        self._moved = {one: new if to == chat else to for one, to in self._moved.items()}
        self._moved[chat] = new
        self._moved.pop(new, None)
        self._plan.move(chat, new)
        self._living.move(chat, new)
        if self._on_moved is not None:
            with border("telling of a chat's new id", chat=chat):
                self._on_moved(chat, new)
        await self._courier.move(chat, new)
        self._hurry()

    def _lost(self, scope: Scope, error: ThreadLost) -> None:
        if self.on_thread_lost is not None:
            self.on_thread_lost(scope, error)

    async def _post_one(
        self, record: LetterRecord, changes: Sequence[Change], *, must: bool = False
    ) -> Delivery:
        delivery = Delivery([None], left=1)
        await self._mail.post([Letter(record, delivery)], changes, must=must)
        return delivery

    def _record(
        self,
        destination: Destination,
        body: ChatMessage | Document,
        priority: Priority,
        number: int | None = None,
    ) -> LetterRecord:
        here = self._here(destination)
        return LetterRecord(
            letter_id=number or self._mail.number(1)[0],
            scope=here.scope,
            chat_kind=here.kind,
            priority=priority,
            body=body,
            reply_to=here.answered,
            posted_at=self._clock.wall(),
        )

    def _here(self, destination: Destination) -> Destination:
        new = self._moved.get(destination.scope.chat_id)
        return destination if new is None else destination.moved(new)

    # The pump.

    def _hand_on(self, letters: Sequence[Letter]) -> None:
        self._courier.take(letters)

    async def _live_sent(self, live: LiveMessage, ref: MessageRef) -> None:
        # Who waits to take the message back knows only now what to write down.
        await self._mail.rewrite(self._courier.of(live), [bound(ref, live.turn_id, "progress")])

    def _hurry(self) -> None:
        """Start what may go before anything else happens; the pump then looks when to wake."""
        self._start_calls()
        self._news.set()
        if not (self._plan.waiting() or self._mail.busy()):
            self._empty.set()

    def _start_calls(self) -> bool:
        """Start a handful of calls; True when there may be more."""
        now, group = self._clock.now(), self._group
        if group is None:
            return False
        for _ in range(_HANDFUL):
            offer = self._plan.offer(now)
            if offer is None:
                return False
            call = self._living.start(offer) if offer.item is None else self._courier.begin(offer)
            if call is not None:
                group.start_soon(call)
        return True

    def _slot(self) -> int:
        self._slots += 1
        return self._slots


def _nothing(_moment: float) -> ChatMessage:
    raise AssertionError("a message that a final takes the place of is not composed")
