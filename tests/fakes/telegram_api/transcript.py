"""Everything that was asked of the server, and waiting for what is to come."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

__all__ = ["Call", "Transcript"]

Found = TypeVar("Found")


@dataclass
class Call:
    """Be one call of the bot.

    Args:
        at: Monotonic seconds of its arrival.
        done_at: Monotonic seconds of its answer; None while it waits or when it got none.
        code: HTTP status of the answer.
        answer: `result`, or the description of a refusal.
        peer: The port that the call came from; one for each connection.
    """

    number: int
    method: str
    params: dict[str, Any]
    at: float
    done_at: float | None = None
    code: int | None = None
    answer: Any = None
    peer: int = 0

    @property
    def ok(self) -> bool:
        """Say whether the call was carried out and its answer sent."""
        return self.code == 200

    def json(self) -> dict[str, Any]:
        """Give the call as the control interface shows it."""
        params = {
            name: value if not isinstance(value, bytes) else f"<{len(value)} bytes>"
            for name, value in self.params.items()
        }
        return {**vars(self), "params": params, "ok": self.ok}


class Transcript:
    """Keep the calls in their order of arrival."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._changed = asyncio.Event()

    def open(self, method: str, params: dict[str, Any], at: float) -> Call:
        """Write down a call that arrived."""
        call = Call(len(self.calls), method, params, at)
        self.calls.append(call)
        self.notify()
        return call

    def of(self, *methods: str) -> list[Call]:
        """List the calls of some methods."""
        return [call for call in self.calls if call.method in methods]

    def notify(self) -> None:
        """Wake whoever waits: something changed."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_for(self, look: Callable[[], Found | None], timeout_s: float = 20) -> Found:
        """Return what `look` finds, as soon as it finds something true.

        Raises:
            AssertionError: Nothing was found in time; the text lists the last calls.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not (found := look()):
                    await self._changed.wait()
                return found
        except TimeoutError:
            last = "\n".join(f"  {c.method} {c.params} -> {c.code}" for c in self.calls[-15:])
            raise AssertionError(f"not seen within {timeout_s} s; last calls:\n{last}") from None
