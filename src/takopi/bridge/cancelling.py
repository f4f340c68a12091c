"""How a wish to cancel is heard once: the turns that it means are written down with its mark."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

from takopi.bridge.answers import Answers
from takopi.bridge.records import TurnPut, TurnRecord, UpdateHandled
from takopi.bridge.scheduler import Scheduler
from takopi.bridge.turn import Turn

__all__ = ["asked_before", "cancel_turns"]


async def cancel_turns(
    scheduler: Scheduler, answers: Answers, turns: Sequence[Turn], handled: UpdateHandled
) -> None:
    """End turns; after a crash the same wish ends no other ones.

    Args:
        scheduler: Ends them, at once.
        answers: Writes the mark.
        turns: What was meant.
        handled: The mark of the update that asked for it.
    """
    wished: list[tuple[Turn, TurnRecord]] = []
    # The waiting ones first: else the end of a running one would start the next.
    for turn in sorted(turns, key=lambda turn: turn.started_at is not None):
        scheduler.cancel(turn.id)
        wished.append((turn, turn.record))
    async with AsyncExitStack() as stack:
        for turn, _ in wished:
            await stack.enter_async_context(turn.writing)
        await answers.mark(
            [handled], [TurnPut(_newest(*wish)) for wish in wished if _open(wish[0])]
        )


def asked_before(record: TurnRecord, message_id: int) -> bool:
    """Tell whether a turn was asked for before a message was sent: ids grow in a chat."""
    first = record.after or (record.messages[0] if record.messages else 0)
    return first < message_id


def _open(turn: Turn) -> bool:
    """Tell whether the turn's final is not written down yet: nothing older may follow that."""
    return turn.final is None


def _newest(turn: Turn, wished: TurnRecord) -> TurnRecord:
    """Return the record to write; that a final is decided is written only together with it."""
    return wished if turn.way.concluded else turn.record
