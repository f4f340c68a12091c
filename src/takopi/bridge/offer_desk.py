"""What happens when somebody takes an offer: a press on Continue, Answer, Send as new and the like.

The choice, what follows from it and the mark of the press are one transaction; whoever comes second
is told so, and nothing happens.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from msgspec.structs import replace

from takopi.bridge.answers import Answers
from takopi.bridge.border import border
from takopi.bridge.letters import Destination
from takopi.bridge.outbox import Outbox
from takopi.bridge.places import Places
from takopi.bridge.ports import Clock, Store
from takopi.bridge.records import (
    Change,
    MessageBound,
    OfferRecord,
    OfferTaken,
    TurnPut,
    TurnRecord,
    UpdateHandled,
)
from takopi.bridge.scheduler import Scheduler
from takopi.bridge.turn import moved_record
from takopi.core.chat import ButtonPressed
from takopi.core.gathering import PromptPiece
from takopi.core.offers import CHOICES, OfferKind, choice_label, read_offer
from takopi.core.prompt_replies import taken_message
from takopi.core.route import CONTINUE
from takopi.core.texts import tr, tr_later, translated
from takopi.errors import OfferClosed
from takopi.transport import MessageRef

__all__ = ["NOTHING", "OfferDesk", "OfferPorts", "WhoDecides"]

WhoDecides: TypeAlias = Literal["asker", "allowed"]

NOTHING = tr_later("This button does nothing any more")
_NOT_YOURS = tr_later("Only the person who asked can decide this")
_ENDED = tr_later("That turn has ended already")


@dataclass(frozen=True, slots=True)
class OfferPorts:
    """Bind what taking an offer needs.

    Args:
        store: Has the offers.
        scheduler: Runs turns.
        outbox: Changes messages.
        answers: Marks presses.
        places: Know which groups have moved.
        clock: Tells the time.
        new_id: Makes ids of turns.
    """

    store: Store
    scheduler: Scheduler
    outbox: Outbox
    answers: Answers
    places: Places
    clock: Clock
    new_id: Callable[[], str]


@dataclass(frozen=True, slots=True)
class _Taking:
    """Be a press on an offer that is open, by somebody who may take it."""

    pressed: ButtonPressed
    offer: OfferRecord
    record: TurnRecord
    choice: str
    handled: UpdateHandled

    @property
    def changes(self) -> tuple[Change, ...]:
        return OfferTaken(self.offer.offer_id, self.choice), self.handled


class OfferDesk:
    """Take offers, each once.

    Args:
        ports: What taking needs.
        decide: Who may take them: the person whose prompt it is about, or all who are served.
    """

    def __init__(self, ports: OfferPorts, decide: WhoDecides) -> None:
        self._ports = ports
        self._decide = decide

    async def press(self, pressed: ButtonPressed, handled: UpdateHandled) -> str:
        """Take an offer; return the few words that the presser sees.

        Raises:
            StoreError: The journal did not take it, so nothing happened.
        """
        taking = await self._read(pressed, handled)
        if isinstance(taking, str):
            await self._ports.answers.mark([handled])
            return translated(taking)
        effects: dict[OfferKind, Callable[[_Taking], Awaitable[str]]] = {
            "interrupted": self._go_on,
            "backlog": self._decide_waiting,
            "edited": self._send_as_new,
            "unknown": self._start_anew,
            "budget": self._decide_waiting,
        }
        try:
            words = await effects[taking.offer.kind](taking)
        except OfferClosed:
            await self._ports.answers.mark([handled])
            return translated(NOTHING)
        with border("showing what was chosen", turn=taking.record.turn_id):
            await self._show(taking)
        return words

    async def _read(self, pressed: ButtonPressed, handled: UpdateHandled) -> _Taking | str:
        """Find out what a press asks for, or the words that refuse it."""
        offer_id, choice = read_offer(pressed.data) or ("", "")
        offer, here = await self._ports.store.offer(offer_id), pressed.scope.chat_id
        # Button data can be forged, chats are checked. A group may have moved since.
        chat = replace(pressed.scope, thread_id=None)
        chats = {guise.chat_id for guise in self._ports.places.guises(chat)}
        if offer is None or offer.scope.chat_id not in chats:
            return NOTHING
        record = await self._ports.store.turn(offer.turn_id)
        if record is not None and record.scope.chat_id != here:
            record = moved_record(record, here)
        if record is None or choice not in CHOICES[offer.kind]:
            return NOTHING
        if choice == "continue" and record.session is None and record.asked is None:
            return NOTHING  # there is nothing to go on with
        asker = record.person if offer.person is None else offer.person
        if self._decide == "asker" and asker not in (None, pressed.sender_id):
            return _NOT_YOURS
        if offer.taken is not None:
            return tr("Decided already: {choice}", choice=choice_label(offer.kind, offer.taken))
        return _Taking(pressed, offer, record, choice, handled)

    async def _go_on(self, taking: _Taking) -> str:
        old, again = taking.record, taking.choice == "again"
        session = old.asked if again else old.session or old.asked
        anew = again and session is None and old.conversation in ("", old.turn_id)
        turn = self._turn(
            taking,
            prompt=old.prompt if again else CONTINUE,
            pieces=old.pieces if again else (),
            messages=old.messages if again else old.messages[:1],
        )
        turn = replace(turn, files=old.files if again else ())
        turn = replace(turn, asked=session, conversation=turn.turn_id if anew else old.conversation)
        # A reply to the prompt goes on where the prompt was answered last.
        await self._submit(taking, turn, old.messages if again else ())
        return choice_label("interrupted", taking.choice)

    async def _start_anew(self, taking: _Taking) -> str:
        old = taking.record
        turn = self._turn(taking, prompt=old.prompt, pieces=old.pieces, messages=old.messages)
        turn = replace(turn, conversation=turn.turn_id, files=old.files)
        # A reply to the prompt goes on where the prompt was answered last.
        await self._submit(taking, turn, old.messages)
        return choice_label("unknown", taking.choice)

    async def _send_as_new(self, taking: _Taking) -> str:
        old = taking.record
        numbers = old.messages[:1]
        words = taking.offer.payload
        pieces = tuple(PromptPiece(message_id=number, text=words) for number in numbers)
        turn = self._turn(taking, prompt=words, pieces=pieces, messages=numbers)
        asked = old.session or old.asked
        await self._submit(taking, replace(turn, asked=asked, files=old.files), numbers)
        return choice_label("edited", taking.choice)

    async def _decide_waiting(self, taking: _Taking) -> str:
        scheduler, turn_id = self._ports.scheduler, taking.record.turn_id
        waiting = scheduler.freeze(turn_id)
        if waiting is None:
            await self._ports.store.commit(taking.changes)
            return translated(_ENDED)
        wanted, paid = taking.choice in ("answer", "run"), taking.choice == "run"
        # A turn that comes back cancelled never starts.
        changed = replace(waiting, held_by_person=False, cancelled=not wanted, over_budget=paid)
        try:
            await self._ports.store.commit([TurnPut(changed), *taking.changes])
            waiting = changed
        finally:
            scheduler.thaw(waiting)
        return choice_label(taking.offer.kind, taking.choice)

    def _turn(
        self,
        taking: _Taking,
        *,
        prompt: str,
        pieces: tuple[PromptPiece, ...],
        messages: tuple[int, ...],
    ) -> TurnRecord:
        old = taking.record
        return TurnRecord(
            turn_id=self._ports.new_id(),
            scope=old.scope,
            asked_in=old.asked_in,
            engine=old.engine,
            conversation=old.conversation or old.turn_id,
            chat_kind=old.chat_kind,
            prompt=prompt,
            messages=messages,
            person=taking.pressed.sender_id,
            pieces=pieces,
            after=taking.pressed.message_id,
            accepted_at=self._ports.clock.wall(),
            project=old.project,
            branch=old.branch,
            choices=old.choices,
            verbosity=old.verbosity,
        )

    async def _submit(self, taking: _Taking, turn: TurnRecord, bound: tuple[int, ...]) -> None:
        chat = turn.scope.chat_id
        messages = [MessageBound(chat, number, turn.turn_id, "prompt") for number in bound]
        await self._ports.store.commit([TurnPut(turn), *messages, *taking.changes])
        self._ports.scheduler.submit(turn)

    async def _show(self, taking: _Taking) -> None:
        """Put what was chosen in place of the buttons."""
        pressed, offer = taking.pressed, taking.offer
        if offer.shown is None:
            return  # nobody knows any more what stands there, and it is not to get lost
        shown = taken_message(offer.kind, taking.choice, offer.shown)
        ref = MessageRef(pressed.scope.chat_id, pressed.message_id)
        await self._ports.outbox.correct(Destination(pressed.scope, pressed.chat_kind), ref, shown)
