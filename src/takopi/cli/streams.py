"""The process's own streams, made fit for whatever is written to them."""

import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["on_terminal", "output_error", "settled", "steady_streams", "tell"]


class _Output(io.FileIO):
    """Remember what came in the way of the output: an OSError itself does not say whose it is.

    Nor does the stream above: of what is too long for its buffer nothing is left to try again.
    """

    error: OSError | None = None

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write, and remember why that could not be."""
        try:
            return super().write(data)
        except OSError as error:
            self.error = error
            raise


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
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - stays open
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - stays open
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if sys.stdout is sys.__stdout__ and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout = _remembering(sys.stdout)


def _remembering(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    """Open the process's own output again, so that it remembers; any other stream stays.

    The one that was found must live on (`sys.__stdout__` keeps it): its end closes the descriptor.
    """
    buffer = stream.buffer
    raw = getattr(buffer, "raw", buffer)
    if type(raw) is not io.FileIO:
        return stream
    stream.flush()
    remembers = _Output(raw.fileno(), "wb", closefd=False)
    return io.TextIOWrapper(
        remembers if buffer is raw else io.BufferedWriter(remembers),
        stream.encoding,
        stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def output_error() -> OSError | None:
    """Return why something could not be written on standard output, if so it was."""
    buffer = getattr(sys.stdout, "buffer", None)
    raw = getattr(buffer, "raw", buffer)
    return raw.error if isinstance(raw, _Output) else None


def settled(status: int) -> int:
    """Write what is left at the end of the process, and say if standard output did not take all.

    Args:
        status: The exit status so far.

    Returns:
        The exit status; not 0 when something was not written, unless whoever read it has gone.
    """
    _drain(sys.stdout)
    error = output_error()
    if error is not None and not isinstance(error, BrokenPipeError):
        tell(
            f"takopi: standard output cannot be written: {error.strerror}; free some space, or let "
            "it go elsewhere"
        )
        status = status or 1
    _drain(sys.stderr)
    return status


def _drain(stream: TextIO) -> None:
    """Write what a stream holds, and drop what it does not take.

    The interpreter would try it again, and end with a traceback and a status of its own.
    """
    try:
        stream.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        stream.flush()


def tell(text: str) -> None:
    """Tell the person something beside the output: on a terminal broken between words."""
    if sys.stderr.isatty():
        import shutil  # here, as `--version` needs none of it

        from takopi.terminal.wrapping import wrapped

        text = "\n".join(wrapped(text, shutil.get_terminal_size().columns))
    with suppress(OSError):  # nobody can be told
        print(text, file=sys.stderr, flush=True)


def on_terminal() -> bool:
    """Tell whether a person sits at both ends."""
    return os.isatty(0) and sys.stdout.isatty()
