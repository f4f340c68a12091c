"""What a signal means for a bot: end its engines, or leave them working and go.

A wish is `cancel` (Ctrl-C, `takopi stop`) or what the person chose for a service manager's signals.
The first one is carried out in order; another one does not wait for anything any more.
"""

from typing import Literal, TypeAlias

__all__ = ["StopStep", "StopWish", "next_stop"]

StopWish: TypeAlias = Literal["detach", "cancel"]
StopStep: TypeAlias = Literal["detach", "cancel", "leave", "kill"]

_STEPS: dict[tuple[StopWish | None, StopWish], StopStep] = {
    (None, "detach"): "detach",
    (None, "cancel"): "cancel",
    ("detach", "detach"): "leave",
    # Engines that were to go on are ended after all: the person says so now.
    ("detach", "cancel"): "kill",
    # Nobody takes back that engines end, least of all a service manager that loses patience.
    ("cancel", "detach"): "kill",
    ("cancel", "cancel"): "kill",
}


def next_stop(under_way: StopWish | None, wish: StopWish) -> StopStep:
    """Decide what a bot does about a signal.

    Args:
        under_way: What the first signal wished; None for the first one.
        wish: What this one wishes.

    Returns:
        `detach` and `cancel` stop in order; `leave` goes at once and touches no engine; `kill`
        ends every engine and goes at once.
    """
    return _STEPS[under_way, wish]
