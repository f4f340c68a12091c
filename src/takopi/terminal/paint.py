"""Formatted text as a terminal shows it."""

from typing import TYPE_CHECKING

from takopi.core.richtext import Entity, RichText

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["harmless", "to_plain", "to_rich"]

STYLES: dict[str, str] = {
    "bold": "bold",
    "italic": "italic",
    "underline": "underline",
    "strikethrough": "strike",
    "code": "cyan",
    "pre": "cyan",
    "blockquote": "dim",
    "expandable_blockquote": "dim",
}


def harmless(text: str) -> str:
    """Return `text` without control characters: an agent's words must not drive the terminal."""
    return "".join(
        char if char in "\n\t" or not (ord(char) < 32 or 127 <= ord(char) < 160) else "\ufffd"
        for char in text
    )


def to_plain(body: RichText) -> str:
    """Return the text alone; the target of a link stands behind it."""
    parts: list[str] = []
    done = 0
    for entity in sorted(body.entities, key=lambda item: item.offset + item.length):
        if entity.kind != "text_link" or entity.url is None:
            continue
        start, end = char_range(body.text, entity)
        parts.append(body.text[done:end])
        if entity.url != body.text[start:end]:
            parts.append(f" <{entity.url}>")
        done = end
    return harmless("".join(parts) + body.text[done:])


def to_rich(body: RichText) -> "Text":
    """Return the text with styles, for a terminal that shows them."""
    from rich.style import Style
    from rich.text import Text

    # One character for one: the ranges of the entities must not move.
    text = Text(harmless(body.text))
    for entity in body.entities:
        start, end = char_range(body.text, entity)
        if entity.kind == "text_link":
            text.stylize(Style(underline=True, link=entity.url), start, end)
        else:
            text.stylize(STYLES[entity.kind], start, end)
    return text


def char_range(text: str, entity: Entity) -> tuple[int, int]:
    """Turn the UTF-16 range of an entity into one of characters."""
    if text.isascii():
        return entity.offset, entity.offset + entity.length
    units = text.encode("utf-16-le", "surrogatepass")
    start = len(units[: entity.offset * 2].decode("utf-16-le", "replace"))
    end = len(units[: (entity.offset + entity.length) * 2].decode("utf-16-le", "replace"))
    return start, end
