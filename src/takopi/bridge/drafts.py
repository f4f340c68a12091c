"""The prompts that one reading gathers: those that it begins, and those that wait and get more.

A prompt whose turn waits already is frozen from the moment a piece of it is found until the piece
is written down.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from takopi.bridge.following import Follower
from takopi.bridge.records import AcceptedUpdate, TurnRecord
from takopi.bridge.scheduler import Scheduler
from takopi.bridge.steps import Draft, Step
from takopi.core.backlog import sent_while_away
from takopi.core.chat import MessageReceived, Scope
from takopi.core.decisions import BoundTurn, Prompt
from takopi.core.gathering import (
    PromptPiece,
    WaitingPrompt,
    files_of,
    held_until,
    joined_text,
    prompt_of,
)

__all__ = ["Drafts", "Heard", "first_record"]


@dataclass(frozen=True, slots=True)
class Heard:
    """Be a message with what is known of it.

    Args:
        accepted: As it was accepted.
        message: With the files that it is about.
        bound: The turn that it replies to.
        serving_since: When takopi began to serve; what was sent before was sent while it was away.
    """

    accepted: AcceptedUpdate
    message: MessageReceived
    bound: BoundTurn | None
    serving_since: float

    @property
    def album(self) -> tuple[Scope, int | None, str]:
        """Name the album that it is a part of, or would be."""
        return self.message.scope, self.message.sender_id, self.message.album or ""

    @property
    def piece(self) -> PromptPiece:
        """Give it as a piece of a prompt."""
        message, arrived_at = self.message, self.accepted.arrived_at
        reply = message.reply
        if reply is not None and self.bound is not None:
            reply = replace(reply, text="")  # known by its id; its text never counts
        return PromptPiece(
            message_id=message.message_id,
            text=message.text.strip(),
            arrived_at=arrived_at,
            sent_at=message.date,
            late=sent_while_away(message.date, arrived_at, self.serving_since),
            album=message.album,
            forwarded=message.forwarded,
            reply=reply,
            files=message.files,
        )


class Drafts:
    """Hold what one reading makes of prompts.

    Args:
        scheduler: Knows which turns wait.
        follower: Knows which of them may still get more.
        steps: Where each draft takes its place when it is found.
    """

    def __init__(self, scheduler: Scheduler, follower: Follower, steps: list[Step]) -> None:
        self._scheduler = scheduler
        self._steps = steps
        self._drafts: dict[str, Draft] = {}
        records = [turn.record for turn in scheduler.turns()]
        self._waiting = {
            record.turn_id: _waiting(record)
            for record in records
            if record.state == "queued" and record.pieces and follower.counts(record)
        }

    def begun(self) -> list[TurnRecord]:
        """List the turns that are not written down yet."""
        return [draft.record for draft in self._drafts.values() if draft.before is None]

    def that_takes(self, piece: PromptPiece, message: MessageReceived) -> Draft | None:
        """Find the prompt that a message belongs to, as long as it waits."""
        waiting = tuple(self._waiting.values())
        turn_id = prompt_of(piece, message.scope, message.sender_id, waiting)
        return None if turn_id is None else self.of_turn(turn_id)

    def of_turn(self, turn_id: str) -> Draft | None:
        """Return the draft of a turn that waits; from now on it does not start."""
        draft = self._drafts.get(turn_id)
        if draft is None:
            record = self._scheduler.freeze(turn_id)
            if record is None:
                self._waiting.pop(turn_id, None)
                return None
            draft = self._drafts[turn_id] = Draft(record, before=record)
            self._steps.append(draft)
        return draft

    def with_message(self, chat: int, message_id: int) -> Draft | None:
        """Find the draft that a message is a part of."""
        for draft in self._drafts.values():
            if draft.record.scope.chat_id == chat and message_id in draft.record.messages:
                return draft
        return None

    def begin(self, record: TurnRecord, updates: Sequence[AcceptedUpdate]) -> None:
        """Hold a new prompt.

        Args:
            record: Its turn.
            updates: What it was made of, what began it last.
        """
        away = record.pieces[0].late
        draft = Draft(record, updates=list(updates), bound=list(record.messages), away=away)
        self._drafts[record.turn_id] = draft
        self.changed(draft)
        self._steps.append(draft)

    def changed(self, draft: Draft) -> None:
        """Note what a prompt is by now: the next message may go on with that."""
        self._waiting[draft.record.turn_id] = _waiting(draft.record)

    def close(self, scope: Scope) -> None:
        """Let nothing that comes from now on go into the prompts of a place."""
        self._waiting = {
            turn_id: prompt for turn_id, prompt in self._waiting.items() if prompt.scope != scope
        }


def first_record(
    turn_id: str, heard: Heard, pieces: Sequence[PromptPiece], prompt: Prompt, *, by_itself: bool
) -> TurnRecord:
    """Make the turn of a new prompt, as far as its messages say what it is.

    Args:
        turn_id: Its name.
        heard: The message that asks.
        pieces: All messages, the one that asks first.
        prompt: What is asked.
        by_itself: Whether it goes on with something that it did not name.
    """
    message = heard.message
    return TurnRecord(
        turn_id=turn_id,
        scope=message.scope,
        engine=prompt.engine,
        conversation=prompt.follows.conversation if prompt.follows else turn_id,
        chat_kind=message.chat_kind,
        prompt=joined_text(pieces),
        messages=tuple(sorted(part.message_id for part in pieces)),
        person=message.sender_id,
        asked=prompt.resume,
        by_itself=by_itself,
        held_until=held_until(pieces),
        pieces=tuple(pieces),
        files=files_of(pieces),
        accepted_at=heard.accepted.arrived_at,
    )


def _waiting(record: TurnRecord) -> WaitingPrompt:
    written_in = record.asked_in or record.scope
    return WaitingPrompt(record.turn_id, written_in, record.person, record.pieces)
