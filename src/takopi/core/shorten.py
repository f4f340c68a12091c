"""Make one short line of anything, and paths short where the reader knows the directory."""

import re
from pathlib import PurePath

from takopi.core.clean import clean_text
from takopi.core.richtext import utf16_len
from takopi.core.split import belongs_together, whole_characters

__all__ = ["line_end", "one_line", "relative_to", "shorten_path", "unwrap_shell"]

# What is read of a text whose one line is wanted: more cannot change a line of this length.
_READ = 4

_SHELL = re.compile(r"(?:\S*/)?(?:ba|da|z|k)?sh\s+-l?c\s+(['\"])(.*)\1", re.DOTALL)


def one_line(text: str, max_units: int) -> str:
    """Put text on one line of at most `max_units` UTF-16 units; a cut ends in `…`."""
    line = " ".join(clean_text(text[: max_units * _READ]).split())
    if utf16_len(line) <= max_units and len(text) <= max_units * _READ:
        return line
    return _head(line, max_units - 1).rstrip() + "…"


def _head(text: str, max_units: int) -> str:
    """Take at most `max_units` UTF-16 units from the start, and whole characters only."""
    end = min(len(text), max_units)
    while utf16_len(text[:end]) > max_units:
        end -= 1
    return text[: whole_characters(text, 0, end)] if 0 < end < len(text) else text[:end]


def line_end(text: str, max_units: int) -> str:
    """Put text on one line and keep its end, from a word on; a cut starts with `…`."""
    line = " ".join(clean_text(text[-max_units * _READ :]).split())
    if utf16_len(line) <= max_units and len(text) <= max_units * _READ:
        return line
    kept = _end(line, max_units - 1)
    word = kept.find(" ") + 1
    return "…" + (kept[word:] if word <= len(kept) // 2 else kept)


def _end(text: str, max_units: int) -> str:
    """Take at most `max_units` UTF-16 units from the end, and whole characters only."""
    start = max(0, len(text) - max_units)
    while start < len(text) and (
        utf16_len(text[start:]) > max_units or (start and belongs_together(text, start))
    ):
        start += 1
    return text[start:]


def shorten_path(path: str, max_units: int) -> str:
    """Put a path on one line; a cut takes the front, for the name at the end says most."""
    line = " ".join(clean_text(path).split())
    if utf16_len(line) <= max_units:
        return line
    kept = _end(line, max_units - 1)
    slash = kept.find("/")
    return "…" + (kept[slash:] if 0 <= slash < len(kept) - 1 else kept)


def relative_to(text: str, cwd: PurePath | None) -> str:
    """Write paths inside `cwd` relative to it, in a path or anywhere in a line."""
    root = str(cwd) if cwd is not None else ""
    if len(root) < 2 or root not in text:
        return text
    if text.rstrip("/") == root:
        return "."
    # Only whole paths: `/srv/app` is no part of `/old/srv/app` nor of `/srv/app2`.
    inside = re.compile(r"(?<![\w./~-])" + re.escape(root) + r"(?:/+(?=[^\s/])|(?=[\s'\";)]|$))")
    return inside.sub(lambda match: "" if match[0].rstrip("/") != match[0] else ".", text)


def unwrap_shell(command: str) -> str:
    """Take away `bash -lc '…'` around a command: the person wants to read what runs."""
    match = _SHELL.fullmatch(command.strip())
    return match[2] if match else command
