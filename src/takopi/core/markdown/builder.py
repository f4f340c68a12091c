"""Write text piece by piece and get rich text: gaps, indents and entities take care of themselves.

Laws that hold however it is used: entities are never empty, never cross, never start or end in
white space (`pre` keeps its first line's indent), and nothing but a quote overlaps `code` and
`pre`. Gaps are asked for before it is known whether anything follows, so text never starts or
ends with one.
"""

import re

import msgspec

from takopi.core.richtext import Entity, EntityKind, RichText, utf16_len

__all__ = ["RichBuilder", "sort_entities"]

_QUOTES = frozenset({"blockquote", "expandable_blockquote"})
_RANK: dict[str, int] = {"blockquote": 0, "expandable_blockquote": 0, "pre": 1, "text_link": 2}


_BLANK_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")


class _Open(msgspec.Struct):
    """Be a range that is being written; `start` is None until its first visible character."""

    kind: EntityKind
    url: str | None
    start: int | None = None


class RichBuilder:
    """Collect text and entities, in UTF-16 units."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._entities: list[Entity] = []
        self._nested: list[_Open | None] = []
        self._open: list[_Open] = []  # at most one of each kind, however deep the nesting
        self._units = 0
        self._solid = 0  # end of the last character that is not white space
        self._newlines = 0
        self._space = ""
        self._prefix = ""

    @property
    def indent(self) -> str:
        """Give what stands before every line."""
        return self._prefix

    @indent.setter
    def indent(self, prefix: str) -> None:
        self._prefix = prefix

    def gap(self, newlines: int) -> None:
        """Ask for at least so many line ends before the next text."""
        self._newlines = max(self._newlines, newlines)

    def marker(self, mark: str) -> None:
        """Write a list item's mark; the item's text follows on the same line."""
        self.text(mark)
        self._space = " "

    def text(self, text: str) -> None:
        """Write text; every line of it gets the indent."""
        if not text:
            return
        self._flush()
        if self._prefix and "\n" in text:
            text = text.replace("\n", "\n" + self._prefix)
        lead = len(text) - len(text.lstrip())
        if lead == len(text):
            self._append(text)
            return
        first = self._units + utf16_len(text[:lead])
        for entity in self._open:
            if entity.start is None:
                entity.start = first
        end = self._units + utf16_len(text.rstrip())
        self._append(text)
        self._solid = end

    def code(self, code: str) -> None:
        """Write inline code; styles end before it and go on after it, a link swallows it."""
        kept = code.strip("\n")
        if not kept.strip() or any(entity.kind == "text_link" for entity in self._open):
            self.text(code)
            return
        self._flush()
        self._suspend()
        start = self._units
        self._append(kept)
        self._solid = start + utf16_len(kept.rstrip())
        self._entities.append(Entity("code", start, self._solid - start))

    def pre(self, code: str, language: str | None = None) -> None:
        """Write a block of code on lines of its own, without indent."""
        kept = _BLANK_LINES.sub("", code.rstrip())
        if not kept:
            return
        prefix, self._prefix = self._prefix, ""
        self._flush()
        self._prefix = prefix
        self._suspend()
        start = self._units
        self._append(kept)
        self._solid = self._units
        self._entities.append(Entity("pre", start, self._units - start, language=language))

    def open(self, kind: EntityKind, url: str | None = None) -> None:
        """Begin a range at the next visible character."""
        if any(outer.kind == kind for outer in self._open):
            self._nested.append(None)  # it would say the same twice
            return
        entity = _Open(kind, url)
        self._nested.append(entity)
        self._open.append(entity)

    def close(self) -> None:
        """End the range that was begun last, after the last visible character."""
        entity = self._nested.pop()
        if entity is not None:
            self._emit(entity)
            self._open.remove(entity)

    def build(self) -> RichText:
        """Give what was written, without trailing white space."""
        while self._nested:
            self.close()
        return RichText("".join(self._pieces).rstrip(), sort_entities(self._entities))

    def _append(self, text: str) -> None:
        self._pieces.append(text)
        self._units += utf16_len(text)

    def _flush(self) -> None:
        """Write the gap that was asked for."""
        if self._newlines:
            if self._pieces:
                self._append("\n" * self._newlines)
            self._append(self._prefix)
        elif self._space:
            self._append(self._space)
        self._newlines, self._space = 0, ""

    def _suspend(self) -> None:
        """End every open style here, to begin again after what comes."""
        for entity in self._open:
            if entity.kind not in _QUOTES:
                self._emit(entity)
                entity.start = None
            elif entity.start is None:
                entity.start = self._units

    def _emit(self, entity: _Open) -> None:
        """Record a range up to the last visible character, unless it has none."""
        if entity.start is not None and self._solid > entity.start:
            length = self._solid - entity.start
            self._entities.append(Entity(entity.kind, entity.start, length, url=entity.url))


def sort_entities(entities: list[Entity]) -> tuple[Entity, ...]:
    """Order entities by offset, the longest first, containers before what they contain."""
    return tuple(sorted(entities, key=lambda e: (e.offset, -e.length, _RANK.get(e.kind, 3))))
