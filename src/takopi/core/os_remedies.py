"""What helps when the operating system refuses a file: each refusal has a remedy of its own."""

import errno
from pathlib import PurePath

from takopi.core.texts import tr

__all__ = ["remedy"]


def remedy(number: int | None, path: PurePath) -> str:
    """Say what to do about a refusal.

    Args:
        number: The error's number.
        path: What was refused, absolute.
    """
    match number:
        case errno.EACCES | errno.EPERM:
            places = f"{path.parent} {path}"
            return tr(
                "`sudo chown $(id -u) {places}` and `chmod u+rwX {places}` make it yours",
                places=places,
            )
        case errno.EROFS:
            return tr(
                "its file system is mounted read-only: mount it writable, or set TAKOPI_HOME to a "
                "folder elsewhere"
            )
        case errno.ENOSPC | errno.EDQUOT:
            return tr("free some space")
        case errno.ENOTDIR | errno.EISDIR | errno.ELOOP | errno.EEXIST:
            return tr("look at what lies at {path}, and move it away", path=path)
        case errno.EAGAIN | errno.ENOMEM:
            return tr("the system is short of memory or processes: end some programs")
        case errno.EMFILE | errno.ENFILE:
            return tr("too many files are open: end some programs, or raise `ulimit -n`")
        case _:
            return tr(
                "look at `ls -ld {folder}` and `df {folder}`, mend that and try again",
                folder=path.parent,
            )
