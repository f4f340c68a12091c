"""What lists of turns show of one, and which other turn works where it does."""

from collections.abc import Iterable

from takopi.bridge.ports import Clock
from takopi.bridge.turn import Turn
from takopi.core.contexts import format_context
from takopi.core.turn_lists import TurnLine
from takopi.core.turn_queue import QueuePlace

__all__ = ["turn_line", "working_beside"]


def turn_line(turn: Turn, place: QueuePlace | None, clock: Clock) -> TurnLine:
    """Say what a list of turns shows of one.

    Args:
        turn: The turn.
        place: Why it waits.
        clock: Tells its age.
    """
    waits = turn.started_at is None
    return TurnLine(
        turn_id=turn.id,
        engine=turn.engine,
        prompt=turn.prompt,
        elapsed_s=None if waits else turn.elapsed_s(clock.now()),
        waited_s=max(0.0, clock.wall() - turn.record.accepted_at) if waits else None,
        place=place if waits else None,
        cancelling=turn.cancelled.is_set(),
        where=format_context(turn.record.context).removeprefix("ctx: "),
        steps=turn.progress.steps,
    )


def working_beside(turn: Turn, turns: Iterable[Turn]) -> Turn | None:
    """Find a turn that began before another in the same directory and still works there.

    Args:
        turn: The other.
        turns: All that are not over, in the order in which they were asked for.
    """
    cwd, since, older = turn.record.cwd, turn.started_at, True
    for other in turns:
        if other is turn:
            older = False
        elif cwd is None or other.record.cwd != cwd or other.way.concluded:
            continue
        elif since is not None and other.started_at is not None:
            began = other.started_at
            if began < since or (began == since and older):
                return other
    return None
