"""One turn from its start to the release of its session.

The driver takes the engine's events, whatever they are worth, and owes three things: exactly one
final, an end when somebody asks for it, and the release of the run in every case. What goes wrong
with an engine stops at the turn's border.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from takopi.bridge.border import border
from takopi.bridge.ports import Clock, EngineDirectory, RunHost, Store
from takopi.bridge.records import TurnPut
from takopi.bridge.turn import Turn
from takopi.bridge.turn_messages import Ending, TurnMessages
from takopi.bridge.waiting import wait_until
from takopi.core.progress import advance
from takopi.errors import WorkDirMissing
from takopi.logging import get_logger
from takopi.model import CompletedEvent, ResumeToken, StartedEvent
from takopi.runner import open_turn
from takopi.turn import LiveTurn, TurnRequest

__all__ = ["DriverPorts", "Ended", "TurnDriver"]

_log = get_logger(__name__)

CANCEL_GRACE_S = 15.0
"""How long an engine may take to end after it was interrupted, before its turn ends without it."""

CLOSE_GRACE_S = 40.0
"""Longer than a runner takes by itself to close a turn; then its session is freed regardless."""

# A stream that never waits must not keep others from being served.
_EVENTS_BETWEEN_PAUSES = 32

_SessionReport = Callable[[Turn, ResumeToken], None]


@dataclass(frozen=True, slots=True)
class DriverPorts:
    """Bind what a turn needs.

    Args:
        engines: Knows the runners.
        host: Knows where sessions live.
        store: Remembers turns.
        clock: Tells the time.
        messages: Shows turns.
        work_dir: Where new sessions start.
    """

    engines: EngineDirectory
    host: RunHost
    store: Store
    clock: Clock
    messages: TurnMessages
    work_dir: Path


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
    """

    def __init__(self, ports: DriverPorts, report: _SessionReport) -> None:
        self._ports = ports
        self._report = report

    async def drive(self, turn: Turn, resume: ResumeToken | None) -> Ended:
        """Run a started turn until its session may go on to the next one.

        Args:
            turn: Its state is `starting`.
            resume: The session to continue.
        """
        run = _TurnRun(self._ports, self._report, turn)
        try:
            ending = await run.play(resume)
        finally:
            await run.release()
        await run.remember()
        return Ended(ending, run.ended_background)

    async def discard(self, turn: Turn) -> Ended:
        """End a turn that never started."""
        ending = Ending("cancelled", error=turn.cancel_reason or None, quiet=True)
        return Ended(await _TurnRun(self._ports, self._report, turn).conclude(ending))

    async def finish(self, turn: Turn, ended: Ended) -> None:
        """Wait until the final of a driven or discarded turn is out."""
        await self._ports.messages.finish(turn, ended.ending, ended.background)


