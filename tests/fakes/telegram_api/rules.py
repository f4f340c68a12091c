"""What the real server refuses in texts, entities, keyboards and commands.

Texts and numbers follow tdlib/td and tdlib/telegram-bot-api (MessageEntity.cpp, LinkManager.cpp,
Client.cpp). Lengths count code points, offsets count UTF-16 units, and both are right.
"""

import re
from typing import Any

from .refusal import bad_request

__all__ = [
    "COUNTED_KINDS",
    "check_caption",
    "check_commands",
    "check_entities",
    "check_keyboard",
    "check_text",
]

MAX_TEXT = 4096
MAX_TEXT_BYTES = 32768
MAX_CAPTION = 1024
MAX_COUNTED = 100
COUNTED_KINDS = frozenset(
    {"code", "pre", "text_link", "text_mention", "blockquote", "expandable_blockquote"}
)
KINDS = COUNTED_KINDS | {
    *("bold", "italic", "underline", "strikethrough", "spoiler", "custom_emoji", "date_time"),
    *("mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number"),
}
BUTTON_ACTIONS = frozenset(
    {
        *("url", "callback_data", "web_app", "login_url", "switch_inline_query", "copy_text"),
        *("switch_inline_query_current_chat", "switch_inline_query_chosen_chat", "pay"),
        "callback_game",
    }
)
BUTTON_FIELDS = BUTTON_ACTIONS | {"text", "style", "icon_custom_emoji_id", "disabled"}


def check_text(text: Any) -> str:
    """Return the text as the server would keep it, or refuse it."""
    if not isinstance(text, str) or text == "":
        raise bad_request("message text is empty")
    if len(text.encode("utf-8", "surrogatepass")) > MAX_TEXT_BYTES:
        raise bad_request("text is too long")
    kept = text.rstrip()
    if not kept:
        raise bad_request("text must be non-empty")
    if len(kept) > MAX_TEXT:
        raise bad_request("message is too long")
    return kept


def check_caption(caption: Any) -> str:
    """Return the caption as the server would keep it, or refuse it."""
    if not isinstance(caption, str):
        raise bad_request("caption must be a string")
    kept = caption.rstrip()
    if len(kept) > MAX_CAPTION:
        raise bad_request("message caption is too long")
    return kept


def check_entities(text: str, entities: Any) -> list[dict[str, Any]]:
    """Return the entities that the server would keep, or refuse the call."""
    if entities is None:
        return []
    if not isinstance(entities, list):
        raise bad_request("can't parse entities JSON object: expected an Array")
    borders = _symbol_borders(text)
    kept: list[dict[str, Any]] = []
    counted = 0
    for entity in entities:
        checked = _check_entity(entity, borders)
        if checked is None:
            continue
        if checked["type"] in COUNTED_KINDS:
            counted += 1
            if counted > MAX_COUNTED:  # dropped without a word, as the real one does
                continue
        kept.append(checked)
    return sorted(kept, key=lambda e: (e["offset"], -e["length"]))


def _symbol_borders(text: str) -> dict[int, int]:
    """Map each UTF-16 offset at which a symbol starts (or the text ends) to its byte offset."""
    borders = {0: 0}
    units = size = 0
    for symbol in text:
        units += 2 if ord(symbol) > 0xFFFF else 1
        size += len(symbol.encode("utf-8", "surrogatepass"))
        borders[units] = size
    return borders


def _check_entity(entity: Any, borders: dict[int, int]) -> dict[str, Any] | None:
    if not isinstance(entity, dict):
        raise bad_request("can't parse MessageEntity: expected an Object")
    kind, offset, length = entity.get("type"), entity.get("offset"), entity.get("length")
    if kind not in KINDS:
        raise bad_request(f"can't parse MessageEntity: unsupported type {kind!r}")
    if not isinstance(offset, int) or not isinstance(length, int):
        raise bad_request("can't parse MessageEntity: offset and length must be of type Number")
    if not 0 <= offset <= 1_000_000:
        raise bad_request(f"receive an entity with incorrect offset {offset}")
    if not 0 <= length <= 1_000_000:
        raise bad_request(f"receive an entity with incorrect length {length}")
    if length == 0:
        return None
    _check_range(offset, length, borders)
    if kind == "text_link":
        _check_link(str(entity.get("url", "")))
    unknown = set(entity) - {"type", "offset", "length", "url", "language", "user"}
    if unknown - {"custom_emoji_id", "unix_time", "date_time_format"}:
        raise bad_request(f"can't parse MessageEntity: unknown field {sorted(unknown)[0]!r}")
    return {key: value for key, value in entity.items() if value is not None}


