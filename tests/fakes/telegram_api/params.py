"""The parameters of each method: names, types, and how a client may write them.

A client may send a query string, a form, a multipart form or a JSON body. Names that no
documentation knows are refused: the real server ignores them, and so hides a slip of the pen.
"""

import json
from typing import Any

from .refusal import bad_request

__all__ = ["METHODS", "read_params"]

_SEND = {
    "chat_id": "chat",
    "message_thread_id": "int",
    "disable_notification": "bool",
    "protect_content": "bool",
    "reply_parameters": "json",
    "reply_markup": "json",
}
_COMMANDS = {"scope": "json", "language_code": "str"}

METHODS: dict[str, dict[str, str]] = {
    "getMe": {},
    "logOut": {},
    "close": {},
    "getUpdates": {"offset": "int", "limit": "int", "timeout": "int", "allowed_updates": "json"},
    "deleteWebhook": {"drop_pending_updates": "bool"},
    "getWebhookInfo": {},
    "sendMessage": {
        **_SEND,
        "text": "str",
        "entities": "json",
        "link_preview_options": "json",
    },
    "sendDocument": {
        **_SEND,
        "document": "file",
        "caption": "str",
        "caption_entities": "json",
        "disable_content_type_detection": "bool",
    },
    "sendPhoto": {
        **_SEND,
        "photo": "file",
        "caption": "str",
        "caption_entities": "json",
        "has_spoiler": "bool",
        "show_caption_above_media": "bool",
    },
    "sendChatAction": {"chat_id": "chat", "message_thread_id": "int", "action": "str"},
    "setMessageReaction": {
        "chat_id": "chat",
        "message_id": "int",
        "reaction": "json",
        "is_big": "bool",
    },
    "editMessageText": {
        "chat_id": "chat",
        "message_id": "int",
        "text": "str",
        "entities": "json",
        "link_preview_options": "json",
        "reply_markup": "json",
    },
    "editMessageReplyMarkup": {"chat_id": "chat", "message_id": "int", "reply_markup": "json"},
    "deleteMessage": {"chat_id": "chat", "message_id": "int"},
    "answerCallbackQuery": {
        "callback_query_id": "str",
        "text": "str",
        "show_alert": "bool",
        "url": "str",
        "cache_time": "int",
    },
    "setMyCommands": {"commands": "json", **_COMMANDS},
    "getMyCommands": dict(_COMMANDS),
    "deleteMyCommands": dict(_COMMANDS),
    "getFile": {"file_id": "str"},
    "getChat": {"chat_id": "chat"},
    "createForumTopic": {
        "chat_id": "chat",
        "name": "str",
        "icon_color": "int",
        "icon_custom_emoji_id": "str",
    },
    "editForumTopic": {
        "chat_id": "chat",
        "message_thread_id": "int",
        "name": "str",
        "icon_custom_emoji_id": "str",
    },
}


def read_params(method: str, raw: dict[str, Any]) -> dict[str, Any]:
    """Turn what a client wrote into typed values, or refuse it.

    Values that are files (`attach://name` included) are left to the method.
    """
    known = METHODS[method]
    attached = {
        value.removeprefix("attach://")
        for value in raw.values()
        if isinstance(value, str) and value.startswith("attach://")
    }
    found: dict[str, Any] = {}
    for name, value in raw.items():
        if name in attached:
            found[f"attach://{name}"] = value
            continue
        if name not in known:
            raise bad_request(f"unknown parameter {name!r} (the stand-in is stricter here)")
        if value is not None:
            found[name] = _typed(known[name], name, value)
    return found


def _typed(kind: str, name: str, value: Any) -> Any:
    if kind == "file":
        return value
    if kind == "json":
        return _json(name, value) if isinstance(value, str) else value
    if kind == "bool":
        return value if isinstance(value, bool) else str(value).lower() in {"true", "yes", "1"}
    if kind == "str":
        if not isinstance(value, str):
            raise bad_request(f"can't parse {name}: expected a String")
        return value
    try:
        return int(value)
    except (TypeError, ValueError):
        if kind == "chat":
            raise bad_request("chat not found") from None
        raise bad_request(f"invalid {name} specified") from None


def _json(name: str, value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        raise bad_request(f"can't parse {name} JSON object") from None
