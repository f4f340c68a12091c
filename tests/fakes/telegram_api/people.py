"""People at the other end: they write, reply, press buttons, delete."""

import itertools
from typing import TYPE_CHECKING, Any

from .world import Chat, File, Message, User, command_entities

if TYPE_CHECKING:
    from .server import TelegramApi

__all__ = ["Person"]

_presses = itertools.count(1)


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

    def send_file(self, name: str, content: bytes, caption: str = "", **extra: Any) -> Message:
        """Send a document in the private chat."""
        file = File(f"up{len(self.api.world.files)}", name, content)
        self.api.world.files[file.id] = file
        message = Message(0, self.chat, self.user, caption, document=file, extra=extra)
        self.api.world.put(message)
        self.api.updates.push("message", message.json())
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

    def delete(self, message: Message) -> None:
        """Delete a message; a bot is not told."""
        message.deleted = True
