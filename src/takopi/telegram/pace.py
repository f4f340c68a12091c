"""How long to wait after failures in a row."""

from collections.abc import Callable

from takopi.errors import FloodLimited, PollConflict, TransportError

__all__ = ["Pace"]

CONFLICT_PAUSE_S = 5.0
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
TELL_EVERY = 10


class Pace:
    """Double the wait with each failure, from one second to thirty.

    Args:
        jitter: Returns a number from 0 up to 1; keeps many bots from returning at once.
    """

    def __init__(self, jitter: Callable[[], float]) -> None:
        self.failures = 0
        self._jitter = jitter

    @property
    def worth_telling(self) -> bool:
        """Say whether this failure is for the person: the first of a row, then every tenth."""
        return self.failures % TELL_EVERY == 1

    def after_failure(self, error: TransportError) -> float:
        """Return the seconds to wait; what the server demands is kept to the second."""
        self.failures += 1
        if isinstance(error, FloodLimited):
            return error.retry_after_s
        if isinstance(error, PollConflict):
            return CONFLICT_PAUSE_S * (1 + self._jitter() / 2)
        longest: float = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(self.failures - 1, 10))
        return max(FIRST_PAUSE_S, longest * (0.5 + self._jitter() / 2))

    def after_success(self) -> None:
        """Start anew with short waits."""
        self.failures = 0
