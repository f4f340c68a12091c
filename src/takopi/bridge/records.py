"""What the journal holds, and the changes that are made to it.

A change is a value; `Store.commit` makes a handful of them in one transaction, so that a decision
and what goes out because of it are written down together or not at all. All times are unix
seconds, because a journal outlives every monotonic clock.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from takopi.context import RunContext
from takopi.core.chat import ChatKind, ChatMessage, ChatUpdate, Document, IncomingFile, Scope
from takopi.core.gathering import PromptPiece
from takopi.core.offers import OfferKind
from takopi.core.outbox_plan import Priority
from takopi.core.places import PlaceRecord
from takopi.core.preferences import RunChoices, Verbosity
from takopi.core.schedules import ScheduleRecord
from takopi.core.turn_state import TurnEnd, TurnState
from takopi.model import EngineId, ResumeToken

__all__ = [
    "AcceptedUpdate",
    "Change",
    "JournalState",
    "LetterGone",
    "LetterPut",
    "LetterRecord",
    "MessageBound",
    "MessageRole",
    "OfferPut",
    "OfferRecord",
    "OfferTaken",
    "PlacePut",
    "ScheduleGone",
    "SchedulePut",
    "TurnPut",
    "TurnRecord",
    "UpdateHandled",
]

MessageRole: TypeAlias = Literal["prompt", "progress", "final", "answer"]


class AcceptedUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """Be an update that the journal has taken.

    Args:
        id: The journal's own number; `UpdateHandled` names it.
        update: What came.
        arrived_at: When the journal took it.
        batch: Number of the getUpdates answer that brought it.
    """

    id: int
    update: ChatUpdate
    arrived_at: float
    batch: int = 0


class TurnRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Be one turn, with all that is needed to go on with it after a crash.

    Args:
        turn_id: Names it in button data, in the log and in `run.json`.
        scope: Where it was asked for.
        engine: Who does it.
        session: The session, once the engine has reported it.
        conversation: What a turn and the replies to it share while no session is known; the id of
            the turn that began it.
        chat_kind: Decides the budget of its messages.
        prompt: The person's words, without directives and resume lines.
        messages: Ids of the messages that make the prompt; the first is the one that is answered.
        person: Who asked.
        asked: The session that the prompt named.
        by_itself: Whether it goes on with the last session of its place without having said so.
        origin: What made the prompt.
        state: Where it is on its way.
        outcome: What its final says, once that is decided.
        cancelled: Whether somebody asked for its end.
        cancel_reason: Why, when it was not a person of the chat.
        held_until: Gathering: it does not start before this moment.
        held_by_person: It does not start before a person says so (a backlog that is asked about).
        pieces: The messages that make the prompt, as they were sent; the first one decides engine
            and session. Empty for a turn that no message made.
        after: The message whose button made it; a command that was sent before does not act on it.
            0 for a turn that a message made: that message counts.
        accepted_at: When its prompt was accepted.
        started_at: When its engine was started.
        ended_at: When its final was decided.
        run_id: Name of the run directory, decided before anything is started.
        project: Alias of the project that it works in; None for none.
        branch: Branch whose worktree it works in; None for the project's own directory.
        choices: Model, level and mode it is started with.
        verbosity: How much its messages show.
        usage: What the engine said it cost, as in `CompletedEvent.usage`; None while unknown.
        before: What the directory held when the turn began (a snapshot of git); None without one.
        silent: Whether whoever asked takes the answer, so that nothing of it goes to the chat.
        session_unknown: Whether it failed because its engine does not know the session `asked`.
        cwd: Where it works.
        note: A line for the progress message and the final.
        progress_id: Its progress message. Derived by the store from `MessageBound`; what `TurnPut`
            says here is ignored.
        seq: Order of acceptance. Given by the store with the first `TurnPut`; ignored later.
        sendable: Files that its answer names, relative to where it worked; buttons name them by
            number.
        wants_topic: Whether it gets a topic of its own before it starts.
        asked_in: Where its messages stand, when they are not in its own topic.
        files: What goes with the prompt; each has its place once the turn is about to start. Of
            `origin` `files`: what a person sent without a word, for those who reply to it.
        schedule_id: The schedule that asked.
        rank: Decides before the order of acceptance which waiting turn is next, the least first.
        over_budget: Whether a person said to run it although the day's budget is used up.
    """

    turn_id: str
    scope: Scope
    engine: EngineId
    session: ResumeToken | None = None
    conversation: str = ""
    chat_kind: ChatKind = "private"
    prompt: str = ""
    messages: tuple[int, ...] = ()
    person: int | None = None
    asked: ResumeToken | None = None
    by_itself: bool = False
    origin: Literal["prompt", "engine", "schedule", "peer", "files"] = "prompt"
    state: TurnState = "queued"
    outcome: TurnEnd | None = None
    cancelled: bool = False
    cancel_reason: str = ""
    held_until: float | None = None
    held_by_person: bool = False
    pieces: tuple[PromptPiece, ...] = ()
    after: int = 0
    accepted_at: float = 0.0
    started_at: float | None = None
    ended_at: float | None = None
    run_id: str | None = None
    project: str | None = None
    branch: str | None = None
    choices: RunChoices = RunChoices()
    verbosity: Verbosity = "normal"
    usage: Mapping[str, Any] | None = None
    before: str | None = None
    silent: bool = False
    session_unknown: bool = False
    cwd: str | None = None
    note: str = ""
    progress_id: int | None = None
    seq: int = 0
    sendable: tuple[str, ...] = ()
    wants_topic: bool = False
    asked_in: Scope | None = None
    files: tuple[IncomingFile, ...] = ()
    schedule_id: str = ""
    rank: int = 0
    over_budget: bool = False

    @property
    def context(self) -> RunContext:
        """Give project and branch."""
        return RunContext(self.project, self.branch)

    @property
    def began_anew(self) -> bool:
        """Tell whether it was started in no session: none that was known before is its own."""
        return self.started_at is not None and self.asked is None


class LetterRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Be one message on its way out: a part of a final, an ask, an answer, a taking back.

    Args:
        letter_id: Unique for ever; grows in the order of posting.
        scope: Where it goes.
        chat_kind: Decides the budget.
        priority: When it goes; never `PROGRESS`.
        body: What is sent; None takes `target` back.
        turn_id: The turn that the accepted message belongs to.
        reply_to: The message that it answers.
        group: Letters of one group other than 0 are contiguous.
        index: Its place in the group, from 0.
        last: Whether it ends its group.
        notify: Whether the person's device may make a sound.
        target: The message to edit or take back.
        instead: Whether it takes the place of the turn's progress message, which is taken back once
            the group is accepted.
        offered: The offers whose buttons it carries.
        posted_at: When it was posted; it is tried for so long.
        tries: How often a call was begun and never answered; more than 0 after a crash means that
            the chat may have it already.
    """

    letter_id: int
    scope: Scope
    chat_kind: ChatKind
    priority: Priority
    body: ChatMessage | Document | None
    turn_id: str | None = None
    reply_to: int | None = None
    group: int = 0
    index: int = 0
    last: bool = True
    notify: bool = True
    target: int | None = None
    instead: bool = False
    offered: tuple[str, ...] = ()
    posted_at: float = 0.0
    tries: int = 0


class OfferRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Be a decision that a message's buttons offer; it can be taken once.

    Args:
        offer_id: Names it in button data; at most 40 characters of `[A-Za-z0-9_-]`.
        kind: What it is about.
        scope: Where it is offered; a press elsewhere counts for nothing.
        turn_id: The turn it is about.
        person: Who may take it; None for everybody who is served there.
        payload: What it needs beyond the turn (the new text of an edited prompt).
        shown: What the message with the buttons says; the choice is added to it once it is taken.
        taken: What was chosen; None while it is open.
    """

    offer_id: str
    kind: OfferKind
    scope: Scope
    turn_id: str
    person: int | None = None
    payload: str = ""
    shown: ChatMessage | None = None
    taken: str | None = None


class TurnPut(msgspec.Struct, frozen=True):
    """Write a turn down, new or as it is now."""

    turn: TurnRecord


class MessageBound(msgspec.Struct, frozen=True):
    """Remember which turn a message belongs to; the newest progress message of a turn counts."""

    chat_id: int
    message_id: int
    turn_id: str
    role: MessageRole


class LetterPut(msgspec.Struct, frozen=True):
    """Write a letter down, new or as it is now."""

    letter: LetterRecord


class LetterGone(msgspec.Struct, frozen=True):
    """Forget a letter: the chat has it, or it was given up."""

    letter_id: int


class OfferPut(msgspec.Struct, frozen=True):
    """Write an offer down."""

    offer: OfferRecord


class OfferTaken(msgspec.Struct, frozen=True):
    """Note what was chosen; `Store.commit` raises `OfferClosed` when something was before."""

    offer_id: str
    choice: str


class UpdateHandled(msgspec.Struct, frozen=True):
    """Note that an update has had its effect; it is not handled again after a crash."""

    id: int


class PlacePut(msgspec.Struct, frozen=True):
    """Write down what is known about a place, new or as it is now."""

    place: PlaceRecord


class SchedulePut(msgspec.Struct, frozen=True):
    """Write a schedule down, new or as it is now."""

    schedule: ScheduleRecord


class ScheduleGone(msgspec.Struct, frozen=True):
    """Forget a schedule."""

    schedule_id: str


Change: TypeAlias = (
    TurnPut
    | MessageBound
    | LetterPut
    | LetterGone
    | OfferPut
    | OfferTaken
    | UpdateHandled
    | PlacePut
    | SchedulePut
    | ScheduleGone
)


class JournalState(msgspec.Struct, frozen=True, kw_only=True):
    """Be what a start finds in the journal.

    Args:
        turns: Turns that are not over, in the order of acceptance.
        letters: Letters that no chat has accepted yet, in the order of posting.
        updates: Accepted updates that were not handled, in the order of acceptance.
        next_letter_id: Smallest number that no letter ever had.
        places: What is known about topics, chats and projects.
        schedules: Prompts that are asked at certain times.
        damage: What was found wrong with the journal and done about it; a line for the chat.
    """

    turns: tuple[TurnRecord, ...] = ()
    letters: tuple[LetterRecord, ...] = ()
    updates: tuple[AcceptedUpdate, ...] = ()
    next_letter_id: int = 1
    places: tuple[PlaceRecord, ...] = ()
    schedules: tuple[ScheduleRecord, ...] = ()
    damage: str = ""
