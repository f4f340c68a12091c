"""Cut rich text into parts that a chat accepts, where a reader would cut it.

A cut goes, by preference, to a blank line outside code, a line end outside code, a blank line or
line end in code, a gap between words, and last to any place that breaks no character. Formatting
that a cut goes through ends with the part and begins again in the next one.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence

import msgspec

from takopi.core.richtext import COUNTED_KINDS, Entity, RichText, utf16_len

__all__ = [
    "MAX_BYTES",
    "MAX_ENTITIES",
    "MAX_UNITS",
    "belongs_together",
    "cap_entities",
    "count_entities",
    "is_blank",
    "join",
    "split_rich",
    "whole_characters",
]

MAX_UNITS = 4_096
MAX_ENTITIES = 100
MAX_BYTES = 32_768

# Outside the first plane a character is two units and four bytes, else one unit and up to three.
_BYTES_PER_UNIT = 3

# A part that a nice cut would leave emptier than this is cut less nicely.
_LEAST_FILL = 0.4

# Telegram takes a message of these alone for empty.
_VISIBLE = re.compile(r"[^\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f"
                      r"\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufffc"
                      r"\U000e0000-\U000e0fff]")  # fmt: skip
_SPACE = re.compile(r"\s")

_BLOCKS = frozenset({"pre", "blockquote", "expandable_blockquote"})

# A cut looks back at most so far for a whole character; no real one is longer.
_LONGEST_CLUSTER = 48


def is_blank(text: str) -> bool:
    """Tell whether a chat would take this text for empty."""
    return _VISIBLE.search(text) is None


def join(*parts: RichText) -> RichText:
    """Put rich texts one after the other."""
    units = 0
    entities: list[Entity] = []
    for part in parts:
        entities.extend(
            msgspec.structs.replace(entity, offset=entity.offset + units)
            for entity in part.entities
        )
        units += utf16_len(part.text)
    return RichText("".join(part.text for part in parts), tuple(entities))


def count_entities(text: RichText) -> int:
    """Count the entities that Telegram counts."""
    return sum(entity.kind in COUNTED_KINDS for entity in text.entities)


def cap_entities(text: RichText, max_entities: int) -> RichText:
    """Keep the first counted entities only, as Telegram itself would."""
    if count_entities(text) <= max_entities:
        return text
    left = max_entities
    kept = []
    for entity in text.entities:
        left -= entity.kind in COUNTED_KINDS
        if left >= 0 or entity.kind not in COUNTED_KINDS:
            kept.append(entity)
    return RichText(text.text, tuple(kept))


class _Range(msgspec.Struct, frozen=True):
    """Be an entity with its place counted in characters."""

    start: int
    end: int
    entity: Entity


def split_rich(
    text: RichText, *, max_units: int = MAX_UNITS, max_entities: int = MAX_ENTITIES
) -> tuple[RichText, ...]:
    """Cut rich text into parts; together they are the text but for white space at the cuts.

    Args:
        text: Entities sorted by offset, none crossing another.
        max_units: UTF-16 units a part may have, at least 2; 32,768 bytes are never passed.
        max_entities: Counted entities (`COUNTED_KINDS`) a part may have.

    Returns:
        The parts, none blank; nothing for blank text.
    """
    max_units = min(max_units, MAX_BYTES // _BYTES_PER_UNIT)
    return tuple(_Splitter(text, max_units, max_entities).parts())


class _Splitter:
    """Hold what the cuts of one text share; places are character indexes."""

    def __init__(self, text: RichText, max_units: int, max_entities: int) -> None:
        self._text = text.text
        self._max_units = max_units
        self._max_entities = max_entities
        # In UTF-16 a character outside the first plane is two units: with their places, units and
        # characters convert both ways.
        self._wide = (
            []
            if text.text.isascii()
            else [n for n, char in enumerate(text.text) if char > "\uffff"]
        )
        self._wide_units = [n + extra for extra, n in enumerate(self._wide)]
        self._ranges = [
            _Range(self._index(e.offset), self._index(e.offset + e.length), e)
            for e in text.entities
        ]
        self._pres = [(r.start, r.end) for r in self._ranges if r.entity.kind == "pre"]
        self._headings = {r.start: r.end for r in self._ranges if r.entity.kind == "bold"}

    def parts(self) -> Iterator[RichText]:
        """Yield one part after the other."""
        start, first = 0, 0
        carried: list[_Range] = []
        while (start := self._skip_space(start)) < len(self._text):
            end = self._cut(start, carried, first)
            stop = start + len(self._text[start:end].rstrip())
            inside = carried
            while first < len(self._ranges) and self._ranges[first].start < end:
                inside.append(self._ranges[first])
                first += 1
            if not is_blank(self._text[start:stop]):
                yield self._part(start, stop, inside)
            carried = [r for r in inside if r.end > end]
            start = end

    def _index(self, unit: int) -> int:
        """Convert UTF-16 units to characters."""
        return unit - bisect_left(self._wide_units, unit)

    def _units(self, start: int, end: int) -> int:
        """Count the UTF-16 units between two places."""
        return end - start + bisect_left(self._wide, end) - bisect_left(self._wide, start)

    def _pre_around(self, place: int) -> tuple[int, int] | None:
        """Find the code block that goes through a place."""
        n = bisect_right(self._pres, (place, len(self._text))) - 1
        if n >= 0 and self._pres[n][0] < place < self._pres[n][1]:
            return self._pres[n]
        return None

    def _skip_space(self, start: int) -> int:
        """Pass over white space, but keep the indent of a line of code."""
        text = self._text
        end = start
        while end < len(text) and text[end].isspace():
            end += 1
        if end == start:
            return start
        n = bisect_right(self._pres, (end, len(text))) - 1
        if n < 0 or self._pres[n][1] <= end:
            return end
        line = text.rfind("\n", start, end) + 1
        return max(start, line, self._pres[n][0])

    def _cut(self, start: int, carried: Sequence[_Range], first: int) -> int:
        """Choose where the part that starts here ends."""
        furthest = self._index(self._units(0, start) + self._max_units)
        high = max(start + 1, min(furthest, self._entity_limit(start, carried, first)))
        return high if high >= len(self._text) else self._best_cut(start, high)

    def _entity_limit(self, start: int, carried: Sequence[_Range], first: int) -> int:
        """Find the first counted entity that would be one too many."""
        count = sum(r.entity.kind in COUNTED_KINDS for r in carried)
        for n in range(first, len(self._ranges)):
            found = self._ranges[n]
            if found.entity.kind in COUNTED_KINDS:
                count += 1
                if count > self._max_entities and found.start > start:
                    return found.start
            if found.start - start > self._max_units:
                break
        return len(self._text)

    def _best_cut(self, start: int, high: int) -> int:
        """Look back from the furthest place for the nicest cut."""
        least = start + max(1, int((high - start) * _LEAST_FILL))
        text = self._text
        chances: tuple[tuple[str, Callable[[int], bool]], ...] = (
            ("\n\n", self._outside_code),
            ("\n", self._outside_code),
            ("\n\n", lambda _place: True),
            ("\n", lambda _place: True),
        )
        for mark, accepts in chances:
            place = text.rfind(mark, least, high + len(mark))
            while place >= least:
                if accepts(place) and not self._strands_heading(start, place, least):
                    return place
                place = text.rfind(mark, least, place)
        for place in range(min(high, len(text) - 1), least - 1, -1):
            if _SPACE.match(text[place]):
                return place
        return whole_characters(text, start, high)

    def _outside_code(self, place: int) -> bool:
        return self._pre_around(place) is None

    def _strands_heading(self, start: int, place: int, least: int) -> bool:
        """Tell whether a cut would leave a heading at the end of its part."""
        line = self._text.rfind("\n", start, place) + 1
        return line > least and self._headings.get(line, -1) == place

    def _part(self, start: int, stop: int, inside: Sequence[_Range]) -> RichText:
        """Take out a part with the entities that reach into it."""
        entities = []
        counted = 0
        for r in inside:
            begin, end = self._trim(max(r.start, start), min(r.end, stop), r.entity.kind)
            if end <= begin:
                continue
            if r.entity.kind in COUNTED_KINDS:
                counted += 1
                if counted > self._max_entities:
                    continue
            place = {"offset": self._units(start, begin), "length": self._units(begin, end)}
            entities.append(msgspec.structs.replace(r.entity, **place))
        return RichText(self._text[start:stop], tuple(entities))

    def _trim(self, begin: int, end: int, kind: str) -> tuple[int, int]:
        """Take white space off a range, but not the indent of code from a block."""
        while end > begin and self._text[end - 1].isspace():
            end -= 1
        while kind not in _BLOCKS and begin < end and self._text[begin].isspace():
            begin += 1
        return begin, end


def whole_characters(text: str, start: int, end: int) -> int:
    """Move a cut back so that it breaks no character made of several code points.

    Args:
        text: What is cut.
        start: The cut stays beyond it.
        end: Where the cut would be.
    """
    least = max(start + 1, end - _LONGEST_CLUSTER)
    for place in range(end, least - 1, -1):
        if not belongs_together(text, place):
            return place
    return end


def belongs_together(text: str, place: int) -> bool:
    """Tell whether the characters on both sides of a place are shown as one."""
    if place >= len(text):
        return False
    before, after = text[place - 1], text[place]
    if after.isascii():
        return before == "\u200d" or (before == "\r" and after == "\n")
    if before == "\u200d" or after == "\u200d" or "\U0001f3fb" <= after <= "\U0001f3ff":
        return True
    if "\U0001f1e6" <= after <= "\U0001f1ff":
        flags = place
        furthest = max(0, place - 2 * _LONGEST_CLUSTER)
        while flags > furthest and "\U0001f1e6" <= text[flags - 1] <= "\U0001f1ff":
            flags -= 1
        return (place - flags) % 2 == 1
    return (
        unicodedata.category(after) in {"Mn", "Me", "Mc"} or "\U000e0020" <= after <= "\U000e007f"
    )
