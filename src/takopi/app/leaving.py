"""How a process of takopi is told to end, and how it ends at once when it must."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

import anyio
import psutil
from anyio.abc import TaskStatus

from takopi.core.stopping import StopWish
from takopi.logging import get_logger
from takopi.process.tree import MARK
from takopi.terminal.modes import give_back_terminal

__all__ = [
    "EXIT_INTERRUPTED",
    "EXIT_TERMINATED",
    "STOP_REQUEST",
    "heed_signals",
    "leave_alone",
    "leave_now",
    "no_thread_is_waited_for",
    "stop_signals",
    "tell_terminal",
    "wish_of",
]

_log = get_logger(__name__)

EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143

_LAST_WORK_S = 1.0

STOP_REQUEST = signal.SIGUSR1
"""What `takopi stop` sends a bot. SIGINT would not do: a shell's `&` lets a bot ignore it."""


def stop_signals() -> tuple[signal.Signals, ...]:
    """Name the signals that end this process.

    One that is ignored already stays so: `nohup` and a shell's `&` mean it.
    """
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    return tuple(number for number in wanted if signal.getsignal(number) != signal.SIG_IGN)


def wish_of(number: int, on_stop: StopWish) -> StopWish:
    """Say what a signal wishes of a bot.

    Args:
        number: The signal.
        on_stop: What the person chose for the signals of a service manager.
    """
    return "cancel" if number in (signal.SIGINT, STOP_REQUEST) else on_stop


async def heed_signals(
    heard: Callable[[int], None],
    numbers: Sequence[signal.Signals],
    *,
    task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Call `heard` with each signal that comes; runs until cancelled.

    Start it with `TaskGroup.start`, so that no signal comes too early.
    """
    with _own_status_afterwards(numbers), anyio.open_signal_receiver(*numbers) as received:
        task_status.started()
        async for number in received:
            heard(number)


@contextmanager
def _own_status_afterwards(numbers: Sequence[signal.Signals]) -> Iterator[None]:
    """Let a signal that comes after the block end this process at once, with its own status.

    Closing a receiver restores the system's reaction: a bot that has ended well and only closes
    its journal yet would be seen killed.
    """
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, _leave_for)


def _leave_for(number: int, _frame: FrameType | None) -> None:
    leave_alone(EXIT_INTERRUPTED if number == signal.SIGINT else EXIT_TERMINATED)


def tell_terminal(text: str) -> None:
    """Write a line for whoever started takopi; a terminal that is gone is no error."""
    with suppress(OSError, ValueError):
        print(text, flush=True)  # noqa: T201


def leave_now(status: int = EXIT_INTERRUPTED, marks: Iterable[str] = ()) -> None:
    """End this process and everything it works with, without waiting for anything.

    Args:
        status: Exit status.
        marks: `TAKOPI_RUN_ID` of runs that an earlier process started and this one follows.
    """
    wanted = set(marks)
    doomed = psutil.Process().children(recursive=True)
    if wanted:
        doomed += [process for process in psutil.process_iter() if _mark_of(process) in wanted]
    for process in doomed:
        with suppress(psutil.Error):
            process.kill()
    give_back_terminal()
    os._exit(status)


def _mark_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except (psutil.Error, OSError):
        return None


def leave_alone(status: int = EXIT_TERMINATED) -> None:
    """End this process at once, and nothing that it started."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    give_back_terminal()
    os._exit(status)


@contextmanager
def no_thread_is_waited_for() -> Iterator[None]:
    """End this process well after the block also when a thread of it hangs.

    What a plug-in or a dead disk does in a thread cannot be cancelled, and Python waits for every
    thread before it ends.
    """
    before = set(threading.enumerate())
    yield
    until = time.monotonic() + _LAST_WORK_S
    for thread in set(threading.enumerate()) - before:
        if not thread.daemon:
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                _log.warning("stop.thread_hangs", thread=thread.name)
                leave_alone(0)
