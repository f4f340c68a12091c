"""Flood control: a token bucket per chat, as the documentation and its maintainers describe it.

Sending and editing share a budget: about one a second with short bursts in a private chat, twenty
a minute in a group. A 429 silences the chat for all of `retry_after`.
"""

import math
import time
from collections.abc import Callable

from .refusal import Refusal

__all__ = ["FloodControl"]

CHARGED = frozenset(
    {"sendMessage", "sendDocument", "sendPhoto", "editMessageText", "editMessageReplyMarkup"}
)


class FloodControl:
    """Charge calls to chats; switched off until `enabled`.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.enabled = False
        self.private = (1.0, 5.0)
        self.group = (20 / 60, 20.0)
        self.penalty_s = 5
        self.refused = 0
        self._clock = clock
        self._buckets: dict[int, tuple[float, float]] = {}
        self._silent_until: dict[int, float] = {}

    def charge(self, method: str, chat_id: int) -> None:
        """Let a call pass, or raise 429."""
        if not self.enabled or method not in CHARGED:
            return
        now = self._clock()
        left = self._silent_until.get(chat_id, 0.0) - now
        if left > 0:
            self.refuse(left)
        rate, burst = self.private if chat_id > 0 else self.group
        tokens, at = self._buckets.get(chat_id, (burst, now))
        tokens = min(burst, tokens + (now - at) * rate)
        if tokens < 1:
            self._silent_until[chat_id] = now + self.penalty_s
            self.refuse(self.penalty_s)
        self._buckets[chat_id] = (tokens - 1, now)

    def refuse(self, left_s: float) -> None:
        """Raise the 429 of the real server."""
        self.refused += 1
        seconds = max(1, math.ceil(left_s))
        raise Refusal(429, f"Too Many Requests: retry after {seconds}", {"retry_after": seconds})
