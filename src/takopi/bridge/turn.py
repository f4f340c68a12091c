"""A turn while the bridge has it in hand."""

from dataclasses import dataclass, field
from pathlib import Path

import anyio

from takopi.bridge.letters import Delivery, LiveMessage, Place
from takopi.bridge.ports import TurnRecord
from takopi.core.progress import ProgressState
from takopi.core.turn_state import TurnWay
from takopi.model import EngineId, ResumeToken

__all__ = ["Turn"]


@dataclass(slots=True, eq=False)
class Turn:
    """Hold what is known of one turn.

    Args:
        id: Names it in button data, in the log and in `run.json`.
        place: Where it was asked for; its messages answer the prompt.
        engine: Who does it.
        prompt: The person's words, without directives and resume lines.
        conversation: The id of the turn that began the conversation.
        asked: The session that the prompt named.
        person: Who asked.
        progress: What the engine has reported so far.
        way: Its state.
        session: The session, once the engine has reported it.
        cwd: Where it works, once that is decided.
        started_at: When its engine was started; None while it waits.
        ended_at: When its final was decided.
        note: A line for the progress message and the final.
        live: Its progress message.
        cancelled: Set when somebody wants it to end.
        dropped: Set when an engine that is being cancelled gets no more time.
        cancel_reason: Why, when it was not a person of the chat.
        final: What became of its final.
        over: Set once nothing of it is left to do.
    """

    id: str
    place: Place
    engine: EngineId
    prompt: str
    conversation: str
    progress: ProgressState
    asked: ResumeToken | None = None
    person: int | None = None
    way: TurnWay = field(default_factory=TurnWay)
    session: ResumeToken | None = None
    cwd: Path | None = None
    started_at: float | None = None
    ended_at: float | None = None
    note: str = ""
    live: LiveMessage | None = None
    cancelled: anyio.Event = field(default_factory=anyio.Event)
    dropped: anyio.Event = field(default_factory=anyio.Event)
    cancel_reason: str = ""
    final: Delivery | None = None
    over: anyio.Event = field(default_factory=anyio.Event)

    @property
    def known_session(self) -> ResumeToken | None:
        """Give the session as far as anybody named it."""
        return self.session or self.asked

    def elapsed_s(self, at: float) -> float:
        """Count the seconds since the engine was started."""
        return 0.0 if self.started_at is None else max(0.0, at - self.started_at)

    def ask_to_end(self, reason: str = "") -> None:
        """Note that somebody wants the turn to end; the first reason stays."""
        if not self.cancelled.is_set():
            self.cancel_reason = reason
            self.cancelled.set()

    def record(self) -> TurnRecord:
        """Say what a reply to one of its messages has to know."""
        return TurnRecord(
            turn_id=self.id,
            scope=self.place.scope,
            engine=self.engine,
            session=self.known_session,
            conversation=self.conversation,
        )
