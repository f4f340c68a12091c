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
        self._tail: list[bytes | memoryview] = []  # joined once, when the line is whole
        self._tail_bytes = 0
        self._dropped = 0  # bytes of the current line that were given up; 0 means none

    def feed(self, chunk: bytes) -> list[bytes | Oversized]:
        """Take a chunk and return the lines it completes."""
        end = chunk.rfind(b"\n")
        if end < 0:
            self._keep(chunk)
            return []
        # What belongs to a line of several chunks is copied once, by the join, and not here too.
        view = memoryview(chunk)
        lines: list[bytes | Oversized] = []
        start = 0
        if self._tail or self._dropped:
            first = chunk.find(b"\n")
            self._keep(view[:first])
            lines.append(self._take())
            start = first + 1
        if start <= end:
            whole = chunk[start:end].split(b"\n")
            if end - start > self._limit:  # else no line can be too long
                limit = self._limit
                lines.extend(line if len(line) <= limit else Oversized(len(line)) for line in whole)
            else:
                lines.extend(whole)
        self._keep(view[end + 1 :])
        return lines

    def finish(self) -> list[bytes | Oversized]:
        """Return the last line when it had no newline."""
        return [self._take()] if self._tail or self._dropped else []

    def _keep(self, piece: bytes | memoryview) -> None:
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
        return b"".join(pieces)
