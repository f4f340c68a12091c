"""From updates to what is to be done about them: which messages are one prompt, and which is none.

All updates that are at hand are read before anything is done about one of them, so that the pieces
of a prompt are together before its turn starts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from msgspec.structs import replace

from takopi.bridge.border import border
from takopi.bridge.cut_commands import CutCommands
from takopi.bridge.door import Door
from takopi.bridge.drafts import Drafts, Heard, first_record
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
from takopi.bridge.steps import Decided, HeldBack, KeptFiles, Refused, Step, Told, TooLate
from takopi.core.chat import MessageEdited, MessageReceived, Scope
from takopi.core.decisions import BoundTurn, Command, Prompt, Route, RouteTable
from takopi.core.file_replies import refused_reply, why_not_taken
from takopi.core.file_rules import FileRules
from takopi.core.gathering import ALBUM_WAIT_S
from takopi.core.message_kinds import SaidMessage, is_meant, kind_of, stands_alone
from takopi.core.prompt_replies import edit_refused_reply
from takopi.core.replies import hint_reply, message
from takopi.core.route import route
from takopi.core.triggers import speaks_to_bot
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
        self._drafts = Drafts(ports.scheduler, ports.follower, self._steps)
        self._wordless: dict[_AlbumKey, list[AcceptedUpdate]] = {}
        self._commanded: dict[_AlbumKey, Decided] = {}
        self._cut = CutCommands(self._route)

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
        self._cut.put_into(self._steps, now)
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
        """Do what is first of these: stand alone, be refused, join what waits, be of some kind."""
        heard = await self._hear(accepted, received)
        received, decision = heard.message, self._route(heard.message, heard.bound)
        if stands_alone(received, decision):
            self._stand_alone(heard, decision)
            return
        meant = is_meant(received, decision, self._ports.router.trigger(received.scope))
        why = why_not_taken(received.files, self._ports.files)
        if why is not None:
            told = meant and (received.chat_kind == "private" or received.text)
            self._steps.append(Told((accepted,), refused_reply(why) if told else None))
        elif (draft := self._drafts.that_takes(heard.piece, received)) is not None:
            draft.add(accepted, heard.piece)
            self._drafts.changed(draft)
        elif not self._cut.take(heard):
            await self._of_kind(heard, SaidMessage(received, decision, meant))

    async def _of_kind(self, heard: Heard, said: SaidMessage) -> None:
        accepted = heard.accepted
        match kind_of(said), said.decision:
            case "album", _:
                self._wordless.setdefault(heard.album, []).append(accepted)
            case "aside", _:
                self._steps.append(Told((accepted,)))
            case "prompt", Prompt() as prompt:
                await self._ask(heard, prompt)
            case "cut", _:
                self._cut.begin(heard, len(self._steps))
            case "files", _:
                self._steps.append(self._wordless_step([accepted], told=True))
            case _, decision:
                self._steps.append(Decided(accepted, heard.message, decision, heard.bound))

    async def _hear(self, accepted: AcceptedUpdate, received: MessageReceived) -> Heard:
        """Find out what a message is about: files, and what it replies to."""
        received = await self._with_files(received)
        bound = await self._bound(received)
        if bound is not None:
            received = with_words(received)
        return Heard(accepted, received, bound, self._started_at)

    async def _with_files(self, received: MessageReceived) -> MessageReceived:
        """Take along the files of the message that a person replied to."""
        reply = received.reply
        files = without_voice(received)
        if reply is not None and not received.forwarded:
            record = await self._turn_of(received.scope.chat_id, reply.message_id)
            files = (*files, *reply_files(reply, record))
        return received if files == received.files else replace(received, files=files)

    def _stand_alone(self, heard: Heard, decision: Route) -> None:
        """Let a message that stands alone be done, /file once the whole album is there."""
        step = Decided(heard.accepted, heard.message, decision, heard.bound)
        name = decision.name if isinstance(decision, Command) else None
        if name == "cancel":
            # Nothing that comes after it goes into what it may have meant.
            self._drafts.close(heard.message.scope)
            self._cut.close(heard.message.scope)
        if name == _OF_FILES and heard.message.album is not None:
            self._wordless.setdefault(heard.album, []).append(heard.accepted)
            self._commanded[heard.album] = step
        else:
            self._steps.append(step)

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

    async def _ask(self, heard: Heard, asked: Prompt) -> None:
        """Begin a prompt, with the parts of its album that came before."""
        begun, here = self._drafts.begun(), heard.message.scope
        prompt = await self._ports.follower.follow(asked, here, begun)
        piece = heard.piece
        opening = None if prompt.text == piece.text else prompt.text
        # Parts that a command is about are its own.
        joined = () if heard.album in self._commanded else self._wordless.pop(heard.album, ())
        pieces = [replace(piece, opening=opening)]
        for part in joined:
            assert isinstance(part.update, MessageReceived), "only messages are parts of albums"
            pieces.append(Heard(part, part.update, None, self._started_at).piece)
        turn_id, by_itself = self._ports.new_id(), prompt != asked
        record = first_record(turn_id, heard, pieces, prompt, by_itself=by_itself)
        record = self._ports.router.placed(record, prompt)
        self._drafts.begin(record, [*joined, heard.accepted])

    # Edits.

    async def _edited(self, accepted: AcceptedUpdate, edited: MessageEdited) -> None:
        chat, number = edited.scope.chat_id, edited.message_id
        draft = self._drafts.with_message(chat, number)
        record = draft.record if draft else await self._turn_of(chat, number)
        if record is None or not is_askers_own(record, edited):
            self._steps.append(Told((accepted,)))
            return
        draft = draft or self._drafts.of_turn(record.turn_id)
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
        self._drafts.changed(draft)

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
        draft = self._drafts.with_message(chat, replied)
        record = draft.record if draft else None
        record = record or await self._turn_of(chat, replied)
        if record is None or record.origin == "files":
            return None  # a file that came without a word binds to nothing
        return bound_to(record)

    async def _turn_of(self, chat: int, number: int) -> TurnRecord | None:
        return await turn_of(self._ports.store, self._ports.access, chat, number)
