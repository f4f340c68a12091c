"""Whether a message speaks to this bot by its name. Pure: values in, values out.

https://core.telegram.org/bots/api#messageentity
"""

from collections.abc import Sequence

from takopi.telegram.api import BotIdentity
from takopi.telegram.wire import MessageEntity

__all__ = ["without_mention"]

_UNIT_BYTES = 2  # offsets count UTF-16 units


def without_mention(
    text: str, entities: Sequence[MessageEntity], bot: BotIdentity
) -> tuple[str, bool]:
    """Take the bot's name off both ends of a text, and tell whether it stands anywhere in it.

    Args:
        text: Text or caption.
        entities: Its entities.
        bot: Who the bot is.
    """
    data = text.encode("utf-16-le", "surrogatepass")
    found = [entity for entity in entities if _names(entity, data, bot)]
    if not found:
        return text, False
    start, end = 0, len(data)
    first, last = found[0], found[-1]
    if not _said(data, 0, first.offset).strip():
        start = (first.offset + first.length) * _UNIT_BYTES
    last_end = (last.offset + last.length) * _UNIT_BYTES
    if last_end > start and not data[last_end:].decode("utf-16-le", "surrogatepass").strip():
        end = last.offset * _UNIT_BYTES
    kept = data[start:end].decode("utf-16-le", "surrogatepass")
    if start:
        kept = kept.lstrip(" ,:")
    if end < len(data):
        kept = kept.rstrip(" ,")
    return kept.strip(), True


def _names(entity: MessageEntity, data: bytes, bot: BotIdentity) -> bool:
    if entity.offset < 0 or entity.length < 1:
        return False
    if entity.type == "text_mention":
        return entity.user is not None and entity.user.id == bot.id
    words = _said(data, entity.offset, entity.offset + entity.length)
    return entity.type == "mention" and words.lower() == f"@{bot.username.lower()}"


def _said(data: bytes, start: int, end: int) -> str:
    return data[start * _UNIT_BYTES : end * _UNIT_BYTES].decode("utf-16-le", "replace")
