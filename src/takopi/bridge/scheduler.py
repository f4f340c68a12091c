"""When turns start: one at a time in a session, so many at once, first in, first out."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import anyio
from anyio.abc import TaskGroup
from msgspec.structs import replace

from takopi.bridge.border import border
from takopi.bridge.letters import Delivery
from takopi.bridge.queue_order import QueueOrder
from takopi.bridge.records import TurnRecord
from takopi.bridge.turn import Turn, moved_record
from takopi.bridge.turn_driver import Ended, TurnDriver
from takopi.bridge.turn_holds import TurnHolds
from takopi.bridge.turn_lines import turn_line, working_beside
from takopi.bridge.turn_messages import Surroundings
from takopi.bridge.turn_start import DriverPorts
from takopi.bridge.waiting import wait_until
from takopi.core.texts import tr_later, translated
from takopi.core.turn_lists import TurnLine
from takopi.core.turn_queue import TurnQueue
from takopi.model import ResumeToken

__all__ = ["Scheduler"]

_REPLAYED_AFTER_S = 0.5

OPENS_ANEW = tr_later("the turn before it reported no session, so this one starts a new session")


class Scheduler:
    """Start turns when their time has come, and end them when somebody asks.

    Args:
        ports: What a turn needs.
        group: Turns run in it.
        max_runs: At most so many engines at once.
    """

    def __init__(self, ports: DriverPorts, group: TaskGroup, max_runs: int) -> None:
        self._clock = ports.clock
        self._journal = ports.journal
        self._messages = ports.messages
        self._new_run_id = ports.options.new_run_id
        self._group = group
        self._queue = TurnQueue(max_runs)
        self._holds = TurnHolds(self._queue, ports.clock, group, ports.topics)
        self._holds.on_let_go = self._let_go
        self._driver = TurnDriver(ports, self._session_known, group)
        self.gate = ports.gate
        self._spending = ports.spending
        self._turns: dict[str, Turn] = {}
        self.order = QueueOrder(
            self._queue, self._turns, lambda: self._start(self._take_startable())
        )
        """Says what waits in which order."""
        self._moved: dict[int, int] = {}
        self._leaving = self._recovering = False
        self._idle = anyio.Event()
        self._idle.set()

    def submit(self, record: TurnRecord) -> None:
        """Take a new turn: it starts now or waits, and is shown at once in either case.

        Args:
            record: As it was written down; its state is `queued`.
        """
        if self._leaving:
            return  # it stands in the journal, and starts when takopi is back
        turn = self._take_in(record)
        self._queue.add(turn.id, turn.conversation, record.asked, record.rank)
        self._holds.hold(turn)
        self._let_go(turn)

    async def recover(
        self, turns: Sequence[TurnRecord], deliveries: Mapping[str, Delivery]
    ) -> None:
        """Go on with the turns of an earlier takopi; nothing is started twice.

        Args:
            turns: Those that were not over, in the order of acceptance.
            deliveries: What becomes of the finals that were decided, by turn id.
        """
        # One that ends meanwhile must start nothing: its session's run may not have its place yet.
        self._recovering = True
        if self._spending is not None:
            await self._spending.load()
            if not self._spending.counted:
                self._group.start_soon(self._spending.load_at_last, lambda: self._let_go(None))
        for record in turns:
            with border("going on with a turn", turn=record.turn_id):
                await self._recover(record, deliveries.get(record.turn_id))
                continue
            # It is still open in the journal; the next start tries again.
            self._queue.end(record.turn_id)
            self._turns.pop(record.turn_id, None)
        self._recovering = False
        self._start(self._take_startable())

    def freeze(self, turn_id: str) -> TurnRecord | None:
        """Keep a turn from starting while its prompt is changed; `thaw` must follow.

        Returns:
            The turn as it is; None when it does not wait any more.
        """
        turn = self._turns.get(turn_id)
        if turn is None or turn.way.state != "queued" or turn.cancelled.is_set() or turn.moving:
            return None
        turn.frozen = True
        self._holds.forget(turn_id)
        self._queue.hold(turn_id, "gathering")
        return turn.record

    def thaw(self, record: TurnRecord) -> None:
        """Take a frozen turn as it is now; its own holds decide when it starts.

        Args:
            record: The turn; engine, session and conversation are those it had.
        """
        turn = self._turns.get(record.turn_id)
        if turn is None or not turn.frozen:
            return
        turn.frozen = False
        before = turn.record
        turn.record = replace(
            record,
            scope=before.scope,
            cancelled=before.cancelled,
            cancel_reason=before.cancel_reason,
        )
        if record.cancelled:
            turn.ask_to_end(record.cancel_reason)
        if turn.cancelled.is_set():
            self._drop(turn)
            return
        self._holds.hold(turn)
        self._let_go(turn if turn.live is None else None)

    def cancel(self, turn_id: str, reason: str = "") -> bool:
        """End a turn that runs or waits; False when there is nothing left to end.

        The wish stands in the turn's record at once, and in the journal as soon as that takes it.
        """
        turn = self._turns.get(turn_id)
        if turn is None or turn.way.concluded:
            return False
        if turn.cancelled.is_set():
            return True
        turn.ask_to_end(reason)
        if turn.way.state != "queued":
            self._group.start_soon(self._journal.note, turn)
        elif not turn.frozen:
            self._drop(turn)
        return True

    def turn(self, turn_id: str) -> Turn | None:
        """Return a turn that is not over."""
        return self._turns.get(turn_id)

    def turns(self) -> list[Turn]:
        """List the turns that run or wait, in the order in which they were asked for."""
        return [turn for turn in self._turns.values() if not turn.way.concluded]

    def line(self, turn: Turn) -> TurnLine:
        """Say what a list of turns shows of one."""
        return turn_line(turn, self._queue.place(turn.id), self._clock)

    def move(self, chat: int, new: int) -> None:
        """Let the turns of a chat be known, and cancelled, under the chat's new id."""
        self._moved[chat] = new
        self._moved.pop(new, None)
        for turn in self._turns.values():
            if turn.record.scope.chat_id == chat:
                turn.move(new)
                if turn.way.state != "starting":  # that is written down before its engine starts
                    self._group.start_soon(self._journal.note, turn)

    async def wait_idle(self) -> None:
        """Wait until no turn has anything left to do, its final included."""
        while self._turns:
            await self._idle.wait()

    def drop_stubborn(self) -> None:
        """End the turns that are being cancelled, whether their engines have ended or not."""
        for turn in self._turns.values():
            turn.dropped.set()

    async def detach(self, deadline: float) -> None:
        """Leave every turn to the next takopi: engines go on, what waits stays in the journal.

        Turns that cannot go on without takopi are being cancelled when this returns; `wait_idle`
        waits for them. What is posted later than this call is not started any more.

        Args:
            deadline: The moment until which turns are waited for and shown once more.
        """
        self._leaving = True
        turns = self.turns()
        for turn in turns:
            turn.left.set()
            if turn.way.state == "queued" and not turn.cancelled.is_set():
                self._forget(turn)
        async with anyio.create_task_group() as group:
            group.start_soon(self._messages.say_goodbye, turns, deadline)
            for turn in turns:
                await wait_until(turn.over.wait, self._clock, deadline)

    # Taking in.

    def _take_in(self, record: TurnRecord) -> Turn:
        if not self._turns:
            self._idle = anyio.Event()
        while (new := self._moved.get(record.scope.chat_id)) is not None:
            record = moved_record(record, new)
        turn = self._turns[record.turn_id] = Turn.of(record, self._clock)
        return turn

    async def _recover(self, record: TurnRecord, delivery: Delivery | None) -> None:
        turn = self._take_in(record)
        if turn.way.concluded:
            self._queue.adopt(turn.id, turn.conversation, turn.known_session)
            self._group.start_soon(self._deliver, turn, delivery)
        elif turn.way.state == "queued":
            session = await self._journal.session_of(turn)
            self._queue.add(turn.id, turn.conversation, session, record.rank)
            self._holds.hold(turn)
            self._show(turn)
            if turn.cancelled.is_set():
                self._drop(turn)
        else:
            self._queue.adopt(turn.id, turn.conversation, turn.known_session)
            self._group.start_soon(self._run, turn, self._driver.adopt)
            self._group.start_soon(self._show_again, turn)

    def _show(self, turn: Turn) -> None:
        record = turn.record
        if (turn.needs_person or record.wants_topic) and not turn.cancelled.is_set():
            return  # whoever asks the person shows it, or it is shown in its topic
        around = Surroundings(
            lambda: self._queue.place(turn.id),
            lambda: working_beside(turn, self._turns.values()),
        )
        self._messages.open(turn, around)

    async def _show_again(self, turn: Turn) -> None:
        # Until its output was replayed, it would show less than is on the screen.
        await self._clock.sleep_until(self._clock.now() + _REPLAYED_AFTER_S)
        if turn.live is None and not turn.way.concluded and not turn.left.is_set():
            self._show(turn)

    # Running.

    def _let_go(self, shown: Turn | None) -> None:
        """Start what nothing holds any more."""
        startable = self._take_startable()
        if shown is not None:
            # Its message goes out before its engine does anything.
            self._show(shown)
        self._start(startable)

    def _session_known(self, turn: Turn, session: ResumeToken) -> None:
        self._queue.report(turn.id, session)

    def _take_startable(self) -> list[Turn]:
        taken: list[Turn] = []
        counted = self._spending is None or self._spending.counted
        if self._leaving or self._recovering or not counted:
            return taken
        while turn_id := self._queue.next():
            turn = self._turns[turn_id]
            if self._spending is not None and self._spending.holds(turn, self._group):
                self._queue.hold(turn_id, "person")
                continue
            self._queue.start(turn_id)
            self._take_session(turn)
            first = self._turns.get(turn.conversation)
            # One that was let pass the first of its conversation begins the session for both.
            passed = first is not None and first.way.state == "queued"
            anew = turn.record.asked is None and turn.conversation != turn.id and not passed
            turn.start(self._clock, self._new_run_id(), translated(OPENS_ANEW) if anew else "")
            taken.append(turn)
        return taken

    def _take_session(self, turn: Turn) -> None:
        record = turn.record
        asked = self._queue.session_for(turn.id, record.asked, by_itself=record.by_itself)
        turn.record = replace(record, asked=asked)

    def _start(self, turns: list[Turn]) -> None:
        for turn in turns:
            self._messages.started(turn)
            self._group.start_soon(self._run, turn, self._driver.drive)
        self._waiting_moved()

    async def _run(self, turn: Turn, drive: Callable[[Turn], Awaitable[Ended | None]]) -> None:
        ended: Ended | None = None
        try:
            with border("running the turn", turn=turn.id) as found:
                ended = await drive(turn)
            if found.error is not None and not turn.way.concluded:
                with border("giving up the turn", turn=turn.id):
                    ended = await self._driver.give_up(turn, found.error)
        finally:
            if turn.record.session_unknown and turn.record.asked is not None:
                self._queue.lose(turn.record.asked)
            self._queue.end(turn.id)
        self._start(self._take_startable())
        await self._finish(turn, ended)

    def _drop(self, turn: Turn) -> None:
        """End a turn that waits."""
        self._take_session(turn)
        self._forget_place(turn)
        self._group.start_soon(self._discard, turn)

    async def _discard(self, turn: Turn) -> None:
        ended: Ended | None = None
        with border("cancelling the turn", turn=turn.id):
            ended = await self._driver.discard(turn)
        # Not before: those behind it may be about to be cancelled as well.
        self._start(self._take_startable())
        await self._finish(turn, ended)

    async def _deliver(self, turn: Turn, delivery: Delivery | None) -> None:
        try:
            await self._driver.let_go(turn)
        finally:
            self._queue.end(turn.id)
        self._start(self._take_startable())
        with border("finishing the turn", turn=turn.id):
            await self._driver.finish_delivery(turn, delivery)
        self._remove(turn)

    async def _finish(self, turn: Turn, ended: Ended | None) -> None:
        with border("finishing the turn", turn=turn.id):
            if ended is not None:
                await self._driver.finish(turn, ended)
        self._remove(turn)

    def _forget(self, turn: Turn) -> None:
        """Leave a turn that waits to the next takopi."""
        self._forget_place(turn)
        self._remove(turn)

    def _forget_place(self, turn: Turn) -> None:
        self._holds.forget(turn.id)
        self._queue.end(turn.id)
        self._waiting_moved()

    def _remove(self, turn: Turn) -> None:
        del self._turns[turn.id]
        turn.over.set()
        if not self._turns:
            self._idle.set()

    def _waiting_moved(self) -> None:
        for turn in self._turns.values():
            if turn.started_at is None:
                self._messages.touch(turn)
