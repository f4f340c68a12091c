"""The reactions on a prompt that say without a message what becomes of it.

Both are among those that every chat allows unless somebody took them out of it.
"""

from takopi.core.turn_state import TurnEnd

__all__ = ["SEEN", "reaction_of_end"]

SEEN = "👀"
_DONE = "👌"


def reaction_of_end(outcome: TurnEnd | None) -> str | None:
    """Return the reaction on the prompt of a turn that is over; None takes back what was there.

    Args:
        outcome: How it ended. What a bot sees as a failure is no reaction on what a person wrote.
    """
    return _DONE if outcome == "done" else None
