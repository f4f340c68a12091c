"""Faults on demand: each hits the next matching calls, then it is spent."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Literal

from .refusal import Refusal

__all__ = ["Fault", "FaultKind", "Faults"]

FaultKind = Literal[
    "flood", "status", "garbage", "drop", "drop_after", "hang", "hang_after", "slow"
]


@dataclass
class Fault:
    """Be one fault.

    Args:
        kind: `flood` (429), `status` (`code` and `description`), `garbage` (200 with no JSON),
            `drop` (the connection closes, nothing was done), `drop_after` (it was done, the answer
            is lost), `hang` (no answer until `release`), `hang_after` (done, then no answer),
            `slow` (the answer comes `seconds` late).
        method: Hits only this method; None hits every one but getUpdates.
        times: How many calls are hit.
        chat_id: Hits only calls that name this chat.
    """

    kind: FaultKind
    method: str | None = None
    times: int = 1
    code: int = 502
    description: str = "Bad Gateway"
    seconds: float = 3
    chat_id: int | None = None
    hits: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        """Let hanging calls go; their connection closes."""
        self.released.set()

    def refusal(self) -> Refusal:
        """Give the answer of a `flood` or `status` fault."""
        if self.kind == "flood":
            seconds = int(self.seconds)
            return Refusal(
                429, f"Too Many Requests: retry after {seconds}", {"retry_after": seconds}
            )
        return Refusal(self.code, self.description)

    def _hits(self, method: str, params: dict[str, Any]) -> bool:
        if self.hits >= self.times:
            return False
        if self.method is None and method == "getUpdates":
            return False
        if self.method not in (None, method):
            return False
        return self.chat_id is None or params.get("chat_id") == self.chat_id


class Faults:
    """Hold the faults that are to come."""

    def __init__(self) -> None:
        self._all: list[Fault] = []

    def add(self, kind: FaultKind, method: str | None = None, **fields: Any) -> Fault:
        """Prepare a fault and return it."""
        fault = Fault(kind, method, **fields)
        self._all.append(fault)
        return fault

    def clear(self) -> None:
        """Forget every fault and let hanging calls go."""
        for fault in self._all:
            fault.release()
        self._all.clear()

    def take(self, method: str, params: dict[str, Any]) -> Fault | None:
        """Return the fault that hits this call."""
        for fault in self._all:
            if fault._hits(method, params):
                fault.hits += 1
                return fault
        return None
