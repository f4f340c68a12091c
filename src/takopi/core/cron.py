"""Read five-field cron lines, and say when they are due.

A line holds for what a clock on the wall shows. Where that is put forward or back:

- a line for certain hours is due once a day that it names: a time that is skipped counts at the
  moment of the change, a time that comes twice counts the first time;
- a line for every hour (`*` as its hour) goes by the hours that there are: what is skipped is left
  out, and what comes twice counts twice.

As in other crons, a line that names days of the month and days of the week is due on either,
unless one of the two begins with `*`.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from types import MappingProxyType

import msgspec

from takopi.core.local_times import gap_end, local_time, moments_of
from takopi.core.texts import tr, tr_later, translated

__all__ = ["CRON_NAMES", "CronLine", "NotUnderstood", "next_after", "read_cron"]

CRON_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "@hourly": "0 * * * *",
        "@daily": "0 0 * * *",
        "@midnight": "0 0 * * *",
        "@weekly": "0 0 * * 0",
        "@monthly": "0 0 1 * *",
        "@yearly": "0 0 1 1 *",
        "@annually": "0 0 1 1 *",
    }
)

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PART = re.compile(r"(?P<from>\*|[a-z0-9]+)(?:-(?P<to>[a-z0-9]+))?(?:/(?P<step>[0-9]{1,4}))?", re.A)
# A 29 February that has to be a certain weekday, too, comes every 28 or, over 2100, 40 years.
_LOOKS_AHEAD_DAYS = 366 * 41
_LAST_YEAR = 9998
# Clocks are put forward or back by one hour as a rule, and never by more than this at once.
_LONGEST_CHANGE = timedelta(hours=4)


class NotUnderstood(msgspec.Struct, frozen=True):
    """Say what is wrong with a time, for the person who wrote it."""

    why: str


class CronLine(msgspec.Struct, frozen=True, kw_only=True):
    """Be a line that was read.

    Args:
        minutes: 0 to 59.
        hours: 0 to 23.
        days: Of the month, from 1.
        months: 1 to 12.
        weekdays: 0 is Sunday.
        either_day: Whether a day of the month or one of the week is enough.
        every_hour: Whether it goes by the hours that there are.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool = False
    every_hour: bool = False

    def names_day(self, day: date) -> bool:
        """Tell whether it is due on a day."""
        if day.month not in self.months:
            return False
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return (in_month or in_week) if self.either_day else (in_month and in_week)

    def names(self, local: datetime) -> bool:
        """Tell whether it names what a clock on the wall shows."""
        return self.names_day(local) and local.hour in self.hours and local.minute in self.minutes


class _Field(msgspec.Struct, frozen=True):
    name: str
    lowest: int
    highest: int
    words: tuple[str, ...] = ()

    def read(self, text: str) -> frozenset[int] | NotUnderstood:
        found: set[int] = set()
        for part in text.lower().split(","):
            values = self._part(part)
            if values is None:
                why = tr(
                    "{part} is no {field} of a cron line",
                    part=part[:30],
                    field=translated(self.name),
                )
                return NotUnderstood(why)
            found.update(values)
        return frozenset(found)

    def _part(self, part: str) -> range | None:
        match = _PART.fullmatch(part)
        if match is None:
            return None
        step = int(match["step"] or 1)
        if match["from"] == "*":
            first, last = self.lowest, self.highest
        else:
            open_end = self.highest if match["step"] else self._value(match["from"])
            begin, end = self._value(match["from"]), open_end
            if match["to"]:
                end = self._value(match["to"])
            if begin is None or end is None:
                return None
            first, last = begin, end
        if step < 1 or first > last or (match["from"] == "*" and match["to"]):
            return None
        return range(first, last + 1, step)

    def _value(self, word: str) -> int | None:
        if word in self.words:
            return self.words.index(word) + self.lowest
        value = int(word) if word.isdigit() and len(word) <= 4 else -1
        return value if self.lowest <= value <= self.highest else None


_MINUTE = _Field(tr_later("minute"), 0, 59)
_HOUR = _Field(tr_later("hour"), 0, 23)
_DAY = _Field(tr_later("day of the month"), 1, 31)
_MONTH = _Field(tr_later("month"), 1, 12, _MONTHS)
_WEEKDAY = _Field(tr_later("day of the week"), 0, 7, _WEEKDAYS)  # 7 is Sunday, too


def read_cron(line: str) -> CronLine | NotUnderstood:
    """Read five fields, or one of `CRON_NAMES`.

    Args:
        line: As a person wrote it.
    """
    texts = CRON_NAMES.get(line.strip().lower(), line).split()
    if len(texts) != 5:
        why = tr("a cron line has five fields, this one has {count}", count=len(texts))
        return NotUnderstood(why)
    found: list[frozenset[int]] = []
    for field, text in zip((_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY), texts, strict=True):
        values = field.read(text)
        if isinstance(values, NotUnderstood):
            return values
        found.append(values)
    minutes, hours, days, months, weekdays = found
    read = CronLine(
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=frozenset(day % 7 for day in weekdays),
        either_day=not texts[2].startswith("*") and not texts[4].startswith("*"),
        every_hour=texts[1] == "*",
    )
    # Any leap years with each weekday on 29 February would do.
    if next(_days(read, date(2000, 1, 1)), None) is None:
        return NotUnderstood(tr("no day is ever named by {line}", line=line.strip()[:60]))
    return read


def next_after(line: CronLine, after: float, zone: tzinfo) -> float | None:
    """Return when a line is due next.

    Args:
        line: The line.
        after: Unix seconds; the answer is later.
        zone: Of the clock on the wall.

    Returns:
        Unix seconds; None when the calendar ends before.
    """
    # A clock that is put back at midnight shows the day before once more.
    first = local_time(after, zone).date() - timedelta(days=1)
    found: float | None = None
    for day in _days(line, first):
        later = next((m for m in _moments(line, day, after, zone) if m > after), None)
        if found is not None:
            return found if later is None else min(found, later)
        found = later
    return found


def _days(line: CronLine, first: date) -> Iterator[date]:
    """List the days that a line names, from a day on."""
    day = first
    while (day - first).days <= _LOOKS_AHEAD_DAYS and day.year <= _LAST_YEAR:
        if day.month not in line.months:
            day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
            continue
        if line.names_day(day):
            yield day
        day += timedelta(days=1)


def _moments(line: CronLine, day: date, after: float, zone: tzinfo) -> list[float]:
    """List the first moments of a day at which a line is due, in their order.

    Args:
        line: The line.
        day: The day.
        after: What is hours before it is left out.
        zone: Of the clock on the wall.
    """
    found: list[float] = []
    later: datetime | None = None
    begin = local_time(after, zone) - _LONGEST_CHANGE
    for hour in sorted(line.hours):
        end = datetime.combine(day, time(hour, 59))
        if end < begin:
            continue
        if later is not None and end - later > 2 * _LONGEST_CHANGE:
            break  # nothing of this hour can come before what was found
        for minute in line.minutes:
            local = datetime.combine(day, time(hour, minute))
            moments = moments_of(local, zone)
            if line.every_hour:
                found += moments
            else:
                found.append(moments[0] if moments else gap_end(local, zone))
        if later is None and max(found, default=after) > after:
            later = end
    return sorted(found)
