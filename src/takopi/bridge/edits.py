"""What an edit makes of a prompt: new words, or nothing and the reason why."""

import msgspec
from msgspec.structs import replace

from takopi.bridge.records import TurnRecord
from takopi.core.chat import MessageEdited, MessageReceived
from takopi.core.decisions import EngineConflict, NothingSaid, Prompt, Route
from takopi.core.gathering import PromptPiece, joined_text
from takopi.core.texts import tr

__all__ = ["NotTaken", "as_sent", "is_askers_own", "late_words", "revised"]


class NotTaken(msgspec.Struct, frozen=True):
    """Say why an edit changes nothing, as the end of "because ..."."""

    why: str


def is_askers_own(record: TurnRecord, edited: MessageEdited) -> bool:
    """Tell whether an edit is about a message of the turn's prompt, by the person who asked."""
    mine = edited.message_id in record.messages and edited.scope.chat_id == record.scope.chat_id
    return mine and edited.sender_id == record.person


def as_sent(record: TurnRecord, edited: MessageEdited) -> MessageReceived:
    """Make the message that the person would have sent, had they written the new words first."""
    piece = _piece(record, edited)
    begun = _behind_new(edited.text) if piece and _behind_new(piece.text) else None
    return MessageReceived(
        update_id=edited.update_id,
        scope=record.scope,
        chat_kind=record.chat_kind,
        message_id=edited.message_id,
        sender_id=edited.sender_id,
        text=begun or edited.text,
        # What /new replies to says where it belongs, and not how it goes on.
        reply=piece.reply if piece and not begun else None,
        forwarded=piece.forwarded if piece else False,
        files=piece.files if piece else (),
    )


def _behind_new(text: str) -> str | None:
    """Return the prompt that /new asks; None when a text asks none in this way."""
    words = text.split(maxsplit=1)
    return words[1] if len(words) > 1 and words[0].lower() == "/new" else None


def revised(record: TurnRecord, edited: MessageEdited, decision: Route) -> TurnRecord | NotTaken:
    """Put the new words into a prompt that waits.

    Args:
        record: The turn.
        edited: The edit.
        decision: What the new words ask for, were they sent instead of the old ones.
    """
    piece = _piece(record, edited)
    if piece is None:
        return NotTaken(tr("its turn goes by other words"))
    text = edited.text.strip()
    if edited.edited_at < piece.edited_at or text == piece.text:
        return record  # a newer edit came before, or nothing changed
    opening = None
    if piece is record.pieces[0]:
        if not isinstance(decision, Prompt) or not _same_session(record, decision):
            return _not_taken(record, decision)
        if not _same_place(record, decision):
            return NotTaken(tr("it names another project or branch"))
        opening = None if decision.text == text else decision.text
    changed = replace(piece, text=text, opening=opening, edited_at=edited.edited_at)
    pieces = tuple(changed if known is piece else known for known in record.pieces)
    return replace(record, pieces=pieces, prompt=joined_text(pieces))


def late_words(record: TurnRecord, edited: MessageEdited, decision: Route) -> str | NotTaken | None:
    """Return what an edit of a prompt that was started would send anew; None when nothing changed.

    Args:
        record: The turn.
        edited: The edit.
        decision: What the new words ask for, were they a reply to the turn.
    """
    piece = _piece(record, edited)
    text = edited.text.strip()
    if piece is not None and (text == piece.text or edited.edited_at < piece.edited_at):
        return None
    if piece is not None and piece is not record.pieces[0]:
        return text
    if isinstance(decision, Prompt) and decision.follows is not None:
        return decision.text
    return _not_taken(record, decision)


def _piece(record: TurnRecord, edited: MessageEdited) -> PromptPiece | None:
    for piece in record.pieces:
        if piece.message_id == edited.message_id:
            return piece
    return None


def _same_session(record: TurnRecord, prompt: Prompt) -> bool:
    if prompt.engine != record.engine:
        return False
    if prompt.follows is not None:
        return prompt.follows.conversation == record.conversation
    begins = record.conversation in ("", record.turn_id)
    return prompt.resume == record.asked and (prompt.resume is not None or begins)


def _same_place(record: TurnRecord, prompt: Prompt) -> bool:
    """Tell whether directives still name the place that a turn was given."""
    if prompt.elsewhere is not None:
        return bool(record.note)  # what did not count before does not count now
    return prompt.where.source != "directive" or prompt.where.context == record.context


def _not_taken(record: TurnRecord, decision: Route) -> NotTaken:
    if isinstance(decision, EngineConflict):
        return NotTaken(
            tr(
                "it names {wanted}, and this turn is {held}'s",
                wanted=decision.wanted,
                held=record.engine,
            )
        )
    if isinstance(decision, NothingSaid):
        return NotTaken(tr("it has no words"))
    if not isinstance(decision, Prompt):
        return NotTaken(tr("it reads as a command"))
    if decision.engine != record.engine:
        return NotTaken(
            tr(
                "it is for {wanted}, and this turn is {held}'s",
                wanted=decision.engine,
                held=record.engine,
            )
        )
    return NotTaken(tr("it names another session"))
