"""The Markdown dialect: CommonMark with tables and strikethrough, made safe to feed anything.

markdown-it-py drops what is nested too deeply and the cells that a table's header does not
announce (an unescaped `|` makes one), swallows `[INFO]: done` as a link definition, and refuses
links it does not like. An agent's words must not vanish, so the rules that do this are replaced
here; everything else is the library's.
"""

from collections.abc import Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, blockquote, reference, table
from markdown_it.rules_block.table import escapedSplit, getLine
from markdown_it.token import Token

from takopi.core.markdown.links import is_web_link

__all__ = ["parse_markdown"]

# Levels of blocks inside blocks; a list costs two. Time grows with lines times depth, and a phone
# shows no difference beyond this.
MAX_BLOCK_DEPTH = 16
MAX_QUOTE_DEPTH = 3

# The library gives up silently at this level: it lies beyond what the rule below lets through.
MAX_NESTING = MAX_BLOCK_DEPTH + 4

MAX_PADDED_CELLS = 2_000

# Looking for the end of a link costs up to MAX_NESTING times the rest of the paragraph.
MAX_BRACKETS = 5_000


class _Parser(MarkdownIt):
    """Leave destinations as they were written: `takopi.core.markdown.links` judges them."""

    def validateLink(self, url: str) -> bool:  # noqa: ARG002, N802
        return True

    def normalizeLink(self, url: str) -> str:  # noqa: N802
        return url

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802
        return link


def _too_deep(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Take the rest of a block that is nested too deeply as one verbatim paragraph."""
    if state.level < MAX_BLOCK_DEPTH or silent:
        return False
    line = start
    while line < end and (state.isEmpty(line) or state.sCount[line] >= state.blkIndent):
        line += 1
    token = state.push("verbatim", "", 0)
    token.content = state.getLines(start, line, state.blkIndent, keepLastLF=False).strip("\n")
    token.map = [start, line]
    state.line = line
    return True


def _quote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a block quote, unless it stands in so many others that its mark may stay visible."""
    depth = state.env.get("quotes", 0)
    if depth >= MAX_QUOTE_DEPTH:
        return False
    if silent:
        return blockquote(state, start, end, silent)
    state.env["quotes"] = depth + 1
    try:
        return blockquote(state, start, end, silent)
    finally:
        state.env["quotes"] = depth


def _definition(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a link definition only where it defines a web link, and keep its source.

    `[INFO]: done` and the footnote `[^1]: see` have the same form and are text.
    """
    references: dict[str, dict[str, str]] = state.env.setdefault("references", {})
    known, line = len(references), state.line
    if not reference(state, start, end, silent):
        return False
    label = next(reversed(references)) if len(references) > known else None
    if label is None or label.startswith("^") or not is_web_link(references[label]["href"]):
        if label is not None:
            del references[label]
        state.line = line
        return False
    token = state.push("definition", "", 0)
    token.content = state.getLines(start, state.line, state.blkIndent, keepLastLF=False).strip()
    token.meta = {"label": label}
    return True


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a table; the last column takes the cells for which the header has no column."""
    if not table(state, start, end, silent=True):
        return False
    if silent:
        return True
    first = len(state.tokens)
    if _pads_endlessly(state, start, end) or not table(state, start, end, silent):
        return False
    tokens = state.tokens[first:]
    columns = sum(token.type == "th_open" for token in tokens)
    line, cell = 0, 0
    for token in tokens:
        if token.type == "tr_open" and token.map is not None:
            line, cell = token.map[0], 0
        elif token.type == "inline":
            cell += 1
            if cell == columns:
                token.content = _rest_of_row(getLine(state, line), columns) or token.content
    return True


def _pads_endlessly(state: StateBlock, start: int, end: int) -> bool:
    """Tell whether a table would be mostly cells that nobody wrote: a few bytes make thousands."""
    pipes = getLine(state, start).count("|") - 1
    missing = 0
    for line in range(start + 2, end):
        if state.isEmpty(line) or missing > MAX_PADDED_CELLS:
            break
        missing += max(0, pipes - getLine(state, line).count("|"))
    return missing > MAX_PADDED_CELLS


def _rest_of_row(line: str, columns: int) -> str:
    """Join the cells from the last column on, if there are more than that one."""
    cells = escapedSplit(line.strip())
    if cells[0] == "":
        del cells[0]
    if cells and cells[-1] == "":
        del cells[-1]
    return " | ".join(cell.strip() for cell in cells[columns - 1 :]) if len(cells) > columns else ""


@cache
def _parser(*, links: bool) -> MarkdownIt:
    """Build the parser; it keeps nothing between two texts."""
    options = {"html": False, "maxNesting": MAX_NESTING, "store_labels": True}
    parser = _Parser("commonmark", options).enable(["table", "strikethrough"])
    rules = parser.block.ruler
    rules.before("table", "too_deep", _too_deep)
    rules.at("table", _table, {"alt": ["paragraph", "reference"]})
    rules.at("blockquote", _quote, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    rules.at("reference", _definition)
    if not links:
        parser.disable(["link", "image", "reference"])
    return parser


def parse_markdown(source: str) -> Sequence[Token]:
    """Parse Markdown into markdown-it's flat list of block tokens.

    Beside the library's own kinds there are `verbatim` (text nested too deeply to be read) and
    `definition` (source of a link definition; `meta["label"]` names it).

    Args:
        source: Text without control characters.
    """
    return _parser(links=source.count("[") <= MAX_BRACKETS).parse(source, {})
