"""From the Bot API's updates to the chat's words. Pure: values in, values out."""

import re

from takopi.core.chat import (
    ButtonPressed,
    ChatKind,
    ChatMigrated,
    ChatUpdate,
    MessageEdited,
    MessageReceived,
    RepliedTo,
    Scope,
    TopicChanged,
)
from takopi.telegram.api import BotIdentity
from takopi.telegram.incoming import files_of
from takopi.telegram.mentions import without_mention
from takopi.telegram.topics import topic_change
from takopi.telegram.wire import CallbackQuery, Chat, Message, Update

__all__ = ["ALLOWED_UPDATES", "TRANSPORT_ID", "translate"]

TRANSPORT_ID = "telegram"

# What `translate` understands. The server keeps the list until it gets another, so it is always
# sent; kinds that nobody handles would only cost bandwidth.
ALLOWED_UPDATES = ("message", "edited_message", "callback_query")

_KINDS: dict[str, ChatKind] = {"private": "private", "group": "group", "supergroup": "group"}
_ADDRESSED = re.compile(r"/(?P<name>[A-Za-z0-9_]{1,64})@(?P<bot>[A-Za-z0-9_]{3,64})(?!\S)")

_WORDLESS = (
    "animation",
    "audio",
    "contact",
    "document",
    "location",
    "photo",
    "poll",
    "sticker",
    "video",
    "video_note",
    "voice",
)


def translate(update: Update, bot: BotIdentity) -> ChatUpdate | None:
    """Say what an update means; None for what takopi does not handle.

    Args:
        update: As decoded from getUpdates.
        bot: Who the bot is: its id marks its messages, its name its commands.
    """
    if update.message is not None:
        return _message(update.update_id, update.message, bot)
    if update.edited_message is not None:
        return _edit(update.update_id, update.edited_message, bot)
    if update.callback_query is not None:
        return _press(update.update_id, update.callback_query)
    return None


def _message(
    update_id: int, message: Message, bot: BotIdentity
) -> MessageReceived | ChatMigrated | TopicChanged | None:
    if message.migrate_to_chat_id is not None or message.migrate_from_chat_id is not None:
        return _migration(update_id, message)
    kind = _KINDS.get(message.chat.type)
    text = message.text or message.caption or ""
    # Who sends a voice message or a picture to the bot alone, or answers it with a file, waits for
    # an answer. A part of an
    # album counts always: its words may stand in another part, and the last part ends the wait.
    reply, files = _reply(message, bot), files_of(message)
    answers = reply is not None and reply.from_this_bot and bool(files)
    wordless = answers or (kind == "private" and _is_wordless(message))
    told = bool(text) or wordless or message.media_group_id is not None
    if kind is None:
        return None  # a channel's post
    if not told:  # a service message: somebody joined, a topic or the title changed
        scope = _scope(message.chat, message)
        return topic_change(update_id, message, scope, kind, _sender(message))
    forwarded = message.forward_origin is not None
    # Forwarded words are somebody else's, and whom they speak to does not count.
    whole, mentioned = (text, False) if forwarded else _spoken(message, bot)
    text, to_other = _addressed(whole, bot)
    return MessageReceived(
        update_id=update_id,
        scope=_scope(message.chat, message),
        chat_kind=kind,
        message_id=message.message_id,
        sender_id=_sender(message),
        text=text,
        reply=reply,
        forwarded=forwarded,
        addressed_to_other=to_other,
        mentioned=mentioned or (text != whole and not forwarded),
        date=float(message.date),
        album=message.media_group_id,
        files=files,
    )


def _edit(update_id: int, message: Message, bot: BotIdentity) -> MessageEdited | None:
    """Read an edit that a person made of words; a server also sends it for changes of its own."""
    kind = _KINDS.get(message.chat.type)
    text, to_other = _addressed(_spoken(message, bot)[0], bot)
    if kind is None or message.edit_date is None or not text or to_other:
        return None
    return MessageEdited(
        update_id=update_id,
        scope=_scope(message.chat, message),
        chat_kind=kind,
        message_id=message.message_id,
        sender_id=_sender(message),
        text=text,
        edited_at=float(message.edit_date),
    )


def _migration(update_id: int, message: Message) -> ChatMigrated:
    """Read both chats' service messages alike, as one about the id that the group had."""
    here, old, new = message.chat.id, message.migrate_from_chat_id, message.migrate_to_chat_id
    return ChatMigrated(
        update_id=update_id,
        scope=Scope(TRANSPORT_ID, here if old is None else old),
        message_id=message.message_id,
        new_chat_id=here if new is None else new,
    )


def _is_wordless(message: Message) -> bool:
    """Tell whether a person sent something that has no words."""
    return any(getattr(message, name) is not None for name in _WORDLESS)


def _press(update_id: int, query: CallbackQuery) -> ButtonPressed | None:
    message = query.message
    kind = None if message is None else _KINDS.get(message.chat.type)
    if message is None or kind is None or query.data is None:
        return None  # pressed on an inline message or on a game: takopi makes neither
    return ButtonPressed(
        update_id=update_id,
        scope=_scope(message.chat, message),
        chat_kind=kind,
        press_id=query.id,
        message_id=message.message_id,
        sender_id=query.from_.id,
        data=query.data,
    )


def _scope(chat: Chat, message: Message) -> Scope:
    """Name the place; replies in plain groups carry a thread id too, but are no topic."""
    thread = message.message_thread_id if message.is_topic_message else None
    return Scope(TRANSPORT_ID, chat.id, thread)


def _sender(message: Message) -> int | None:
    """Name the person, or nobody: who writes as a chat could be anybody of it."""
    if message.from_ is None or message.sender_chat is not None or message.is_automatic_forward:
        return None
    return message.from_.id


def _reply(message: Message, bot: BotIdentity) -> RepliedTo | None:
    """Find what the person replied to.

    In a topic the server makes every message a reply to the topic's first, a service message.
    """
    target = message.reply_to_message
    if target is None or target.forum_topic_created is not None:
        return None
    if message.is_topic_message and target.message_id == message.message_thread_id:
        return None
    return RepliedTo(
        target.message_id,
        target.text or target.caption or "",
        from_this_bot=target.from_ is not None
        and target.from_.id == bot.id
        and target.forward_origin is None,
        files=files_of(target),
    )


def _spoken(message: Message, bot: BotIdentity) -> tuple[str, bool]:
    """Return the words of a message without the bot's name around them, and whether it is named."""
    if message.text:
        return without_mention(message.text, message.entities, bot)
    return without_mention(message.caption or "", message.caption_entities, bot)


def _addressed(text: str, bot: BotIdentity) -> tuple[str, bool]:
    """Take this bot's name off the first command, and tell whether it is another bot's."""
    found = _ADDRESSED.match(text)
    if found is None:
        return text, False
    if found["bot"].lower() != bot.username.lower():
        return text, True
    return f"/{found['name']}{text[found.end() :]}", False
