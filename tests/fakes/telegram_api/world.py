"""The people, chats and messages of the stand-in."""

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from .refusal import Refusal, bad_request

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Chat", "File", "Message", "User", "World", "command_entities"]

_FILES = {"photo", "video", "audio", "voice", "animation", "video_note"}
ChatType = Literal["private", "group", "supergroup", "channel"]
_COMMAND = re.compile(r"(?<!\S)/[A-Za-z0-9_]{1,32}(?:@[A-Za-z0-9_]{3,32})?")


@dataclass
class User:
    """Be a person or a bot."""

    id: int
    first_name: str
    username: str | None = None
    is_bot: bool = False

    def json(self) -> dict[str, Any]:
        """Give the `User` object."""
        found: dict[str, Any] = {
            "id": self.id,
            "is_bot": self.is_bot,
            "first_name": self.first_name,
        }
        if self.username:
            found["username"] = self.username
        return found


@dataclass
class Message:
    """Be one message; `deleted` ones stay here for tests to look at.

    Args:
        order: Counts the messages of all chats; ids count within a chat only.
        edit_date: When it was edited last; a bot's change of buttons alone does not count.
    """

    id: int
    chat: "Chat"
    sender: User | None
    text: str = ""
    entities: list[dict[str, Any]] = field(default_factory=list)
    keyboard: dict[str, Any] | None = None
    reply_to: "Message | None" = None
    thread_id: int | None = None
    document: "File | None" = None
    notify: bool = True
    date: int = 0
    order: int = 0
    edit_date: int | None = None
    edits: int = 0
    deleted: bool = False
    extra: dict[str, Any] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)
    reactions: list[str] = field(default_factory=list)
    picture: "File | None" = None

    @property
    def buttons(self) -> list[dict[str, Any]]:
        """List the inline buttons, row by row."""
        rows = (self.keyboard or {}).get("inline_keyboard", [])
        return [button for row in rows for button in row]

    def json(self, *, with_reply: bool = True) -> dict[str, Any]:
        """Give the `Message` object."""
        found: dict[str, Any] = {"message_id": self.id, "date": self.date, "chat": self.chat.json()}
        if self.sender is not None:
            found["from"] = self.sender.json()
        with_file = self.document or self.picture or _FILES & self.extra.keys()
        prefix = "caption" if with_file else ""
        if self.text:
            found[prefix or "text"] = self.text
        if self.entities:
            found[f"{prefix}_entities" if prefix else "entities"] = self.entities
        if self.document is not None:
            found["document"] = self.document.json()
        if self.picture is not None:
            found["photo"] = self.picture.sizes()
        if self.keyboard:
            found["reply_markup"] = self.keyboard
        if self.edit_date is not None:
            found["edit_date"] = self.edit_date
        if self.thread_id is not None:
            found["message_thread_id"] = self.thread_id
            if self.thread_id in self.chat.topics:
                found["is_topic_message"] = True
        if with_reply and self.reply_to is not None:
            found["reply_to_message"] = self.reply_to.json(with_reply=False)
        return {**found, **self.extra}


@dataclass
class File:
    """Be a document that was sent; while the server still fetches it, nobody is told its path."""

    id: str
    name: str
    content: bytes
    mime_type: str = "application/octet-stream"
    is_fetched: bool = True

    def json(self) -> dict[str, Any]:
        """Give the `Document` object."""
        return {
            "file_id": self.id,
            "file_unique_id": f"u{self.id}",
            "file_name": self.name,
            "mime_type": self.mime_type,
            "file_size": len(self.content),
        }

    def sizes(self) -> list[dict[str, Any]]:
        """Give the sizes of a photo, of which only the largest has the content."""
        small = {"file_id": f"{self.id}s", "file_unique_id": f"u{self.id}s"}
        large = {"file_id": self.id, "file_unique_id": f"u{self.id}"}
        return [
            {**small, "width": 90, "height": 60, "file_size": 9},
            {**large, "width": 900, "height": 600, "file_size": len(self.content)},
        ]


