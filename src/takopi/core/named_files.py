"""Which of an answer's words are files that a chat may get: images, and documents.

Names alone decide. Whether a file is there, and whether it may be opened, others know.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from takopi.core.file_rules import DENIED, is_denied, name_parts, path_below
from takopi.errors import FileRefused

__all__ = ["files_named_in", "is_image"]

IMAGES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp"})
DOCUMENTS = frozenset(
    {
        *(".pdf", ".csv", ".tsv", ".xlsx", ".xls", ".ods", ".docx", ".doc", ".odt", ".pptx"),
        *(".svg", ".html", ".md", ".txt", ".json", ".zip", ".epub", ".mp3", ".mp4", ".wav"),
        *(".patch", ".diff", ".log", ".ipynb", ".bmp", ".tiff"),
    }
)
_SENDABLE = tuple(IMAGES | DOCUMENTS)
# Nobody waits for an agent that names ten thousand files.
_MAX_ANSWER = 60_000
_MAX_LIKELY = 400
_MAX_CANDIDATES = 40
_IN_CODE = re.compile(r"`([^`\n]{1,400})`")
_IN_LINK = re.compile(r"\]\(<?([^)\n<>]{1,400})>?\)")
_BARE = re.compile(r"(?<![\w/.~-])((?:\.{0,2}/)?[\w@+=,.-]{1,200}(?:/[\w@+=,.-]{1,200}){0,20})")


def is_image(name: str) -> bool:
    """Tell by a name whether a file is an image that chats show."""
    return PurePosixPath(name).suffix.lower() in IMAGES


def files_named_in(answer: str, root: str, denied: Sequence[str] = DENIED) -> tuple[str, ...]:
    """List what an answer names that may be an image or document of the project, each once.

    Whether it is there nobody knows yet.

    Args:
        answer: Markdown.
        root: Directory in which the engine worked, absolute.
        denied: As in `is_denied`.
    """
    answer = answer[:_MAX_ANSWER]
    found: dict[str, None] = {}
    places: list[tuple[int, str]] = []
    for pattern in (_IN_CODE, _IN_LINK, _BARE):
        places += [(match.start(1), match[1]) for match in pattern.finditer(answer)]
        # What was read is not read again in parts.
        answer = pattern.sub(lambda match: " " * len(match[0]), answer)
    named = dict.fromkeys(words.strip().rstrip(".,;") for _, words in sorted(places))
    likely = [words for words in named if words.lower().endswith(_SENDABLE)]
    for words in likely[:_MAX_LIKELY]:
        name = path_below(root, words)
        if name is not None and _may_be_sent(name, denied):
            found[name] = None
    return tuple(found)[:_MAX_CANDIDATES]


def _may_be_sent(name: str, denied: Sequence[str]) -> bool:
    try:
        name_parts(name)
    except FileRefused:
        return False
    return not is_denied(name, denied)
