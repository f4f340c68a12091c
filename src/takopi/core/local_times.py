"""Moments of a time that a clock on the wall shows: none, one or two of them in a time zone.

Clocks that are put forward skip times, clocks that are put back show some twice. The zone is an
argument, because the core knows no system.
"""

from datetime import UTC, datetime, timedelta, tzinfo

__all__ = ["day_start", "gap_end", "local_time", "moments_of", "one_moment"]


def local_time(moment: float, zone: tzinfo) -> datetime:
    """Say what a clock on the wall shows, without the zone.

    Args:
        moment: Unix seconds.
        zone: Of the clock.
    """
    return datetime.fromtimestamp(moment, zone).replace(tzinfo=None)


def moments_of(local: datetime, zone: tzinfo) -> tuple[float, ...]:
    """List the moments at which the clock shows a time, the earlier first.

    Args:
        local: What it shows, without the zone.
        zone: Of the clock.
    """
    found = {local.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1)}
    return tuple(sorted(moment for moment in found if local_time(moment, zone) == local))


def gap_end(local: datetime, zone: tzinfo) -> float:
    """Return the moment at which the clock was put forward over a time that it never shows."""
    before, after = sorted(
        int(local.replace(tzinfo=zone, fold=fold).timestamp()) for fold in (0, 1)
    )
    late = _offset(after, zone)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(middle, zone) == late:
            after = middle
        else:
            before = middle
    return float(after)


def one_moment(local: datetime, zone: tzinfo) -> float:
    """Return the moment that a person means by a time.

    A time that the clock shows twice is the earlier one; one that it skips is when it was put
    forward.
    """
    found = moments_of(local, zone)
    return found[0] if found else gap_end(local, zone)


def day_start(moment: float, zone: tzinfo, days_before: int = 0) -> float:
    """Return when the day of a moment began, or one before it.

    Args:
        moment: Unix seconds.
        zone: Decides where days begin.
        days_before: So many days before.
    """
    day = local_time(moment, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return one_moment(day - timedelta(days=days_before), zone)


def _offset(moment: float, zone: tzinfo) -> timedelta | None:
    return datetime.fromtimestamp(moment, UTC).astimezone(zone).utcoffset()
