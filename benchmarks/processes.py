"""Time whole processes in turns, so that a busy moment of the machine hits both sides."""

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

__all__ = ["alternate", "median_ms", "resident_mb", "seconds_of"]


def seconds_of(command: Sequence[str]) -> float:
    """Run a command to its end and return the seconds it took."""
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=dict(os.environ))
    return time.perf_counter() - begin


def alternate(
    first: Callable[[], float], second: Callable[[], float], rounds: int
) -> tuple[list[float], list[float]]:
    """Measure two things in turns; the first pair warms up and does not count."""
    pairs = [(first(), second()) for _ in range(rounds + 1)][1:]
    return [a for a, _ in pairs], [b for _, b in pairs]


def median_ms(seconds: Sequence[float]) -> float:
    """Return the median in milliseconds."""
    return statistics.median(seconds) * 1000


def resident_mb(pid: int | None = None) -> float:
    """Return the resident memory of a process; of this one without a pid."""
    if pid is None and sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    with open(f"/proc/{pid or 'self'}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
