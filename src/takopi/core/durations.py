"""Spans of time for a person."""

import math

__all__ = ["format_elapsed"]


def format_elapsed(elapsed_s: float) -> str:
    """Write a span of time: `12s`, `3m 05s`, `1h 02m`.

    Args:
        elapsed_s: Seconds; what is negative or no number counts as none.
    """
    seconds = int(elapsed_s) if math.isfinite(elapsed_s) and elapsed_s > 0 else 0
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes:02d}m"
    return f"{minutes}m {seconds:02d}s" if minutes else f"{seconds}s"
