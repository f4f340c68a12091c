"""How a process of takopi is told to end, and how it ends at once when it must."""

import os
import signal
from collections.abc import Callable

import anyio
import psutil
from anyio.abc import TaskStatus

__all__ = ["EXIT_INTERRUPTED", "heed_signals", "leave_now", "stop_signals"]

EXIT_INTERRUPTED = 130


def stop_signals() -> tuple[signal.Signals, ...]:
    """Name the signals that end this process.

    One that is ignored already stays so: `nohup` and a shell's `&` mean it.
    """
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    return tuple(number for number in wanted if signal.getsignal(number) != signal.SIG_IGN)


async def heed_signals(
    first: Callable[[int], None],
    again: Callable[[int], None],
    *,
    task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Call `first` at the first signal and `again` at each one after it; runs until cancelled.

    Start it with `TaskGroup.start`, so that no signal comes too early.
    """
    heard = False
    with anyio.open_signal_receiver(*stop_signals()) as received:
        task_status.started()
        async for number in received:
            (again if heard else first)(number)
            heard = True


def leave_now(status: int = EXIT_INTERRUPTED) -> None:
    """End this process and everything it started, without waiting for anything."""
    for child in psutil.Process().children(recursive=True):
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
    os._exit(status)
