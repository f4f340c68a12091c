"""From updates to what is to be done about them: which messages are one prompt, and which is none.

All updates that are at hand are read before anything is done about one of them, so that the pieces
of a prompt are together before its turn starts. A prompt whose turn waits already is frozen from
the moment a piece of it is found until the piece is written down.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from msgspec.structs import replace

from takopi.bridge.border import border
from takopi.bridge.door import Door
from takopi.bridge.edits import NotTaken, as_sent, is_askers_own, late_words, revised
from takopi.bridge.following import Follower
from takopi.bridge.known_messages import turn_of
from takopi.bridge.ports import Clock, Store
from takopi.bridge.records import AcceptedUpdate, TurnRecord
from takopi.bridge.routing import Router, bound_to
from takopi.bridge.scheduler import Scheduler
from takopi.bridge.sent_files import (
    NO_FILES,
    files_record,
    reply_files,
    with_words,
    without_voice,
)
from takopi.bridge.steps import Decided, Draft, HeldBack, KeptFiles, Refused, Step, Told, TooLate
from takopi.core.backlog import sent_while_away
from takopi.core.chat import MessageEdited, MessageReceived, Scope
from takopi.core.decisions import BoundTurn, Command, Ignored, Prompt, Route, RouteTable
from takopi.core.file_replies import refused_reply, why_not_taken
from takopi.core.file_rules import FileRules
from takopi.core.gathering import (
    ALBUM_WAIT_S,
    LONG_UNITS,
    PromptPiece,
    WaitingPrompt,
    files_of,
    held_until,
    joined_text,
    prompt_of,
)
from takopi.core.prompt_replies import edit_refused_reply
from takopi.core.replies import hint_reply, message
from takopi.core.richtext import utf16_len
from takopi.core.route import route
from takopi.core.triggers import begins_with_own_word, speaks_to_bot
from takopi.errors import StoreError

__all__ = ["Intake", "IntakePorts"]

_OF_FILES = "file"
"""The command that is about files; those that ask an engine have a prompt which files join."""

_AlbumKey: TypeAlias = tuple[Scope, int | None, str]


@dataclass(frozen=True, slots=True)
class IntakePorts:
    """Bind what reading updates needs.

    Args:
        store: Knows which message belongs to which turn.
        scheduler: Knows which turns wait.
        router: Knows the engines, and where prompts belong.
        follower: Knows which prompts go on by themselves.
        clock: Tells the time.
        access: Says who is served.
        new_id: Makes ids of turns.
        files: Which files are taken.
    """

    store: Store
    scheduler: Scheduler
    router: Router
    follower: Follower
    clock: Clock
    access: Door
    new_id: Callable[[], str]
    files: FileRules = NO_FILES


class Intake:
    """Read updates; when takopi began to serve tells a backlog from what is live.

    Args:
        ports: What reading needs.
        since: When this process began to serve, unix seconds; None for now. A bridge that only took
            over a changed configuration was not away.
    """

    def __init__(self, ports: IntakePorts, since: float | None = None) -> None:
        self._ports = ports
        now = ports.clock.wall()
        self._started_at = now if since is None else min(since, now)

    async def read(self, updates: Sequence[AcceptedUpdate]) -> list[Step]:
        """Say what is to be done about some updates; never raises an error.

        Args:
            updates: As `ordering.in_order` has them.
        """
        reading = _Reading(self._ports, self._started_at)
        for accepted in updates:
            await reading.take(accepted)
        return reading.finish()


class _Reading:
    """Be one reading: what was found so far."""

    def __init__(self, ports: IntakePorts, started_at: float) -> None:
        self._ports = ports
        self._started_at = started_at
        self._tables: dict[Scope, RouteTable] = {}
        self._steps: list[Step] = []
        self._drafts: dict[str, Draft] = {}
        self._wordless: dict[_AlbumKey, list[AcceptedUpdate]] = {}
        self._commanded: dict[_AlbumKey, Decided] = {}
        records = [turn.record for turn in ports.scheduler.turns()]
        self._waiting = {
            record.turn_id: _waiting(record)
            for record in records
            if record.state == "queued" and record.pieces and ports.follower.counts(record)
        }

    async def take(self, accepted: AcceptedUpdate) -> None:
        """Read one update."""
        update = accepted.update
        with border("handling a message", update=update.update_id) as found:
            try:
                served = self._ports.access.admits(update)
                if served and isinstance(update, MessageReceived):
                    await self._received(accepted, update)
                elif served and isinstance(update, MessageEdited):
                    await self._edited(accepted, update)
                else:
                    self._steps.append(Told((accepted,)))
            except StoreError as error:
                self._steps.append(Refused(accepted, error))
        if found.error is not None:
            self._steps.append(Told((accepted,), message(found.error[:1000])))

    def finish(self) -> list[Step]:
        """Return what is to be done; albums without a prompt wait for a part that has one."""
        now = self._ports.clock.wall()
        for key, parts in self._wordless.items():
            until = parts[-1].arrived_at + ALBUM_WAIT_S
            if now < until <= now + ALBUM_WAIT_S:  # never longer, also when the wall clock was set
                self._steps.append(HeldBack(tuple(parts), until))
            elif key in self._commanded:
                self._steps.append(self._commanded[key].with_album(parts))
            else:
                self._steps.append(self._wordless_step(parts))
        return self._steps

    # Messages.

    async def _received(self, accepted: AcceptedUpdate, received: MessageReceived) -> None:
        received = await self._with_files(received)
        bound = await self._bound(received)
        if bound is not None:
            received = with_words(received)
        decision = self._route(received, bound)
        if _stands_alone(received, decision):
            if isinstance(decision, Command) and decision.name == "cancel":
                self._close(received.scope)
            self._decided(Decided(accepted, received, decision, bound))
            return
        meant = self._is_meant(received, decision)
        why = why_not_taken(received.files, self._ports.files)
        if why is not None:
            told = meant and (received.chat_kind == "private" or received.text)
            self._steps.append(Told((accepted,), refused_reply(why) if told else None))
            return
        piece = self._piece(accepted, received, bound)
        draft = self._draft_for(piece, received)
        if draft is not None:
            draft.add(accepted, piece)
            self._waiting[draft.record.turn_id] = _waiting(draft.record)
        elif piece.album is not None and not piece.text:
            key = (received.scope, received.sender_id, piece.album)
            self._wordless.setdefault(key, []).append(accepted)
        elif not meant:
            self._steps.append(Told((accepted,)))
        elif isinstance(decision, Prompt):
            asked = [draft.record for draft in self._drafts.values() if draft.before is None]
            follower = self._ports.follower
            followed = await follower.follow(decision, received.scope, asked)
            self._begin(accepted, received, piece, followed, by_itself=followed != decision)
        elif received.files and not received.text:
            self._steps.append(self._wordless_step([accepted], told=True))
        else:
            self._steps.append(Decided(accepted, received, decision, bound))

    def _decided(self, step: Decided) -> None:
        """Let a message that stands alone be done, /file once the whole album is there."""
        received, decision = step.received, step.decision
        of_files = isinstance(decision, Command) and decision.name == _OF_FILES
        if not of_files or received.album is None:
            self._steps.append(step)
            return
        key = (received.scope, received.sender_id, received.album)
        self._wordless.setdefault(key, []).append(step.accepted)
        self._commanded[key] = step

    def _is_meant(self, received: MessageReceived, decision: Route) -> bool:
        """Tell whether a message is for the bot, as far as it says so itself."""
        trigger = self._ports.router.trigger(received.scope)
        return speaks_to_bot(received, trigger) or begins_with_own_word(received, decision)

    async def _with_files(self, received: MessageReceived) -> MessageReceived:
        """Take along the files of the message that a person replied to."""
        reply = received.reply
        files = without_voice(received)
        if reply is not None and not received.forwarded:
            record = await self._turn_of(received.scope.chat_id, reply.message_id)
            files = (*files, *reply_files(reply, record))
        return received if files == received.files else replace(received, files=files)

    def _wordless_step(self, parts: Sequence[AcceptedUpdate], *, told: bool = False) -> Step:
        """Keep files that came without a word; what has neither words nor files gets a hint."""
        first = parts[0].update
        messages = [part.update for part in parts if isinstance(part.update, MessageReceived)]
        # In a group most albums are for others: those of a person who answers the bot are not.
        told = told or any(speaks_to_bot(one, "mentions") for one in messages)
        if told and isinstance(first, MessageReceived) and any(one.files for one in messages):
            # It belongs where a prompt would that is written in its place.
            asked = replace(first, text="files", reply=None, forwarded=False)
            decision = self._route(asked, None)
            if isinstance(decision, Prompt):
                record = files_record(self._ports.new_id(), messages, decision)
                at = parts[0].arrived_at
                record = replace(record, accepted_at=at, ended_at=at)
                return KeptFiles(self._ports.router.placed(record, decision), tuple(parts))
        return Told(tuple(parts), hint_reply() if told else None)

    def _piece(
        self, accepted: AcceptedUpdate, received: MessageReceived, bound: BoundTurn | None = None
    ) -> PromptPiece:
        reply = received.reply
        if reply is not None and bound is not None:
            reply = replace(reply, text="")  # known by its id; its text never counts
        return PromptPiece(
            message_id=received.message_id,
            text=received.text.strip(),
            arrived_at=accepted.arrived_at,
            sent_at=received.date,
            late=sent_while_away(received.date, accepted.arrived_at, self._started_at),
            album=received.album,
            forwarded=received.forwarded,
            reply=reply,
            files=received.files,
        )

    def _draft_for(self, piece: PromptPiece, received: MessageReceived) -> Draft | None:
        """Find the prompt that a message belongs to, as long as it waits."""
        waiting = tuple(self._waiting.values())
        turn_id = prompt_of(piece, received.scope, received.sender_id, waiting)
        return None if turn_id is None else self._draft(turn_id)

    def _draft(self, turn_id: str) -> Draft | None:
        """Return the draft of a turn that waits; from now on it does not start."""
        draft = self._drafts.get(turn_id)
        if draft is None:
            record = self._ports.scheduler.freeze(turn_id)
            if record is None:
                self._waiting.pop(turn_id, None)
                return None
            draft = self._drafts[turn_id] = Draft(record, before=record)
            self._steps.append(draft)
        return draft

    def _begin(
        self,
        accepted: AcceptedUpdate,
        received: MessageReceived,
        piece: PromptPiece,
        prompt: Prompt,
        *,
        by_itself: bool,
    ) -> None:
        opening = None if prompt.text == piece.text else prompt.text
        key = (received.scope, received.sender_id, piece.album or "")
        pieces = [replace(piece, opening=opening)]
        # Parts that a command is about are its own.
        joined = () if key in self._commanded else self._wordless.pop(key, ())
        updates = [*joined, accepted]
        for part in updates[:-1]:
            assert isinstance(part.update, MessageReceived), "only messages are parts of albums"
            pieces.append(self._piece(part, part.update))
        turn_id = self._ports.new_id()
        record = TurnRecord(
            turn_id=turn_id,
            scope=received.scope,
            engine=prompt.engine,
            conversation=prompt.follows.conversation if prompt.follows else turn_id,
            chat_kind=received.chat_kind,
            prompt=joined_text(pieces),
            messages=tuple(sorted(part.message_id for part in pieces)),
            person=received.sender_id,
            asked=prompt.resume,
            by_itself=by_itself,
            held_until=held_until(pieces),
            pieces=tuple(pieces),
            files=files_of(pieces),
            accepted_at=accepted.arrived_at,
        )
        record = self._ports.router.placed(record, prompt)
        draft = Draft(record, updates=updates, bound=list(record.messages), away=piece.late)
        self._drafts[turn_id] = draft
        self._waiting[turn_id] = _waiting(record)
        self._steps.append(draft)

    def _close(self, scope: Scope) -> None:
        """Let nothing that comes after a /cancel go into what it may have meant."""
        self._waiting = {
            turn_id: prompt for turn_id, prompt in self._waiting.items() if prompt.scope != scope
        }

    # Edits.

    async def _edited(self, accepted: AcceptedUpdate, edited: MessageEdited) -> None:
        chat, number = edited.scope.chat_id, edited.message_id
        draft = self._draft_with(chat, number)
        record = draft.record if draft else await self._turn_of(chat, number)
        if record is None or not is_askers_own(record, edited):
            self._steps.append(Told((accepted,)))
            return
        draft = draft or self._draft(record.turn_id)
        if draft is None:
            self._steps.append(self._too_late(accepted, edited, record))
            return
        received = as_sent(draft.record, edited)
        # What a button made goes on where the button said, whatever the message replies to.
        settled = draft.record.after or draft.record.by_itself
        made = bound_to(draft.record) if settled else None
        decision = self._route(received, made or await self._bound(received))
        changed = revised(draft.record, edited, decision)
        if isinstance(changed, NotTaken):
            self._steps.append(Told((accepted,), edit_refused_reply(changed.why, waits=True)))
            return
        draft.record = changed
        draft.updates.append(accepted)
        self._waiting[changed.turn_id] = _waiting(changed)

    def _too_late(
        self, accepted: AcceptedUpdate, edited: MessageEdited, record: TurnRecord
    ) -> Step:
        decision = self._route(as_sent(record, edited), bound_to(record))
        words = late_words(record, edited, decision)
        if words is None:
            return Told((accepted,))
        if isinstance(words, NotTaken):
            return Told((accepted,), edit_refused_reply(words.why, waits=False))
        return TooLate(accepted, edited, record, words)

    # What both need.

    def _route(self, received: MessageReceived, bound: BoundTurn | None) -> Route:
        table = self._tables.get(received.scope)
        if table is None:
            table = self._tables[received.scope] = self._ports.router.table(received.scope)
        return route(received, table, bound)

    async def _bound(self, received: MessageReceived) -> BoundTurn | None:
        if received.reply is None or received.forwarded:
            return None
        chat, replied = received.scope.chat_id, received.reply.message_id
        draft = self._draft_with(chat, replied)
        record = draft.record if draft else None
        record = record or await self._turn_of(chat, replied)
        if record is None or record.origin == "files":
            return None  # a file that came without a word binds to nothing
        return bound_to(record)

    async def _turn_of(self, chat: int, number: int) -> TurnRecord | None:
        return await turn_of(self._ports.store, self._ports.access, chat, number)

    def _draft_with(self, chat: int, message_id: int) -> Draft | None:
        for draft in self._drafts.values():
            if draft.record.scope.chat_id == chat and message_id in draft.record.messages:
                return draft
        return None


def _stands_alone(received: MessageReceived, decision: Route) -> bool:
    """Tell whether a message cannot be a piece of a prompt: a command, or another bot's."""
    if isinstance(decision, Command):
        return utf16_len(received.text) < LONG_UNITS
    return isinstance(decision, Ignored)


def _waiting(record: TurnRecord) -> WaitingPrompt:
    written_in = record.asked_in or record.scope
    return WaitingPrompt(record.turn_id, written_in, record.person, record.pieces)
