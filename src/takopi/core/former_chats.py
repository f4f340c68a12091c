"""A group that moved, as it was: what was said under its former id, in the words of its new one.

Numbers of messages start anew in the new chat. A message of the former one is known there by a
number below zero: it is no other message's, and stands before all that was said since.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from takopi.core.chat import ChatMigrated, ChatUpdate, MessageReceived, RepliedTo, TopicChanged
from takopi.core.gathering import PromptPiece

__all__ = ["FormerChats", "former_number", "former_piece"]

_APART = 2**40
"""More than any chat has messages."""


@dataclass(frozen=True, slots=True)
class FormerChats:
    """Know under which ids groups were served before they moved.

    Args:
        moves: The next id of each.
    """

    moves: Mapping[int, int] = field(default_factory=dict)

    def with_move(self, chat: int, new: int) -> "FormerChats":
        """Return what is known once a group has moved, maybe not for the first time."""
        moves = {**self.moves, chat: new}
        moves.pop(new, None)  # where it is now is no former place, or `here` would not end
        return FormerChats(moves)

    def here(self, update: ChatUpdate) -> ChatUpdate:
        """Return an update as if it had been sent where its group is now.

        The word that a group moves is about the former id, and stays as it is.
        """
        if isinstance(update, ChatMigrated):
            return update
        while (new := self.moves.get(update.scope.chat_id)) is not None:
            update = _next(update, new)
        return update

    def names(self, chat: int, number: int) -> Iterator[tuple[int, int]]:
        """List by which chat and number a message is known, or was when it was sent."""
        before = {new: old for old, new in self.moves.items()}
        yield chat, number
        while number < 0 and chat in before:
            chat, number = before[chat], number + _APART
            yield chat, number


def former_number(number: int) -> int:
    """Return what a message of the former chat is called in the new one; 0 is no message."""
    return number - _APART if number else 0


def former_piece(piece: PromptPiece) -> PromptPiece:
    """Return a message of a prompt as it is called in the new chat."""
    number, reply = former_number(piece.message_id), _former_reply(piece.reply)
    return replace(piece, message_id=number, reply=reply)


def _former_reply(reply: RepliedTo | None) -> RepliedTo | None:
    return reply and replace(reply, message_id=former_number(reply.message_id))


def _next(update: ChatUpdate, new: int) -> ChatUpdate:
    assert not isinstance(update, ChatMigrated), "it is about the former id"
    scope, number = replace(update.scope, chat_id=new), former_number(update.message_id)
    if isinstance(update, TopicChanged):
        return replace(update, scope=scope)
    moved = replace(update, scope=scope, message_id=number)
    if isinstance(moved, MessageReceived):
        return replace(moved, reply=_former_reply(moved.reply))
    return moved
