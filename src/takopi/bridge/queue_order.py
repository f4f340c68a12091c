"""The order in which turns wait, and how a person changes it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack

from msgspec.structs import replace

from takopi.bridge.ports import Store
from takopi.bridge.records import Change, TurnPut
from takopi.bridge.turn import Turn
from takopi.core.turn_queue import TurnQueue

__all__ = ["QueueOrder"]


class QueueOrder:
    """Change the order of what waits, so that it outlives a crash.

    Args:
        queue: Which turn may start.
        turns: Those that are not over, by id.
        moved: Called when the order changed.
    """

    def __init__(
        self, queue: TurnQueue, turns: Mapping[str, Turn], moved: Callable[[], None]
    ) -> None:
        self._queue = queue
        self._turns = turns
        self._moved = moved

    def waiting(self) -> list[Turn]:
        """List what waits, the first in order first."""
        return [self._turns[turn_id] for turn_id in self._queue.waiting()]

    async def promote(
        self, store: Store, turn_id: str, before: str | None, changes: Sequence[Change]
    ) -> bool:
        """Let a turn come before another, or before all that wait.

        Whoever calls sees to it that no prompt is changed meanwhile.

        Args:
            store: Takes the order and the changes in one transaction.
            turn_id: The turn.
            before: The other; None for all.
            changes: What is written down with the order, such as the mark of a press.

        Returns:
            Whether it stands elsewhere now.

        Raises:
            StoreError: The journal did not take it, so nothing happened.
        """
        ranks = self._queue.promote(turn_id, before)
        turns = [self._turns[other] for other in ranks]
        async with AsyncExitStack() as stack:
            # One that starts meanwhile is written down as started only after this.
            for turn in turns:
                await stack.enter_async_context(turn.writing)
            puts = [TurnPut(replace(turn.writable, rank=ranks[turn.id])) for turn in turns]
            await store.commit([*puts, *changes])
            for turn in turns:
                turn.record = replace(turn.record, rank=ranks[turn.id])
                self._queue.rank(turn.id, turn.record.rank)
        self._moved()
        return bool(ranks)
