"""What keeps a turn that waits from starting, and what lets it go again."""

from collections.abc import Callable, Sequence

from anyio.abc import TaskGroup
from msgspec.structs import replace

from takopi.bridge.border import border
from takopi.bridge.hold_timer import HoldTimer
from takopi.bridge.ports import Clock
from takopi.bridge.turn import Turn
from takopi.bridge.turn_topics import TurnTopics
from takopi.core.turn_queue import TurnQueue

__all__ = ["TurnHolds"]


class TurnHolds:
    """Hold turns by what their records say.

    Args:
        queue: Which turn may start.
        clock: Tells the time.
        group: The waiting is done in it.
        topics: Makes topics for new sessions; None where nobody does.
    """

    def __init__(
        self, queue: TurnQueue, clock: Clock, group: TaskGroup, topics: TurnTopics | None
    ) -> None:
        self._queue = queue
        self._clock = clock
        self._group = group
        self._topics = topics
        self._turns: dict[str, Turn] = {}
        self._timer = HoldTimer(clock, group, self._held_long_enough)
        self.on_let_go: Callable[[Turn | None], None] | None = None
        """Called when turns may start, with the one that has to be shown first."""

    def hold(self, turn: Turn) -> None:
        """Let what a turn's record says decide whether it may start."""
        record = turn.record
        self.forget(turn.id)
        if turn.needs_person:
            self._queue.hold(turn.id, "person")
            return
        wait_s = 0.0
        if record.held_until is not None:
            # A wall clock that was set back must not hold it for longer than was meant.
            left_s = record.held_until - self._clock.wall()
            wait_s = min(left_s, record.held_until - record.accepted_at)
        if wait_s > 0:
            self._queue.hold(turn.id, "gathering")
            self._turns[turn.id] = turn
            self._timer.hold(turn.id, self._clock.now() + wait_s)
        else:
            self._let_go(turn)

    def forget(self, turn_id: str) -> None:
        """Wait no longer for a turn's moment."""
        self._turns.pop(turn_id, None)
        self._timer.forget(turn_id)

    def _held_long_enough(self, turn_ids: Sequence[str]) -> None:
        for turn_id in turn_ids:
            turn = self._turns.pop(turn_id, None)
            if turn is not None:
                self._let_go(turn)
        self._tell(None)

    def _let_go(self, turn: Turn) -> None:
        """Let a turn start that nothing holds any more, or have its topic made."""
        topics = self._topics
        if topics is None or not turn.record.wants_topic:
            self._queue.hold(turn.id, None)
        elif not turn.moving:
            turn.moving = True
            self._queue.hold(turn.id, "gathering")
            self._group.start_soon(self._move, turn, topics)

    async def _move(self, turn: Turn, topics: TurnTopics) -> None:
        with border("making a topic for a turn", turn=turn.id):
            await topics.place(turn)
        turn.moving = False
        if not (turn.over.is_set() or turn.cancelled.is_set()):
            turn.record = replace(turn.record, wants_topic=False)
            self._queue.hold(turn.id, None)
            self._tell(turn)

    def _tell(self, shown: Turn | None) -> None:
        if self.on_let_go is not None:
            self.on_let_go(shown)
