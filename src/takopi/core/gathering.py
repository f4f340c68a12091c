"""Which messages are one prompt.

A prompt is one message, but for three cases in which a client makes several of what a person sent
once, all of them by the same person in the same scope:

- parts of an album, until half a second after the last part;
- a text of at least 3,500 units and the text that comes within a second of it, because a client
  cuts a long paste at 4,096 units; when that one is as long, the next one, too;
- forwarded messages that come in the same answer of the service as their prompt, or while it waits.

Gathering only puts off the start, and of every other prompt it puts off nothing. Live messages are
timed by their arrival; those of a backlog, which all arrive at once, by the service's date, which
has whole seconds.
"""

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from takopi.core.chat import IncomingFile, RepliedTo, Scope
from takopi.core.richtext import utf16_len

__all__ = [
    "ALBUM_WAIT_S",
    "LONG_UNITS",
    "LONG_WAIT_S",
    "PromptPiece",
    "WaitingPrompt",
    "files_of",
    "held_until",
    "joined_text",
    "prompt_of",
]

LONG_UNITS = 3500
"""A text of so many UTF-16 units may be the beginning of a longer one."""

LONG_WAIT_S = 1.0
ALBUM_WAIT_S = 0.5

# What one message holds; only a cut makes a text exactly that long.
_FULL_UNITS = 4096


class PromptPiece(msgspec.Struct, frozen=True, kw_only=True):
    """Be one message of a prompt, as it was sent.

    Args:
        message_id: Its id in the chat.
        text: Its whole text or caption, directives and resume lines included.
        arrived_at: When takopi took it, unix seconds.
        sent_at: When the service took it, unix seconds; whole ones at Telegram.
        late: Whether it was sent while takopi was away: `sent_at` counts then.
        album: What the parts of one album share.
        forwarded: Whether its text is somebody else's.
        reply: The message it replies to.
        opening: Of a first message: its words without directives and resume lines, when it has any.
        edited_at: When it was edited last, unix seconds.
        files: What it carries, and what the message that it replies to carries for it.
    """

    message_id: int
    text: str = ""
    arrived_at: float = 0.0
    sent_at: float = 0.0
    late: bool = False
    album: str | None = None
    forwarded: bool = False
    reply: RepliedTo | None = None
    opening: str | None = None
    edited_at: float = 0.0
    files: tuple[IncomingFile, ...] = ()


class WaitingPrompt(msgspec.Struct, frozen=True):
    """Be a prompt whose turn has not started.

    Args:
        turn_id: The turn.
        scope: Where it was asked for.
        person: Who asked.
        pieces: Its messages; at least one.
    """

    turn_id: str
    scope: Scope
    person: int | None
    pieces: tuple[PromptPiece, ...]


def prompt_of(
    piece: PromptPiece, scope: Scope, person: int | None, waiting: Sequence[WaitingPrompt]
) -> str | None:
    """Return the turn whose prompt a message belongs to; None when it stands alone.

    Args:
        piece: The message.
        scope: Where it was written.
        person: Who wrote it.
        waiting: Every prompt that waits, in the order in which they came.
    """
    mine = [prompt for prompt in waiting if prompt.scope == scope and prompt.person == person]
    if piece.album is not None:
        for prompt in mine:
            if any(part.album == piece.album for part in prompt.pieces):
                return prompt.turn_id
    if not mine or not (piece.text or (piece.forwarded and piece.files)):
        return None
    newest = mine[-1]
    belongs = _comes_with if piece.forwarded else _goes_on
    return newest.turn_id if belongs(newest.pieces, piece) else None


def held_until(pieces: Sequence[PromptPiece]) -> float | None:
    """Return the moment before which a prompt does not start, unix seconds; None for at once.

    The moment is reckoned from the arrival also in a backlog: the rest of a paste may be in the
    service's next answer.
    """
    moments = []
    parts = [piece.arrived_at for piece in pieces if piece.album is not None]
    if parts:
        moments.append(max(parts) + ALBUM_WAIT_S)
    own = [piece for piece in pieces if not piece.forwarded]
    if own and _is_long(own[-1]):
        moments.append(own[-1].arrived_at + LONG_WAIT_S)
    return max(moments, default=None)


def joined_text(pieces: Sequence[PromptPiece]) -> str:
    """Put the words of a prompt's messages together, in their order.

    Two parts of a paste are one text: when the first is full the cut is taken to be inside a line,
    else at its end, as the service takes white space off both. Everything else is set apart by a
    blank line.
    """
    first = pieces[0]
    text = first.text if first.opening is None else first.opening
    for before, piece in pairwise(pieces):
        if piece.text:
            text += _between(before, piece) + piece.text if text else piece.text
    return text


def files_of(
    pieces: Sequence[PromptPiece], known: Sequence[IncomingFile] = ()
) -> tuple[IncomingFile, ...]:
    """List the files of a prompt's messages, in their order, each once.

    Args:
        pieces: The messages.
        known: Those that have a place already; they keep it.
    """
    placed = {file.file_id: file for file in known}
    found = {file.file_id: file for piece in pieces for file in piece.files}
    return tuple(placed.get(file_id, file) for file_id, file in found.items())


def _comes_with(pieces: Sequence[PromptPiece], forward: PromptPiece) -> bool:
    """Tell whether a forwarded message belongs to a prompt that waits."""
    last = pieces[-1]
    return not (last.late or forward.late) or abs(forward.sent_at - last.sent_at) <= LONG_WAIT_S


def _goes_on(pieces: Sequence[PromptPiece], piece: PromptPiece) -> bool:
    """Tell whether a text is the rest of one that was cut."""
    last = next((known for known in reversed(pieces) if not known.forwarded), None)
    if last is None or piece.album is not None or not _is_long(last):
        return False
    target = pieces[0].reply
    if piece.reply is not None and (target is None or piece.reply.message_id != target.message_id):
        return False  # it answers something of its own
    if last.late or piece.late:
        return abs(piece.sent_at - last.sent_at) <= LONG_WAIT_S
    return abs(piece.arrived_at - last.arrived_at) <= LONG_WAIT_S


def _is_long(piece: PromptPiece) -> bool:
    return piece.album is None and utf16_len(piece.text) >= LONG_UNITS


def _between(before: PromptPiece, piece: PromptPiece) -> str:
    if before.forwarded or piece.forwarded or piece.album is not None:
        return "\n\n"
    room = _FULL_UNITS - utf16_len(before.text)
    # A character of two units that did not fit leaves one unit free.
    full = room <= 0 or (room == 1 and utf16_len(piece.text[0]) == 2)
    return "" if full else "\n"