def _check_range(offset: int, length: int, borders: dict[int, int]) -> None:
    last = max(borders)
    if offset + length > last:
        raise bad_request(
            f"entity beginning at UTF-16 offset {offset} ends after the end of the text at "
            f"byte offset {borders[last]}"
        )
    if offset not in borders:
        raise bad_request(
            f"entity begins in a middle of a UTF-16 symbol at byte offset {borders[offset - 1]}"
        )
    if offset + length not in borders:
        raise bad_request(
            f"entity beginning at UTF-16 offset {offset} ends in a middle of a UTF-16 symbol at "
            f"byte offset {borders[offset + length - 1]}"
        )


def _check_link(url: str) -> None:
    """Refuse what LinkManager refuses; one bad link fails the whole call."""
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", url)
    if url.lower().startswith(("tg:", "ton:")):
        return
    if found and found[1].lower() not in {"http", "https", "tonsite"}:
        raise bad_request(f"entity URL '{url}' is invalid: Unsupported URL protocol")
    rest = url[found.end() :] if found else url
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    host, _, port = authority.partition(":")
    if port and not port.isdigit():
        raise bad_request(f"entity URL '{url}' is invalid: Wrong port number specified in the URL")
    if "." not in host.strip(".") or re.search(r"[\s\\]", authority):
        raise bad_request(f"entity URL '{url}' is invalid: Wrong HTTP URL")


def check_keyboard(markup: Any) -> dict[str, Any] | None:
    """Return the inline keyboard that the server would keep; None removes it."""
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    rows = markup.get("inline_keyboard")
    if not isinstance(rows, list) or set(markup) != {"inline_keyboard"}:
        raise bad_request("can't parse reply keyboard markup JSON object: inline_keyboard expected")
    kept = [[_check_button(button) for button in row] for row in rows if row]
    if sum(len(row) for row in kept) > 100:
        raise bad_request("REPLY_MARKUP_TOO_LONG")
    return {"inline_keyboard": kept} if kept else None


def _check_button(button: Any) -> dict[str, Any]:
    wrong = "can't parse inline keyboard button: "
    if not isinstance(button, dict):
        raise bad_request(wrong + "expected an Object")
    unknown = set(button) - BUTTON_FIELDS
    if unknown:
        raise bad_request(wrong + f"unknown field {sorted(unknown)[0]!r}")
    text = button.get("text")
    if not isinstance(text, str) or not text.strip():
        raise bad_request(wrong + "button text must be non-empty")
    actions = [name for name in BUTTON_ACTIONS if button.get(name) is not None]
    if not actions:
        raise bad_request(wrong + "Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise bad_request(wrong + "exactly one of the optional fields must be used")
    data = button.get("callback_data")
    if data is not None and not 1 <= len(str(data).encode()) <= 64:
        raise bad_request("BUTTON_DATA_INVALID")
    return dict(button)


def check_commands(commands: Any) -> list[dict[str, str]]:
    """Return the command menu, or refuse it."""
    if not isinstance(commands, list):
        raise bad_request("can't parse list of bot commands JSON object: expected an Array")
    if len(commands) > 100:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    kept = []
    for command in commands:
        if not isinstance(command, dict):
            raise bad_request("can't parse BotCommand: expected an Object")
        name, about = str(command.get("command", "")), str(command.get("description", ""))
        if not re.fullmatch(r"[a-z0-9_]{1,32}", name.removeprefix("/")):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(about.strip()) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        kept.append({"command": name.removeprefix("/"), "description": about.strip()})
    return kept
