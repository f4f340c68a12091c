"""Whose changes a directory has since a turn began: those of the turn, and of which others."""

from collections.abc import Sequence

import msgspec

from takopi.bridge.records import TurnRecord

__all__ = ["TurnSpan", "span_of"]


class TurnSpan(msgspec.Struct, frozen=True):
    """Say how far what a turn changed can be told from what others did in the same place.

    Args:
        until: The snapshot that the next turn began with; None without one.
        beside: Whether another turn worked there at the same time.
        later: Whether another turn worked there afterwards, and nobody knows how it began.
    """

    until: str | None = None
    beside: bool = False
    later: bool = False


def span_of(turn: TurnRecord, others: Sequence[TurnRecord], *, complete: bool) -> TurnSpan:
    """Find the turns that worked beside a turn and after it.

    Args:
        turn: The turn.
        others: Those that ran in the same working tree.
        complete: Whether these are all that began since it did.
    """
    began = turn.started_at or turn.accepted_at
    ended = turn.ended_at
    beside, after = False, []
    for other in others:
        if other.turn_id == turn.turn_id or other.started_at is None:
            continue
        if ended is not None and other.started_at >= ended:
            after.append((other.started_at, other))
        elif other.ended_at is None or other.ended_at > began:
            beside = True
    after.sort(key=lambda one: one[0])
    until = after[0][1].before if after and complete else None
    return TurnSpan(until, beside, later=until is None and (bool(after) or not complete))
