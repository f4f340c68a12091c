"""Topics of forum groups and private chats, in the words of the Bot API.

https://core.telegram.org/bots/api#createforumtopic
"""

from typing import Any

import msgspec

from takopi.core.chat import ChatKind, Scope, TopicChange, TopicChanged
from takopi.core.texts import tr
from takopi.errors import TopicsUnavailable, TransportError
from takopi.telegram.outgoing import whole_symbols
from takopi.telegram.wire import ForumTopic, Message

__all__ = ["cannot_have", "create_params", "link_of", "rename_params", "thread_of", "topic_change"]

# A supergroup's id is its number behind this.
_SUPERGROUP = "-100"

# The server's own word, and that of the bot's rights, have no leaf of their own.
_RIGHTS = "chat_admin_required"


def topic_change(
    update_id: int, message: Message, scope: Scope, kind: ChatKind, sender: int | None
) -> TopicChanged | None:
    """Read a service message about a topic; None for every other message.

    Args:
        update_id: Number of the update.
        message: Any message.
        scope: Its topic.
        kind: What its chat is.
        sender: Who did it, as for messages.
    """
    what: TopicChange
    name, implicit = "", False
    if message.forum_topic_created is not None:
        made = message.forum_topic_created
        what, name, implicit = "created", made.name, made.is_name_implicit
    elif message.forum_topic_edited is not None and message.forum_topic_edited.name:
        what, name = "renamed", message.forum_topic_edited.name
    elif message.forum_topic_closed is not None:
        what = "closed"
    elif message.forum_topic_reopened is not None:
        what = "reopened"
    else:
        return None
    if scope.thread_id is None:
        return None
    return TopicChanged(
        update_id=update_id,
        scope=scope,
        chat_kind=kind,
        message_id=message.message_id,
        sender_id=sender,
        what=what,
        name=name,
        implicit=implicit,
    )


def create_params(scope: Scope, name: str) -> dict[str, Any]:
    """Make the parameters of createForumTopic."""
    return {"chat_id": scope.chat_id, "name": whole_symbols(name)}


def rename_params(scope: Scope, name: str) -> dict[str, Any]:
    """Make the parameters of editForumTopic."""
    return {**create_params(scope, name), "message_thread_id": scope.thread_id}


def thread_of(answer: msgspec.Raw) -> int:
    """Read the thread of a topic that was made."""
    return msgspec.json.decode(answer, type=ForumTopic).message_thread_id


def cannot_have(scope: Scope, error: TransportError) -> TopicsUnavailable | None:
    """Say what would let a chat have topics; None when the error is about something else."""
    if not isinstance(error, TopicsUnavailable) and _RIGHTS not in str(error).lower():
        return None
    if scope.chat_id > 0:
        why = tr(
            "private chats with this bot have no topics: open @BotFather, choose the bot, turn on "
            "Threaded Mode in its settings, then try again"
        )
    else:
        why = tr(
            "no topic can be made in this group: turn on Topics in the group's settings, and make "
            "the bot an admin that may manage topics (can_manage_topics), then try again"
        )
    return TopicsUnavailable(why)


def link_of(scope: Scope) -> str | None:
    """Return the address of a topic: those of supergroups have one, for members alone."""
    chat = str(scope.chat_id)
    if scope.thread_id is None or not chat.startswith(_SUPERGROUP):
        return None
    return f"https://t.me/c/{chat.removeprefix(_SUPERGROUP)}/{scope.thread_id}"
