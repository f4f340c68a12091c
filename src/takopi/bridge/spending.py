"""Keep to the day's budget: count what turns cost, warn, and ask before more is started."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo

from anyio.abc import TaskGroup
from msgspec.structs import replace

from takopi.bridge.border import border
from takopi.bridge.letters import Destination
from takopi.bridge.outbox import Outbox
from takopi.bridge.places import Places
from takopi.bridge.ports import Clock, Store
from takopi.bridge.records import OfferPut, OfferRecord, PlacePut, TurnPut
from takopi.bridge.turn import Turn
from takopi.core.budget import (
    Budget,
    budget_crossed_reply,
    budget_question,
    due_mark,
    mark_key,
    with_mark,
)
from takopi.core.chat import ChatMessage, Scope
from takopi.core.local_times import day_start
from takopi.core.offers import offer_buttons, offer_name
from takopi.core.usage import read_usage
from takopi.errors import StoreError
from takopi.logging import get_logger

__all__ = ["Spending", "SpendingPorts"]

_log = get_logger(__name__)

_TRIES_EVERY_S = 30.0
_REMEMBERED_S = 3 * 86400.0


@dataclass(frozen=True, slots=True)
class SpendingPorts:
    """Bind what keeping to a budget needs.

    Args:
        store: Knows what earlier turns cost.
        outbox: Warns and asks.
        places: Know of what was warned.
        clock: Tells the day.
        new_id: Makes ids of offers.
        transport: Names the chat service.
    """

    store: Store
    outbox: Outbox
    places: Places
    clock: Clock
    new_id: Callable[[], str]
    transport: str


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
        self._costs: dict[str, tuple[float, float]] = {}
        self._counted = budget.daily_usd is None

    @property
    def counted(self) -> bool:
        """Tell whether it is known what was spent; before that nothing may be started."""
        return self._counted

    async def load(self) -> None:
        """Count what earlier takopis spent, and warn where they did not come to it."""
        if self._counted:
            return
        ports = self._ports
        with border("counting what was spent"):
            # More than today: a clock that was wrong may be put back.
            rows = await ports.store.usage_since(ports.clock.wall() - _REMEMBERED_S)
            costs = [(row, read_usage(row.usage).cost_usd) for row in rows]
            # Turns that ended since the start are among the rows.
            self._costs = {
                f"before {number}": (row.ended_at, cost)
                for number, (row, cost) in enumerate(costs)
                if cost
            }
            self._counted = True
            if rows:
                chat = rows[-1].chat_id
                scope = Scope(ports.transport, chat)
                await self._warn(Destination(scope, "private" if chat > 0 else "group"))

    async def load_at_last(self, counted: Callable[[], None]) -> None:
        """Count what was spent once the journal tells; say when it did."""
        clock = self._ports.clock
        while not self._counted:
            await clock.sleep_until(clock.now() + _TRIES_EVERY_S)
            await self.load()
        counted()

    def spent_usd(self) -> float:
        """Return what the turns that ended today cost."""
        wall, zone = self._ports.clock.wall(), self._zone
        # The end counts too: a clock that went ahead and was put back must not hold days to come.
        today, tomorrow = day_start(wall, zone), day_start(wall, zone, -1)
        return sum(cost for at, cost in self._costs.values() if today <= at < tomorrow)

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
        if turn.asking:
            return True
        if not self._budget.is_used_up(self.spent_usd()):
            return False
        # Not yet in the record: whoever writes that down would hold it without a question.
        turn.asking = True
        group.start_soon(self._ask_until_taken, turn)
        return True

    def count(self, turn: Turn, usage: object) -> None:
        """Count what a turn cost, at the moment that decides its final and not later.

        What is checked meanwhile would start, though nothing is left.

        Args:
            turn: It ends.
            usage: What its engine said.
        """
        if self._budget.daily_usd is None:
            return
        cost = read_usage(usage).cost_usd
        if cost:
            now = self._ports.clock.wall()
            self._costs[turn.id] = now, cost
            self._costs = {
                one: paid for one, paid in self._costs.items() if paid[0] > now - _REMEMBERED_S
            }

    async def ended(self, turn: Turn) -> None:
        """Say when most or all of the day's budget is used up, once its turn was told."""
        with border("telling of the budget", turn=turn.id):
            await self._warn(Destination(turn.record.scope, turn.record.chat_kind))

    async def _warn(self, destination: Destination) -> None:
        """Tell the mark that is due; that it was told is written down with the letter."""
        ports, budget, zone = self._ports, self._budget, self._zone
        wall, spent, known = ports.clock.wall(), self.spent_usd(), ports.places.of_budget()
        told = known.budget_told.get(mark_key(wall, zone, budget))
        mark = due_mark(spent, told, budget)
        if mark is None or budget.daily_usd is None:
            return
        marks = with_mark(known.budget_told, wall, zone, (budget, mark))
        known = replace(known, budget_told=marks)
        ports.places.note(known)  # at once: another turn may end while this is written down
        words = budget_crossed_reply(mark, spent, budget.daily_usd)
        await ports.outbox.say(destination, words, notify=False, changes=[PlacePut(known)])

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
            offer_id=offer_name("budget", self._ports.new_id()),
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
                turn.destination,
                ChatMessage(words.body, offer_buttons(offer.offer_id, "budget")),
                turn_id=turn.id,
                offered=(offer.offer_id,),
                changes=(TurnPut(held), OfferPut(offer)),
            )
            turn.record = replace(turn.record, held_by_person=not turn.record.over_budget)
