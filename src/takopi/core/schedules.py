"""Prompts that are asked at certain times: what is kept of them, and when they are due.

A moment that takopi was not there for, or that the wall clock jumped over, is *missed*: it is told
and not made up for. A clock that is put back by more than an hour was wrong before, so what it had
said does not count; put back by less, it brings no prompt twice.
"""

from datetime import tzinfo
from typing import Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from takopi.core.chat import ChatKind, Scope
from takopi.core.schedule_times import ONCE, next_time, read_repeat
from takopi.model import EngineId, ResumeToken

__all__ = [
    "LATE_S",
    "Due",
    "ScheduleRecord",
    "due",
    "going_on",
    "in_step",
    "passed",
    "times_missed",
]

LATE_S = 120.0
"""So much later than planned a prompt may still be asked; it is missed after that."""

_SET_BACK_S = 3600.0
_COUNTED = 100

Due: TypeAlias = Literal["no", "now", "missed"]


class ScheduleRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Be a prompt that is asked at certain times.

    Args:
        schedule_id: Names it in button data; at most 16 characters of `[a-z0-9]`.
        scope: Where it asks.
        chat_kind: Decides the budget of its messages.
        person: Who made it.
        when: As it was written: a cron line, an interval, a time.
        prompt: What is asked, with its directives, as if the person sent it.
        project: Project that it is bound to.
        branch: Branch that it is bound to.
        engine: Engine that it is bound to; None for what holds at the time.
        session: Session that it goes on with; None to begin one each time.
        next_at: When it asks next, unix seconds; None when it will not any more.
        last_at: The moment for which it asked last.
        paused: Whether it rests until a person lets it go on.
        waiting: Whether it asks once more as soon as its last turn has ended.
        made_at: When it was made; intervals count from here.
        message_id: The message that made it.
    """

    schedule_id: str
    scope: Scope
    chat_kind: ChatKind
    person: int | None
    when: str
    prompt: str
    project: str | None = None
    branch: str | None = None
    engine: EngineId | None = None
    session: ResumeToken | None = None
    next_at: float | None = None
    last_at: float | None = None
    paused: bool = False
    waiting: bool = False
    made_at: float = 0.0
    message_id: int = 0

    @property
    def once(self) -> bool:
        """Tell whether it asks once."""
        return self.when.startswith(ONCE)


def due(record: ScheduleRecord, now: float) -> Due:
    """Tell whether a schedule asks at a moment.

    Args:
        record: The schedule.
        now: Unix seconds.
    """
    if record.paused or record.next_at is None or record.next_at > now:
        return "no"
    return "now" if now - record.next_at <= LATE_S else "missed"


def passed(
    record: ScheduleRecord, now: float, zone: tzinfo, *, asked: bool = True
) -> ScheduleRecord:
    """Return a schedule that is due as it is afterwards.

    Args:
        record: The schedule.
        now: Unix seconds.
        zone: Of the clock on the wall.
        asked: Whether it asked, or missed its moment.
    """
    later = _next(record, now, zone)
    return replace(record, next_at=later, last_at=record.next_at if asked else record.last_at)


def going_on(record: ScheduleRecord, now: float, zone: tzinfo) -> ScheduleRecord:
    """Return a schedule that rested, as it goes on; what it missed meanwhile is left out."""
    if record.once:
        return replace(record, paused=False)
    return replace(record, paused=False, next_at=_next(record, now, zone))


def in_step(record: ScheduleRecord, now: float, zone: tzinfo) -> ScheduleRecord:
    """Return a schedule that is not due with the next moment that holds now.

    It differs from the one that was planned when the wall clock was put back or the system's time
    zone was changed.
    """
    if record.once or record.paused or record.next_at is None or record.next_at <= now:
        return record
    last = record.last_at
    since = last if last is not None and now < last <= now + _SET_BACK_S else now
    later = _next(record, since, zone)
    return record if later == record.next_at else replace(record, next_at=later)


def times_missed(record: ScheduleRecord, now: float, zone: tzinfo) -> int:
    """Count the moments that a schedule missed, to a hundred."""
    count, moment = 0, record.next_at
    while moment is not None and moment <= now and count < _COUNTED:
        count += 1
        moment = _next(record, moment, zone)
    return count


def _next(record: ScheduleRecord, after: float, zone: tzinfo) -> float | None:
    timing = read_repeat(record.when)
    return None if timing is None else next_time(timing, record.made_at, after, zone)
