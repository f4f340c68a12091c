"""What is to be done about updates, once they were read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from msgspec.structs import replace

from takopi.bridge.records import AcceptedUpdate, TurnRecord
from takopi.core.chat import ChatMessage, IncomingFile, MessageEdited, MessageReceived
from takopi.core.decisions import BoundTurn, Route
from takopi.core.gathering import PromptPiece, files_of, held_until, joined_text
from takopi.errors import StoreError

__all__ = ["Decided", "Draft", "HeldBack", "KeptFiles", "Refused", "Step", "Told", "TooLate"]


@dataclass(slots=True, eq=False)
class Draft:
    """Be a prompt that is not written down yet, or that changed.

    Args:
        record: Its turn as it is to be.
        before: Its turn as it waits, frozen; None for a new one.
        updates: What it was made of.
        bound: Ids of messages that are new in it.
        away: Whether it was sent while takopi was away.
        settled: Whether its turn is with the scheduler.
    """

    record: TurnRecord
    before: TurnRecord | None = None
    updates: list[AcceptedUpdate] = field(default_factory=list)
    bound: list[int] = field(default_factory=list)
    away: bool = False
    settled: bool = False

    def add(self, accepted: AcceptedUpdate, piece: PromptPiece) -> None:
        """Take one more message into the prompt; the first stays first."""
        first, *rest = self.record.pieces
        rest = sorted((*rest, piece), key=lambda known: known.message_id)
        pieces = (first, *rest)
        self.record = replace(
            self.record,
            pieces=pieces,
            messages=(*self.record.messages, piece.message_id),
            prompt=joined_text(pieces),
            held_until=held_until(pieces),
            files=files_of(pieces, self.record.files),
        )
        self.updates.append(accepted)
        self.bound.append(piece.message_id)


@dataclass(frozen=True, slots=True)
class Decided:
    """Be a message that is no prompt.

    Args:
        accepted: As it was accepted.
        received: The message, with the files that it is about.
        decision: What it asks for.
        bound: What it replies to.
        others: The other parts of its text, or of the album that it is about; done with it.
    """

    accepted: AcceptedUpdate
    received: MessageReceived
    decision: Route
    bound: BoundTurn | None
    others: tuple[AcceptedUpdate, ...] = ()

    def with_album(self, parts: Sequence[AcceptedUpdate]) -> "Decided":
        """Return it with the files of all parts of its album, itself among them."""
        files: list[IncomingFile] = []
        for part in parts:
            if part is self.accepted:
                files += self.received.files
            elif isinstance(part.update, MessageReceived):
                files += part.update.files
        others = tuple(part for part in parts if part is not self.accepted)
        received = replace(self.received, files=tuple(files))
        return Decided(self.accepted, received, self.decision, self.bound, others)


@dataclass(frozen=True, slots=True)
class TooLate:
    """Be an edit of a prompt whose turn has started; `words` are what it says now."""

    accepted: AcceptedUpdate
    edited: MessageEdited
    record: TurnRecord
    words: str


@dataclass(frozen=True, slots=True)
class Told:
    """Be updates that have an answer and no other effect; without `answer`, nothing at all."""

    updates: tuple[AcceptedUpdate, ...]
    answer: ChatMessage | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Be an update that could not be read by, because the journal did not answer."""

    accepted: AcceptedUpdate
    error: StoreError


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Be updates that are read again at a moment, unix seconds: more may belong to them."""

    updates: tuple[AcceptedUpdate, ...]
    until: float


@dataclass(frozen=True, slots=True)
class KeptFiles:
    """Be files that came without a word: they are kept for whoever replies to them.

    Args:
        record: Of origin `files`; what it follows from stands in no turn.
        updates: The messages that brought them.
    """

    record: TurnRecord
    updates: tuple[AcceptedUpdate, ...]


Step: TypeAlias = Draft | Decided | TooLate | Told | Refused | HeldBack | KeptFiles
