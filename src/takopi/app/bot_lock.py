"""Find the bot that serves a folder, and the service that it belongs to.

The lock file names a process, but that may be long gone and its number somebody else's by now. So
the process must have the file open, and where the system shows it, hold the lock through it. The
lock itself is not tried: a bot that starts at that moment would take the try for another bot.
"""

import os
import re
from pathlib import Path

import msgspec
import psutil

from takopi.app.home import Home
from takopi.process.identity import PROC, has_proc, read_file, start_time

__all__ = ["RunningBot", "ServiceUnit", "running_bot", "service_of"]


class RunningBot(msgspec.Struct, frozen=True):
    """Name the process of a bot, so that no later process is taken for it."""

    pid: int
    start: str


class ServiceUnit(msgspec.Struct, frozen=True):
    """Name the systemd unit that a process belongs to.

    Args:
        unit: Like `takopi.service`.
        user: Whether it is the user manager's, not the system's.
    """

    unit: str
    user: bool

    @property
    def systemctl(self) -> str:
        """Give the command that speaks with its manager."""
        return "systemctl --user" if self.user else "systemctl"


def running_bot(home: Home, proc: str = PROC) -> RunningBot | None:
    """Return the bot that holds the folder's lock; None when none does that can be seen."""
    path = home.bot_lock
    found = read_file(str(path)).strip()
    pid = int(found) if found.isdigit() else 0
    start = start_time(pid, proc) if pid else None
    if start is None or not _holds(pid, path, proc):
        return None
    # Looked at twice: what was looked into is still the same process.
    return RunningBot(pid, start) if start_time(pid, proc) == start else None


def _holds(pid: int, path: Path, proc: str) -> bool:
    if not has_proc(proc):
        try:
            return any(file.path == str(path) for file in psutil.Process(pid).open_files())
        except psutil.Error:
            return False
    try:
        wanted = path.stat()
        descriptors = list(Path(f"{proc}/{pid}/fd").iterdir())
    except OSError:
        return False
    for descriptor in descriptors:
        try:
            same = os.path.samestat(descriptor.stat(), wanted)
        except OSError:  # closed meanwhile, or leads nowhere
            continue
        if same and b"FLOCK" in read_file(f"{proc}/{pid}/fdinfo/{descriptor.name}"):
            return True
    return False


def service_of(pid: int, proc: str = PROC) -> ServiceUnit | None:
    """Return the unit that a process runs under; None when systemd started it for no unit."""
    for line in read_file(f"{proc}/{pid}/cgroup").decode(errors="replace").splitlines():
        path = line.rpartition(":")[2]
        unit = path.rpartition("/")[2]
        if re.fullmatch(r"(?!user@)[^/]+\.service", unit):
            return ServiceUnit(unit, "/user@" in path)
    return None
