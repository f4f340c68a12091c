"""How a prompt gets its turn: written down, with the marks of its updates, before it may start."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from takopi.bridge.answers import destination_of, marks
from takopi.bridge.letters import Destination
from takopi.bridge.outbox import Outbox
from takopi.bridge.ports import Clock, Store
from takopi.bridge.records import (
    Change,
    MessageBound,
    OfferPut,
    OfferRecord,
    TurnPut,
    TurnRecord,
)
from takopi.bridge.scheduler import Scheduler
from takopi.bridge.steps import Draft, TooLate
from takopi.core.backlog import Backlog
from takopi.core.chat import ChatMessage
from takopi.core.offers import OfferKind, offer_buttons, offer_name
from takopi.core.prompt_replies import backlog_question, dropped_reply, edited_reply

__all__ = ["PromptDesk", "PromptPorts"]


@dataclass(frozen=True, slots=True)
class PromptPorts:
    """Bind what prompts need.

    Args:
        store: Takes them.
        scheduler: Runs their turns.
        outbox: Asks about them.
        clock: Tells their age.
        new_id: Makes ids of offers.
    """

    store: Store
    scheduler: Scheduler
    outbox: Outbox
    clock: Clock
    new_id: Callable[[], str]


class PromptDesk:
    """Hand prompts to the scheduler.

    Args:
        ports: What prompts need.
        backlog: What becomes of those that were sent while takopi was away.
    """

    def __init__(self, ports: PromptPorts, backlog: Backlog) -> None:
        self._ports = ports
        self._backlog = backlog

    async def take(self, draft: Draft) -> None:
        """Write a prompt down and let its turn go on.

        Raises:
            StoreError: The journal did not take it, so nothing happened.
        """
        if not draft.updates:
            return  # it was frozen for something that came to nothing
        if draft.before is not None:
            await self._ports.store.commit(_changes(draft))
            draft.settled = True
            self._ports.scheduler.thaw(draft.record)
        elif draft.away and self._backlog == "drop":
            destination = _destination(draft)
            answer = dropped_reply(draft.record.prompt, self._age_s(draft))
            handled = marks(draft.updates)
            await self._ports.outbox.say(destination, answer, notify=False, changes=handled)
        elif draft.away and self._backlog == "ask":
            await self._ask(draft)
        else:
            await self._ports.store.commit(_changes(draft))
            self._ports.scheduler.submit(draft.record)

    async def offer_anew(self, late: TooLate) -> None:
        """Say that an edit came too late, and offer to send the new words as a prompt."""
        destination = destination_of(late.edited, late.edited.message_id)
        offer, asked = self._offer("edited", late.record, edited_reply(), late.words)
        await self._ports.outbox.say(
            destination,
            asked,
            notify=False,
            offered=(offer.offer_id,),
            changes=(OfferPut(offer), *marks((late.accepted,))),
        )

    async def _ask(self, draft: Draft) -> None:
        """Ask whether a prompt of the backlog is to be answered; until then it waits."""
        draft.record = replace(draft.record, held_by_person=True)
        question = backlog_question(draft.record.prompt, self._age_s(draft))
        offer, asked = self._offer("backlog", draft.record, question)
        await self._ports.outbox.ask(
            _destination(draft),
            asked,
            turn_id=draft.record.turn_id,
            offered=(offer.offer_id,),
            changes=(*_changes(draft), OfferPut(offer)),
        )
        self._ports.scheduler.submit(draft.record)

    def _offer(
        self, kind: OfferKind, record: TurnRecord, words: ChatMessage, payload: str = ""
    ) -> tuple[OfferRecord, ChatMessage]:
        offer = OfferRecord(
            offer_id=offer_name(kind, self._ports.new_id()),
            kind=kind,
            scope=record.scope,
            turn_id=record.turn_id,
            person=record.person,
            payload=payload,
            shown=words,
        )
        return offer, ChatMessage(words.body, offer_buttons(offer.offer_id, kind))

    def _age_s(self, draft: Draft) -> float:
        return self._ports.clock.wall() - draft.record.pieces[0].sent_at


def _changes(draft: Draft) -> tuple[Change, ...]:
    record = draft.record
    chat, turn_id = record.scope.chat_id, record.turn_id
    bound = [MessageBound(chat, number, turn_id, "prompt") for number in draft.bound]
    return TurnPut(record), *bound, *marks(draft.updates)


def _destination(draft: Draft) -> Destination:
    return destination_of(draft.updates[0].update, draft.record.messages[0])
