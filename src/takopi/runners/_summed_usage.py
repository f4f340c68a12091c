"""The usage of a turn whose engine tells its numbers model call by model call."""

from collections.abc import Mapping
from typing import Any

__all__ = ["add_call", "summed_usage"]


def add_call(numbers: dict[str, float], call: Mapping[str, float]) -> None:
    """Add what one model call took.

    Args:
        numbers: The sums so far, by the names of `CompletedEvent.usage`.
        call: The same names.
    """
    for name, number in call.items():
        numbers[name] = numbers.get(name, 0) + number


def summed_usage(numbers: Mapping[str, float], model: str) -> dict[str, Any] | None:
    """Return the usage of the turn; None when no call told any.

    Args:
        numbers: The sums.
        model: Which model it was; empty when nobody says.
    """
    if not numbers:
        return None
    usage: dict[str, Any] = {
        name: number if name == "cost_usd" else int(number) for name, number in numbers.items()
    }
    if model:
        usage["model"] = model
    return usage
