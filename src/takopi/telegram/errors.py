"""What the Bot API refuses, as leaves of `takopi.errors`.

Telegram has no error codes beyond the HTTP status: the description is the contract. The texts
below are those of tdlib/td and tdlib/telegram-bot-api.
"""

import re

from takopi.core.texts import tr
from takopi.errors import (
    ChatLost,
    ChatMoved,
    FileTooLarge,
    FloodLimited,
    FormatRefused,
    PollConflict,
    ReplyTargetLost,
    TargetLost,
    ThreadClosed,
    ThreadLost,
    TopicsUnavailable,
    TransportError,
    TransportUnavailable,
    Unauthorized,
)
from takopi.telegram.wire import Answer

__all__ = ["NotModified", "PressTooOld", "refusal"]


# What comes from a gateway: whether the server behind it has done it, nobody knows.
_UNCLEAR = frozenset({502, 504})


class NotModified(TransportError):
    """Say that a message already is as wanted; never leaves this package."""


class PressTooOld(TransportError):
    """Say that a press can be answered no more; never leaves this package."""


# The first fragment that stands in the lower-cased description decides.
_BY_TEXT: tuple[tuple[str, type[TransportError]], ...] = (
    ("message is not modified", NotModified),
    ("query is too old", PressTooOld),
    ("query id is invalid", PressTooOld),
    ("message to be replied not found", ReplyTargetLost),
    ("replied message not found", ReplyTargetLost),
    ("reply message not found", ReplyTargetLost),
    ("reply_message_id_invalid", ReplyTargetLost),
    ("message to edit not found", TargetLost),
    ("message to delete not found", TargetLost),
    ("message to react not found", TargetLost),
    ("message can't be edited", TargetLost),
    ("message can't be deleted", TargetLost),
    ("there is no text in the message to edit", TargetLost),
    ("message_id_invalid", TargetLost),
    ("message identifier is not specified", TargetLost),
    ("message thread not found", ThreadLost),
    ("topic_deleted", ThreadLost),
    ("topic_closed", ThreadClosed),
    ("topic_id_invalid", ThreadLost),
    ("topic_not_modified", NotModified),
    ("is not a forum", TopicsUnavailable),
    ("forum_missing", TopicsUnavailable),
    ("rights to create a topic", TopicsUnavailable),
    ("rights to edit the topic", TopicsUnavailable),
    ("can't parse entities", FormatRefused),
    ("can't parse messageentity", FormatRefused),
    ("can't parse inline keyboard button", FormatRefused),
    ("entity beginning at", FormatRefused),
    ("entity begins in", FormatRefused),
    ("receive an entity with incorrect", FormatRefused),
    ("entity url", FormatRefused),
    ("entity_", FormatRefused),
    ("button_", FormatRefused),
    ("inline keyboard", FormatRefused),
    ("reply_markup_", FormatRefused),
    ("file is too big", FileTooLarge),
    ("temporarily unavailable", TransportUnavailable),
    ("chat not found", ChatLost),
    ("user not found", ChatLost),
    ("peer_id_invalid", ChatLost),
    ("user_is_blocked", ChatLost),
    ("input_user_deactivated", ChatLost),
    ("group is deactivated", ChatLost),
    ("group chat was deactivated", ChatLost),
    # A group that takes no files still takes text.
    ("rights to send documents", TransportError),
    ("have no rights to send", ChatLost),
    ("not enough rights to send", ChatLost),
    ("chat_write_forbidden", ChatLost),
)


def refusal(method: str, status: int, answer: Answer, chat_id: int | None) -> TransportError:
    """Find the leaf for a refused call.

    Args:
        method: Name of the method, for the text.
        status: HTTP status.
        answer: The decoded body.
        chat_id: The chat that the call was about.
    """
    text = tr("Telegram refused {method}: {why}", method=method, why=answer.description or status)
    code = answer.error_code or status
    moved = answer.parameters.migrate_to_chat_id
    if moved is not None:
        return ChatMoved(chat_id, moved)
    if code == 429 or answer.parameters.retry_after is not None:
        return FloodLimited(_retry_after_s(answer))
    if code in (401, 404):
        return Unauthorized(
            f"Telegram does not know this bot token ({code} {answer.description}); "
            "check `bot_token` and `api_base_url`, or ask @BotFather for a new token"
        )
    if code == 403:
        return ChatLost(text)
    if code == 409:
        return PollConflict(f"{answer.description}; {_who_else(answer.description)}")
    if code >= 500:
        return TransportUnavailable(text, maybe_accepted=_unclear(code, answer.description))
    lowered = answer.description.lower()
    leaf = next((leaf for part, leaf in _BY_TEXT if part in lowered), TransportError)
    return leaf(text)


def _who_else(description: str) -> str:
    """Say what to do about whoever takes this bot's updates."""
    if "webhook" in description.lower():
        return "let the program that set it call deleteWebhook, or give takopi a bot of its own"
    return "stop the other bot that uses this token"


def _unclear(code: int, description: str) -> bool:
    """Tell whether a call that failed on the server's side may have been carried out.

    The server's own failure (500, 503) is an answer: the call was not carried out. It is none when
    the server restarts, which fails what it has begun as well.
    """
    return code in _UNCLEAR or description.lower().endswith("restart")


def _retry_after_s(answer: Answer) -> float:
    """Read the wait from its field, else from the text; never less than a second."""
    seconds = answer.parameters.retry_after
    if seconds is None:
        found = re.search(r"retry after (\d+)", answer.description)
        seconds = int(found[1]) if found else 1
    return float(max(1, seconds))
