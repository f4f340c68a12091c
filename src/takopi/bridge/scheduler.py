"""When turns start: one at a time in a session, so many at once, first in, first out."""

import anyio
from anyio.abc import TaskGroup

from takopi.bridge.border import border
from takopi.bridge.turn import Turn
from takopi.bridge.turn_driver import DriverPorts, Ended, TurnDriver
from takopi.core.replies import TurnLine
from takopi.core.turn_queue import TurnQueue
from takopi.model import ResumeToken

__all__ = ["Scheduler"]

OPENS_ANEW = "the turn before it reported no session, so this one starts a new session"


class Scheduler:
    """Start turns when their time has come, and end them when somebody asks.

    Args:
        ports: What a turn needs.
        group: Turns run in it.
        max_runs: At most so many engines at once.
    """

    def __init__(self, ports: DriverPorts, group: TaskGroup, max_runs: int) -> None:
        self._clock = ports.clock
        self._messages = ports.messages
        self._group = group
        self._queue = TurnQueue(max_runs)
        self._driver = TurnDriver(ports, self._session_known)
        self._turns: dict[str, Turn] = {}
        self._idle = anyio.Event()
        self._idle.set()

    def submit(self, turn: Turn) -> None:
        """Take a new turn: it starts now or waits, and is shown at once in either case."""
        if not self._turns:
            self._idle = anyio.Event()
        self._turns[turn.id] = turn
        self._queue.add(turn.id, turn.conversation, turn.asked)
        startable = self._take_startable()
        # Its message goes out before its engine does anything.
        self._messages.open(turn, lambda: self._queue.place(turn.id))
        self._start(startable)

    def cancel(self, turn_id: str, reason: str = "") -> bool:
        """End a turn that runs or waits; False when there is nothing left to end."""
        turn = self._turns.get(turn_id)
        if turn is None or turn.way.concluded:
            return False
        again = turn.cancelled.is_set()
        turn.ask_to_end(reason)
        if turn.way.state == "queued" and not again:
            turn.asked = turn.asked or self._queue.session_of(turn.id)
            self._queue.end(turn.id)
            self._group.start_soon(self._discard, turn)
            self._waiting_moved()
        return True

    def turn(self, turn_id: str) -> Turn | None:
        """Return a turn that is not over."""
        return self._turns.get(turn_id)

    def turns(self) -> list[Turn]:
        """List the turns that run or wait, in the order in which they were asked for."""
        return [turn for turn in self._turns.values() if not turn.way.concluded]

    def line(self, turn: Turn) -> TurnLine:
        """Say what a list of turns shows of one."""
        waits = turn.started_at is None
        return TurnLine(
            turn_id=turn.id,
            engine=turn.engine,
            prompt=turn.prompt,
            elapsed_s=None if waits else turn.elapsed_s(self._clock.now()),
            place=self._queue.place(turn.id) if waits else None,
            cancelling=turn.cancelled.is_set(),
        )

    async def wait_idle(self) -> None:
        """Wait until no turn has anything left to do, its final included."""
        while self._turns:
            await self._idle.wait()

    def drop_stubborn(self) -> None:
        """End the turns that are being cancelled, whether their engines have ended or not."""
        for turn in self._turns.values():
            turn.dropped.set()

    def _session_known(self, turn: Turn, session: ResumeToken) -> None:
        self._queue.report(turn.id, session)

    def _take_startable(self) -> list[Turn]:
        taken = []
        while turn_id := self._queue.start_next():
            turn = self._turns[turn_id]
            turn.asked = turn.asked or self._queue.session_of(turn_id)
            if turn.asked is None and turn.conversation != turn.id:
                turn.note = OPENS_ANEW
            turn.way.start()
            turn.started_at = self._clock.now()
            taken.append(turn)
        return taken

    def _start(self, turns: list[Turn]) -> None:
        for turn in turns:
            self._messages.started(turn)
            self._group.start_soon(self._run, turn)
        self._waiting_moved()

    async def _run(self, turn: Turn) -> None:
        ended: Ended | None = None
        try:
            with border("running the turn", turn=turn.id):
                ended = await self._driver.drive(turn, turn.asked)
        finally:
            self._queue.end(turn.id)
        self._start(self._take_startable())
        await self._finish(turn, ended)

    async def _discard(self, turn: Turn) -> None:
        ended: Ended | None = None
        with border("cancelling the turn", turn=turn.id):
            ended = await self._driver.discard(turn)
        await self._finish(turn, ended)

    async def _finish(self, turn: Turn, ended: Ended | None) -> None:
        with border("finishing the turn", turn=turn.id):
            if ended is not None:
                await self._driver.finish(turn, ended)
        del self._turns[turn.id]
        turn.over.set()
        if not self._turns:
            self._idle.set()

    def _waiting_moved(self) -> None:
        for turn in self._turns.values():
            if turn.started_at is None:
                self._messages.touch(turn)
