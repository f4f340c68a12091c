"""What every text that goes to a chat must keep, and a way to write rich text down."""

import re

from takopi.core.richtext import COUNTED_KINDS, Entity, RichText, utf16_len

TAGS = {"bold": "b", "italic": "i", "strikethrough": "s", "code": "code", "blockquote": "quote"}
BLOCKS = {"pre", "blockquote", "expandable_blockquote"}


def units(text: str) -> bytes:
    """Encode text so that two bytes are one unit."""
    return text.encode("utf-16-le", "surrogatepass")


def covered(rich: RichText, entity: Entity) -> str:
    """Return the words that an entity marks; a range that halves a character fails here."""
    piece = units(rich.text)[entity.offset * 2 : (entity.offset + entity.length) * 2]
    return piece.decode("utf-16-le")


def tagged(rich: RichText) -> str:
    """Write rich text down with tags, so that a test can be read."""
    marks: list[tuple[int, int, int, str]] = []
    for order, entity in enumerate(rich.entities):
        tag = TAGS.get(entity.kind, entity.kind)
        extra = f" {entity.language}" if entity.language else ""
        opening = f"<a {entity.url}>" if entity.url else f"<{tag}{extra}>"
        marks.append((entity.offset, 1, order, opening))
        closing = "</a>" if entity.url else f"</{tag}>"
        marks.append((entity.offset + entity.length, 0, -order, closing))
    data, place, out = units(rich.text), 0, []
    for offset, _, _, mark in sorted(marks):
        out += [data[place * 2 : offset * 2].decode("utf-16-le"), mark]
        place = offset
    return "".join([*out, data[place * 2 :].decode("utf-16-le")])


def assert_well_formed(rich: RichText) -> None:
    """Check the laws that hold for every rich text the renderer makes."""
    length = utf16_len(rich.text)
    keys = [(e.offset, -e.length) for e in rich.entities]
    assert keys == sorted(keys), "entities are sorted, the longest first"
    for entity in rich.entities:
        assert entity.length > 0
        assert entity.offset >= 0
        assert entity.offset + entity.length <= length
        words = covered(rich, entity)
        assert words == words.rstrip()
        assert entity.kind == "pre" or words == words.lstrip() or entity.kind in {"code", *BLOCKS}
    _assert_nested(rich.entities)


def _assert_nested(entities: tuple[Entity, ...]) -> None:
    inside: list[Entity] = []
    for entity in entities:
        while inside and inside[-1].offset + inside[-1].length <= entity.offset:
            inside.pop()
        for outer in inside:
            end = outer.offset + outer.length
            assert entity.offset + entity.length <= end, "entities never cross"
            assert outer.kind != entity.kind, "nothing is said twice"
            assert outer.kind not in {"code", "pre"}, "nothing stands in code"
            if entity.kind in {"code", "pre"}:
                assert outer.kind in BLOCKS, "only a quote may hold code"
        inside.append(entity)


def assert_sendable(rich: RichText, *, max_units: int = 4_096, max_entities: int = 100) -> None:
    """Check that a chat takes this as one message, whole."""
    assert_well_formed(rich)
    assert rich.text.strip()
    assert rich.text == rich.text.rstrip()
    assert utf16_len(rich.text) <= max_units
    assert len(rich.text.encode()) <= 32_768
    assert sum(entity.kind in COUNTED_KINDS for entity in rich.entities) <= max_entities


def squeezed(text: str) -> str:
    """Take all white space away, to compare texts that were cut at it."""
    return re.sub(r"\s+", "", text)
