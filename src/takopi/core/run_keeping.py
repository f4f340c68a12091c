"""Decide which run directories go: the old ones, and the oldest of too much."""

from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Keeping", "StoredRun", "runs_to_delete"]

_DAY_S = 86_400.0
_GB = 1_000_000_000
_FRESH_S = 60.0
"""A directory that changed so recently may belong to a run that is just being started."""


class Keeping(NamedTuple):
    """Say what is kept.

    Args:
        days: Runs that changed within so many days.
        gb: The newest runs, as many as are together not larger, in GB.
    """

    days: float = 7.0
    gb: float = 2.0


class StoredRun(NamedTuple):
    """Be a run directory.

    Args:
        changed_at: When it changed last, in unix seconds.
        size: What it takes of the disk, in bytes.
        free: Whether nobody needs it any more.
    """

    run_id: str
    changed_at: float
    size: int
    free: bool


def runs_to_delete(runs: Iterable[StoredRun], keeping: Keeping, now: float) -> list[str]:
    """Return the ids of the runs to delete, the oldest first.

    Args:
        now: The present, in unix seconds.
    """
    oldest_first = sorted(runs, key=lambda run: (run.changed_at, run.run_id))
    kept_bytes = sum(run.size for run in oldest_first)
    doomed = []
    for run in oldest_first:
        age_s = now - run.changed_at
        too_old = age_s > keeping.days * _DAY_S
        too_much = kept_bytes > keeping.gb * _GB
        if run.free and age_s > _FRESH_S and (too_old or too_much):
            doomed.append(run.run_id)
            kept_bytes -= run.size
    return doomed
