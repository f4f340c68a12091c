"""Standard input, line by line, without ever holding up the end of the program.

A thread of its own reads with `os.read`: a terminal, a pipe and a plain file all work (a selector
refuses plain files), and a daemon thread that sits in `os.read` holds no lock that the interpreter
wants at exit, which `sys.stdin` would.
"""

import os
import select
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import CancelledError
from typing import Any

from anyio import from_thread
from anyio.lowlevel import current_token

from takopi.core.lines import LineSplitter, Oversized

__all__ = ["start_reading"]

CHUNK_BYTES = 65536
MAX_LINE_BYTES = 4 * 1024 * 1024
MAX_PASTED_LINES = 10_000
PASTE_GAP_S = 0.05
"""Nobody types two lines within that; a terminal hands on the lines of a paste quicker."""


def start_reading(descriptor: int, emit: Callable[[str | None], Coroutine[Any, Any, None]]) -> None:
    """Begin to hand the lines of a descriptor to `emit`, and None at its end.

    A line over 4 MiB is left out: no engine takes such a prompt. Lines that are pasted into a
    terminal together come as one text, with their line breaks.

    Args:
        descriptor: Is read from; the last line needs no newline.
        emit: Is awaited in the event loop; while it waits nothing more is read.
    """
    token = current_token()

    def pump() -> None:
        try:
            for line in _blocking_lines(descriptor):
                from_thread.run(emit, line, token=token)
            from_thread.run(emit, None, token=token)
        except (RuntimeError, CancelledError):
            return  # the event loop is gone, and with it whoever listened

    threading.Thread(target=pump, name="takopi-stdin", daemon=True).start()


def _blocking_lines(descriptor: int) -> Iterator[str]:
    splitter = LineSplitter(MAX_LINE_BYTES)
    pasted: list[str] = []
    terminal = os.isatty(descriptor)
    while chunk := _read(descriptor):
        lines = _texts(splitter.feed(chunk))
        if not terminal:
            yield from lines
            continue
        pasted.extend(lines)
        if pasted and not (len(pasted) < MAX_PASTED_LINES and _more_comes(descriptor)):
            yield "\n".join(pasted)
            pasted.clear()
    if pasted:
        yield "\n".join(pasted)
    yield from _texts(splitter.finish())


def _more_comes(descriptor: int) -> bool:
    """Tell whether there is more to read at once; the end of the input is something to read."""
    return bool(select.select([descriptor], [], [], PASTE_GAP_S)[0])


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, CHUNK_BYTES)
    except OSError:
        return b""  # closed, or a terminal that has gone (EIO)


def _texts(lines: list[bytes | Oversized]) -> Iterator[str]:
    for line in lines:
        if isinstance(line, bytes):
            yield line.decode("utf-8", "replace").rstrip("\r")
