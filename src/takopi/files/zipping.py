"""A folder as one zip file: bounded, without secrets, and the same for the same content.

Nothing is opened by its path: the walk goes down by descriptors and never through a symbolic link.
"""

import os
import stat
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from takopi.core.file_rules import is_denied, name_parts
from takopi.core.texts import tr
from takopi.errors import FileRefused

__all__ = ["ZipLimits", "Zipped", "zip_folder"]

_BLOCK = 256 * 1024
_NO_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipLimits:
    """Bound a zip file.

    Args:
        max_bytes: Of the zip file itself.
        max_read: Of what goes into it.
        max_files: How many files go into it.
        max_depth: How deep folders may lie in folders.
    """

    max_bytes: int
    max_read: int = 1024 * 1024 * 1024
    max_files: int = 10_000
    max_depth: int = 40


@dataclass(frozen=True, slots=True)
class Zipped:
    """Say what went into a zip file.

    Args:
        files: How many files.
        left_out: How many things were left out: secrets, links, what is no plain file.
    """

    files: int
    left_out: int


def zip_folder(
    folder: int, name: str, into: BinaryIO, denied: Sequence[str], limits: ZipLimits
) -> Zipped:
    """Write the files of a folder as a zip file.

    Args:
        folder: Descriptor of the folder.
        name: Its path in the project, which decides what is denied; empty for the project itself.
        into: Takes the zip file.
        denied: As in `is_denied`.
        limits: How large it may become.

    Raises:
        FileRefused: It is too large, or there is nothing to put into it.
    """
    walk = _Walk(name, denied, limits)
    read = 0
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path, file in walk.files(folder, ()):
            with file, archive.open(_entry(path), "w", force_zip64=True) as entry:
                while block := file.read(_BLOCK):
                    read += len(block)
                    entry.write(block)
                    _check(name, read, into.tell(), limits)
    _check(name, read, into.tell(), limits)
    if not walk.found:
        raise FileRefused(name or ".", tr("there is no file in it that may be given out"))
    return Zipped(walk.found, walk.left_out)


def _entry(path: tuple[str, ...]) -> zipfile.ZipInfo:
    """Describe a file by its name alone, so that the same content makes the same zip file."""
    info = zipfile.ZipInfo("/".join(path), _NO_DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def _check(name: str, read: int, written: int, limits: ZipLimits) -> None:
    if read > limits.max_read or written > limits.max_bytes:
        size = limits.max_bytes // (1024 * 1024)
        raise FileRefused(name or ".", tr("as a zip file it is larger than {size} MB", size=size))


class _Walk:
    """Go through a folder in an order of its own names."""

    def __init__(self, name: str, denied: Sequence[str], limits: ZipLimits) -> None:
        self._name = name
        self._denied = denied
        self._limits = limits
        self.found = 0
        self.left_out = 0

    def files(
        self, folder: int, path: tuple[str, ...]
    ) -> Iterator[tuple[tuple[str, ...], BinaryIO]]:
        """Yield the plain files below a folder, open."""
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
        for name in names:
            here = (*path, name)
            opened = self._open(folder, name, here)
            if opened is None:
                self.left_out += 1
            elif stat.S_ISDIR(os.fstat(opened).st_mode):
                try:
                    yield from self.files(opened, here)
                finally:
                    os.close(opened)
            else:
                self.found += 1
                if self.found > self._limits.max_files:
                    os.close(opened)
                    raise FileRefused(self._name or ".", tr("there are too many files in it"))
                yield here, os.fdopen(opened, "rb")

    def _open(self, folder: int, name: str, path: tuple[str, ...]) -> int | None:
        """Open a plain file or folder; None for what is left out."""
        full = "/".join((self._name, *path) if self._name else path)
        try:
            name_parts(full)
            if is_denied(full, self._denied) or len(path) > self._limits.max_depth:
                return None
            kind = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
            if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
                return None
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            opened = os.open(name, flags, dir_fd=folder)
        except (FileRefused, OSError):
            return None
        # It may have been swapped between the two looks; what is open now stays what it is.
        kind = os.fstat(opened).st_mode
        if stat.S_ISREG(kind) or stat.S_ISDIR(kind):
            return opened
        os.close(opened)
        return None
