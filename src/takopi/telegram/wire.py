"""The parts of the Bot API's objects that takopi reads; everything else is skipped.

Every field has a default where the documentation calls it optional, so that a new kind of message
never fails to decode. https://core.telegram.org/bots/api#available-types
"""

from typing import Any

import msgspec

__all__ = [
    "Answer",
    "BotCommand",
    "BotUser",
    "CallbackQuery",
    "Chat",
    "FileInfo",
    "FilePath",
    "ForumTopic",
    "Message",
    "MessageEntity",
    "Parameters",
    "SentMessage",
    "Update",
    "User",
]


class Parameters(msgspec.Struct, frozen=True):
    """Mirror https://core.telegram.org/bots/api#responseparameters."""

    retry_after: int | None = None
    migrate_to_chat_id: int | None = None


class Answer(msgspec.Struct, frozen=True):
    """Mirror the envelope: https://core.telegram.org/bots/api#making-requests."""

    ok: bool
    result: msgspec.Raw = msgspec.Raw(b"null")
    description: str = ""
    error_code: int | None = None
    parameters: Parameters = Parameters()


class User(msgspec.Struct, frozen=True):
    """Mirror https://core.telegram.org/bots/api#user."""

    id: int
    is_bot: bool = False
    first_name: str = ""
    last_name: str = ""
    username: str | None = None


class BotUser(msgspec.Struct, frozen=True):
    """Mirror what getMe returns; a bot always has a name."""

    id: int
    username: str
    first_name: str = ""


class Chat(msgspec.Struct, frozen=True):
    """Mirror https://core.telegram.org/bots/api#chat."""

    id: int
    type: str


class FileInfo(msgspec.Struct, frozen=True):
    """Mirror what PhotoSize, Document, Video and the other kinds of files have in common.

    https://core.telegram.org/bots/api#document
    """

    file_id: str
    file_size: int | None = None
    file_name: str | None = None
    mime_type: str | None = None
    width: int = 0
    height: int = 0


class MessageEntity(msgspec.Struct, frozen=True):
    """Mirror https://core.telegram.org/bots/api#messageentity."""

    type: str = ""
    offset: int = 0
    length: int = 0
    user: User | None = None


class Message(msgspec.Struct, frozen=True):
    """Mirror https://core.telegram.org/bots/api#message."""

    message_id: int
    chat: Chat
    date: int = 0
    edit_date: int | None = None
    from_: User | None = msgspec.field(default=None, name="from")
    sender_chat: Any = None
    message_thread_id: int | None = None
    is_topic_message: bool = False
    is_automatic_forward: bool = False
    forward_origin: Any = None
    reply_to_message: "Message | None" = None
    forum_topic_created: "ForumTopicCreated | None" = None
    forum_topic_edited: "ForumTopicEdited | None" = None
    forum_topic_closed: Any = None
    forum_topic_reopened: Any = None
    migrate_to_chat_id: int | None = None
    migrate_from_chat_id: int | None = None
    text: str | None = None
    entities: tuple[MessageEntity, ...] = ()
    caption: str | None = None
    caption_entities: tuple[MessageEntity, ...] = ()
    media_group_id: str | None = None
    animation: Any = None
    audio: Any = None
    contact: Any = None
    document: Any = None
    location: Any = None
    photo: Any = None
    poll: Any = None
    sticker: Any = None
    video: Any = None
    video_note: Any = None
    voice: Any = None


class ForumTopicCreated(msgspec.Struct, frozen=True):
    """Mirror https://core.telegram.org/bots/api#forumtopiccreated."""

    name: str = ""
    is_name_implicit: bool = False


class ForumTopicEdited(msgspec.Struct, frozen=True):
    """Mirror https://core.telegram.org/bots/api#forumtopicedited.

    Without a name it was the icon that was changed.
    """

    name: str = ""


class ForumTopic(msgspec.Struct, frozen=True):
    """Mirror https://core.telegram.org/bots/api#forumtopic."""

    message_thread_id: int


class CallbackQuery(msgspec.Struct, frozen=True):
    """Mirror https://core.telegram.org/bots/api#callbackquery."""

    id: str
    from_: User = msgspec.field(name="from")
    message: Message | None = None
    data: str | None = None


class Update(msgspec.Struct, frozen=True):
    """Mirror https://core.telegram.org/bots/api#update."""

    update_id: int
    message: Message | None = None
    edited_message: Message | None = None
    callback_query: CallbackQuery | None = None


class SentMessage(msgspec.Struct, frozen=True):
    """Be the answer to a send."""

    message_id: int


class FilePath(msgspec.Struct, frozen=True):
    """Be the answer to getFile: https://core.telegram.org/bots/api#file."""

    file_path: str | None = None


class BotCommand(msgspec.Struct, frozen=True):
    """Mirror https://core.telegram.org/bots/api#botcommand."""

    command: str
    description: str
