"""What comes from a chat and what goes to it, in values that no chat service owns."""

from typing import Literal, TypeAlias

import msgspec

from takopi.core.richtext import RichText

__all__ = [
    "Button",
    "ButtonPressed",
    "ChatKind",
    "ChatMessage",
    "ChatMigrated",
    "ChatUpdate",
    "Document",
    "FileKind",
    "IncomingFile",
    "MessageEdited",
    "MessageReceived",
    "RepliedTo",
    "Scope",
    "TopicChange",
    "TopicChanged",
]

ChatKind: TypeAlias = Literal["private", "group"]


class Scope(msgspec.Struct, frozen=True):
    """Name a place in a chat; preferences and the current session hang on it.

    Args:
        transport: Id of the transport.
        chat_id: Chat within it.
        thread_id: Topic within the chat, or None.
    """

    transport: str
    chat_id: int
    thread_id: int | None = None


FileKind: TypeAlias = Literal["document", "photo", "video", "audio", "voice", "animation"]


class IncomingFile(msgspec.Struct, frozen=True, kw_only=True):
    """Be a file that somebody sent; the chat service has it until somebody fetches it.

    Args:
        kind: What the service takes it for.
        file_id: By which the service hands it out.
        name: As the sender called it, or made up; hostile until it was made safe.
        size: Bytes, as the service says; None when it does not.
        mime: Its media type, as the sender says; empty when unknown.
        path: Where it lies on this machine, absolute, once that is decided.
    """

    kind: FileKind
    file_id: str
    name: str
    size: int | None = None
    mime: str = ""
    path: str = ""


class RepliedTo(msgspec.Struct, frozen=True):
    """Describe the message that a person replied to.

    Args:
        message_id: Its id in the chat.
        text: Its text or caption; empty when it has none.
        from_this_bot: Whether this very bot wrote it: only then a resume line in it counts.
        files: What it carries.
    """

    message_id: int
    text: str = ""
    from_this_bot: bool = False
    files: tuple[IncomingFile, ...] = ()


class MessageReceived(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Carry a message that somebody sent.

    Args:
        update_id: Number the service gave the update.
        scope: Where it was written.
        chat_kind: Decides budgets and access.
        message_id: Its id in the chat.
        sender_id: The person; None for anonymous admins, channels and automatic forwards, which
            are strangers.
        text: Text or caption.
        reply: The message it replies to.
        forwarded: Forwarded text is content, never a directive.
        addressed_to_other: The first word is a command of another bot (`/x@otherbot`).
        mentioned: Whether it names this bot; the name itself is off both ends of the text.
        date: When the service took it, unix seconds; whole ones at Telegram.
        album: What the parts of one album share; None for a message of its own.
        files: What it carries beside its words.
    """

    update_id: int
    scope: Scope
    chat_kind: ChatKind
    message_id: int
    sender_id: int | None
    text: str
    reply: RepliedTo | None = None
    forwarded: bool = False
    addressed_to_other: bool = False
    mentioned: bool = False
    date: float = 0.0
    album: str | None = None
    files: tuple[IncomingFile, ...] = ()


class MessageEdited(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Carry what a person made of an earlier message.

    Args:
        update_id: Number the service gave the update.
        scope: Where it was written.
        chat_kind: Decides budgets and access.
        message_id: The message that was edited.
        sender_id: As in `MessageReceived`.
        text: The whole new text or caption.
        edited_at: When, unix seconds; one edit is known by chat, message and this.
    """

    update_id: int
    scope: Scope
    chat_kind: ChatKind
    message_id: int
    sender_id: int | None
    text: str
    edited_at: float


class ButtonPressed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Carry a press on an inline button.

    Args:
        press_id: What `Transport.answer_press` wants back.
        message_id: The message that carries the button.
        data: What the button was made with; at most 64 bytes.
    """

    update_id: int
    scope: Scope
    chat_kind: ChatKind
    press_id: str
    message_id: int
    sender_id: int | None
    data: str


class ChatMigrated(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Carry the service's own word that a group goes on under another id.

    It comes twice, once in each of the two chats, and both times it reads the same.

    Args:
        update_id: Number the service gave the update.
        scope: The group under the id it had.
        message_id: The service message that says so, in whichever chat it stands.
        new_chat_id: The id that it has from now on; ids of messages start anew there.
        sender_id: Always None: the service says it, whoever caused it.
    """

    update_id: int
    scope: Scope
    message_id: int
    new_chat_id: int
    chat_kind: ChatKind = "group"
    sender_id: None = None


TopicChange: TypeAlias = Literal["created", "renamed", "closed", "reopened"]


class TopicChanged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Carry the service's word that somebody made or changed a topic; deleting one is never told.

    Args:
        update_id: Number the service gave the update.
        scope: The topic.
        chat_kind: Decides budgets and access.
        message_id: The service message that says so.
        sender_id: As in `MessageReceived`.
        what: What was done.
        name: The name that was given; empty when none was.
        implicit: Whether the client made the name up, so that another is welcome.
    """

    update_id: int
    scope: Scope
    chat_kind: ChatKind
    message_id: int
    sender_id: int | None
    what: TopicChange
    name: str = ""
    implicit: bool = False


ChatUpdate: TypeAlias = (
    MessageReceived | MessageEdited | ButtonPressed | ChatMigrated | TopicChanged
)


class Button(msgspec.Struct, frozen=True):
    """Be an inline button.

    Args:
        label: What the person reads.
        data: What comes back; at most 64 bytes.
    """

    label: str
    data: str


class ChatMessage(msgspec.Struct, frozen=True, tag=True):
    """Be a message that is ready to send or to put in place of another.

    Args:
        body: At most 4,096 UTF-16 units and 100 counted entities.
        buttons: Rows of inline buttons.
    """

    body: RichText
    buttons: tuple[tuple[Button, ...], ...] = ()


class Document(msgspec.Struct, frozen=True, tag=True):
    """Be a file that is ready to send.

    Args:
        filename: Shown to the person.
        content: The bytes; empty when they are in a file.
        caption: At most 1,024 UTF-16 units.
        path: A file of takopi's own that has the content, absolute; empty when it is in hand.
        photo: Whether it is to be shown as a picture where that can be.
    """

    filename: str
    content: bytes
    caption: RichText = RichText("")
    path: str = ""
    photo: bool = False
