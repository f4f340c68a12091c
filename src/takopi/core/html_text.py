"""Read the few HTML tags that chat services know, for plug-ins that mark their text with them.

What is no tag of these is left out and its text stays; nothing is ever refused.
"""

from collections.abc import Mapping
from html.parser import HTMLParser
from types import MappingProxyType

from takopi.core.richtext import Entity, EntityKind, RichText, utf16_len

__all__ = ["read_html"]

_KINDS: Mapping[str, EntityKind] = MappingProxyType(
    {
        **dict.fromkeys(("b", "strong"), "bold"),
        **dict.fromkeys(("i", "em"), "italic"),
        **dict.fromkeys(("u", "ins"), "underline"),
        **dict.fromkeys(("s", "strike", "del"), "strikethrough"),
        "code": "code",
        "pre": "pre",
        "a": "text_link",
        "blockquote": "blockquote",
    }
)
_LANGUAGE = "language-"
# Nothing is marked inside of these.
_VERBATIM = frozenset({"code", "pre"})
_LINKS = ("http://", "https://", "tg://")


def read_html(text: str) -> RichText:
    """Return the text without its tags, and what they mark."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.finish()


class _Open:
    """Be a tag whose end did not come yet."""

    __slots__ = ("attributes", "offset", "tag")

    def __init__(self, tag: str, attributes: Mapping[str, str | None], offset: int) -> None:
        self.tag = tag
        self.attributes = attributes
        self.offset = offset


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._units = 0
        self._open: list[_Open] = []
        self._found: list[Entity] = []

    def handle_data(self, data: str) -> None:
        self._parts.append(data)
        self._units += utf16_len(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.handle_data("\n")
        elif tag in _KINDS:
            self._open.append(_Open(tag, dict(attrs), self._units))

    def handle_endtag(self, tag: str) -> None:
        if not any(one.tag == tag for one in self._open):
            return
        # What was opened within, and never closed, ends here as well.
        while self._close(self._open.pop()) != tag:
            pass

    def finish(self) -> RichText:
        """End what is still open."""
        while self._open:
            self._close(self._open.pop())
        found = sorted(self._found, key=lambda one: (one.offset, -one.length))
        return RichText("".join(self._parts), tuple(found))

    def _close(self, one: _Open) -> str:
        length = self._units - one.offset
        inner = any(outer.tag in _VERBATIM for outer in self._open)
        entity = None if inner or not length else _entity(one, length)
        if entity is not None:
            self._found.append(entity)
        elif inner and one.tag == "code" and (one.attributes.get("class") or ""):
            self._open[-1].attributes = {**self._open[-1].attributes, **one.attributes}
        return one.tag


def _entity(one: _Open, length: int) -> Entity | None:
    kind = _KINDS[one.tag]
    if kind == "text_link":
        url = one.attributes.get("href") or ""
        return Entity(kind, one.offset, length, url=url) if url.startswith(_LINKS) else None
    if kind == "blockquote" and "expandable" in one.attributes:
        kind = "expandable_blockquote"
    language = one.attributes.get("class") or ""
    if kind == "pre" and language.startswith(_LANGUAGE):
        return Entity(kind, one.offset, length, language=language.removeprefix(_LANGUAGE))
    return Entity(kind, one.offset, length)
