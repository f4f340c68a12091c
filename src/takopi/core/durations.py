"""Spans of time for a person."""

import math

__all__ = ["format_about", "format_elapsed"]


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


def format_about(elapsed_s: float) -> str:
    """Write a span of time as people say it: `45 s`, `5 min`, `2 h 05 min`.

    Args:
        elapsed_s: Seconds; what is begun of the smallest unit is left out.
    """
    seconds = int(elapsed_s) if math.isfinite(elapsed_s) and elapsed_s > 0 else 0
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"
