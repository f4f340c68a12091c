"""In which order what was said is read, and what is read at once."""

from collections.abc import Sequence

from takopi.bridge.records import AcceptedUpdate
from takopi.core.chat import MessageEdited, MessageReceived, Scope
from takopi.core.commands import may_change

__all__ = ["in_order", "read_together"]


def in_order(updates: Sequence[AcceptedUpdate]) -> list[AcceptedUpdate]:
    """Put what was said in a chat into the order in which it was said; the rest stays in its place.

    Ids of messages grow in a chat, whatever happens on the way here.
    """
    places: dict[Scope, list[int]] = {}
    ordered = list(updates)
    for place, accepted in enumerate(updates):
        update = accepted.update
        if isinstance(update, MessageReceived | MessageEdited):
            chat = Scope(update.scope.transport, update.scope.chat_id)
            places.setdefault(chat, []).append(place)
    for mine in places.values():
        said = sorted((updates[place] for place in mine), key=_said_at)
        for place, accepted in zip(mine, said, strict=True):
            ordered[place] = accepted
    return ordered


def read_together(updates: Sequence[AcceptedUpdate]) -> list[list[AcceptedUpdate]]:
    """Part updates behind each command that may change what those after it mean.

    Args:
        updates: In their order.
    """
    parts: list[list[AcceptedUpdate]] = [[]]
    for accepted in updates:
        parts[-1].append(accepted)
        update = accepted.update
        if isinstance(update, MessageReceived) and may_change(update.text):
            parts.append([])
    return [part for part in parts if part]


def _said_at(accepted: AcceptedUpdate) -> tuple[bool, int, float]:
    """Sort by message; edits come last, as what belongs together is known by what was sent."""
    update = accepted.update
    assert isinstance(update, MessageReceived | MessageEdited), "only what was said is sorted"
    if isinstance(update, MessageEdited):
        return True, update.message_id, update.edited_at
    return False, update.message_id, 0.0
