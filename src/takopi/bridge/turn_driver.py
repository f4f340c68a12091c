"""One turn from its start to the release of its session.

The driver takes the engine's events, whatever they are worth, and owes three things: exactly one
final, an end when somebody asks for it, and the release of the run in every case. What goes wrong
with an engine stops at the turn's border.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from dataclasses import replace as with_changes

import anyio
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint
from msgspec.structs import replace

from takopi.bridge.attachments import offer_files
from takopi.bridge.border import border
from takopi.bridge.ending import Ending
from takopi.bridge.letters import Delivery
from takopi.bridge.recovery import LOST, adopt_run, end_left_run, interrupted
from takopi.bridge.supervision import (
    knows_no_session,
    leave_when_asked,
    output_of,
    was_lost,
    watch_engine,
)
from takopi.bridge.turn import Turn
from takopi.bridge.turn_start import DriverPorts, open_run
from takopi.bridge.unknown_session import unknown_session
from takopi.bridge.waiting import wait_until
from takopi.core.texts import tr, translated
from takopi.logging import get_logger
from takopi.model import CompletedEvent, ResumeToken, StartedEvent
from takopi.turn import LiveTurn

__all__ = ["Ended", "TurnDriver"]

_log = get_logger(__name__)

CANCEL_GRACE_S = 15.0
"""How long an engine may take to end after it was interrupted, before its turn ends without it."""

CLOSE_GRACE_S = 40.0
"""Longer than a runner takes by itself to close a turn; then its session is freed regardless."""

_LEAVE_GRACE_S = 2.0

# A stream that never waits must not keep others from being served.
_EVENTS_BETWEEN_PAUSES = 32

_SessionReport = Callable[[Turn, ResumeToken], None]


@dataclass(frozen=True, slots=True)
class Ended:
    """Say how a turn ended, and what outlived it and was ended too."""

    ending: Ending
    background: tuple[str, ...] = ()


class TurnDriver:
    """Run turns; many calls run side by side.

    Args:
        ports: What a turn needs.
        report: Told the session of a turn as soon as the engine reports it.
        group: What a cancelled start leaves behind goes on in it.
    """

    def __init__(self, ports: DriverPorts, report: _SessionReport, group: TaskGroup) -> None:
        self._ports = ports
        self._report = report
        self._group = group

    async def drive(self, turn: Turn) -> Ended | None:
        """Run a started turn until its session may go on to the next one.

        Args:
            turn: Its state is `starting`.

        Returns:
            None when takopi goes and the turn does not end with it.
        """
        return await self._play(turn, lambda: open_run(self._ports, turn, self._group))

    async def adopt(self, turn: Turn) -> Ended | None:
        """Go on with a turn that an earlier takopi started; otherwise like `drive`."""
        return await self._play(turn, lambda: adopt_run(self._ports, turn))

    async def discard(self, turn: Turn) -> Ended:
        """End a turn that never started."""
        return Ended(await _TurnRun(self._ports, self._report, turn).conclude(_cancelled(turn)))

    async def give_up(self, turn: Turn, why: str) -> Ended:
        """End a turn that takopi itself failed at."""
        ending = Ending("failed", error=why)
        return Ended(await _TurnRun(self._ports, self._report, turn).conclude(ending))

    async def finish(self, turn: Turn, ended: Ended) -> None:
        """Wait until the final of a turn is out, and close the books."""
        await self._ports.messages.finish(turn, ended.ending, ended.background)
        await self._over(turn)

    async def let_go(self, turn: Turn) -> None:
        """End what is left of a run whose final an earlier takopi decided."""
        await end_left_run(self._ports, turn)

    async def finish_delivery(self, turn: Turn, delivery: Delivery | None) -> None:
        """Wait until a final that an earlier takopi decided is out, and close the books.

        Args:
            turn: Its state is `delivering`.
            delivery: What becomes of its letters; None when none is left.
        """
        turn.final = delivery
        if delivery is not None:
            await delivery.over.wait()
        await self._over(turn)

    async def _play(
        self, turn: Turn, take: Callable[[], Awaitable[LiveTurn | Ending | None]]
    ) -> Ended | None:
        run = _TurnRun(self._ports, self._report, turn)
        try:
            ending = await run.play(take)
        finally:
            await run.release()
        return None if ending is None else Ended(ending, run.ended_background)

    async def _over(self, turn: Turn) -> None:
        turn.delivered()
        self._ports.messages.over(turn)
        if not await self._ports.journal.note(turn):
            self._ports.messages.owe_end(turn)


class _TurnRun:
    """Be one turn while it is driven."""

    def __init__(self, ports: DriverPorts, report: _SessionReport, turn: Turn) -> None:
        self._ports = ports
        self._report = report
        self._turn = turn
        self.ended_background: tuple[str, ...] = ()
        """What outlived the turn and was ended; complete after `release`."""
        self._live: LiveTurn | None = None
        self._ending: Ending | None = None
        self._posted = anyio.Event()
        self._taken = 0
        self._detached = False
        self._interrupting = False
        self._interrupt_until = 0.0
        self._interrupted = anyio.Event()

    async def play(self, take: Callable[[], Awaitable[LiveTurn | Ending | None]]) -> Ending | None:
        """Get the engine, follow it, and decide the final; None when takopi leaves it."""
        turn = self._turn
        taken: LiveTurn | Ending | None = None
        with border("starting the turn", turn=turn.id) as found:
            taken = await take()
        if isinstance(taken, Ending):
            return await self.conclude(taken)
        if taken is not None:
            self._live = taken
            return await self._follow(taken)
        if found.error is not None:
            return await self.conclude(Ending("failed", error=found.error))
        return await self.conclude(_cancelled(turn)) if turn.cancelled.is_set() else None

    async def release(self) -> None:
        """Let go of the run, also while takopi is being torn down."""
        live, clock = self._live, self._ports.clock
        if live is None:
            return
        with anyio.CancelScope(shield=True), border("closing the turn", turn=self._turn.id):
            await wait_until(live.aclose, clock, clock.now() + CLOSE_GRACE_S)
            self.ended_background = live.ended_background

    async def conclude(self, ending: Ending) -> Ending:
        """Decide the one final, unless it is decided, and return what it says once it is posted."""
        if self._ending is not None:
            await self._posted.wait()
            return self._ending
        turn = self._turn
        session = turn.known_session
        if session is not None and not turn.record.session_unknown:
            with border("writing the resume line", turn=turn.id):
                line = self._ports.engines.runner(turn.engine).format_resume(session)
                ending = with_changes(ending, resume_line=line)
        self._ending = ending
        try:
            # Whoever decided it may be cancelled by what it decides; the final must not be.
            with anyio.CancelScope(shield=True):
                with border("counting what the turn took", turn=turn.id):
                    usage = await self._ports.journal.own_usage(turn, ending.usage)
                    self._ending = ending = with_changes(ending, usage=usage)
                if self._ports.arrivals is not None:
                    ending = await offer_files(self._ports.arrivals, turn, ending)
                    self._ending = ending
                spending = self._ports.spending
                if spending is not None:
                    with border("counting what the turn took", turn=turn.id):
                        spending.count(turn, ending.usage)
                await self._ports.messages.conclude(turn, ending)
                if spending is not None:
                    await spending.ended(turn)
        finally:
            self._posted.set()
        return ending

    async def _follow(self, live: LiveTurn) -> Ending | None:
        """Take events until the first completion; end the turn when somebody asks."""
        completed: CompletedEvent | None = None
        async with anyio.create_task_group() as group:
            with anyio.CancelScope() as reading:
                group.start_soon(self._end_when_asked, live, reading, group)
                group.start_soon(self._leave_when_asked, live, reading)
                group.start_soon(watch_engine, self._ports, self._turn, self._heard)
                with border("running the engine", turn=self._turn.id) as found:
                    completed = await self._read(live)
            ending = self._judge(live, completed, found.error)
            if ending is not None:
                ending = await self.conclude(ending)
                if self._interrupting:
                    # The person is told; what is being ended gets its time before it is let go.
                    until = self._interrupt_until
                    await wait_until(self._interrupted.wait, self._ports.clock, until)
            group.cancel_scope.cancel()
        return ending

    def _judge(
        self, live: LiveTurn, completed: CompletedEvent | None, error: str | None
    ) -> Ending | None:
        """Say how a turn ended that is not read any more; None when its engine goes on alone."""
        turn = self._turn
        if self._detached and completed is None:
            return None
        if completed is not None and (completed.ok or not self._interrupting):
            return _ending_of(completed) if completed.ok else _failure_of(turn, live, completed)
        if self._interrupting:
            return _cancelled(turn, completed)
        return Ending(
            "failed", error=error or tr("{engine} ended without a result", engine=turn.engine)
        )

    async def _read(self, live: LiveTurn) -> CompletedEvent | None:
        turn = self._turn
        async for event in live:
            self._taken += 1
            if turn.way.state == "starting":
                turn.run()
            turn.stalled = ""
            if isinstance(event, StartedEvent | CompletedEvent):
                await self._session(event.resume)
            if isinstance(event, StartedEvent) and self._ports.topics is not None:
                await self._ports.topics.entitled(turn, event.title)
            if isinstance(event, CompletedEvent):
                return event
            turn.hear(event)
            self._ports.messages.touch(turn)
            if self._taken % _EVENTS_BETWEEN_PAUSES == 0:
                await checkpoint()
        return None

    async def _session(self, session: ResumeToken | None) -> None:
        """Take note of the session; the first one reported holds."""
        turn, known = self._turn, self._turn.record.session
        if session is None or session.engine != turn.engine or known is not None:
            return
        turn.record = replace(turn.record, session=session)
        self._report(turn, session)
        await self._ports.journal.note(turn)

    def _heard(self) -> int:
        return self._taken + (output_of(self._live) if self._live is not None else 0)

    async def _leave_when_asked(self, live: LiveTurn, reading: anyio.CancelScope) -> None:
        if await leave_when_asked(self._ports, self._turn, live):
            self._detached = True
            clock = self._ports.clock
            await clock.sleep_until(clock.now() + _LEAVE_GRACE_S)
            reading.cancel()

    async def _end_when_asked(
        self, live: LiveTurn, reading: anyio.CancelScope, group: TaskGroup
    ) -> None:
        turn, clock = self._turn, self._ports.clock
        await turn.cancelled.wait()
        self._interrupting = True
        self._interrupt_until = clock.now() + CANCEL_GRACE_S
        self._ports.messages.touch(turn)
        group.start_soon(self._interrupt, live)
        await wait_until(turn.dropped.wait, clock, self._interrupt_until)
        if self._detached:
            return
        # Letting go of a run that does not end takes its time; the person is told before.
        _log.error("turn.does_not_end", turn=turn.id, engine=turn.engine)
        await self.conclude(
            _cancelled(turn, None, tr("the engine did not end when it was told to"))
        )
        reading.cancel()

    async def _interrupt(self, live: LiveTurn) -> None:
        with border("interrupting the engine", turn=self._turn.id):
            await live.interrupt()
        self._interrupted.set()


def _failure_of(turn: Turn, live: LiveTurn, completed: CompletedEvent) -> Ending:
    if was_lost(live):
        return interrupted(turn, translated(LOST))
    if turn.record.asked is not None and knows_no_session(live):
        return unknown_session(turn, _ending_of(completed))
    return _ending_of(completed)


def _ending_of(completed: CompletedEvent) -> Ending:
    error = None if completed.ok else _words(completed.error) or tr("the engine gave no reason")
    return Ending(
        "done" if completed.ok else "failed",
        answer=_words(completed.answer),
        error=error,
        usage=completed.usage,
    )


def _cancelled(turn: Turn, completed: CompletedEvent | None = None, why: str = "") -> Ending:
    return Ending(
        "failed" if turn.hopeless else "cancelled",
        answer=_words(completed.answer) if completed else "",
        error=turn.record.cancel_reason or why or None,
        usage=completed.usage if completed else None,
        quiet=not turn.hopeless,
    )


def _words(said: object) -> str:
    """Take what a plug-in's event carries as text, also when it is none."""
    return "" if said is None else str(said)
