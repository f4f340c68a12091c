"""Be a turn while it runs: hold its session's lock, keep the rules, end it in every case.

A turn is an object, not a generator, because it is read in one task and interrupted or closed in
another. What makes the events is a subclass: `jsonl_turn.JsonlTurn` follows a process,
`IteratorTurn` reads the iterator of a runner that makes its events itself.

The session (`session_hold`): a turn of a known one takes it before anything starts, a turn of a new
one before `StartedEvent` is yielded; it is freed when the process has ended, in `aclose`. A turn
holds one session at most, so turns cannot wait for each other in a circle.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Callable

import anyio

from takopi.core.progress import SESSION_WAIT
from takopi.core.texts import tr, translated
from takopi.core.turn_rules import TurnRules, WrongEvent
from takopi.errors import TakopiError
from takopi.jsonl_fold import CANCELLED, bug_text
from takopi.logging import get_logger
from takopi.model import (
    Action,
    ActionEvent,
    ActionPhase,
    CompletedEvent,
    EngineId,
    ResumeToken,
    StartedEvent,
    TakopiEvent,
)
from takopi.resume_tokens import check_token
from takopi.session_hold import POLL_S, SessionHold
from takopi.turn import TurnRequest
from takopi.turn_context import bind_request

__all__ = ["CLOSE_LIMIT_S", "SETTLE_S", "IteratorTurn", "TurnBase"]

SETTLE_S = 5.0
"""How long an engine may take to exit after its result before it is ended."""

CLOSE_LIMIT_S = 30.0
"""How long closing a turn may take before its session's lock is freed regardless."""

_log = get_logger(__name__)


class _Detached(Exception):
    """End the reading of a turn whose engine goes on without it."""


