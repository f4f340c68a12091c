"""Text that came out of a program, made fit for a chat."""

import re

__all__ = ["clean_text", "join_halves"]

# Colours and cursor moves of a terminal, then operating system commands (window titles, links).
_TERMINAL_CODES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]{0,2048}(?:\x07|\x1b\\))")

# Telegram itself drops the embedding marks U+202A to U+202E; the line separators it drops are
# line ends here. Lone surrogates cannot be sent at all.
_DROPPED: dict[int, str | None] = dict.fromkeys(
    (*range(32), 0x7F, *range(0x80, 0xA0), *range(0x202A, 0x202F))
)
_REPLACED: dict[int, str] = {ord("\t"): "\t", ord("\n"): "\n"} | dict.fromkeys(
    (0x0B, 0x0C, 0x85, 0x2028, 0x2029), "\n"
)
_TABLE: dict[int, str | None] = {**_DROPPED, **_REPLACED}
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\ud800-\udfff]")
_SURROGATES = re.compile("[\ud800-\udfff]+")


def clean_text(text: str) -> str:
    """Remove control characters, terminal codes and half characters; line ends become `\\n`."""
    if not _UNWANTED.search(text):
        return text
    text = _TERMINAL_CODES.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return join_halves(text).translate(_TABLE)


def join_halves(text: str) -> str:
    """Make surrogate pairs that arrived in two pieces whole again, and replace single halves."""
    return _SURROGATES.sub(_whole_characters, text)


def _whole_characters(halves: re.Match[str]) -> str:
    return halves[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
