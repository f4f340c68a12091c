"""Text with formatting, as every transport receives it.

Offsets and lengths count UTF-16 code units, because that is what Telegram counts
(https://core.telegram.org/bots/api#messageentity) and any other transport can convert.
"""

from typing import Literal, TypeAlias

import msgspec

__all__ = ["COUNTED_KINDS", "Entity", "EntityKind", "RichText", "plain", "utf16_len"]

EntityKind: TypeAlias = Literal[
    "bold",
    "italic",
    "underline",
    "strikethrough",
    "code",
    "pre",
    "text_link",
    "blockquote",
    "expandable_blockquote",
]

# The kinds of which Telegram keeps at most 100 a message and silently drops the rest.
COUNTED_KINDS: frozenset[str] = frozenset(
    {"code", "pre", "text_link", "blockquote", "expandable_blockquote"}
)


class Entity(msgspec.Struct, frozen=True):
    """Mark a range of text.

    Args:
        kind: What the range is.
        offset: First UTF-16 unit.
        length: Count of UTF-16 units; always positive.
        url: Target of a `text_link`; absolute http, https or tg.
        language: Language of a `pre`.
    """

    kind: EntityKind
    offset: int
    length: int
    url: str | None = None
    language: str | None = None


class RichText(msgspec.Struct, frozen=True):
    """Carry text and its entities, sorted by offset, longest first."""

    text: str
    entities: tuple[Entity, ...] = ()


def utf16_len(text: str) -> int:
    """Count the UTF-16 code units of `text`."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def plain(text: str) -> RichText:
    """Make rich text without formatting."""
    return RichText(text)
