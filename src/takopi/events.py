"""Make the events of one run without repeating engine and session at every call."""

from typing import Any, TypedDict, Unpack

from takopi.errors import EngineError, SessionMismatch
from takopi.model import (
    Action,
    ActionEvent,
    ActionKind,
    ActionLevel,
    ActionPhase,
    CompletedEvent,
    EngineId,
    ResumeToken,
    StartedEvent,
)

__all__ = ["EventFactory"]


class _Outcome(TypedDict, total=False):
    ok: bool | None
    message: str | None
    level: ActionLevel | None


class _Remark(TypedDict, total=False):
    message: str | None
    level: ActionLevel | None


class EventFactory:
    """Build the events of one run of one engine.

    Args:
        engine: Id that every event carries.
    """

    __slots__ = ("_resume", "engine")

    def __init__(self, engine: EngineId) -> None:
        self.engine = engine
        self._resume: ResumeToken | None = None

    @property
    def resume(self) -> ResumeToken | None:
        """Give the session of this run, once `started` was called."""
        return self._resume

    def started(
        self, token: ResumeToken, *, title: str | None = None, meta: dict[str, Any] | None = None
    ) -> StartedEvent:
        """Report the session and remember it.

        Raises:
            EngineError: The token belongs to another engine.
            SessionMismatch: Another session was reported before.
        """
        if token.engine != self.engine:
            raise EngineError(
                f"{self.engine} cannot start a session of {token.engine} ({token.value}); "
                f"use a token of {self.engine}"
            )
        if self._resume is not None and self._resume != token:
            raise SessionMismatch(self.engine, self._resume.value, token.value, asked=False)
        self._resume = token
        return StartedEvent(self.engine, token, title, meta)

    def action(
        self,
        *,
        phase: ActionPhase,
        action_id: str,
        kind: ActionKind,
        title: str,
        detail: dict[str, Any] | None = None,
        **outcome: Unpack[_Outcome],
    ) -> ActionEvent:
        """Report a phase of an action; `ok`, `message` and `level` are optional."""
        action = Action(action_id, kind, title, {} if detail is None else detail)
        return ActionEvent(self.engine, action, phase, **outcome)

    def action_started(
        self,
        *,
        action_id: str,
        kind: ActionKind,
        title: str,
        detail: dict[str, Any] | None = None,
    ) -> ActionEvent:
        """Report that an action began."""
        action = Action(action_id, kind, title, {} if detail is None else detail)
        return ActionEvent(self.engine, action, "started")

    def action_updated(
        self,
        *,
        action_id: str,
        kind: ActionKind,
        title: str,
        detail: dict[str, Any] | None = None,
    ) -> ActionEvent:
        """Report news of an action that goes on."""
        action = Action(action_id, kind, title, {} if detail is None else detail)
        return ActionEvent(self.engine, action, "updated")

    def action_completed(
        self,
        *,
        action_id: str,
        kind: ActionKind,
        title: str,
        ok: bool | None,
        detail: dict[str, Any] | None = None,
        **remark: Unpack[_Remark],
    ) -> ActionEvent:
        """Report how an action ended; `message` and `level` are optional."""
        action = Action(action_id, kind, title, {} if detail is None else detail)
        return ActionEvent(self.engine, action, "completed", ok, **remark)

    def completed(
        self,
        *,
        ok: bool,
        answer: str,
        resume: ResumeToken | None = None,
        error: str | None = None,
        usage: dict[str, Any] | None = None,
    ) -> CompletedEvent:
        """Report the end of the turn; `resume` defaults to the started session."""
        token = self._resume if resume is None else resume
        return CompletedEvent(self.engine, ok, answer, token, error, usage)

    def completed_ok(
        self,
        *,
        answer: str,
        resume: ResumeToken | None = None,
        usage: dict[str, Any] | None = None,
    ) -> CompletedEvent:
        """Report a good end."""
        return self.completed(ok=True, answer=answer, resume=resume, usage=usage)

    def completed_error(
        self,
        *,
        error: str,
        answer: str = "",
        resume: ResumeToken | None = None,
        usage: dict[str, Any] | None = None,
    ) -> CompletedEvent:
        """Report a bad end and its reason."""
        return self.completed(ok=False, answer=answer, resume=resume, error=error, usage=usage)
