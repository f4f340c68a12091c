"""Mend what can be mended without asking: folders that are missing, and modes that are too open.

Only what lies in takopi's folder and belongs to the person is touched. A lock is left alone: the
kernel frees it with its process, and removing the file would let two bots in.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from takopi.app.home import Home

__all__ = ["Repair", "mend"]

OTHERS = stat.S_IRWXG | stat.S_IRWXO
# Files of the folder that hold what is nobody else's business, by pattern.
PRIVATE = ("takopi.toml*", "takopi.db*", "takopi.reserve", "logs/*.log*", "bot.lock", "home-id")
FOLDERS = ("runs", "logs", "runners")


class Repair(msgspec.Struct, frozen=True, kw_only=True):
    """Be one thing that was mended, or could not be.

    Args:
        done: Whether it is right now.
        text: What was done, or what to do.
    """

    done: bool
    text: str


def mend(home: Home) -> list[Repair]:
    """Make missing folders and close what is open to others; say each thing."""
    repairs = []
    for folder in (home.path, home.runs, home.runners):
        repairs += _make(folder)
    for path in _private(home):
        repairs += _close(path)
    return repairs


def _make(folder: Path) -> list[Repair]:
    if folder.is_dir() or folder.is_symlink():
        return []
    try:
        folder.mkdir(mode=0o700, parents=True)
    except OSError as error:
        return [Repair(done=False, text=f"{folder} cannot be made: {error.strerror}")]
    return [Repair(done=True, text=f"made {folder}")]


def _private(home: Home) -> Iterator[Path]:
    yield home.path
    for name in FOLDERS:
        yield home.path / name
    for pattern in PRIVATE:
        yield from sorted(home.path.glob(pattern))
    yield from sorted(home.runners.glob("*.py"))
    yield from sorted(path for path in home.runs.glob("*") if path.is_dir())


def _close(path: Path) -> list[Repair]:
    """Take what others may do away, through the descriptor of what was looked at."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except FileNotFoundError:
        return []
    except OSError as error:
        return [Repair(done=False, text=f"{path} cannot be opened: {error.strerror}")]
    try:
        found = os.fstat(descriptor)
        mode = stat.S_IMODE(found.st_mode)
        if not mode & OTHERS:
            return []
        if found.st_uid != os.geteuid():
            return [
                Repair(done=False, text=f"{path} is open to others and belongs to another user")
            ]
        os.fchmod(descriptor, mode & ~OTHERS)
    except OSError as error:
        return [Repair(done=False, text=f"{path} cannot be closed to others: {error.strerror}")]
    finally:
        os.close(descriptor)
    return [
        Repair(
            done=True, text=f"closed {path} to others (mode {mode:04o} became {mode & ~OTHERS:04o})"
        )
    ]
