"""A diff as it can be shown: without the lines of files that are kept private."""

import hashlib
from collections.abc import Iterable, Sequence

from msgspec import json

from takopi.core.file_rules import is_denied
from takopi.core.working_trees import Changes
from takopi.errors import FileRefused

__all__ = ["changes_mark", "hidden_files", "without_files"]

_BEGINS = "diff --git "


def hidden_files(changes: Changes, denied: Sequence[str]) -> tuple[str, ...]:
    """List the changed files whose lines are not shown.

    Args:
        changes: What was changed.
        denied: Patterns, as for files that are sent.
    """
    names = [name for file in changes.files for name in (file.path, file.was) if name]
    return tuple(name for name in names if _is_hidden(name, denied))


def _is_hidden(name: str, denied: Sequence[str]) -> bool:
    try:
        return is_denied(name, denied)
    except FileRefused:
        return True  # a name that nobody would send


def without_files(diff: str, names: Iterable[str]) -> str:
    """Take the lines of some files out of a unified diff of git; what says which file it is stays.

    A name that is part of another one may cost that one's lines, too, and never shows its own.
    """
    hidden = tuple(names)
    if not hidden:
        return diff
    kept: list[str] = []
    hides = False
    for line in diff.splitlines(keepends=True):
        if line.startswith(_BEGINS):
            hides = any(name in line for name in hidden)
            kept.append(line)
        elif not hides:
            kept.append(line)
    return "".join(kept)


def changes_mark(changes: Changes, words: str = "") -> str:
    """Name what a person saw, in 8 letters, so that a button does nothing about anything else.

    Args:
        changes: What was shown.
        words: What was said about it.
    """
    said = json.encode((changes, words))
    return hashlib.sha256(said).hexdigest()[:8]
