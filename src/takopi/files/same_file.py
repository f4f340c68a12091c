"""Find a file again that was written shortly before, by its content."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from takopi.errors import FileRefused
from takopi.utils.safe_files import folder_below, open_below

__all__ = ["first_same", "written_since"]

_BLOCK = 1024 * 1024


def written_since(
    root: Path, names: Sequence[str], since_s: float, denied: Sequence[str]
) -> tuple[str, ...]:
    """List the files that were written since a moment.

    Args:
        root: Directory of the project.
        names: Relative to it; one that ends with `*` stands for all that begins so.
        since_s: Unix seconds.
        denied: What is given to nobody.
    """
    found: list[str] = []
    for name in _all_of(root, names, denied):
        with suppress(FileRefused, OSError), open_below(root, name, denied=denied) as file:
            if os.fstat(file.fileno()).st_mtime >= since_s:
                found.append(name)
    return tuple(found)


def first_same(
    root: Path, names: Sequence[str], wanted: BinaryIO, denied: Sequence[str]
) -> str | None:
    """Return the first name under which there is exactly some content.

    Args:
        root: Directory of the project.
        names: Relative to it.
        wanted: The content.
        denied: What is given to nobody.
    """
    for name in names:
        with suppress(FileRefused, OSError), open_below(root, name, denied=denied) as file:
            wanted.seek(0)
            if _same(file, wanted):
                return name
    return None


def _all_of(root: Path, names: Sequence[str], denied: Sequence[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        if not name.endswith("*"):
            found.append(name)
            continue
        above, _, begin = name[:-1].rpartition("/")
        with suppress(FileRefused, OSError), folder_below(root, above, denied=denied) as folder:
            inside = [] if folder is None else sorted(os.listdir(folder))  # noqa: PTH208
            found += [f"{above}/{one}" for one in inside if one.startswith(begin)]
    return found


def _same(one: BinaryIO, other: BinaryIO) -> bool:
    while True:
        blocks = one.read(_BLOCK), other.read(_BLOCK)
        if blocks[0] != blocks[1]:
            return False
        if not blocks[0]:
            return True
