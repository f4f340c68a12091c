"""Hold a lock that the kernel frees when the process is gone, however it ended.

An flock belongs to the open file, and the file is closed on exec: neither an engine nor its holder
keeps a lock alive that takopi took.
"""

import errno
import fcntl
import os
import weakref
from contextlib import suppress
from pathlib import Path

from takopi.core.os_remedies import remedy
from takopi.core.texts import tr
from takopi.errors import AccessError

__all__ = ["FileLock"]

_CONTENT_BYTES = 8192
_TAKEN = (errno.EWOULDBLOCK, errno.EACCES)


class FileLock:
    """Be an exclusive lock on a file, which may say something about who holds it.

    A lock that is forgotten is freed with this object.

    Args:
        path: The file; its folder is made (0700) when it is not there.
    """

    __slots__ = ("__weakref__", "_close", "_descriptor", "_path")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._close: weakref.finalize[..., FileLock] | None = None

    @property
    def held(self) -> bool:
        """Say whether this object has the lock."""
        return self._close is not None

    def acquire(self) -> bool:
        """Take the lock if it is free; what the file said before stays.

        Raises:
            AccessError: The file cannot be made or locked.
        """
        while True:
            descriptor = self._open()
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(descriptor)
                if error.errno in _TAKEN:
                    return False
                raise AccessError(
                    tr(
                        "{path} cannot be locked: {why}; {remedy}",
                        path=self._path,
                        why=error.strerror,
                        remedy=remedy(error.errno, self._path),
                    )
                ) from error
            if self._is_there(descriptor):
                self._descriptor = descriptor
                self._close = weakref.finalize(self, os.close, descriptor)
                return True
            os.close(descriptor)  # whoever had it removed the file; who comes next makes a new one

    def read(self) -> bytes:
        """Return what the file says, also while somebody else holds it; empty for nothing."""
        with suppress(OSError):
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                return os.read(descriptor, _CONTENT_BYTES)
            finally:
                os.close(descriptor)
        return b""

    def write(self, content: bytes) -> None:
        """Say something about this holder; a full disk leaves it unsaid."""
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, content, 0)

    def release(self, *, remove: bool = False) -> None:
        """Free the lock, if it is held.

        Args:
            remove: Take the file away, too; whoever waits for it notices.
        """
        if self._close is None:
            return
        if remove:
            self._path.unlink(missing_ok=True)  # before it is free, or two could have it
        self._close()
        self._close = None

    def _open(self) -> int:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            return os.open(self._path, flags, 0o600)
        except OSError as error:
            raise AccessError(
                tr(
                    "the lock file {path} cannot be made: {why}; {remedy}",
                    path=self._path,
                    why=error.strerror,
                    remedy=remedy(error.errno, self._path),
                )
            ) from error

    def _is_there(self, descriptor: int) -> bool:
        mine = os.fstat(descriptor)
        try:
            found = self._path.stat()
        except OSError:
            return False
        return (mine.st_dev, mine.st_ino) == (found.st_dev, found.st_ino)
