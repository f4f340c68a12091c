"""What the methods do with a world."""

import itertools
import time
from collections.abc import Callable
from typing import Any

from .refusal import Refusal, bad_request
from .rules import check_caption, check_commands, check_entities, check_keyboard, check_text
from .topics import TOPIC_HANDLERS, writable_thread
from .world import Chat, File, Message, World

__all__ = ["HANDLERS", "Upload"]

MAX_UPLOAD = 50 * 1024 * 1024
MAX_DOWNLOAD = 20 * 1024 * 1024
MAX_PHOTO = 10 * 1024 * 1024
PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF")
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
REACTIONS = frozenset(
    "👍👎❤🔥🥰👏😁🤔🤯😱🤬😢🎉🤩🤮💩🙏👌🤡🥱🥴😍🐳🌚🌭💯🤣⚡🍌🏆💔🤨😐🍓🍾💋😈😴😭🤓👻👀🎃🙈😇😨🤝✍🤗🫡🎅🎄☃💅🤪🗿🆒💘🙉🦄😘💊🙊😎👾😡"
)
ACTIONS = frozenset(
    {
        *("typing", "upload_photo", "record_video", "upload_video", "record_voice"),
        *("upload_voice", "upload_document", "choose_sticker", "find_location"),
    }
)
_file_numbers = itertools.count(1)


class Upload:
    """Be a file part of a multipart form."""

    def __init__(self, filename: str, content: bytes, mime_type: str) -> None:
        self.filename = filename
        self.content = content
        self.mime_type = mime_type


def _need(params: dict[str, Any], name: str) -> Any:
    if name not in params:
        if name == "chat_id":
            raise bad_request("chat_id is empty")
        raise bad_request(f"parameter {name!r} is required")
    return params[name]


def _place(world: World, params: dict[str, Any]) -> tuple[Chat, int | None, Message | None]:
    """Find where a new message goes: chat, topic, replied-to message."""
    chat = world.reachable(_need(params, "chat_id"))
    thread = writable_thread(chat, params.get("message_thread_id") or None)
    wanted = params.get("reply_parameters") or {}
    if not wanted:
        return chat, thread, None
    target = chat.messages.get(wanted.get("message_id", 0))
    if target is None or target.deleted:
        if wanted.get("allow_sending_without_reply"):
            return chat, thread, None
        raise bad_request("message to be replied not found")
    if thread is None and target.thread_id in chat.topics:
        thread = writable_thread(chat, target.thread_id)
    elsewhere = target.thread_id if target.thread_id in chat.topics else None
    if elsewhere != thread:  # `allow_sending_without_reply` holds within a topic alone
        raise bad_request("message to be replied not found")
    return chat, thread, target


def _send_message(world: World, params: dict[str, Any]) -> Any:
    text = check_text(params.get("text", ""))
    entities = check_entities(text, params.get("entities"))
    keyboard = check_keyboard(params.get("reply_markup"))
    chat, thread, target = _place(world, params)
    notify = not params.get("disable_notification", False)
    message = Message(0, chat, world.bot, text, entities, keyboard, target, thread, notify=notify)
    return world.put(message).json()


def _send_document(world: World, params: dict[str, Any]) -> Any:
    return _send_file(world, params, "document")


def _send_photo(world: World, params: dict[str, Any]) -> Any:
    return _send_file(world, params, "photo")


def _send_file(world: World, params: dict[str, Any], kind: str) -> Any:
    caption = check_caption(params.get("caption", ""))
    entities = check_entities(caption, params.get("caption_entities"))
    keyboard = check_keyboard(params.get("reply_markup"))
    chat, thread, target = _place(world, params)
    upload = params.get(kind)
    if isinstance(upload, str) and upload.startswith("attach://"):
        upload = params.get(upload)
    if not isinstance(upload, Upload):
        raise bad_request(f"there is no {kind} in the request")
    if not upload.content:
        raise bad_request("file must be non-empty")
    if len(upload.content) > MAX_UPLOAD:
        raise Refusal(413, "Request Entity Too Large")
    document = File(f"doc{next(_file_numbers)}", upload.filename, upload.content, upload.mime_type)
    world.files[document.id] = document
    notify = not params.get("disable_notification", False)
    message = Message(
        0, chat, world.bot, caption, entities, keyboard, target, thread, document, notify
    )
    if kind == "photo":
        if len(upload.content) > MAX_PHOTO or not upload.content.startswith(PICTURES):
            raise bad_request("IMAGE_PROCESS_FAILED")
        message.document, message.picture = None, document
    return world.put(message).json()


def _editable(world: World, params: dict[str, Any]) -> Message:
    chat = world.reachable(_need(params, "chat_id"))
    message = chat.messages.get(_need(params, "message_id"))
    if message is None or message.deleted:
        raise bad_request("message to edit not found")
    if message.sender is not world.bot:
        raise bad_request("message can't be edited")
    return message


