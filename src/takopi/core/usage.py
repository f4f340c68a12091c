"""Read the numbers of a turn, whoever reported them.

`CompletedEvent.usage` has keys that mean the same for every engine:

- `input_tokens`: all that the model read, what came out of its cache included
- `cached_tokens`: of these, what came out of the cache
- `output_tokens`: all that it wrote, reasoning included
- `reasoning_tokens`: of these, the reasoning
- `cost_usd`, `model`, `duration_ms`

A key is absent when the engine does not tell. Engines written by others may put anything there.
With `of_session: true` the counts are those of the whole session so far (codex tells no others);
`own_usage` makes those of the turn of them.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

__all__ = ["Usage", "kept_usage", "own_usage", "read_usage", "tells_of_session"]

# The names under which engines and older modules report the same.
_NAMES = {
    "input_tokens": ("input_tokens",),
    "output_tokens": ("output_tokens",),
    "cached_tokens": ("cached_tokens", "cached_input_tokens", "cache_read_input_tokens"),
    "reasoning_tokens": ("reasoning_tokens", "reasoning_output_tokens"),
    "cost_usd": ("cost_usd", "total_cost_usd"),
    "duration_ms": ("duration_ms",),
}
_COUNTS = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")
_OF_SESSION = "of_session"
_SESSION_KEY = "session_"
_SESSION_COUNTS = (*_COUNTS, "cache_write_input_tokens")
_MOST_KEPT = 32
_KEPT_CHARS = 200
# No turn has more; a number beyond it is a mistake that would spoil every sum.
_MOST = 1e15


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Be the numbers of a turn or of many; None where nobody told."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost_usd: float | None = None
    duration_ms: float | None = None
    model: str | None = None

    def __add__(self, other: "Usage") -> "Usage":
        """Return the sum; what only one of them tells is taken from that one."""
        both = {name: (getattr(self, name), getattr(other, name)) for name in _NAMES}
        sums: dict[str, Any] = {name: _plus(*numbers) for name, numbers in both.items()}
        same = self.model if self.model == other.model or other.model is None else None
        return Usage(**sums, model=other.model if self.model is None else same)


def read_usage(numbers: Any) -> Usage:
    """Return the numbers that can be made sense of; never raises.

    Args:
        numbers: `CompletedEvent.usage`, from any engine or from the journal.
    """
    if not isinstance(numbers, Mapping):
        return Usage()
    found: dict[str, Any] = {}
    for key, names in _NAMES.items():
        number = next((n for n in map(_number, map(numbers.get, names)) if n is not None), None)
        if number is not None:
            found[key] = int(number) if key in _COUNTS else float(number)
    model = numbers.get("model")
    if isinstance(model, str) and model.strip():
        found["model"] = model.strip()
    return Usage(**found)


def tells_of_session(numbers: Any) -> bool:
    """Tell whether numbers are those of a whole session, before or after `own_usage`."""
    if not isinstance(numbers, Mapping):
        return False
    return numbers.get(_OF_SESSION) is True or any(
        _SESSION_KEY + name in numbers for name in _SESSION_COUNTS
    )


def own_usage(numbers: Any, before: Mapping[str, Any] | None, *, fresh: bool) -> Any:
    """Return what a turn itself took, where its engine tells what its whole session did.

    Args:
        numbers: `CompletedEvent.usage`; anything but counts of a session stays as it is.
        before: What this returned for the turn before it in the session; None when nobody knows.
        fresh: Whether the turn began the session.
    """
    if not isinstance(numbers, Mapping) or numbers.get(_OF_SESSION) is not True:
        return numbers
    found = {name: _number(numbers.get(name)) for name in _SESSION_COUNTS}
    counts = {name: count for name, count in found.items() if count is not None}
    rest = {name: value for name, value in numbers.items() if name not in (*counts, _OF_SESSION)}
    kept = {_SESSION_KEY + name: count for name, count in counts.items()}
    if before is None and not fresh:
        return {**rest, **kept}  # how much of it this turn took cannot be told
    earlier = {name: _number((before or {}).get(_SESSION_KEY + name)) or 0 for name in counts}
    own = {
        name: count - earlier[name] if count >= earlier[name] else count
        for name, count in counts.items()
    }
    return {**own, **rest, **kept}


def kept_usage(numbers: Any) -> dict[str, Any] | None:
    """Return what of a turn's numbers is worth writing down; None when nothing is.

    Engines written by others may report anything: what no journal could hold must not cost the
    final that is written down with it.

    Args:
        numbers: `CompletedEvent.usage`, from any engine.
    """
    if not isinstance(numbers, Mapping):
        return None
    found = {str(key)[:_KEPT_CHARS]: _plain(value) for key, value in numbers.items()}
    known = [key for names in (*_NAMES.values(), ("model",)) for key in names]
    order = sorted(found, key=lambda key: key not in known)
    kept = {key: found[key] for key in order if found[key] is not None}
    return dict(list(kept.items())[:_MOST_KEPT]) or None


def _plain(value: object) -> bool | float | str | None:
    """Return a value of one word or number; None for anything else."""
    if isinstance(value, str):
        return value[:_KEPT_CHARS]
    if isinstance(value, bool):
        return value
    if not isinstance(value, int | float):
        return None
    return value if -_MOST <= value <= _MOST else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if 0 <= value <= _MOST else None  # neither what is infinite nor what is no number


def _plus(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return one + other
