"""Hold every runner to the rules of a turn, whatever it says.

1. `StartedEvent` comes once, with the session that was asked for.
2. An action's id is unique: an id that starts again after it completed gets a number.
3. `CompletedEvent` comes once and last: the first wins, what follows is dropped. (A warning could
   only come after it, which rule 3 forbids, or before it, which would mean to hold the final back.)
4. `CompletedEvent.resume` is the session of `StartedEvent`; before one, the session asked for.

The rules see one event at a time and look neither back nor ahead, so the outcome does not depend
on how the engine's output was cut into chunks.
"""

from typing import Protocol

from msgspec.structs import replace

from takopi.core.texts import tr
from takopi.errors import EngineError, SessionMismatch
from takopi.model import (
    Action,
    ActionEvent,
    CompletedEvent,
    EngineId,
    ResumeToken,
    StartedEvent,
    TakopiEvent,
)

__all__ = ["CheckStarted", "TurnRules", "check_started"]


class CheckStarted(Protocol):
    """Decide about a `StartedEvent`: the session from now on, and whether the event is shown."""

    def __call__(
        self,
        event: StartedEvent,
        *,
        expected_session: ResumeToken | None,
        found_session: ResumeToken | None,
    ) -> tuple[ResumeToken | None, bool]: ...


def check_started(engine: EngineId) -> CheckStarted:
    """Make the check that every runner uses unless it brings its own."""

    def check(
        event: StartedEvent,
        *,
        expected_session: ResumeToken | None,
        found_session: ResumeToken | None,
    ) -> tuple[ResumeToken | None, bool]:
        token = event.resume
        if event.engine != engine or token.engine != engine:
            other = event.engine if event.engine != engine else token.engine
            raise EngineError(
                tr(
                    "the runner of {engine} reported a session of {other} ({session}); the turn "
                    "was ended: report this to the author of the engine's module",
                    engine=engine,
                    other=other,
                    session=token.value,
                )
            )
        known = found_session or expected_session
        if known is not None and token != known:
            raise SessionMismatch(engine, known.value, token.value)
        return token, found_session is None

    return check


class TurnRules:
    """Admit the events of one turn.

    Args:
        engine: Id of the engine.
        asked: The session that the turn is to continue.
        check: Decides about a `StartedEvent`; raises `SessionMismatch`.
    """

    __slots__ = (
        "_aliases",
        "_check",
        "_closed",
        "_counts",
        "asked",
        "completed",
        "engine",
        "session",
        "started",
    )

    def __init__(
        self, engine: EngineId, asked: ResumeToken | None, check: CheckStarted | None = None
    ) -> None:
        self.engine = engine
        self.asked = asked
        self.session: ResumeToken | None = None
        self.started = False
        self.completed: CompletedEvent | None = None
        self._check = check_started(engine) if check is None else check
        self._closed: set[str] = set()
        self._counts: dict[str, int] = {}
        self._aliases: dict[str, str] = {}

    def admit(self, event: TakopiEvent, out: list[TakopiEvent]) -> None:
        """Append what the rules make of `event` to `out`.

        Raises:
            EngineError: The session is another engine's, or not the one asked for.
        """
        if self.completed is not None:
            return
        if isinstance(event, ActionEvent):  # first, as nearly all events are actions
            phase = event.phase
            if phase == "completed":
                self._closed.add(event.action.id)
            elif phase == "started" and event.action.id in self._closed:
                self._count_again(event.action.id)
            out.append(self._renamed(event) if self._aliases else event)
        elif isinstance(event, StartedEvent):
            self._start(event, out)
        elif isinstance(event, CompletedEvent):
            self._complete(event, out)
        else:
            raise TypeError(f"a runner may not yield {type(event).__name__}")

    def fail(self, error: str, out: list[TakopiEvent], answer: str = "") -> None:
        """End the turn with `error`, unless it ended before."""
        if self.completed is None:
            resume = self.session or self.asked
            self.completed = CompletedEvent(
                self.engine, ok=False, answer=answer, resume=resume, error=error
            )
            out.append(self.completed)

    def _count_again(self, action_id: str) -> None:
        self._closed.discard(action_id)
        number = self._counts[action_id] = self._counts.get(action_id, 1) + 1
        self._aliases[action_id] = f"{action_id}#{number}"

    def _renamed(self, event: ActionEvent) -> ActionEvent:
        action = event.action
        alias = self._aliases.get(action.id)
        if alias is None:
            return event
        action = Action(alias, action.kind, action.title, action.detail)
        return ActionEvent(event.engine, action, event.phase, event.ok, event.message, event.level)

    def _start(self, event: StartedEvent, out: list[TakopiEvent]) -> None:
        session, shown = self._check(event, expected_session=self.asked, found_session=self.session)
        self.session = session or self.session
        if shown and self.session is not None and not self.started:
            self.started = True
            same = event.resume == self.session
            out.append(event if same else replace(event, resume=self.session))

    def _is_news(self) -> bool:
        """Say whether the session of a failed turn is worth a `StartedEvent`.

        Where a session was asked for, a strange id is no mismatch: claude makes one up for an
        unknown session, and the reason of the failure is what the person needs.
        """
        return not self.started and self.asked is None

    def _complete(self, event: CompletedEvent, out: list[TakopiEvent]) -> None:
        token = event.resume
        if event.ok:
            # An engine may name its session only at the end, or never when it was given one.
            token = token or (None if self.started else self.asked)
            if token is not None and (not self.started or token != self.session):
                self._start(StartedEvent(self.engine, token), out)
        elif token is not None and token.engine == self.engine and self._is_news():
            self._start(StartedEvent(self.engine, token), out)
        resume = self.session or self.asked
        error = event.error
        if event.ok:
            error = None
        elif not error:
            error = tr("{engine} reported a failure without a reason", engine=self.engine)
        if (resume, error, self.engine) != (event.resume, event.error, event.engine):
            event = replace(event, resume=resume, error=error, engine=self.engine)
        self.completed = event
        out.append(event)
