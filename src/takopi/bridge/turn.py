"""A turn while the bridge has it in hand."""

from dataclasses import dataclass, field
from pathlib import Path

import anyio
from msgspec.structs import replace

from takopi.bridge.ending import Ending
from takopi.bridge.letters import Delivery, Destination, LiveMessage
from takopi.bridge.ports import Clock
from takopi.bridge.records import TurnRecord
from takopi.core.former_chats import former_number, former_piece
from takopi.core.progress import ProgressState, advance, start_progress
from takopi.core.tool_log import NO_LOG, ToolLog, advance_log
from takopi.core.turn_state import TurnEnd, TurnWay
from takopi.core.usage import kept_usage
from takopi.model import EngineId, ResumeToken, TakopiEvent
from takopi.transport import MessageRef

__all__ = ["Turn", "moved_record"]


@dataclass(slots=True, eq=False)
class Turn:
    """Hold one turn: the record, which is the truth about it, and what dies with this process.

    Args:
        record: What is worth writing down.
        progress: What the engine has reported so far.
        log: What the agent did so far, for a person who wants to see all of it.
        way: Its state; the record follows it.
        started_at: When its engine was started, on the monotonic clock; None while it waits.
        ended_at: When its final was decided, on the monotonic clock.
        stalled: That its engine is silent, in words for the person; empty while it is not.
        live: Its progress message.
        final: What became of its final.
        cancelled: Set when somebody wants it to end.
        hopeless: Whether it was takopi that gave it up, because its engine was silent for too long.
        dropped: Set when an engine that is being cancelled gets no more time.
        left: Set when takopi goes and its engine is to go on alone.
        frozen: Whether somebody is changing its prompt.
        moving: Whether its topic is being made.
        asking: Whether a person is, or was, asked by this process whether it may start.
        writing: Held while the record is being written down, so that an older one never comes last.
        over: Set once nothing of it is left to do.
        undecided: The record as it was before this process decided the final.
        ending: How it ended, for whoever asked for it silently.
    """

    record: TurnRecord
    progress: ProgressState
    way: TurnWay = field(default_factory=TurnWay)
    started_at: float | None = None
    ended_at: float | None = None
    stalled: str = ""
    live: LiveMessage | None = None
    final: Delivery | None = None
    cancelled: anyio.Event = field(default_factory=anyio.Event)
    hopeless: bool = False
    dropped: anyio.Event = field(default_factory=anyio.Event)
    left: anyio.Event = field(default_factory=anyio.Event)
    frozen: bool = False
    moving: bool = False
    asking: bool = False
    writing: anyio.Lock = field(default_factory=anyio.Lock)
    over: anyio.Event = field(default_factory=anyio.Event)
    undecided: TurnRecord | None = None
    ending: Ending | None = None
    log: ToolLog = NO_LOG

    @classmethod
    def of(cls, record: TurnRecord, clock: Clock) -> "Turn":
        """Take up a turn where its record says it is."""
        turn = cls(record, start_progress(record.engine), TurnWay(record.state, record.outcome))
        if record.started_at is not None:
            # The wall clock may have been set meanwhile; a turn is never younger than nothing.
            turn.started_at = clock.now() - max(0.0, clock.wall() - record.started_at)
        if record.cancelled:
            turn.cancelled.set()
        return turn

    @property
    def id(self) -> str:
        """Give what names it in button data, in the log and in `run.json`."""
        return self.record.turn_id

    @property
    def engine(self) -> EngineId:
        """Give who does it."""
        return self.record.engine

    @property
    def prompt(self) -> str:
        """Give the person's words, without directives and resume lines."""
        return self.record.prompt

    @property
    def conversation(self) -> str:
        """Give what it and the replies to it share while no session is known."""
        return self.record.conversation or self.record.turn_id

    @property
    def destination(self) -> Destination:
        """Give where it lives; its messages answer the prompt, when that stands there."""
        record = self.record
        scope, reply_to = record.scope, None
        if record.messages and record.asked_in is None:
            reply_to = MessageRef(
                scope.chat_id,
                record.messages[0],
                thread_id=scope.thread_id,
                sender_id=record.person,
            )
        return Destination(scope, record.chat_kind, reply_to)

    @property
    def cwd(self) -> Path | None:
        """Give where it works, once that is decided."""
        return Path(self.record.cwd) if self.record.cwd else None

    @property
    def needs_person(self) -> bool:
        """Tell whether it does not start before a person says so."""
        record = self.record
        return record.held_by_person or (self.asking and not record.over_budget)

    @property
    def known_session(self) -> ResumeToken | None:
        """Give the session as far as anybody named it."""
        return self.record.session or self.record.asked

    @property
    def writable(self) -> TurnRecord:
        """Give what anybody may write down now.

        That the final is decided is written only together with its letters: a crash after it alone
        would lose the final.
        """
        written = self.final is not None and self.final.written
        return self.undecided if self.undecided and not written else self.record

    def elapsed_s(self, at: float) -> float:
        """Count the seconds since the engine was started."""
        return 0.0 if self.started_at is None else max(0.0, at - self.started_at)

    def ask_to_end(self, reason: str = "") -> None:
        """Note that somebody wants the turn to end; the first reason stays."""
        if not self.cancelled.is_set():
            self.record = replace(self.record, cancelled=True, cancel_reason=reason)
            self.cancelled.set()

    def move(self, chat_id: int) -> None:
        """Go on in the chat's new guise, where ids of messages start anew."""
        self.record = moved_record(self.record, chat_id)
        if self.undecided is not None:
            self.undecided = moved_record(self.undecided, chat_id)

    def start(self, clock: Clock, run_id: str, note: str = "") -> None:
        """Note that its engine is being started.

        Args:
            clock: Tells the moment.
            run_id: Name for the run directory.
            note: A line for the person, when there is something to say about it.

        Raises:
            IllegalTransition: The turn does not wait any more.
        """
        self.way.start()
        self.started_at = clock.now()
        self.record = replace(
            self.record,
            state=self.way.state,
            run_id=run_id,
            started_at=clock.wall(),
            note=note or self.record.note,
        )

    def hear(self, event: TakopiEvent) -> None:
        """Take in what the engine reported."""
        self.progress = advance(self.progress, event)
        if self.record.verbosity == "full":
            self.log = advance_log(self.log, event)

    def run(self) -> None:
        """Note that the engine reported something.

        Raises:
            IllegalTransition: The turn is not starting.
        """
        self.way.run()
        self.record = replace(self.record, state=self.way.state)

    def conclude(self, outcome: TurnEnd, clock: Clock, usage: object = None) -> None:
        """Note that the one final is decided.

        Args:
            outcome: What it says.
            clock: Tells the moment.
            usage: What the engine said it cost, whatever that is.

        Raises:
            IllegalTransition: It is decided already, or cannot be this one from here.
        """
        self.way.conclude(outcome)
        self.ended_at = clock.now()
        self.undecided = self.record
        self.record = replace(
            self.record,
            state=self.way.state,
            outcome=outcome,
            ended_at=clock.wall(),
            usage=kept_usage(usage),
        )

    def delivered(self) -> None:
        """Note that the final is out, or can never be.

        Raises:
            IllegalTransition: No final was decided, or it was delivered before.
        """
        self.record = replace(self.record, state=self.way.delivered())


def moved_record(record: TurnRecord, chat_id: int) -> TurnRecord:
    """Return a turn in its chat's new guise, where ids of messages start anew."""
    return replace(
        record,
        scope=replace(record.scope, chat_id=chat_id),
        messages=tuple(map(former_number, record.messages)),
        pieces=tuple(map(former_piece, record.pieces)),
        after=former_number(record.after),
        progress_id=None,
    )
