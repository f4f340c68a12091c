"""Make and check the folders that takopi keeps its runs in."""

import os
import secrets
from pathlib import Path

from takopi.core.texts import tr
from takopi.errors import AccessError

__all__ = ["home_id", "private_directory"]

_OTHERS_WRITE = 0o022


def private_directory(path: Path) -> Path:
    """Make a folder (0700) if it is not there, and return it.

    Raises:
        AccessError: It is writable by others, or belongs to somebody else.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.stat()
    if found.st_uid not in (os.geteuid(), 0):
        raise AccessError(
            tr("{path} belongs to another user; mend it with: sudo chown $USER {path}", path=path)
        )
    if found.st_mode & _OTHERS_WRITE:
        raise AccessError(
            tr("{path} is writable by others; mend it with: chmod 700 {path}", path=path)
        )
    return path


def home_id(home: Path) -> str:
    """Return the random id of a home; the first call makes it.

    Engines carry it in their environment, so that no takopi ends another one's processes.
    """
    path = private_directory(home) / "home-id"
    while True:
        try:
            found = path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            found = ""
        if found:
            return found
        draft = home / f".home-id.{secrets.token_hex(8)}"
        draft.write_text(secrets.token_hex(8) + "\n", encoding="ascii")
        draft.chmod(0o600)
        try:
            path.hardlink_to(draft)  # whoever comes first decides, whole
        except FileExistsError:
            if path.stat().st_size == 0:  # made by something else, or by a power cut
                draft.replace(path)
        except OSError:  # a file system without links
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
