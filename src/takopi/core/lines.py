r"""Cut a stream of bytes into lines, in O(n), with a cap on the length of a line.

Only ``\n`` ends a line: U+2028 and ``\r`` occur inside what engines print. The unfinished line is
searched once only, because each new chunk is searched by itself. Beyond the cap nothing is kept:
the rest of that line is counted and dropped.
"""

import msgspec

__all__ = ["MAX_LINE_BYTES", "LineSplitter", "Oversized"]

MAX_LINE_BYTES = 32 * 1024 * 1024


class Oversized(msgspec.Struct, frozen=True):
    """Stand in for a line that was longer than the cap.

    Args:
        size_bytes: Length of the dropped line, without its newline.
    """

    size_bytes: int


class LineSplitter:
    r"""Collect chunks and give whole lines, without their ``\n``.

    Args:
        max_line_bytes: A line longer than this comes out as `Oversized`.
    """

    __slots__ = ("_dropped", "_limit", "_tail")

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._limit = max_line_bytes
        self._tail = bytearray()
        self._dropped = 0  # bytes of the current line that were given up; 0 means none

    def feed(self, chunk: bytes) -> list[bytes | Oversized]:
        """Take a chunk and return the lines it completes."""
        pieces = chunk.split(b"\n")
        if len(pieces) == 1:
            self._keep(chunk)
            return []
        lines: list[bytes | Oversized] = []
        if self._tail or self._dropped:
            self._keep(pieces[0])
            lines.append(self._take())
            pieces[0] = b""
            complete = pieces[1:-1]
        else:
            complete = pieces[:-1]
        if len(chunk) > self._limit:  # else no piece can be too long
            limit = self._limit
            lines.extend(p if len(p) <= limit else Oversized(len(p)) for p in complete)
        else:
            lines.extend(complete)
        self._keep(pieces[-1])
        return lines

    def finish(self) -> list[bytes | Oversized]:
        """Return the last line when it had no newline."""
        return [self._take()] if self._tail or self._dropped else []

    def _keep(self, piece: bytes) -> None:
        if self._dropped:
            self._dropped += len(piece)
        elif len(self._tail) + len(piece) > self._limit:
            self._dropped = len(self._tail) + len(piece)
            self._tail = bytearray()
        else:
            self._tail += piece

    def _take(self) -> bytes | Oversized:
        if self._dropped:
            line: bytes | Oversized = Oversized(self._dropped)
            self._dropped = 0
            return line
        line = bytes(self._tail)
        self._tail = bytearray()
        return line
