"""Say how an engine's process failed, for sentences that have its name before and more after."""

import signal

__all__ = ["exit_text"]


def exit_text(rc: int) -> str:
    """Return words like "failed with exit status 1" or "was ended by SIGKILL"."""
    if rc >= 0:
        return f"failed with exit status {rc}"
    try:
        return f"was ended by {signal.Signals(-rc).name}"
    except ValueError:
        return f"was ended by signal {-rc}"
