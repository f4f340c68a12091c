"""Tables in a monospace grid that fits a phone."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal, TypeAlias

__all__ = ["PHONE_COLUMNS", "Align", "columns_of", "layout_grid"]

Align: TypeAlias = Literal["left", "center", "right"]

# Monospace columns that a chat shows on a phone held upright before it breaks a line.
PHONE_COLUMNS = 40

# A cell of more lines than this reads worse than a list.
MAX_CELL_LINES = 4

_GAP = " | "
_RULE_GAP = "-+-"
_INVISIBLE = {0x200B, 0x200C, 0x200D, 0xFE0E, 0xFE0F}


def columns_of(text: str) -> int:
    """Count the monospace columns that one line of text takes."""
    if text.isascii():
        return len(text)
    return sum(_columns_of_char(char) for char in text)


def _columns_of_char(char: str) -> int:
    if ord(char) in _INVISIBLE or unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def layout_grid(
    rows: Sequence[Sequence[str]], aligns: Sequence[Align], max_columns: int = PHONE_COLUMNS
) -> str | None:
    """Lay a table out as aligned lines.

    Args:
        rows: The header and then the body; every row has as many cells as `aligns`.
        aligns: How each column is aligned.
        max_columns: Widest line; cells are broken between words to keep it.

    Returns:
        The lines, or None when the table cannot be read at this width.
    """
    room = max_columns - len(_GAP) * (len(aligns) - 1)
    widths = _fit_widths(rows, len(aligns), room)
    if widths is None:
        return None
    laid = [_wrap_row(row, widths) for row in rows]
    tallest = max(max(len(cell) for cell in row) for row in laid)
    if tallest > MAX_CELL_LINES:
        return None
    rule = _RULE_GAP.join("-" * width for width in widths)
    lines = []
    for number, row in enumerate(laid):
        if number == 1 or (number and tallest > 1):
            lines.append(rule)
        lines.extend(_row_lines(row, widths, aligns))
    return "\n".join(lines if len(laid) > 1 else [*lines, rule])


def _fit_widths(rows: Sequence[Sequence[str]], count: int, room: int) -> list[int] | None:
    """Give each column its natural width, or less for the widest until all fit."""
    widths = [max(1, *(columns_of(row[n]) for row in rows)) for n in range(count)]
    if sum(widths) <= room:
        return widths
    least = [
        max((columns_of(word) for row in rows for word in row[n].split()), default=1)
        for n in range(count)
    ]
    if sum(least) > room:
        return None
    while sum(widths) > room:
        widest = max(
            (n for n in range(count) if widths[n] > least[n]), key=lambda n: (widths[n], n)
        )
        widths[widest] -= 1
    return widths


def _wrap_row(row: Sequence[str], widths: Sequence[int]) -> list[list[str]]:
    return [_wrap_cell(cell, width) for cell, width in zip(row, widths, strict=True)]


def _wrap_cell(text: str, width: int) -> list[str]:
    """Break a cell between words; no word is wider than `width`."""
    if columns_of(text) <= width:
        return [text]
    lines = [""]
    for word in re.findall(r"\S+", text):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if columns_of(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines


def _row_lines(
    row: Sequence[Sequence[str]], widths: Sequence[int], aligns: Sequence[Align]
) -> list[str]:
    lines = []
    for n in range(max(len(cell) for cell in row)):
        cells = [
            _pad(cell[n] if n < len(cell) else "", width, align)
            for cell, width, align in zip(row, widths, aligns, strict=True)
        ]
        lines.append(_GAP.join(cells).rstrip())
    return lines


def _pad(text: str, width: int, align: Align) -> str:
    space = width - columns_of(text)
    if align == "right":
        return " " * space + text
    left = space // 2 if align == "center" else 0
    return " " * left + text + " " * (space - left)
