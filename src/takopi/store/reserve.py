"""Room on the disk that is kept back, so that a final can be written down when nothing else can."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

__all__ = ["Reserve"]

_MEBIBYTE = 1024 * 1024


class Reserve:
    """Hold a file that is given up when the disk is full.

    Args:
        path: The file.
        size: Its length in bytes; it is made only where as much again stays free.
    """

    def __init__(self, path: Path, size: int = 8 * _MEBIBYTE) -> None:
        self._path = path
        self._size = size
        self._held = False

    @property
    def held(self) -> bool:
        """Tell whether the room is there."""
        return self._held

    def restore(self) -> bool:
        """Make the file if it is not there and the disk has room; return whether it is there."""
        try:
            self._held = self._is_whole() or self._make()
        except OSError:
            self._held = False
            with suppress(OSError):
                self._path.unlink()
        return self._held

    def release(self) -> bool:
        """Give the room back; return whether there was any."""
        held, self._held = self._held, False
        try:
            self._path.unlink()
        except OSError:
            return False
        return held

    def _is_whole(self) -> bool:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return False
        return found.st_size == self._size and found.st_blocks * 512 >= self._size

    def _make(self) -> bool:
        with suppress(FileNotFoundError):
            self._path.unlink()
        if shutil.disk_usage(self._path.parent).free < 2 * self._size:
            return False
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            self._allocate(descriptor)
            if os.fstat(descriptor).st_blocks * 512 < self._size:
                # The file system makes holes of zeros, or promises nothing: write what it cannot
                # squeeze.
                for begin in range(0, self._size, _MEBIBYTE):
                    file.write(os.urandom(min(self._size - begin, _MEBIBYTE)))
                file.flush()
            os.fsync(descriptor)
        return self._is_whole()

    def _allocate(self, descriptor: int) -> None:
        if hasattr(os, "posix_fallocate"):
            with suppress(OSError):
                os.posix_fallocate(descriptor, 0, self._size)
