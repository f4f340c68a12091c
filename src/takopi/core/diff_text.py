"""A diff as it can be shown: without the lines of files that are kept private."""

import hashlib
import re
from collections.abc import Iterable, Sequence

from msgspec import json

from takopi.core.file_rules import is_denied
from takopi.core.working_trees import Changes
from takopi.errors import FileRefused

__all__ = ["changes_mark", "hidden_files", "without_files"]

_BEGINS = ("diff --git ", "diff --cc ", "diff --combined ", "* Unmerged path ")
# What `file_name` and git write differently: signs that are quoted, and all that is not ASCII.
_UNSURE = re.compile(r"\\[0-9A-Za-z]{0,9}|[^ !#-\[\]-~]")


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
    hidden = tuple(_UNSURE.split(name)[-1] for name in names)
    if not hidden:
        return diff
    kept: list[str] = []
    hides = False
    # Not `splitlines`: a form feed in a file ends no line of the diff.
    for line in re.findall(r"[^\n]*\n|[^\n]+", diff):
        if line.startswith(_BEGINS):
            hides = any(end in line for end in hidden)
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
