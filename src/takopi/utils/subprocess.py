"""Run a helper program for the time of a block."""

import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.abc import Process

__all__ = ["manage_subprocess"]

_TERM_S = 2.0
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
    process = await anyio.open_process(list(cmd), **kwargs)
    try:
        yield process
    finally:
        # Also when the block is cancelled: nothing may be left running.
        with anyio.CancelScope(shield=True):
            await _end_group(process)
            await process.aclose()


async def _end_group(process: Process) -> None:
    with anyio.move_on_after(_TERM_S):
        _signal_group(process, signal.SIGTERM)
        await process.wait()
        # The group outlives its first process as long as it has members.
        while _signal_group(process, 0):
            await anyio.sleep(_STEP_S)  # noqa: ASYNC110 - nothing else tells that a group is gone
    _signal_group(process, signal.SIGKILL)
    await process.wait()


def _signal_group(process: Process, number: int) -> bool:
    """Signal the group; False when it is gone.

    The group's number is not given to another process while the group has members. When its first
    process was reaped and yet a process with that number lives, the number is somebody else's.
    """
    if process.returncode is not None and _exists(process.pid):
        return False
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