@dataclass
class Chat:
    """Be a private chat, a group or a forum.

    Args:
        lost: The 403 text that every call gets, once the bot is out.
        migrated_to: Id of the supergroup that this group became.
        topics: Thread id to title, of a forum or of a private chat with topics.
        closed: Threads that take messages of admins and of their maker alone.
        bots_own: Threads that the bot made.
        bot_manages: Whether the bot is an admin that may manage topics.
    """

    id: int
    type: ChatType
    title: str
    username: str | None = None
    is_forum: bool = False
    lost: str | None = None
    migrated_to: int | None = None
    topics: dict[int, str] = field(default_factory=dict)
    closed: set[int] = field(default_factory=set)
    bots_own: set[int] = field(default_factory=set)
    bot_manages: bool = True
    messages: dict[int, Message] = field(default_factory=dict)
    actions: list[str] = field(default_factory=list)

    def json(self) -> dict[str, Any]:
        """Give the `Chat` object."""
        found: dict[str, Any] = {"id": self.id, "type": self.type}
        found["first_name" if self.type == "private" else "title"] = self.title
        if self.username:
            found["username"] = self.username
        if self.is_forum:
            found["is_forum"] = True
        return found

    def numbers_itself(self) -> bool:
        """Say whether its messages have numbers of their own, beginning with 1.

        In private chats and basic groups a message's number is one of the bot's whole account.
        """
        return self.type in ("supergroup", "channel")

    def standing(self) -> list[Message]:
        """List the messages a person sees now, oldest first."""
        return [message for message in self.messages.values() if not message.deleted]


class World:
    """Hold everything that the server knows of one bot."""

    def __init__(self, bot: User) -> None:
        self.bot = bot
        self.users: dict[int, User] = {bot.id: bot}
        self.chats: dict[int, Chat] = {}
        self.files: dict[str, File] = {}
        self.local: Path | None = None
        """Where a server with `--local` keeps the bot's files; None for one without."""
        self.threaded = False
        """Whether private chats with the bot have topics (Threaded Mode at @BotFather)."""
        self.presses: dict[str, bool] = {}
        self.commands: dict[str, list[dict[str, str]]] = {}
        self._numbers = {0: 100}
        self._order = 0

    def user(self, user_id: int, first_name: str = "Ada", username: str | None = None) -> User:
        """Return a person with a private chat, made when new."""
        if user_id not in self.users:
            self.users[user_id] = User(user_id, first_name, username)
            self.chats[user_id] = Chat(user_id, "private", first_name, username)
        return self.users[user_id]

    def group(self, chat_id: int, title: str = "Team", *, forum: bool = False) -> Chat:
        """Return a group (a supergroup when its id starts with -100), made when new."""
        kind: ChatType = "supergroup" if forum or str(chat_id).startswith("-100") else "group"
        return self.chats.setdefault(chat_id, Chat(chat_id, kind, title, is_forum=forum))

    def topic(
        self, chat_id: int, title: str, maker: User | None = None, *, implicit: bool = False
    ) -> int:
        """Make a topic and return its thread id, which is the id of its service message."""
        chat = self.chats[chat_id]
        created: dict[str, Any] = {"name": title, "icon_color": 7322096}
        if implicit:
            created["is_name_implicit"] = True
        root = self.put(Message(0, chat, maker or self.bot, extra={"forum_topic_created": created}))
        chat.topics[root.id] = title
        root.thread_id = root.id
        return root.id

    def delete_topic(self, chat_id: int, thread_id: int) -> None:
        """Delete a topic with all its messages."""
        chat = self.chats[chat_id]
        chat.topics.pop(thread_id, None)
        for message in chat.messages.values():
            message.deleted = message.deleted or message.thread_id == thread_id

    def migrate(self, chat_id: int, new_chat_id: int) -> tuple[Message, Message]:
        """Make a supergroup of a group; return the service messages of the old and the new one."""
        old = self.chats[chat_id]
        new = self.group(new_chat_id, old.title)
        old.migrated_to = new_chat_id
        there = Message(0, old, None, extra={"migrate_to_chat_id": new_chat_id})
        here = Message(0, new, None, extra={"migrate_from_chat_id": chat_id})
        return self.put(there), self.put(here)

    def put(self, message: Message) -> Message:
        """Give a message its id and date and keep it."""
        counter = message.chat.id if message.chat.numbers_itself() else 0
        # The first message of a supergroup says that it was made; its number is the General topic.
        self._numbers[counter] = self._numbers.get(counter, 1) + 1
        self._order += 1
        message.id, message.order = self._numbers[counter], self._order
        message.date = message.date or int(time.time())
        message.chat.messages[message.id] = message
        return message

    def reachable(self, chat_id: int) -> Chat:
        """Return a chat that the bot may write to, or refuse."""
        chat = self.chats.get(chat_id)
        if chat is None:
            raise bad_request("chat not found")
        if chat.migrated_to is not None:
            raise Refusal(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                {"migrate_to_chat_id": chat.migrated_to},
            )
        if chat.lost is not None:
            raise Refusal(403, chat.lost)
        return chat


def command_entities(text: str) -> list[dict[str, Any]]:
    """Find the commands in a person's text, as the server does."""
    return [
        {
            "type": "bot_command",
            "offset": len(text[: found.start()].encode("utf-16-le")) // 2,
            "length": found.end() - found.start(),
        }
        for found in _COMMAND.finditer(text)
    ]
