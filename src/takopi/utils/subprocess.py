"""Run a helper program for the time of a block."""

import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
from anyio.abc import Process

__all__ = ["manage_subprocess"]

_TERM_S = 2.0
_KILL_S = 2.0
_STEP_S = 0.02


@asynccontextmanager
async def manage_subprocess(cmd: Sequence[str], **kwargs: Any) -> AsyncIterator[Process]:
    """Start a process in a session of its own, and end it with its group when the block ends.

    Args:
        cmd: Program and arguments.
        kwargs: What `anyio.open_process` takes beside; `start_new_session` is always set.

    Raises:
        OSError: The program cannot be started.
    """
    kwargs["start_new_session"] = True
    # A cancelled start kills the process alone, not what it may have started by then.
    with anyio.CancelScope(shield=True):
        process = await anyio.open_process(list(cmd), **kwargs)
    try:
        yield process
    finally:
        # Also when the block is cancelled: nothing may be left running.
        with anyio.CancelScope(shield=True):
            await _end_group(process)
            await process.aclose()


async def _end_group(process: Process) -> None:
    for number, limit_s in ((signal.SIGTERM, _TERM_S), (signal.SIGKILL, _KILL_S)):
        if not _signal_group(process, number):
            break
        with anyio.move_on_after(limit_s):
            await process.wait()
            # The group outlives its first process while it has members; nothing tells its end.
            while _group_lives(process.pid):  # noqa: ASYNC110
                await anyio.sleep(_STEP_S)
            break


def _signal_group(process: Process, number: int) -> bool:
    """Signal the group; False when it is gone.

    The group's number is not given to another process while the group has members. When its first
    process was reaped and yet a process with that number lives, the number is somebody else's.
    """
    import psutil  # late: most who import this module never end anything

    if process.returncode is not None and psutil.pid_exists(process.pid):
        return False
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _group_lives(group: int) -> bool:
    """Tell whether a group has members that are not only waiting to be reaped."""
    import psutil

    for process in psutil.process_iter(["status"]):
        with suppress(ProcessLookupError):
            lives = process.info["status"] != psutil.STATUS_ZOMBIE
            if lives and os.getpgid(process.pid) == group:
                return True
    return False