def _edit_message_text(world: World, params: dict[str, Any]) -> Any:
    text = check_text(params.get("text", ""))
    entities = check_entities(text, params.get("entities"))
    keyboard = check_keyboard(params.get("reply_markup"))
    message = _editable(world, params)
    if message.document is not None or message.picture is not None:
        raise bad_request("there is no text in the message to edit")
    if (text, entities, keyboard) == (message.text, message.entities, message.keyboard):
        raise bad_request(NOT_MODIFIED)
    message.history.append(message.text)
    message.text, message.entities, message.keyboard = text, entities, keyboard
    message.edits += 1
    message.edit_date = int(time.time())
    return message.json()


def _edit_message_reply_markup(world: World, params: dict[str, Any]) -> Any:
    keyboard = check_keyboard(params.get("reply_markup"))
    message = _editable(world, params)
    if keyboard == message.keyboard:
        raise bad_request(NOT_MODIFIED)
    message.keyboard = keyboard
    message.edits += 1
    return message.json()


def _delete_message(world: World, params: dict[str, Any]) -> Any:
    chat = world.reachable(_need(params, "chat_id"))
    message = chat.messages.get(_need(params, "message_id"))
    if message is None or message.deleted:
        raise bad_request("message to delete not found")
    message.deleted = True
    return True


def _answer_callback_query(world: World, params: dict[str, Any]) -> Any:
    if len(params.get("text", "")) > 200:
        raise bad_request("MESSAGE_TOO_LONG")
    press = params.get("callback_query_id", "")
    if press not in world.presses:
        raise bad_request(TOO_OLD)
    world.presses[press] = True
    return True


def _scope(params: dict[str, Any]) -> str:
    scope = params.get("scope") or {"type": "default"}
    if not isinstance(scope, dict) or "type" not in scope:
        raise bad_request("can't parse BotCommandScope JSON object")
    key = ":".join(str(scope[name]) for name in ("type", "chat_id", "user_id") if name in scope)
    return f"{key}|{params.get('language_code', '')}"


def _set_my_commands(world: World, params: dict[str, Any]) -> Any:
    world.commands[_scope(params)] = check_commands(_need(params, "commands"))
    return True


def _get_my_commands(world: World, params: dict[str, Any]) -> Any:
    return world.commands.get(_scope(params), [])


def _delete_my_commands(world: World, params: dict[str, Any]) -> Any:
    world.commands.pop(_scope(params), None)
    return True


def _get_file(world: World, params: dict[str, Any]) -> Any:
    file = world.files.get(params.get("file_id", ""))
    if file is None:
        raise bad_request("invalid file_id")
    if len(file.content) > MAX_DOWNLOAD and world.local is None:
        raise bad_request("file is too big")
    found = {"file_id": file.id, "file_unique_id": f"u{file.id}", "file_size": len(file.content)}
    if not file.is_fetched:
        return found
    if world.local is None:
        return {**found, "file_path": f"documents/{file.id}"}
    place = world.local / "documents" / file.id
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(file.content)
    return {**found, "file_path": str(place)}


def _send_chat_action(world: World, params: dict[str, Any]) -> Any:
    chat, _, _ = _place(world, params)
    if params.get("action") not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    chat.actions.append(params["action"])
    return True


def _set_message_reaction(world: World, params: dict[str, Any]) -> Any:
    chat = world.reachable(_need(params, "chat_id"))
    message = chat.messages.get(_need(params, "message_id"))
    if message is None or message.deleted:
        raise bad_request("message to react not found")
    wanted = params.get("reaction") or []
    if len(wanted) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    if any(str(r.get("emoji", "")).rstrip("\ufe0f") not in REACTIONS for r in wanted):
        raise bad_request("REACTION_INVALID")
    message.reactions = [reaction["emoji"] for reaction in wanted]
    return True


def _get_me(world: World, params: dict[str, Any]) -> Any:
    del params
    return {
        **world.bot.json(),
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": world.threaded,
    }


def _get_chat(world: World, params: dict[str, Any]) -> Any:
    chat = world.reachable(_need(params, "chat_id"))
    found = {"accent_color_id": 0, "max_reaction_count": 11}
    gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription")
    accepted = dict.fromkeys((*gifts, "gifts_from_channels"), False)
    return {**chat.json(), **found, "accepted_gift_types": accepted}


def _webhook_info(world: World, params: dict[str, Any]) -> Any:
    del world, params
    return {"url": "", "has_custom_certificate": False, "pending_update_count": 0}


def _true(world: World, params: dict[str, Any]) -> Any:
    del world, params
    return True


HANDLERS: dict[str, Callable[[World, dict[str, Any]], Any]] = {
    "getMe": _get_me,
    "logOut": _true,
    "close": _true,
    "deleteWebhook": _true,
    "getWebhookInfo": _webhook_info,
    "sendMessage": _send_message,
    "sendDocument": _send_document,
    "sendPhoto": _send_photo,
    "sendChatAction": _send_chat_action,
    "setMessageReaction": _set_message_reaction,
    "editMessageText": _edit_message_text,
    "editMessageReplyMarkup": _edit_message_reply_markup,
    "deleteMessage": _delete_message,
    "answerCallbackQuery": _answer_callback_query,
    "setMyCommands": _set_my_commands,
    "getMyCommands": _get_my_commands,
    "deleteMyCommands": _delete_my_commands,
    "getFile": _get_file,
    "getChat": _get_chat,
    **TOPIC_HANDLERS,
}