class _TurnRun:
    """Be one turn while it is driven."""

    def __init__(self, ports: DriverPorts, report: _SessionReport, turn: Turn) -> None:
        self._ports = ports
        self._report = report
        self._turn = turn
        self._live: LiveTurn | None = None
        self._ending: Ending | None = None
        self._posted = anyio.Event()
        self._interrupting = False
        self._interrupt_until = 0.0
        self._interrupted = anyio.Event()

    @property
    def ended_background(self) -> tuple[str, ...]:
        """Name what outlived the turn; complete after `release`."""
        return self._live.ended_background if self._live is not None else ()

    async def play(self, resume: ResumeToken | None) -> Ending:
        """Start, follow, and decide the final."""
        turn = self._turn
        with border("starting the turn", turn=turn.id) as found:
            self._live = await self._open(resume)
        if self._live is None:
            return await self.conclude(Ending("failed", error=found.error))
        return await self._follow(self._live)

    async def release(self) -> None:
        """Let go of the run, also while takopi is being torn down."""
        live, clock = self._live, self._ports.clock
        if live is None:
            return
        with anyio.CancelScope(shield=True), border("closing the turn", turn=self._turn.id):
            await wait_until(live.aclose, clock, clock.now() + CLOSE_GRACE_S)

    async def remember(self) -> None:
        """Write down what a reply has to know; a turn goes on when that fails."""
        with border("remembering the turn", turn=self._turn.id):
            await self._ports.store.commit([TurnPut(self._turn.record())])

    async def conclude(self, ending: Ending) -> Ending:
        """Decide the one final, unless it is decided, and return what it says once it is posted."""
        if self._ending is not None:
            await self._posted.wait()
            return self._ending
        turn = self._turn
        session = turn.known_session
        if session is not None:
            with border("writing the resume line", turn=turn.id):
                line = self._ports.engines.runner(turn.engine).format_resume(session)
                ending = replace(ending, resume_line=line)
        self._ending = ending
        try:
            # Whoever decided it may be cancelled by what it decides; the final must not be.
            with anyio.CancelScope(shield=True):
                await self._ports.messages.conclude(turn, ending)
        finally:
            self._posted.set()
        return ending

    async def _open(self, resume: ResumeToken | None) -> LiveTurn:
        turn = self._turn
        runner = self._ports.engines.runner(turn.engine)
        turn.cwd = await self._directory(resume)
        scope, prompt = turn.place.scope, turn.place.reply_to
        record = {
            "turn": turn.id,
            "transport": scope.transport,
            "chat_id": scope.chat_id,
            "thread_id": scope.thread_id,
            "message_id": prompt.message_id if prompt else None,
            "person": turn.person,
        }
        request = TurnRequest(prompt=turn.prompt, resume=resume, cwd=turn.cwd, record=record)
        return open_turn(runner, request)

    async def _directory(self, resume: ResumeToken | None) -> Path:
        """Find the directory of a session before anything starts in a wrong one."""
        found = None
        if resume is not None:
            # Reads run directories; there may be many.
            found = await anyio.to_thread.run_sync(self._ports.host.session_cwd, resume)
        if found is None:
            return self._ports.work_dir
        if not await anyio.Path(found).is_dir():
            raise WorkDirMissing(found)
        return found

    async def _follow(self, live: LiveTurn) -> Ending:
        """Take events until the first completion; end the turn when somebody asks."""
        turn = self._turn
        completed: CompletedEvent | None = None
        async with anyio.create_task_group() as group:
            with anyio.CancelScope() as reading:
                group.start_soon(self._end_when_asked, live, reading, group)
                with border("running the engine", turn=turn.id) as found:
                    completed = await self._read(live)
            if completed is not None and (completed.ok or not self._interrupting):
                ending = _ending_of(completed)
            elif self._interrupting:
                ending = _cancelled(turn, completed)
            else:
                why = found.error or f"{turn.engine} ended without a result"
                ending = Ending("failed", error=why)
            ending = await self.conclude(ending)
            if self._interrupting:
                # The person is told; what is being ended gets its time before it is let go.
                await wait_until(self._interrupted.wait, self._ports.clock, self._interrupt_until)
            group.cancel_scope.cancel()
        return ending

    async def _read(self, live: LiveTurn) -> CompletedEvent | None:
        turn, taken = self._turn, 0
        async for event in live:
            if turn.way.state == "starting":
                turn.way.run()
            if isinstance(event, StartedEvent | CompletedEvent):
                await self._session(event.resume)
            if isinstance(event, CompletedEvent):
                return event
            turn.progress = advance(turn.progress, event)
            self._ports.messages.touch(turn)
            taken += 1
            if taken % _EVENTS_BETWEEN_PAUSES == 0:
                await checkpoint()
        return None

    async def _session(self, session: ResumeToken | None) -> None:
        """Take note of the session; the first one reported holds."""
        turn = self._turn
        if session is None or session.engine != turn.engine or turn.session is not None:
            return
        turn.session = session
        self._report(turn, session)
        await self.remember()

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
        # Letting go of a run that does not end takes its time; the person is told before.
        _log.error("turn.does_not_end", turn=turn.id, engine=turn.engine)
        await self.conclude(_cancelled(turn, None, "the engine did not end when it was told to"))
        reading.cancel()

    async def _interrupt(self, live: LiveTurn) -> None:
        with border("interrupting the engine", turn=self._turn.id):
            await live.interrupt()
        self._interrupted.set()


def _ending_of(completed: CompletedEvent) -> Ending:
    error = None if completed.ok else _words(completed.error) or "the engine gave no reason"
    return Ending(
        "done" if completed.ok else "failed",
        answer=_words(completed.answer),
        error=error,
        usage=completed.usage,
    )


def _cancelled(turn: Turn, completed: CompletedEvent | None, why: str = "") -> Ending:
    return Ending(
        "cancelled",
        answer=_words(completed.answer) if completed else "",
        error=turn.cancel_reason or why or None,
        usage=completed.usage if completed else None,
        quiet=True,
    )


def _words(said: object) -> str:
    """Take what a plug-in's event carries as text, also when it is none."""
    return "" if said is None else str(said)