class TurnBase(ABC):
    """Implement `LiveTurn` but for the source of the events.

    Args:
        engine: Id of the engine.
        request: What the turn is to do.
        locked: Whether the session is taken here; not where whoever uses this turn, or the runner
            that it uses, takes it already.
        adopted: Whether an earlier takopi started its run.
    """

    close_limit_s = CLOSE_LIMIT_S
    session_poll_s = POLL_S

    def __init__(
        self, engine: EngineId, request: TurnRequest, *, locked: bool = True, adopted: bool = False
    ) -> None:
        self.request = request
        self._locked = locked
        self._is_adopted = adopted
        asked = request.resume
        # A token of another engine is refused when the turn begins; it must not show as ours.
        foreign = asked is not None and asked.engine != engine
        self.rules = TurnRules(engine, None if foreign else asked)
        self._pending: deque[TakopiEvent] = deque()
        self._hold: SessionHold | None = None
        self._waits_because = ""
        self._waiting: anyio.CancelScope | None = None  # what an interrupt may cut short
        self._interrupted = False
        self._over = False
        self._delivered = False
        self._detached = False
        self._lost = False
        self._busy: anyio.Event | None = None  # set once the step that runs now is done
        self._released: anyio.Event | None = None
        self._ended_background: tuple[str, ...] = ()

    # What the caller sees

    @property
    def run_id(self) -> str | None:
        """Give the run directory's name once the engine was started; None without one."""
        return None

    @property
    def ended_background(self) -> tuple[str, ...]:
        """Name the processes that outlived a normal end and were ended; complete after `aclose`."""
        return self._ended_background

    @property
    def lost(self) -> bool:
        """Tell that the run ended without a result and without anybody who saw how."""
        return self._lost

    @property
    def session_unknown(self) -> bool:
        """Tell that the engine does not know the session; a foreign runner cannot say so."""
        return False

    @property
    def output_bytes(self) -> int:
        """Count what was heard of the engine so far."""
        return 0

    def detach(self) -> bool:
        """Tell that nobody else can go on with this turn."""
        return False

    def __aiter__(self) -> AsyncIterator[TakopiEvent]:
        return self

    async def __anext__(self) -> TakopiEvent:
        """Return the next event; a cancelled call ends the turn."""
        if self._over:
            raise StopAsyncIteration
        if self._busy is not None:
            raise RuntimeError("a turn can be read in one place at a time")
        busy = self._busy = anyio.Event()
        try:
            event = await self._next()
        except _Detached:
            self._over = True
            await self._release(normal=False)
            raise StopAsyncIteration from None
        except BaseException:
            self._over = True
            await self._release(normal=False)
            raise
        finally:
            self._busy = None
            busy.set()
        if isinstance(event, CompletedEvent):
            self._over = self._delivered = True
        return event

    async def steer(self, text: str) -> bool:  # noqa: ARG002 - part of LiveTurn
        """Hand another message to the working agent; False, as this engine cannot."""
        return False

    async def answer(self, ask_id: str, answer: str) -> bool:  # noqa: ARG002 - part of LiveTurn
        """Answer an ask; False, as this engine does not ask."""
        return False

    async def interrupt(self) -> None:
        """End the turn and everything it started; the iterator then ends with `CompletedEvent`."""
        self._interrupted = True
        if self._waiting is not None:
            self._waiting.cancel()
        await self._stop()

    async def aclose(self) -> None:
        """Release the turn: end what is left of the run, then free the session's lock.

        May be called at any time, from any task, more than once; each call returns when the turn
        is released.
        """
        busy = self._busy
        if busy is not None:
            with anyio.CancelScope(shield=True), anyio.move_on_after(self.close_limit_s):
                await self.interrupt()
                await busy.wait()
        self._over = True
        await self._release(normal=self._delivered and not self._interrupted)

    # What a subclass brings

    @abstractmethod
    async def _advance(self) -> list[TakopiEvent]:
        """Make the next events, already under the rules; `CompletedEvent` must come in the end."""

    @abstractmethod
    async def _stop(self) -> None:
        """End what makes the events, as far as it was started."""

    @abstractmethod
    async def _finish(self, *, normal: bool) -> None:
        """Wait for what makes the events to end, after a normal end; end it otherwise."""

    def _session_known(self, token: ResumeToken) -> None:  # noqa: B027 - most need nothing
        """Take note of the session of this turn."""

    # How a step goes

    async def _next(self) -> TakopiEvent:
        while True:
            self._leave_if_detached()
            if not self._pending:
                self._pending.extend(await self._advance_or_fail())
                continue
            event = self._pending[0]
            if isinstance(event, StartedEvent):
                if self._needs_session():
                    await self._take_session(event.resume, started=True)
                    continue
                self._session_known(event.resume)
            return self._pending.popleft()

    async def _advance_or_fail(self) -> list[TakopiEvent]:
        try:
            return await self._advance()
        except _Detached:
            raise
        except (TakopiError, OSError) as error:
            events = self._fail(str(error))
        except BaseException as error:
            if not _is_fault(error):
                raise
            _log.exception("turn.failed", engine=self.rules.engine)
            events = self._fail(bug_text(self.rules.engine, error))
        await self._stop()
        return events

    def _fail(self, error: str) -> list[TakopiEvent]:
        out: list[TakopiEvent] = []
        self.rules.fail(error, out)
        return out

    def _leave_if_detached(self) -> None:
        if self._detached:
            raise _Detached

    def _cut_short(self) -> bool:
        return self._interrupted

    def _needs_session(self) -> bool:
        return self._locked and not (self._hold and self._hold.held)

    async def _take_session(self, token: ResumeToken, *, started: bool) -> None:
        """Wait for the session; what there is to say about it goes before the pending events.

        Not held afterwards: there is something to say first, or the turn was interrupted.

        Args:
            started: Whether the engine works already.
        """
        reason = None
        if not self._interrupted:
            if self._hold is None:
                self._hold = SessionHold(token, started=started, poll_s=self.session_poll_s)
            hold, told = self._hold, self._hold.told
            with anyio.CancelScope() as self._waiting:
                reason = await hold.take()
            self._waiting = None
            self._leave_if_detached()
            if reason is not None:
                self._waits_because = reason
                self._pending.appendleft(self._waiting_note("started"))
            elif hold.held and told:
                self._pending.appendleft(self._waiting_note("completed"))
        if self._interrupted and self._needs_session():
            self._end_pending(translated(CANCELLED))

    def _end_pending(self, error: str) -> None:
        """Leave of the pending events the end alone."""
        completed = [event for event in self._pending if isinstance(event, CompletedEvent)]
        self._pending = deque(completed or self._fail(error))

    def _waiting_note(self, phase: ActionPhase) -> ActionEvent:
        action = Action(SESSION_WAIT, "note", self._waits_because)
        return ActionEvent(self.rules.engine, action, phase, True if phase == "completed" else None)

    async def _take_known_session(self) -> bool:
        """Wait for the session that was asked for; False when there are events to give first.

        Raises:
            UsageError: The token is another engine's.
        """
        asked = self.request.resume
        if asked is not None:
            check_token(self.rules.engine, asked)
            if self._needs_session():
                await self._take_session(asked, started=self._is_adopted)
                if self._needs_session():
                    return False
        if self._cut_short():
            self._end_pending(translated(CANCELLED))
            return False
        return True

    async def _release(self, *, normal: bool) -> None:
        if self._released is not None:
            await self._released.wait()
            return
        self._released = anyio.Event()
        try:
            with anyio.CancelScope(shield=True), anyio.move_on_after(self.close_limit_s) as scope:
                await self._finish(normal=normal)
            if scope.cancelled_caught:
                _log.error("turn.close_timed_out", engine=self.rules.engine, run_id=self.run_id)
        except BaseException as error:
            if not _is_fault(error):
                raise
            _log.exception("turn.close_failed", engine=self.rules.engine, run_id=self.run_id)
        finally:
            if self._hold is not None:
                self._hold.release(run_goes_on=self._detached)
            self._released.set()


