"""Know a process for sure: pid, start time and boot id together, never the pid alone.

The holder and takopi compute an identity in this one way. Linux reads /proc; elsewhere `ps` tells
the start time. Standard library only: the holder imports this.
"""
# ruff: noqa: PTH110, PTH208 (pathlib would cost each holder a megabyte)

import errno
import os

from takopi.process.frugal import signal

__all__ = [
    "boot_id",
    "command_line",
    "descendants",
    "environment_mark",
    "has_proc",
    "is_alive",
    "process_ids",
    "ps_output",
    "read_file",
    "send_signal",
    "start_time",
    "stat_fields",
]

PROC = "/proc"
_PIECE_BYTES = 65536
_DEAD_STATES = "ZX"
_SHORTAGES = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


def read_file(path: str) -> bytes:
    """Return a file's content, empty when there is nothing to read: gone, or not ours.

    Raises:
        OSError: This program is short of descriptors or memory, so nothing is known.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            pieces = []
            while piece := os.read(descriptor, _PIECE_BYTES):
                pieces.append(piece)
            return b"".join(pieces)
        finally:
            os.close(descriptor)
    except OSError as error:
        # Without this, a takopi with too many open files would take every process for dead.
        if error.errno in _SHORTAGES:
            raise
        return b""


def has_proc(proc: str = PROC) -> bool:
    """Tell whether this system shows its processes as Linux does."""
    return os.path.exists(f"{proc}/self/stat")


def process_ids(proc: str = PROC) -> "list[int]":
    """Return the ids of all processes, zombies included."""
    return [int(name) for name in os.listdir(proc) if name.isdigit()]


def stat_fields(pid: int, proc: str = PROC) -> "tuple[bool, int, str] | None":
    """Return whether a process lives, its parent and its start time; None when there is none.

    A zombie does not live, but for one whose first thread ended and whose others go on.

    Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    """
    _, parenthesis, rest = read_file(f"{proc}/{pid}/stat").rpartition(b")")
    fields = rest.split()
    if not parenthesis or len(fields) < 20:
        return None
    lives = fields[0].decode() not in _DEAD_STATES or int(fields[17]) > 1
    return lives, int(fields[1]), fields[19].decode()


def descendants(root: int, proc: str = PROC) -> "list[tuple[int, int, str]]":
    """Return pid, parent and start time of every living process below one, nearest first.

    Linux lists the children of each thread; a kernel built without that is asked for all processes,
    which takes a hundred times longer when two hundred holders do it.
    """
    listed = os.path.exists(f"{proc}/{root}/task/{root}/children")
    by_parent = {} if listed else _by_parent(proc)
    found = []
    todo = [root]
    while todo:
        parent = todo.pop(0)
        for pid in _listed_children(parent, proc) if listed else by_parent.get(parent, ()):
            fields = stat_fields(pid, proc)
            if fields and fields[0]:
                found.append((pid, parent, fields[2]))
                todo.append(pid)
    return found


def _listed_children(pid: int, proc: str) -> "list[int]":
    try:
        threads = os.listdir(f"{proc}/{pid}/task")
    except FileNotFoundError:
        return []
    lists = [read_file(f"{proc}/{pid}/task/{thread}/children") for thread in threads]
    return [int(child) for line in lists for child in line.split()]


def _by_parent(proc: str) -> "dict[int, list[int]]":
    children: dict[int, list[int]] = {}
    for pid in process_ids(proc):
        fields = stat_fields(pid, proc)
        if fields:
            children.setdefault(fields[1], []).append(pid)
    return children


def ps_output(*args: str) -> str:
    """Return what `ps` prints; empty when it fails.

    Language and time zone are fixed, because start times are compared as text.
    """
    import subprocess  # heavy, and not needed where /proc is

    # The system's own ps, whatever the engine's PATH: identities must not change with it.
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC0"}
    try:
        done = subprocess.run(["ps", *args], capture_output=True, check=False, env=environment)
    except OSError:
        return ""
    return done.stdout.decode(errors="replace")


def start_time(pid: int, proc: str = PROC) -> "str | None":
    """Return when a living process started, in the system's own words; None when it is gone."""
    if has_proc(proc):
        fields = stat_fields(pid, proc)
        return fields[2] if fields and fields[0] else None
    state, _, started = (
        ps_output("-o", "stat=", "-o", "lstart=", "-p", str(pid)).strip().partition(" ")
    )
    return None if state.startswith("Z") else " ".join(started.split()) or None


def boot_id(proc: str = PROC) -> str:
    """Return what tells this boot from another; empty where the system has no such thing."""
    return read_file(f"{proc}/sys/kernel/random/boot_id").decode().strip()


def command_line(pid: int, proc: str = PROC) -> str:
    """Return a process's command in one line; empty when it is gone or has none."""
    if not has_proc(proc):
        return " ".join(ps_output("-o", "command=", "-p", str(pid)).split())
    words = read_file(f"{proc}/{pid}/cmdline").split(b"\0")
    return " ".join(" ".join(word.decode(errors="replace").split()) for word in words if word)


def environment_mark(pid: int, name: bytes, proc: str = PROC) -> "str | None":
    """Return the value of a variable in the environment that a process was started with."""
    for pair in read_file(f"{proc}/{pid}/environ").split(b"\0"):
        if pair.startswith(name + b"="):
            return pair[len(name) + 1 :].decode(errors="replace")
    return None


def is_alive(pid: int, start: str, proc: str = PROC) -> bool:
    """Tell whether exactly this process lives; a later one with the same pid is another."""
    return pid > 0 and start_time(pid, proc) == start


def send_signal(pid: int, start: str, number: int) -> bool:
    """Signal exactly this process; False when it is gone or belongs to another user.

    A descriptor is taken first where the system has them: between a look at the start time and
    `kill` the pid could go to another process.
    """
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    except (AttributeError, OSError):  # not Linux; or refused by a container's filter
        descriptor = -1
    try:
        if not is_alive(pid, start):
            return False
        if descriptor >= 0:
            signal.pidfd_send_signal(descriptor, number)
        else:
            os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    finally:
        if descriptor >= 0:
            os.close(descriptor)
    return True
