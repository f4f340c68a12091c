"""From the chat's words to the Bot API's parameters. Pure: values in, values out.

https://core.telegram.org/bots/api#sendmessage
"""

from collections.abc import Sequence
from typing import Any

from takopi.bridge.ports import MenuCommand
from takopi.core.chat import Button, ChatMessage, Document, Scope
from takopi.core.richtext import Entity, RichText
from takopi.telegram.api import Upload
from takopi.transport import MessageRef, SendOptions

__all__ = [
    "document_params",
    "edit_params",
    "menu_params",
    "press_params",
    "reaction_params",
    "send_params",
    "target_params",
    "whole_symbols",
]

MAX_COMMANDS = 100
MAX_DESCRIPTION = 256
MAX_TOAST = 200
GENERAL_TOPIC = 1

# `main.py` and `run.sh` look like hosts: .py and .sh are countries' domains.
_NO_PREVIEW = {"is_disabled": True}


def send_params(scope: Scope, message: ChatMessage, options: SendOptions) -> dict[str, Any]:
    """Make the parameters of sendMessage."""
    return {
        **_place(scope, options),
        **_body(message),
    }


def edit_params(ref: MessageRef, message: ChatMessage) -> dict[str, Any]:
    """Make the parameters of editMessageText; without buttons the old ones go away."""
    return {**target_params(ref), **_body(message)}


def document_params(scope: Scope, document: Document, options: SendOptions) -> dict[str, Any]:
    """Make the parameters of sendDocument; of sendPhoto when it is to be shown as a picture."""
    return {
        **_place(scope, options),
        "photo" if document.photo else "document": Upload(
            whole_symbols(document.filename), document.content, document.path
        ),
        "caption": whole_symbols(document.caption.text) or None,
        "caption_entities": _entities(document.caption),
    }


def target_params(ref: MessageRef) -> dict[str, Any]:
    """Name a message that exists."""
    return {"chat_id": int(ref.channel_id), "message_id": int(ref.message_id)}


def reaction_params(ref: MessageRef, emoji: str | None) -> dict[str, Any]:
    """Make the parameters of setMessageReaction; an empty list takes the reaction back."""
    reaction = [] if emoji is None else [{"type": "emoji", "emoji": emoji}]
    return {**target_params(ref), "reaction": reaction}


def menu_params(commands: Sequence[MenuCommand]) -> list[dict[str, str]]:
    """Make the list for setMyCommands: the first 100, with shortened descriptions."""
    return [
        {
            "command": command.name,
            "description": whole_symbols(command.description)[:MAX_DESCRIPTION],
        }
        for command in commands[:MAX_COMMANDS]
    ]


def press_params(press_id: str, text: str) -> dict[str, Any]:
    """Make the parameters of answerCallbackQuery."""
    return {"callback_query_id": press_id, "text": whole_symbols(text)[:MAX_TOAST] or None}


def _place(scope: Scope, options: SendOptions) -> dict[str, Any]:
    thread = scope.thread_id if options.thread_id is None else int(options.thread_id)
    reply = options.reply_to
    here = reply is not None and int(reply.channel_id) == scope.chat_id
    return {
        "chat_id": scope.chat_id,
        # The General topic has the number 1, and the server refuses to hear it.
        "message_thread_id": None if thread == GENERAL_TOPIC else thread,
        "disable_notification": None if options.notify else True,
        "reply_parameters": _reply(reply) if reply is not None and here else None,
    }


def _reply(reply: MessageRef) -> dict[str, Any]:
    return {"message_id": int(reply.message_id), "allow_sending_without_reply": True}


def _body(message: ChatMessage) -> dict[str, Any]:
    return {
        "text": whole_symbols(message.body.text),
        "entities": _entities(message.body),
        "link_preview_options": _NO_PREVIEW,
        "reply_markup": _keyboard(message.buttons),
    }


def _entities(text: RichText) -> list[dict[str, Any]] | None:
    return [_entity(entity) for entity in text.entities] or None


def _entity(entity: Entity) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": entity.kind,
        "offset": entity.offset,
        "length": entity.length,
    }
    if entity.url is not None:
        found["url"] = entity.url
    if entity.language is not None:
        found["language"] = entity.language
    return found


def _keyboard(rows: Sequence[Sequence[Button]]) -> dict[str, Any] | None:
    if not rows:
        return None
    shown = [[_button(button) for button in row] for row in rows]
    return {"inline_keyboard": shown}


def _button(button: Button) -> dict[str, Any]:
    return {"text": whole_symbols(button.label), "callback_data": button.data}


def whole_symbols(text: str) -> str:
    """Replace halves of surrogate pairs, which no encoding carries; offsets stay right."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
