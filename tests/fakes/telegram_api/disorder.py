"""Updates twice and out of order, by chance: what a service may do to whoever listens."""

import random
from collections.abc import Callable
from typing import Any

__all__ = ["disorder"]

Held = list[tuple[int, Any]]


def disorder(seed: int, *, reach: int = 4, repeats: float = 0.3) -> Callable[[Held], Held]:
    """Make an order for `UpdateQueue.release`: the same seed makes the same one.

    Each update comes at least once. Some come twice in a row under one number, as after a lost
    confirmation, and some come again later under another. Numbers only grow, as the server's do.

    Args:
        seed: Of the chance.
        reach: So many places an update may move at most.
        repeats: The share of updates that come again, for each of the two ways.
    """
    chance = random.Random(seed)

    def order(held: Held) -> Held:
        if not held:
            return []
        first = min(number for number, _ in held)
        places = [(place, update) for place, (_, update) in enumerate(held)]
        again = [
            (place + chance.uniform(1, 3 * reach), update)
            for place, update in places
            if chance.random() < repeats
        ]
        moved = [(place + chance.uniform(0, reach), update) for place, update in places]
        mixed = [update for _, update in sorted([*moved, *again], key=lambda item: item[0])]
        found: Held = []
        for number, update in enumerate(mixed, start=first):
            numbered = {**update, "update_id": number} if isinstance(update, dict) else update
            found += [(number, numbered)] * (2 if chance.random() < repeats else 1)
        return found

    return order
