"""The process's own streams, made fit for whatever is written to them."""

import io
import os
import shutil
import sys

__all__ = ["on_terminal", "steady_streams", "tell"]


def steady_streams() -> None:
    """Let no character and no closed stream raise.

    A stream that was closed by whoever started takopi is opened on /dev/null: otherwise the next
    file that takopi opens would take its number, and what is meant for a person would go there.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - stays open
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def tell(text: str) -> None:
    """Tell the person something beside the output: on a terminal broken between words."""
    if sys.stderr.isatty():
        from takopi.terminal.wrapping import wrapped

        text = "\n".join(wrapped(text, shutil.get_terminal_size().columns))
    print(text, file=sys.stderr, flush=True)


def on_terminal() -> bool:
    """Tell whether a person sits at both ends."""
    return os.isatty(0) and sys.stdout.isatty()
