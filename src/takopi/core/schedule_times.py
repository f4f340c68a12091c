"""Read when a person wants something asked: cron lines, intervals, times of a day.

What was read is kept as it was written, and read again whenever the next moment is wanted; so a
schedule follows the system's time zone.
"""

import math
import re
from datetime import date, datetime, time, timedelta, tzinfo
from typing import TypeAlias

import msgspec

from takopi.core.cron import CRON_NAMES, CronLine, NotUnderstood, next_after, read_cron
from takopi.core.local_times import local_time, one_moment
from takopi.core.texts import tr

__all__ = ["ONCE", "Once", "Repeat", "next_time", "read_at", "read_every", "read_repeat"]

ONCE = "at "
"""Begins what is kept of a schedule that asks once; `/every` never writes that."""

_MOST_S = 366 * 86400
_MOST_YEARS = 10
_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_UNIT = (
    r"(?:(?P<s>s|secs?|seconds?)|(?P<m>m|mins?|minutes?)|(?P<h>h|hrs?|hours?)|(?P<d>d|days?)|"
    r"(?P<w>w|weeks?))"
)
_SPAN = re.compile(rf"(?P<count>[0-9]{{1,6}})\s*{_UNIT}(?=[\s0-9]|$)", re.IGNORECASE)
# `1h30m` and `1h 30m`; a prompt that begins with a number is another thing.
_MORE = re.compile(r"\s?(?P<count>[0-9]{1,6})(?P<unit>[mhd])(?=[\s0-9]|$)", re.IGNORECASE)
_ONE_UNIT = re.compile(r"(?P<unit>minute|hour|day|week)(?=\s|$)\s*", re.IGNORECASE)
_TIME = (
    r"(?:(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?:\s?(?P<half>am|pm))?|"
    r"(?P<hour12>[0-9]{1,2})\s?(?P<half12>am|pm))(?=\s|$)\s*"
)
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_DAY = "|".join(rf"{name[:3]}(?:{name[3:]})?" for name in _DAYS)
_DAILY = re.compile(rf"(?P<day>day|weekday|weekend|{_DAY})(?:\s+at)?\s+{_TIME}", re.IGNORECASE)
_AT = re.compile(
    rf"(?:(?P<date>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})[\sT]+|(?P<day>today|tomorrow|{_DAY})\s+)?"
    rf"(?:at\s+)?{_TIME}",
    re.IGNORECASE,
)
_EVERY = re.compile(r"every\s+", re.IGNORECASE)
_IN = re.compile(r"in\s+", re.IGNORECASE)
_LOOKS_LIKE_CRON = re.compile(r"[0-9*@][0-9*/,@a-z-]*", re.IGNORECASE)

Interval: TypeAlias = float
Timing: TypeAlias = CronLine | Interval


class Repeat(msgspec.Struct, frozen=True):
    """Be what `/every` was given.

    Args:
        when: What is kept.
        timing: A cron line, or seconds.
        prompt: The rest.
    """

    when: str
    timing: Timing
    prompt: str


class Once(msgspec.Struct, frozen=True):
    """Be what `/at` was given.

    Args:
        when: What is kept.
        moment: Unix seconds.
        prompt: The rest.
    """

    when: str
    moment: float
    prompt: str


def read_every(text: str) -> Repeat | NotUnderstood:
    """Read a cron line, an interval or a time of every day, and what stands behind it.

    Args:
        text: What stands behind `/every`.
    """
    text = _EVERY.sub("", text.strip(), count=1)
    span = _span(text)
    if isinstance(span, NotUnderstood):
        return span
    if span is not None:
        return Repeat(_words(text, span[1]), span[0], text[span[1] :].strip())
    match = _DAILY.match(text)
    if match is not None:
        at = _time_of(match)
        if isinstance(at, NotUnderstood):
            return at
        line = read_cron(f"{at.minute} {at.hour} * * {_weekdays(match['day'])}")
        assert isinstance(line, CronLine), "its fields were checked"
        return Repeat(_words(text, match.end()), line, text[match.end() :].strip())
    unit = _ONE_UNIT.match(text)
    if unit is not None:
        seconds = float(_UNITS[unit["unit"][0].lower()])
        return Repeat(_words(text, unit.end()), seconds, text[unit.end() :].strip())
    return _cron(text)


def read_repeat(when: str) -> Timing | None:
    """Return what was kept of `/every`; None for anything else."""
    read = None if when.startswith(ONCE) else read_every(when)
    return read.timing if isinstance(read, Repeat) and not read.prompt else None


