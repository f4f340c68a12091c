"""Faults on demand: each hits the next matching calls, then it is spent."""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from .refusal import Refusal, bad_request

__all__ = ["Fault", "FaultKind", "Faults", "random_faults"]

FaultKind = Literal[
    "flood",
    "status",
    "garbage",
    "drop",
    "drop_after",
    "hang",
    "hang_after",
    "slow",
    "slow_after",
    "lose_target",
    "lose_reply",
    "lose_topic",
    "refuse_format",
]

# What a call must have for the fault to mean anything to it.
_NEEDS = {
    "lose_target": ("message_id",),
    "lose_reply": ("reply_parameters",),
    "lose_topic": ("message_thread_id",),
    "refuse_format": ("entities", "caption_entities"),
}
_SENDS = ("sendMessage", "sendDocument", "editMessageText", "deleteMessage")


@dataclass
class Fault:
    """Be one fault.

    Args:
        kind: `flood` (429), `status` (`code` and `description`), `garbage` (200 with no JSON),
            `drop` (the connection closes, nothing was done), `drop_after` (it was done, the answer
            is lost), `hang` (no answer until `release`), `hang_after` (done, then no answer),
            `slow` (done and answered `seconds` late), `slow_after` (done at once, answered late),
            `lose_target`, `lose_reply`, `lose_topic` (just before, somebody deletes the message to
            change, the message that is replied to, the topic), `refuse_format` (400 for a call
            with entities).
        method: Hits only this method; None hits every one but getUpdates.
        times: How many calls are hit.
        skip: So many calls that it would hit pass before.
        seconds: `retry_after` of a flood, delay of a slow answer.
        chat_id: Hits only calls that name this chat.
        release_after_s: A hanging call is let go by itself after so long; None waits for `release`.
    """

    kind: FaultKind
    method: str | None = None
    times: int = 1
    skip: int = 0
    code: int = 502
    description: str = "Bad Gateway"
    seconds: float = 3
    chat_id: int | None = None
    release_after_s: float | None = None
    hits: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        if self.kind not in get_args(FaultKind):
            raise ValueError(f"{self.kind!r} is no kind of fault")

    def release(self) -> None:
        """Let hanging calls go; their connection closes."""
        self.released.set()

    async def hang(self) -> None:
        """Return once the call may go."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.released.wait(), self.release_after_s)

    def refusal(self) -> Refusal:
        """Give the answer of a `flood`, `status` or `refuse_format` fault."""
        if self.kind == "flood":
            seconds = max(1, int(self.seconds))
            return Refusal(
                429, f"Too Many Requests: retry after {seconds}", {"retry_after": seconds}
            )
        if self.kind == "refuse_format":
            return bad_request("can't parse entities: the stand-in was told to refuse them")
        return Refusal(self.code, self.description)

    def _means(self, method: str, params: dict[str, Any]) -> bool:
        if self.hits >= self.times:
            return False
        if self.method is None and method == "getUpdates":
            return False
        if self.method not in (None, method):
            return False
        needs = _NEEDS.get(self.kind)
        if needs is not None and not any(params.get(name) for name in needs):
            return False
        return self.chat_id is None or params.get("chat_id") == self.chat_id


class Faults:
    """Hold the faults that are to come."""

    def __init__(self) -> None:
        self._all: list[Fault] = []

    @property
    def left(self) -> int:
        """Say how many calls are still to be hit."""
        return sum(fault.times - fault.hits for fault in self._all)

    def add(self, kind: FaultKind, method: str | None = None, **fields: Any) -> Fault:
        """Prepare a fault and return it."""
        fault = Fault(kind, method, **fields)
        self._all.append(fault)
        return fault

    def add_random(self, seed: int, count: int, **bounds: Any) -> list[Fault]:
        """Prepare faults by chance, as `random_faults` makes them."""
        found = random_faults(seed, count, **bounds)
        self._all.extend(found)
        return found

    def clear(self) -> None:
        """Forget every fault and let hanging calls go."""
        for fault in self._all:
            fault.release()
        self._all.clear()

    def take(self, method: str, params: dict[str, Any]) -> Fault | None:
        """Return the fault that hits this call."""
        for fault in self._all:
            if not fault._means(method, params):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.hits += 1
            return fault
        return None


def random_faults(
    seed: int,
    count: int,
    *,
    methods: Sequence[str] = (*_SENDS, "getUpdates"),
    longest_s: float = 1.0,
    apart: int = 6,
) -> list[Fault]:
    """Make faults by chance; the same seed makes the same ones.

    Args:
        seed: Of the chance.
        count: How many faults.
        methods: What they hit.
        longest_s: Bound of every delay; hanging calls are let go after it, and floods ask for at
            least a second.
        apart: Up to so many calls of the method pass before a fault hits.
    """
    chance = random.Random(seed)
    found = []
    for _ in range(count):
        method = chance.choice(methods)
        found.append(
            Fault(
                chance.choice([kind for kind in get_args(FaultKind) if _fits(kind, method)]),
                method,
                times=chance.choice((1, 1, 1, 2, 3)),
                skip=chance.randrange(apart + 1),
                code=chance.choice((500, 502, 503, 504)),
                description="Internal Server Error",
                seconds=chance.uniform(0, longest_s),
                release_after_s=chance.uniform(0, longest_s),
            )
        )
    return found


def _fits(kind: str, method: str) -> bool:
    """Tell whether a kind of fault can hit a method at all."""
    if kind == "lose_target":
        return method in ("editMessageText", "deleteMessage")
    if kind in ("lose_reply", "lose_topic"):
        return method in ("sendMessage", "sendDocument")
    return kind != "refuse_format" or method in _SENDS[:3]
