"""What somebody in the chat deletes in the moment before a call arrives."""

from typing import Any

from .world import World

__all__ = ["lose"]


def lose(world: World, kind: str, params: dict[str, Any]) -> None:
    """Delete what a call is about, as a `lose_...` fault says."""
    chat = world.chats.get(params.get("chat_id", 0))
    if chat is None:
        return
    if kind == "lose_topic":
        world.delete_topic(chat.id, params["message_thread_id"])
        return
    number = params.get("message_id")
    if kind == "lose_reply":
        number = params["reply_parameters"].get("message_id")
    message = chat.messages.get(number or 0)
    if message is not None:
        message.deleted = True