def read_at(text: str, now: float, zone: tzinfo) -> Once | NotUnderstood:
    """Read a moment, and what stands behind it.

    Args:
        text: What stands behind `/at`.
        now: Unix seconds.
        zone: Of the clock that the person means.
    """
    text = text.strip()
    soon = _IN.match(text)
    if soon is not None:
        span = _span(text[soon.end() :])
        if isinstance(span, NotUnderstood):
            return span
        if span is not None:
            end = soon.end() + span[1]
            return Once(ONCE + _words(text, end), now + span[0], text[end:].strip())
    match = _AT.match(text)
    if match is None:
        return NotUnderstood(tr("no time was found at the start"))
    at = _time_of(match)
    if isinstance(at, NotUnderstood):
        return at
    day = _day_of(match, at, now, zone)
    if isinstance(day, NotUnderstood):
        return day
    moment = one_moment(datetime.combine(day, at), zone)
    words = _words(text, match.end())
    if moment <= now:
        return NotUnderstood(tr("{time} is over already", time=words))
    return Once(ONCE + words, moment, text[match.end() :].strip())


def next_time(timing: Timing, anchor: float, after: float, zone: tzinfo) -> float | None:
    """Return when something that repeats is due next.

    Args:
        timing: A cron line, or seconds.
        anchor: Unix seconds from which an interval counts.
        after: Unix seconds; the answer is later.
        zone: Of the clock on the wall; an interval needs none.
    """
    if isinstance(timing, CronLine):
        return next_after(timing, after, zone)
    due = anchor + (math.floor((after - anchor) / timing) + 1) * timing
    return due if due > after else due + timing  # a float may have been rounded down


def _cron(text: str) -> Repeat | NotUnderstood:
    words = text.split(maxsplit=5)
    first = words[0] if words else ""
    if first.lower() in CRON_NAMES:
        line = read_cron(first)
        assert isinstance(line, CronLine), "takopi wrote it"
        return Repeat(first, line, text[len(first) :].strip())
    if not _LOOKS_LIKE_CRON.fullmatch(first):
        return NotUnderstood(tr("no interval and no cron line was found at the start"))
    when = " ".join(words[:5])
    read = read_cron(when)
    if isinstance(read, NotUnderstood):
        return read
    return Repeat(when, read, words[5].strip() if len(words) > 5 else "")


def _span(text: str) -> tuple[float, int] | NotUnderstood | None:
    """Return the seconds that a text begins with, and where they end in it."""
    match = _SPAN.match(text)
    if match is None:
        return None
    if match["s"]:
        return NotUnderstood(tr("the shortest interval is 1 minute"))
    unit = next(seconds for name, seconds in _UNITS.items() if match[name])
    total, end = float(int(match["count"]) * unit), match.end()
    while more := _MORE.match(text, end):
        smaller = _UNITS[more["unit"].lower()]
        if smaller >= unit:
            break
        unit, end = smaller, more.end()
        total += int(more["count"]) * unit
    if total < 60:
        return NotUnderstood(tr("the shortest interval is 1 minute"))
    if total > _MOST_S:
        return NotUnderstood(tr("the longest interval is 366 days"))
    return total, end


def _time_of(match: re.Match[str]) -> time | NotUnderstood:
    hour = int(match["hour"] or match["hour12"])
    minute, half = int(match["minute"] or 0), (match["half"] or match["half12"] or "").lower()
    if half and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half == "pm" else 0)
    elif half:
        hour = 24
    if hour > 23 or minute > 59:
        return NotUnderstood(tr("{time} is no time of a day", time=match[0].strip()[:30]))
    return time(hour, minute)


def _day_of(match: re.Match[str], at: time, now: float, zone: tzinfo) -> date | NotUnderstood:
    """Find the day that a person means: the next one that fits."""
    today = local_time(now, zone).date()
    if match["date"]:
        try:
            day = date.fromisoformat(match["date"])
        except ValueError:
            return NotUnderstood(tr("there is no day {date}", date=match["date"]))
        if day < today:
            return NotUnderstood(tr("{time} is over already", time=match["date"]))
        if day.year > today.year + _MOST_YEARS:
            return NotUnderstood(tr("{date} is too far away", date=match["date"]))
        return day
    word = (match["day"] or "").lower()
    if word in ("today", "tomorrow"):
        return today + timedelta(days=word == "tomorrow")
    # A time that is over today means the next such day.
    over = one_moment(datetime.combine(today, at), zone) <= now
    if not word:
        return today + timedelta(days=over)
    ahead = (_weekday(word) - today.isoweekday()) % 7
    return today + timedelta(days=ahead or (7 if over else 0))


def _weekday(word: str) -> int:
    return next(number for number, name in enumerate(_DAYS) if name.startswith(word.lower()))


def _weekdays(word: str) -> str:
    groups = {"day": "*", "weekday": "1-5", "weekend": "0,6"}
    return groups.get(word.lower()) or str(_weekday(word))


def _words(text: str, end: int) -> str:
    return " ".join(text[:end].split())
