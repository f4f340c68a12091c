"""Ask what is scheduled when its moment comes.

Wall clocks jump and laptops sleep, so the moments are looked at again and again and no sleep is
trusted. What is asked and the next moment are one transaction: after a crash a moment is either
still to come or was asked, and never both. What was missed is told and not made up for.
"""

from dataclasses import dataclass
from datetime import tzinfo

import anyio
from anyio.abc import TaskGroup
from msgspec.structs import replace

from takopi.bridge.border import border
from takopi.bridge.door import Door
from takopi.bridge.letters import Destination
from takopi.bridge.outbox import Outbox
from takopi.bridge.ports import Clock
from takopi.bridge.records import SchedulePut
from takopi.bridge.schedule_book import ScheduleBook
from takopi.bridge.schedule_turns import ScheduleTurns
from takopi.bridge.turn import Turn
from takopi.bridge.waiting import wait_until
from takopi.core.chat import ChatMessage, Scope
from takopi.core.schedule_replies import Missed, missed_reply, paused_reply, skipped_reply
from takopi.core.schedules import ScheduleRecord, due, in_step, passed, times_missed
from takopi.core.texts import tr
from takopi.logging import get_logger

__all__ = ["ClockPorts", "ScheduleClock"]

_log = get_logger(__name__)

LOOKS_EVERY_S = 30.0
"""A laptop may sleep, and a wall clock may be set, so no sleep is longer."""

_SHORTEST_SLEEP_S = 0.05


@dataclass(frozen=True, slots=True)
class ClockPorts:
    """Bind what the clock needs.

    Args:
        book: The schedules.
        turns: Makes their turns.
        outbox: Tells.
        clock: Tells the time.
        access: Says who is served.
        zone: Of the clock on the person's wall.
    """

    book: ScheduleBook
    turns: ScheduleTurns
    outbox: Outbox
    clock: Clock
    access: Door
    zone: tzinfo


class ScheduleClock:
    """Look at the schedules until it is cancelled.

    Args:
        ports: What it needs.
    """

    def __init__(self, ports: ClockPorts) -> None:
        self._ports = ports
        self._watched: set[str] = set()
        self._told: dict[str, str] = {}

    async def run(self) -> None:
        """Ask whatever is due, now and from now on."""
        ports = self._ports
        async with anyio.create_task_group() as group:
            while True:
                # What was begun is finished: half of it would be asked twice.
                with anyio.CancelScope(shield=True):
                    well = await self._look(group)
                sleep_s = self._sleep_s() if well else LOOKS_EVERY_S
                until = ports.clock.now() + sleep_s
                await wait_until(ports.book.changed, ports.clock, until)

    def _sleep_s(self) -> float:
        now = self._ports.clock.wall()
        moments = [one.next_at for one in self._ports.book.all() if one.next_at and not one.paused]
        until = min(moments, default=now + LOOKS_EVERY_S) - now
        return min(max(until, _SHORTEST_SLEEP_S), LOOKS_EVERY_S)

    async def _look(self, group: TaskGroup) -> bool:
        """Do what is to be done now; False when the journal refused some of it."""
        now, zone = self._ports.clock.wall(), self._ports.zone
        missed: list[ScheduleRecord] = []
        well = True
        for found in self._ports.book.all():
            record = in_step(found, now, zone)
            if record is not found:
                self._ports.book.note(record)
            state = due(record, now)
            if state == "missed" and self._serves(record):
                missed.append(record)
                continue
            ready = state != "no" or (record.waiting and not record.paused)
            with border("asking what is scheduled", schedule=record.schedule_id) as trouble:
                if ready:
                    await self._ask(record, now, group)
            well = well and trouble.error is None
        for place in dict.fromkeys(one.scope for one in missed):
            with border("telling what was missed") as trouble:
                await self._tell_missed(place, [one for one in missed if one.scope == place], now)
            well = well and trouble.error is None
        return well

    async def _ask(self, record: ScheduleRecord, now: float, group: TaskGroup) -> None:
        """Ask what is due, or what waited for the last turn of its schedule."""
        ports, is_due = self._ports, due(record, now) != "no"
        if not self._serves(record):
            await ports.book.put(replace(record, paused=True, waiting=False))
            if record.scope.chat_id in ports.access.policy.chat_ids:
                why = tr("whoever made it is not served any more")
                await self._say(record, paused_reply(record, why))
            return
        active = ports.turns.active(record.schedule_id)
        for turn in active:
            self._watch(turn, group)
        if not active:
            after = passed(record, now, ports.zone) if is_due else record
            await self._start(record, replace(after, waiting=False))
        elif is_due:
            after = passed(record, now, ports.zone)
            if record.waiting:
                await self._skip(record, after, active[0])
            else:
                await ports.book.put(replace(after, waiting=True))

    async def _start(self, record: ScheduleRecord, after: ScheduleRecord) -> None:
        ports = self._ports
        turn = ports.turns.draft(record, record.person)
        if isinstance(turn, str):
            resting = replace(record, paused=True, waiting=False)
            await self._say(record, paused_reply(record, turn), resting)
        else:
            await ports.turns.start(turn, after)

    async def _skip(self, record: ScheduleRecord, after: ScheduleRecord, behind: Turn) -> None:
        """Leave a moment out, and say so once for each turn that is in the way."""
        if self._told.get(record.schedule_id) == behind.id:
            await self._ports.book.put(after)
            return
        await self._say(record, skipped_reply(record), after)
        self._told[record.schedule_id] = behind.id

    async def _tell_missed(self, scope: Scope, missed: list[ScheduleRecord], now: float) -> None:
        ports, zone = self._ports, self._ports.zone
        told = [Missed(one, times_missed(one, now, zone)) for one in missed]
        after = [passed(one, now, zone, asked=False) for one in missed]
        destination = Destination(scope, missed[0].chat_kind)
        words = missed_reply(told, now, zone)
        await ports.outbox.ask(destination, words, changes=[SchedulePut(one) for one in after])
        for one in after:
            ports.book.note(one)

    async def _say(
        self, record: ScheduleRecord, words: ChatMessage, after: ScheduleRecord | None = None
    ) -> None:
        """Tell something, in one transaction with what became of the schedule."""
        ports = self._ports
        destination = Destination(record.scope, record.chat_kind)
        changes = [] if after is None else [SchedulePut(after)]
        await ports.outbox.ask(destination, words, notify=False, changes=changes)
        if after is not None:
            ports.book.note(after)

    def _serves(self, record: ScheduleRecord) -> bool:
        return self._ports.access.policy.serves(record.scope.chat_id, record.person)

    def _watch(self, turn: Turn, group: TaskGroup) -> None:
        """Look again as soon as a turn is over that something waits for."""
        if turn.id not in self._watched:
            self._watched.add(turn.id)
            group.start_soon(self._wake_after, turn)

    async def _wake_after(self, turn: Turn) -> None:
        await turn.over.wait()
        self._watched.discard(turn.id)
        self._ports.book.wake()
