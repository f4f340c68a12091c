"""Keep to the day's budget: count what turns cost, warn, and ask before more is started."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo

from anyio.abc import TaskGroup
from msgspec.structs import replace

from takopi.bridge.border import border
from takopi.bridge.letters import Place
from takopi.bridge.outbox import Outbox
from takopi.bridge.ports import Clock, Store
from takopi.bridge.records import OfferPut, OfferRecord, TurnPut
from takopi.bridge.turn import Turn
from takopi.core.budget import Budget, budget_crossed_reply, budget_question, crossing
from takopi.core.chat import ChatMessage
from takopi.core.local_times import day_start
from takopi.core.offers import offer_buttons
from takopi.core.usage import read_usage
from takopi.errors import StoreError
from takopi.logging import get_logger

__all__ = ["Spending", "SpendingPorts"]

_log = get_logger(__name__)

_TRIES_EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class SpendingPorts:
    """Bind what keeping to a budget needs.

    Args:
        store: Knows what earlier turns cost.
        outbox: Warns and asks.
        clock: Tells the day.
        new_id: Makes ids of offers.
    """

    store: Store
    outbox: Outbox
    clock: Clock
    new_id: Callable[[], str]


class Spending:
    """Know what was spent today.

    Args:
        ports: What it needs.
        budget: What may be spent.
        zone: Decides when a day ends.
    """

    def __init__(self, ports: SpendingPorts, budget: Budget, zone: tzinfo) -> None:
        self._ports = ports
        self._budget = budget
        self._zone = zone
        self._costs: list[tuple[float, float]] = []

    async def load(self) -> None:
        """Count what earlier takopis spent today."""
        if self._budget.daily_usd is None:
            return
        with border("counting what was spent"):
            rows = await self._ports.store.usage_since(self._today())
            costs = ((row.ended_at, read_usage(row.usage).cost_usd) for row in rows)
            self._costs = [(ended_at, cost) for ended_at, cost in costs if cost]

    def spent_usd(self) -> float:
        """Return what the turns that ended today cost."""
        today = self._today()
        return sum(cost for ended_at, cost in self._costs if ended_at >= today)

    def holds(self, turn: Turn, group: TaskGroup) -> bool:
        """Ask before a turn is started when nothing is left of the day's budget.

        Args:
            turn: It is about to start.
            group: The question is asked in it.

        Returns:
            Whether it has to wait for a person now.
        """
        if self._budget.daily_usd is None or turn.record.over_budget:
            return False
        if not self._budget.is_used_up(self.spent_usd()):
            return False
        turn.record = replace(turn.record, held_by_person=True)
        group.start_soon(self._ask_until_taken, turn)
        return True

    async def ended(self, turn: Turn) -> None:
        """Count what a turn cost, and say when most or all of the day's budget is used up."""
        daily, record = self._budget.daily_usd, turn.record
        cost = read_usage(record.usage).cost_usd
        if daily is None or not cost:
            return
        before = self.spent_usd()
        at = record.ended_at if record.ended_at is not None else self._ports.clock.wall()
        self._costs.append((at, cost))
        after = self.spent_usd()
        mark = crossing(before, after, self._budget)
        if mark is not None:
            with border("telling of the budget", turn=turn.id):
                place = Place(record.scope, record.chat_kind)
                words = budget_crossed_reply(mark, after, daily)
                await self._ports.outbox.say(place, words, notify=False)

    async def _ask_until_taken(self, turn: Turn) -> None:
        """Ask until the journal has the question: without it nobody could answer."""
        ports = self._ports
        while not (turn.cancelled.is_set() or turn.left.is_set()):
            with border("asking about the budget", turn=turn.id):
                try:
                    await self._ask(turn)
                    return
                except StoreError as error:
                    _log.error("budget.not_asked", turn=turn.id, error=str(error))
                await ports.clock.sleep_until(ports.clock.now() + _TRIES_EVERY_S)
                continue
            return

    async def _ask(self, turn: Turn) -> None:
        daily = self._budget.daily_usd
        assert daily is not None, "without a budget nothing is asked"
        # Nobody wrote what a schedule asks just now, so the question says where it comes from.
        asked = turn.record.note if turn.record.origin == "schedule" else turn.prompt
        words = budget_question(asked, self.spent_usd(), daily)
        offer = OfferRecord(
            offer_id=f"b-{self._ports.new_id()}"[:40],
            kind="budget",
            scope=turn.record.scope,
            turn_id=turn.id,
            person=turn.record.person,
            shown=words,
        )
        async with turn.writing:
            # Held in the same transaction: a start after a crash asks neither twice nor never.
            held = replace(turn.writable, held_by_person=True)
            await self._ports.outbox.ask(
                turn.place,
                ChatMessage(words.body, offer_buttons(offer.offer_id, "budget")),
                turn_id=turn.id,
                offered=(offer.offer_id,),
                changes=(TurnPut(held), OfferPut(offer)),
            )

    def _today(self) -> float:
        return day_start(self._ports.clock.wall(), self._zone)