def _is_fault(error: BaseException) -> bool:
    """Tell what an engine's module did wrong from what ends more than its turn.

    A turn is a border: a hook that calls `sys.exit`, or a panic of an extension written in Rust,
    ends this turn and nothing else. Cancellation and Ctrl-C pass.
    """
    if isinstance(error, BaseExceptionGroup):
        return all(map(_is_fault, error.exceptions))
    passing = (anyio.get_cancelled_exc_class(), KeyboardInterrupt, GeneratorExit)
    return not isinstance(error, passing)


class IteratorTurn(TurnBase):
    """Be a turn of a runner that makes its events itself.

    Args:
        engine: Id of the engine.
        request: What the turn is to do; the runner sees it as the current request.
        make: Called with prompt and session, returns the iterator of events.
        locked: Whether the session's lock is taken here; a foreign runner brings its own, and
            one that hands on to a runner of ours would wait for itself.
    """

    def __init__(
        self,
        engine: EngineId,
        request: TurnRequest,
        make: Callable[[str, ResumeToken | None], AsyncIterator[TakopiEvent]],
        *,
        locked: bool,
    ) -> None:
        super().__init__(engine, request, locked=locked)
        self._make = make
        self._iterator: AsyncIterator[TakopiEvent] | None = None
        self._refused = 0

    async def _advance(self) -> list[TakopiEvent]:
        if self._iterator is None:
            if not await self._take_known_session():
                return []
            with bind_request(self.request):
                self._iterator = aiter(self._make(self.request.prompt, self.request.resume))
        if self._cut_short():
            return self._fail(translated(CANCELLED))
        event: TakopiEvent | None = None
        with anyio.CancelScope() as self._waiting, bind_request(self.request):
            event = await anext(self._iterator, None)
        self._waiting = None
        if event is None:
            engine = self.rules.engine
            return self._fail(
                translated(CANCELLED)
                if self._interrupted
                else tr("{engine} ended without a result", engine=engine)
            )
        out: list[TakopiEvent] = []
        try:
            self.rules.admit(event, out)
        except WrongEvent as error:
            self.rules.admit(self._refusal(error), out)
        return out

    def _refusal(self, error: WrongEvent) -> ActionEvent:
        """Make the warning that stands in the place of an event that cannot be used."""
        self._refused += 1
        engine, id_ = self.rules.engine, f"{self.rules.engine}.refused.{self._refused}"
        text = tr("the module of the engine {engine} gave an event that takopi cannot use ({why}); "
                  "report this to the module's author", engine=engine, why=error)  # fmt: skip
        action = Action(id_, "warning", text)
        return ActionEvent(engine, action, "completed", ok=False, level="warning")

    async def _stop(self) -> None:
        """Do nothing: cancelling the step that runs, and closing, end the iterator."""

    async def _finish(self, *, normal: bool) -> None:
        iterator = self._iterator
        if iterator is None:
            return
        with bind_request(self.request):
            if normal:  # let it do what it does after its result
                with anyio.move_on_after(SETTLE_S):
                    async for _ in iterator:
                        pass
            close = getattr(iterator, "aclose", None)
            if close is not None:
                await close()
