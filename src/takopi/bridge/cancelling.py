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
    # The waiting ones first: else the end of a running one would start the next.
    wished = sorted(turns, key=lambda turn: turn.started_at is not None)
    for turn in wished:
        scheduler.cancel(turn.id)
    async with AsyncExitStack() as stack:
        for turn in wished:
            await stack.enter_async_context(turn.writing)
        # A final that is written down needs no wish any more.
        open_still = [turn for turn in wished if turn.final is None]
        await answers.mark([handled], [TurnPut(turn.writable) for turn in open_still])


def asked_before(record: TurnRecord, message_id: int) -> bool:
    """Tell whether a turn was asked for before a message was sent: ids grow in a chat."""
    first = record.after or (record.messages[0] if record.messages else 0)
    return first < message_id
