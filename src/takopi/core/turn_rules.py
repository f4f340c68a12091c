"""Hold every runner to the rules of a turn, whatever it says.

1. `StartedEvent` comes once, with the session that was asked for.
2. An action's id is unique: an id that starts again after it completed gets a number.
3. `CompletedEvent` comes once and last: the first wins, what follows is dropped. (A warning could
   only come after it, which rule 3 forbids, or before it, which would mean to hold the final back.)
4. `CompletedEvent.resume` is the session of `StartedEvent`; before one, the session asked for.
5. Fields are of the types that `takopi.model` names, which nothing checks when an event is made. An
   event with a wrong one is refused, but for the final: it is mended, as it holds the answer.
6. A session that could not be typed on a command line counts as not reported, with a warning: the
   resume line shows it, and no turn could continue it.

The rules see one event at a time and look neither back nor ahead, so the outcome does not depend
on how the engine's output was cut into chunks.
"""

from typing import Any, Protocol

from msgspec.structs import replace

from takopi.core.session_ids import is_session_id
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

__all__ = ["CheckStarted", "TurnRules", "WrongEvent", "check_started"]


class WrongEvent(TypeError):
    """Say which field of an event is of a wrong type; the turn goes on without that event."""


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
            asked = known == expected_session
            raise SessionMismatch(engine, known.value, token.value, asked=asked)
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
        "_warned",
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
        self._warned = False
        self._closed: set[str] = set()
        self._counts: dict[str, int] = {}
        self._aliases: dict[str, str] = {}

    def admit(self, event: TakopiEvent, out: list[TakopiEvent]) -> None:
        """Append what the rules make of `event` to `out`.

        Raises:
            EngineError: The session is another engine's, or not the one asked for.
            WrongEvent: It is no event, or one of its fields is of a wrong type.
        """
        if self.completed is not None:
            return
        if isinstance(event, ActionEvent):  # first, as nearly all events are actions
            action: Any = event.action
            phase = event.phase
            # What a line can afford: whatever is not plainly right is looked at closely.
            if (
                type(action) is not Action
                or type(action.id) is not str
                or type(action.title) is not str
                or type(action.detail) is not dict
                or event.message is not None
                or event.level is not None
                or type(action.kind) is not str
            ):
                _check_action(event)
            if phase == "completed":
                self._closed.add(action.id)
            elif phase == "started" and action.id in self._closed:
                self._count_again(action.id)
            out.append(self._renamed(event) if self._aliases else event)
        elif isinstance(event, StartedEvent):
            self._start(event, out)
        elif isinstance(event, CompletedEvent):
            self._complete(event, out)
        else:
            raise WrongEvent(f"a runner may not yield {type(event).__name__}")

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
        _check_start(event)
        session, shown = self._check(event, expected_session=self.asked, found_session=self.session)
        if session is not None and not is_session_id(session.value):
            self._warn_of(session.value, out)
            return
        self.session = session or self.session
        if shown and self.session is not None and not self.started:
            self.started = True
            same = event.resume == self.session
            out.append(event if same else replace(event, resume=self.session))

    def _warn_of(self, session: str, out: list[TakopiEvent]) -> None:
        if self._warned:
            return
        self._warned = True
        text = tr(
            "{engine} reported the session {session}, which cannot be one, so nobody can continue "
            "it; report this to the author of the engine's module",
            engine=self.engine,
            session=repr(session[:80]),
        )
        action = Action(f"{self.engine}.session", "warning", text)
        out.append(ActionEvent(self.engine, action, "completed", ok=False, level="warning"))

    def _is_news(self) -> bool:
        """Say whether the session of a failed turn is worth a `StartedEvent`.

        Where a session was asked for, a strange id is no mismatch: claude makes one up for an
        unknown session, and the reason of the failure is what the person needs.
        """
        return not self.started and self.asked is None

    def _complete(self, event: CompletedEvent, out: list[TakopiEvent]) -> None:
        event = _mended(event)
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


def _check_action(event: ActionEvent) -> None:
    action = event.action
    _check("action", action, Action)
    for name in ("id", "kind", "title"):
        _check(f"action.{name}", getattr(action, name), str)
    _check("action.detail", action.detail, dict)
    for name in ("message", "level"):
        _check(name, getattr(event, name), str, type(None))


def _check_start(event: StartedEvent) -> None:
    _check("resume", event.resume, ResumeToken)
    _check("resume.value", event.resume.value, str)
    _check("title", event.title, str, type(None))


def _check(name: str, value: Any, *accepted: type) -> None:
    if not isinstance(value, accepted):
        raise WrongEvent(f"{name} is of type {type(value).__name__}, not {accepted[0].__name__}")


def _mended(event: CompletedEvent) -> CompletedEvent:
    """Return a final whose answer and error are texts, and whose session is one or nothing."""
    # What a module's author wrote, and no type checker may have seen.
    answer: Any = event.answer
    error: Any = event.error
    token: Any = event.resume
    if not isinstance(answer, str):
        answer = "" if answer is None else str(answer)
    if not isinstance(error, str | None):
        error = str(error)
    if not (isinstance(token, ResumeToken) and isinstance(token.value, str)):
        token = None
    if (answer, error, token) == (event.answer, event.error, event.resume):
        return event
    return replace(event, answer=answer, error=error, resume=token)
