"""How much a chat service takes, counted: what one chat may carry, and all chats together."""

from collections import deque
from math import inf

import msgspec

from takopi.core.chat import ChatKind

__all__ = ["CallWindow", "ChatBudget", "OutboxLimits"]

_MINUTE_S = 60.0
# Adding up a bucket's drops must not cost a call its turn.
_ROUNDING = 1e-9


class OutboxLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Hold the budgets of a chat service.

    Args:
        private_rate_s: Seconds a call costs in a private chat.
        private_burst: Calls that a rested private chat takes at once.
        group_per_min: Calls that a group takes in any 60 s.
        group_reserved: How many of them only finals and asks may use.
        global_per_s: Calls that all chats together take in any second.
        private_gap_s: Seconds between two edits of progress in a private chat.
        group_gap_s: The same in a group.
        edits_per_min: Edits of progress that a chat takes in any 60 s.
        beat_s: Seconds after which a message that only grows older is shown again.
        slow_beat_s: The same once the message is `slow_after_s` old.
        slow_after_s: Age in seconds.
    """

    private_rate_s: float = 1.0
    private_burst: int = 3
    group_per_min: int = 18
    group_reserved: int = 3
    global_per_s: int = 25
    private_gap_s: float = 3.0
    group_gap_s: float = 4.0
    edits_per_min: int = 15
    beat_s: float = 10.0
    slow_beat_s: float = 60.0
    slow_after_s: float = 600.0

    def beat_at(self, opened_at: float, last_at: float) -> float:
        """Say when a message that only grew older is worth another edit."""
        old = last_at - opened_at >= self.slow_after_s
        return last_at + (self.slow_beat_s if old else self.beat_s)


class CallWindow:
    """Count calls in a sliding window.

    Args:
        window_s: Length of the window in seconds.
    """

    __slots__ = ("_calls", "_window_s")

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._calls: deque[float] = deque()

    def ready_at(self, limit: int, now: float) -> float:
        """Say when the window takes one more call than `limit - 1`."""
        calls = self._calls
        while calls and calls[0] <= now - self._window_s:
            calls.popleft()
        if len(calls) < limit:
            return now
        return calls[len(calls) - limit] + self._window_s

    def spend(self, now: float) -> None:
        """Count a call."""
        self._calls.append(now)

    def empty(self, now: float) -> bool:
        """Tell whether the window has left every call behind."""
        return self.ready_at(1, now) <= now


class ChatBudget:
    """Count what one chat has taken; all its threads share it.

    Args:
        kind: A private chat has a bucket, a group a window.
        limits: The numbers.
        now: Present moment; the bucket starts full.
    """

    __slots__ = ("_calls", "_edits", "_kind", "_last_edit_at", "_limits", "_tokens", "_tokens_at")

    def __init__(self, kind: ChatKind, limits: OutboxLimits, now: float) -> None:
        self._kind = kind
        self._limits = limits
        self._tokens = float(limits.private_burst)
        self._tokens_at = now
        self._calls = CallWindow(_MINUTE_S)
        self._edits = CallWindow(_MINUTE_S)
        self._last_edit_at = -inf

    def call_at(self, now: float, *, urgent: bool) -> float:
        """Say when the chat takes another call.

        Args:
            now: Present moment.
            urgent: Whether the call may use what is reserved for finals and asks.
        """
        limits = self._limits
        if self._kind == "group":
            reserved = 0 if urgent else limits.group_reserved
            return self._calls.ready_at(limits.group_per_min - reserved, now)
        missing = 1.0 - self._filled(now)
        return now if missing <= _ROUNDING else now + missing * limits.private_rate_s

    def edit_at(self, now: float) -> float:
        """Say when the chat takes another edit of progress."""
        limits = self._limits
        gap_s = limits.private_gap_s if self._kind == "private" else limits.group_gap_s
        at = max(self._last_edit_at + gap_s, self._edits.ready_at(limits.edits_per_min, now))
        return max(at, self.call_at(now, urgent=False))

    def spend(self, now: float, *, progress: bool, new: bool = False) -> None:
        """Count a call.

        Args:
            now: Present moment.
            progress: Whether it shows progress, so that the next edit keeps its distance.
            new: Whether it does so with a new message. That is no edit: many short turns in a
                minute would keep the next one from being shown for the rest of it.
        """
        self._tokens, self._tokens_at = self._filled(now) - 1.0, now
        self._calls.spend(now)
        if progress:
            self._last_edit_at = now
            if not new:
                self._edits.spend(now)

    def recovered(self, now: float) -> bool:
        """Tell whether nothing is left to count, so that the budget may be forgotten."""
        full = self._filled(now) >= self._limits.private_burst
        return full and self._calls.empty(now)

    def _filled(self, now: float) -> float:
        earned = (now - self._tokens_at) / self._limits.private_rate_s
        return min(float(self._limits.private_burst), self._tokens + earned)
