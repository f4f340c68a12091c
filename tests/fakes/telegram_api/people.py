"""People at the other end: they write, edit, forward, show albums, press buttons, delete."""

import itertools
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .world import Chat, File, Message, User, command_entities

if TYPE_CHECKING:
    from .server import TelegramApi

__all__ = ["PICTURE", "Person"]

PICTURE = b"\x89PNG\r\n\x1a\n"

_presses = itertools.count(1)
_albums = itertools.count(13_950_000_000_000_001)

LONGEST = 4096  # UTF-16 units that a client puts into one message


class Person:
    """Act as one person.

    Args:
        api: The stand-in.
        user: Who acts.
    """

    def __init__(self, api: "TelegramApi", user: User) -> None:
        self.api = api
        self.user = user

    @property
    def id(self) -> int:
        """Give the user id, which is the private chat's id too."""
        return self.user.id

    @property
    def chat(self) -> Chat:
        """Give the private chat with the bot."""
        return self.api.world.chats[self.user.id]

    def say(
        self,
        text: str,
        chat: int | None = None,
        *,
        reply_to: "Message | int | None" = None,
        thread_id: int | None = None,
        **extra: Any,
    ) -> Message:
        """Write a message; `extra` goes into the `Message` object as it is.

        `sender=None` among the extras leaves out `from`, as for channels and anonymous admins.
        """
        where = self.api.world.chats[self.user.id if chat is None else chat]
        target = where.messages.get(reply_to) if isinstance(reply_to, int) else reply_to
        if target is None and thread_id in where.topics:
            target = where.messages[thread_id]  # the topic's root, as the real server does
        message = Message(
            0, where, extra.pop("sender", self.user), text, command_entities(text), None, target
        )
        message.thread_id = thread_id
        message.extra = extra
        self.api.world.put(message)
        self.api.updates.push("message", message.json())
        self.api.calls.notify()
        return message

    def send_file(
        self,
        name: str,
        content: bytes,
        caption: str = "",
        *,
        chat: int | None = None,
        reply_to: Message | None = None,
        **extra: Any,
    ) -> Message:
        """Send a document."""
        where = self.api.world.chats[self.user.id if chat is None else chat]
        document = self._uploaded(name, content)
        message = Message(0, where, self.user, caption, command_entities(caption))
        message.document, message.reply_to, message.extra = document, reply_to, extra
        return self._sent(message)

    def send_photo(self, content: bytes, caption: str = "", **extra: Any) -> Message:
        """Send a photo in the private chat."""
        message = Message(0, self.chat, self.user, caption, command_entities(caption))
        message.picture, message.extra = self._uploaded("", content), extra
        return self._sent(message)

    def _uploaded(self, name: str, content: bytes) -> File:
        file = File(f"up{len(self.api.world.files)}", name, content)
        self.api.world.files[file.id] = file
        return file

    def _sent(self, message: Message) -> Message:
        self.api.world.put(message)
        self.api.updates.push("message", message.json())
        self.api.calls.notify()
        return message

    def press(self, message: Message, label: str | None = None) -> str:
        """Press a button (the first, or the one with this label) and return the query's id."""
        for button in message.buttons:
            if label is None or button["text"] == label:
                return self.press_data(message, button["callback_data"])
        raise AssertionError(f"no button {label!r} on {message.text!r}")

    def press_data(self, message: Message, data: str) -> str:
        """Press a button that carried `data`, even one that is gone by now."""
        press = f"{self.user.id}{next(_presses):06d}"
        self.api.world.presses[press] = False
        query = {
            "id": press,
            "from": self.user.json(),
            "message": message.json(),
            "chat_instance": str(message.chat.id),
            "data": data,
        }
        self.api.updates.push("callback_query", query)
        return press

    def edit(self, message: Message, text: str, **extra: Any) -> Message:
        """Put another text, or caption, into an own message."""
        message.history.append(message.text)
        message.text, message.entities = text, command_entities(text)
        message.edits += 1
        message.edit_date = extra.pop("edit_date", int(time.time()))
        message.extra.update(extra)
        self.api.updates.push("edited_message", message.json())
        self.api.calls.notify()
        return message

    def album(
        self,
        captions: Sequence[str],
        chat: int | None = None,
        *,
        reply_to: "Message | int | None" = None,
        thread_id: int | None = None,
        **extra: Any,
    ) -> list[Message]:
        """Show pictures together, one for each caption; as a rule all captions but one are empty.

        They arrive as messages of their own that share `media_group_id`; the content of each is
        `PICTURE` and its number.
        """
        shared = {"media_group_id": str(next(_albums)), **extra}
        return [
            self.say(
                caption,
                chat,
                reply_to=reply_to,
                thread_id=thread_id,
                photo=self._uploaded("", PICTURE + b"%d" % number).sizes(),
                **shared,
            )
            for number, caption in enumerate(captions)
        ]

    def forward(
        self, what: Message | str, chat: int | None = None, *, hidden: bool = False, **extra: Any
    ) -> Message:
        """Forward a message, or words of somebody who is not in this world.

        Args:
            what: The message, or the words.
            chat: Where to; None is the private chat with the bot.
            hidden: Whether the origin hides who wrote it.
        """
        if isinstance(what, str):
            what = Message(0, self.chat, User(77, "Somebody"), what, date=int(time.time()) - 60)
        origin: dict[str, Any] = {"date": what.date, "type": "user"}
        if hidden or what.sender is None:
            origin |= {"type": "hidden_user", "sender_user_name": "Somebody"}
        else:
            origin["sender_user"] = what.sender.json()
        return self.say(what.text, chat, forward_origin=origin, **extra)

    def paste(
        self, text: str, chat: int | None = None, *, at_words: bool = False, **extra: Any
    ) -> list[Message]:
        """Write a text of any length; the client splits it as it must.

        Args:
            text: The whole of it.
            chat: Where to.
            at_words: Split where a line or a word ends, when there is one near the limit.
        """
        return [self.say(part, chat, **extra) for part in split_like_a_client(text, at_words)]

    def upgrade(self, chat: int, new_chat: int) -> None:
        """Make a supergroup of a group; the bot is told in both."""
        for message in self.api.world.migrate(chat, new_chat):
            message.sender = self.user
            self.api.updates.push("message", message.json())
        self.api.calls.notify()

    def make_topic(self, chat: int, name: str, *, implicit: bool = False) -> int:
        """Make a topic and return its thread id; `implicit` when the client made the name up."""
        thread = self.api.world.topic(chat, name, self.user, implicit=implicit)
        self.api.updates.push("message", self.api.world.chats[chat].messages[thread].json())
        return thread

    def change_topic(self, chat: int, thread: int, what: str, name: str = "") -> None:
        """Change a topic: `edited` with a name, `closed` or `reopened`; the bot is told."""
        where = self.api.world.chats[chat]
        if what == "edited":
            where.topics[thread] = name
        elif what == "closed":
            where.closed.add(thread)
        else:
            where.closed.discard(thread)
        told = {f"forum_topic_{what}": {"name": name} if name else {}}
        self._sent(Message(0, where, self.user, thread_id=thread, extra=told))

    def delete(self, message: Message) -> None:
        """Delete a message; a bot is not told."""
        message.deleted = True


def split_like_a_client(text: str, at_words: bool = False) -> list[str]:
    """Split a text into parts of at most 4,096 UTF-16 units; no symbol is cut.

    The server trims each part, so blanks at a border are lost.
    """
    parts = []
    while text:
        end = _longest_part(text)
        if at_words and end < len(text):
            border = max(text.rfind("\n", end // 2, end), text.rfind(" ", end * 7 // 8, end))
            end = border + 1 if border > 0 else end
        parts.append(text[:end].strip())
        text = text[end:]
    return [part for part in parts if part]


def _longest_part(text: str) -> int:
    """Count the characters at the beginning that one message holds."""
    units = 0
    for place, symbol in enumerate(text):
        units += 2 if ord(symbol) > 0xFFFF else 1
        if units > LONGEST:
            return place
    return len(text)
