"""Topics, as the server makes, names and closes them."""

from collections.abc import Callable
from typing import Any

from .refusal import bad_request
from .world import Chat, World

__all__ = ["TOPIC_HANDLERS", "writable_thread"]

MAX_NAME = 128


def writable_thread(chat: Chat, thread: int | None) -> int | None:
    """Return the topic that a message goes to, or refuse; None is the chat outside of topics."""
    if thread is not None and thread not in chat.topics:
        raise bad_request("message thread not found")
    if thread in chat.closed and not (chat.bot_manages or thread in chat.bots_own):
        raise bad_request("TOPIC_CLOSED")
    return thread


def _forum(world: World, params: dict[str, Any]) -> Chat:
    if "chat_id" not in params:
        raise bad_request("chat_id is empty")
    chat = world.reachable(params["chat_id"])
    if not chat.is_forum and not (chat.type == "private" and world.threaded):
        raise bad_request("the chat is not a forum")
    return chat


def _name(params: dict[str, Any]) -> str:
    name = " ".join(params.get("name", "").split())
    if not name:
        raise bad_request("topic title must be non-empty")
    if len(name) > MAX_NAME:  # the real one cuts without a word
        raise bad_request("topic title is too long (the stand-in is stricter here)")
    return name


def _create(world: World, params: dict[str, Any]) -> Any:
    chat, name = _forum(world, params), _name(params)
    if chat.type != "private" and not chat.bot_manages:
        raise bad_request("not enough rights to create a topic")
    thread = world.topic(chat.id, name)
    chat.bots_own.add(thread)
    return {"message_thread_id": thread, "name": name, "icon_color": 7322096}


def _edit(world: World, params: dict[str, Any]) -> Any:
    chat, thread = _forum(world, params), params.get("message_thread_id", 0)
    if thread not in chat.topics:
        raise bad_request("TOPIC_ID_INVALID")
    if chat.type != "private" and not (chat.bot_manages or thread in chat.bots_own):
        raise bad_request("not enough rights to edit the topic")
    if not params.get("name"):
        return True  # without a name the current one is kept, whatever became of the topic
    name = _name(params)
    if chat.topics[thread] == name:
        raise bad_request("TOPIC_NOT_MODIFIED")
    chat.topics[thread] = name
    return True


TOPIC_HANDLERS: dict[str, Callable[[World, dict[str, Any]], Any]] = {
    "createForumTopic": _create,
    "editForumTopic": _edit,
}
