"""Paragraphs, lists, quotes, code and tables, out of markdown-it's block tokens."""

import re
from collections.abc import Sequence

import msgspec
from markdown_it.token import Token

from takopi.core.markdown.builder import RichBuilder
from takopi.core.markdown.inline import plain_words, write_inline
from takopi.core.tables import Align, layout_grid

__all__ = ["BlockWriter"]

# Wide enough to show a level in a proportional font, narrow enough for a phone.
INDENT = "    "
MAX_INDENTS = 6
BULLETS = "•◦▪"
RULE = "———"
TAB_COLUMNS = 4

_TASK = re.compile(r"\[([ xX])\](?:\s+|$)")
_LANGUAGE = re.compile(r"[A-Za-z0-9_+#.-]{1,32}")


class _List(msgspec.Struct):
    """Be a list that is being written; `number` is the next item's, or None for bullets."""

    number: int | None
    bullet: str
    outer: str


class _Table(msgspec.Struct):
    """Be a table that is being read: cells as inline tokens, row by row."""

    rows: list[list[Sequence[Token]]] = []
    aligns: list[Align] = []


class BlockWriter:
    """Write block tokens into a builder, in one pass and without recursion."""

    def __init__(self, out: RichBuilder, tokens: Sequence[Token]) -> None:
        self._out = out
        self._tokens = tokens
        self._used = _used_labels(tokens)
        self._lists: list[_List] = []
        self._quotes: list[tuple[str, list[_List]]] = []
        self._table = _Table()
        self._in_table = False
        self._after_marker = False
        self._previous = ""

    def write(self) -> None:
        """Write every token."""
        for index, token in enumerate(self._tokens):
            if token.type == "list_item_open":
                self._item_open(token, index)
                continue
            handler = getattr(self, f"_on_{token.type}", None)
            if handler is not None:
                handler(token)
            if token.nesting <= 0:
                self._previous = token.type

    def _block(self, *, own_line: bool = False, gap: int = 2) -> None:
        """Ask for the gap before a block; the first one of a list item follows its mark."""
        if not self._after_marker:
            self._out.gap(gap)
        elif own_line:
            self._out.gap(1)
        self._after_marker = False

    def _on_paragraph_open(self, token: Token) -> None:
        self._block(gap=1 if token.hidden else 2)

    def _on_heading_open(self, _token: Token) -> None:
        self._block()
        self._out.open("bold")

    def _on_heading_close(self, _token: Token) -> None:
        self._out.close()

    def _on_inline(self, token: Token) -> None:
        if self._in_table:
            self._table.rows[-1].append(token.children or ())
        else:
            write_inline(self._out, token.children or ())

    def _on_fence(self, token: Token) -> None:
        """Write code; what stands behind the language (a file name, mostly) goes above it."""
        info = token.info.strip()
        found = _LANGUAGE.match(info)
        if not token.content.strip():
            # Three backticks before ordinary words: they are all there is.
            self._words(info)
            return
        if found is None or found.end() < len(info):
            self._words(info[found.end() :] if found else info)
        self._pre(token.content, found[0] if found else None)

    def _on_code_block(self, token: Token) -> None:
        self._pre(token.content)

    def _words(self, words: str) -> None:
        if words.strip():
            self._block()
            self._out.text(words.strip())

    def _pre(self, code: str, language: str | None = None) -> None:
        # Telegram makes a tab one blank, which would lose the indent.
        self._block(own_line=True)
        self._out.pre(code.expandtabs(TAB_COLUMNS), language)

    def _on_hr(self, _token: Token) -> None:
        self._block()
        self._out.text(RULE)

    def _on_verbatim(self, token: Token) -> None:
        self._block()
        self._out.text(token.content)

    def _on_definition(self, token: Token) -> None:
        if token.meta["label"] not in self._used:
            self._block(gap=1 if self._previous == "definition" else 2)
            self._out.text(token.content)

    def _on_blockquote_open(self, _token: Token) -> None:
        if not self._quotes:
            self._block(own_line=True)
            self._after_marker = True  # the gap before the quote is that before its first block
            self._out.open("blockquote")
        # A quote starts at the line's start, so lists in it begin anew.
        self._quotes.append((self._out.indent, self._lists))
        self._out.indent, self._lists = "", []

    def _on_blockquote_close(self, _token: Token) -> None:
        self._out.indent, self._lists = self._quotes.pop()
        if not self._quotes:
            self._out.close()

    def _on_bullet_list_open(self, _token: Token) -> None:
        self._list_open(None)

    def _on_ordered_list_open(self, token: Token) -> None:
        self._list_open(int(token.attrs.get("start", 1)))

    def _list_open(self, number: int | None) -> None:
        self._block(own_line=True, gap=1 if self._lists else 2)
        depth = sum(outer.number is None for outer in self._lists)
        bullet = BULLETS[depth % len(BULLETS)]
        self._lists.append(_List(number, bullet, self._out.indent))

    def _on_bullet_list_close(self, _token: Token) -> None:
        self._lists.pop()

    def _on_ordered_list_close(self, _token: Token) -> None:
        self._lists.pop()

    def _item_open(self, token: Token, index: int) -> None:
        current = self._lists[-1]
        child = self._tokens[index + 1]
        loose = child.type == "paragraph_open" and not child.hidden
        first = self._tokens[index - 1].nesting == 1
        self._out.indent = current.outer
        self._out.gap(2 if loose and not first else 1)
        mark = current.bullet
        if current.number is not None:
            mark = f"{current.number}{token.markup}"
            current.number += 1
        self._out.marker(self._task_mark(index, mark))
        if len(current.outer) < MAX_INDENTS * len(INDENT):
            self._out.indent = current.outer + INDENT
        self._after_marker = True

    def _task_mark(self, index: int, mark: str) -> str:
        """Take `[x]` off an item's first words and make it the item's mark."""
        if index + 2 >= len(self._tokens) or self._tokens[index + 1].type != "paragraph_open":
            return mark
        words = self._tokens[index + 2].children or []
        box = _TASK.match(words[0].content) if words and words[0].type == "text" else None
        if box is None:
            return mark
        words[0].content = words[0].content[box.end() :]
        return "☐" if box[1] == " " else "☑"

    def _on_list_item_close(self, _token: Token) -> None:
        self._out.indent = self._lists[-1].outer
        self._after_marker = False

    def _on_table_open(self, _token: Token) -> None:
        self._table, self._in_table = _Table(), True

    def _on_tr_open(self, _token: Token) -> None:
        self._table.rows.append([])

    def _on_th_open(self, token: Token) -> None:
        align = str(token.attrs.get("style", "")).rpartition(":")[2]
        self._table.aligns.append(
            "right" if align == "right" else "center" if align == "center" else "left"
        )

    def _on_table_close(self, _token: Token) -> None:
        self._in_table = False
        table = self._table
        grid = None
        if not any(_has_link(cell) for row in table.rows for cell in row):
            grid = layout_grid([[_grid_text(c) for c in row] for row in table.rows], table.aligns)
        if grid is not None:
            self._block(own_line=True)
            self._out.pre(grid)
        else:
            self._records(table.rows)

    def _records(self, rows: Sequence[Sequence[Sequence[Token]]]) -> None:
        """Write a table as one small list for each row; links stay links."""
        header, body = rows[0], rows[1:]
        if not body:
            self._block()
            self._record(None, header)
        for row in body:
            self._block()
            self._record(header, row)

    def _record(
        self, header: Sequence[Sequence[Token]] | None, row: Sequence[Sequence[Token]]
    ) -> None:
        for number, cell in enumerate(row):
            if number and not plain_words(cell).strip() and not _has_image(cell):
                continue
            if number:
                self._out.gap(1)
                self._out.marker(BULLETS[0])
            else:
                self._out.open("bold")
            if header is not None and plain_words(header[number]).strip():
                write_inline(self._out, header[number])
                self._out.text(": ")
            write_inline(self._out, cell)
            if not number:
                self._out.close()


def _grid_text(cell: Sequence[Token]) -> str:
    out = RichBuilder()
    write_inline(out, cell)
    return " ".join(out.build().text.split())


def _has_link(cell: Sequence[Token]) -> bool:
    """Tell whether a cell leads somewhere that the grid could not show."""
    out = RichBuilder()
    write_inline(out, cell)
    return any(entity.kind == "text_link" for entity in out.build().entities)


def _has_image(cell: Sequence[Token]) -> bool:
    return any(token.type == "image" for token in cell)


def _used_labels(tokens: Sequence[Token]) -> frozenset[str]:
    """Name the link definitions that some link or image of the text uses."""
    waiting = [token for token in tokens if token.children]
    used = set()
    while waiting:
        for child in waiting.pop().children or ():
            if "label" in child.meta:
                used.add(str(child.meta["label"]))
            if child.children:
                waiting.append(child)
    return frozenset(used)
