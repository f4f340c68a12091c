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

    __slots__ = ("_dropped", "_limit", "_tail", "_tail_bytes")

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._limit = max_line_bytes
        self._tail: list[bytes] = []  # joined once, when the line is whole
        self._tail_bytes = 0
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
        self._tail_bytes += len(piece)
        if self._dropped or self._tail_bytes > self._limit:
            self._dropped = self._tail_bytes
            self._tail = []
        elif piece:
            self._tail.append(piece)

    def _take(self) -> bytes | Oversized:
        size, dropped, pieces = self._tail_bytes, self._dropped, self._tail
        self._tail, self._tail_bytes, self._dropped = [], 0, 0
        if dropped:
            return Oversized(size)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
