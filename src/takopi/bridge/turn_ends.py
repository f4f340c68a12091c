"""When a turn ended, and what is kept of its cost once the turn itself is forgotten."""

from takopi.bridge.ports import UsageRow
from takopi.bridge.records import TurnRecord
from takopi.core.turn_state import ENDS

__all__ = ["over_at", "usage_row"]


def over_at(turn: TurnRecord) -> float | None:
    """Return when a turn was over; None while it is not."""
    if turn.state not in ENDS:
        return None
    return turn.accepted_at if turn.ended_at is None else turn.ended_at


def usage_row(turn: TurnRecord) -> UsageRow | None:
    """Return what a turn cost; None while it has not ended, or when its engine did not say.

    Its end counts from the moment that decides its final, so a chat that is slow to take the final
    holds back no cost.
    """
    ended_at = over_at(turn) if turn.ended_at is None else turn.ended_at
    if turn.usage is None or ended_at is None:
        return None
    return UsageRow(ended_at, turn.engine, turn.project, turn.scope.chat_id, turn.usage)
