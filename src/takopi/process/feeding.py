"""Feed an engine's standard input from `stdin.jsonl`, inside the holder.

A record is one line: `{"offset": N, "data": "..."}`, where N says how much of the engine's output
takopi had read when it wrote, or `{"eof": true}`. takopi may die in the middle of a write, so only
a line with its newline counts.
"""

import os

from takopi.process.frugal import decode_json

__all__ = ["Feeder"]

_PIECE_BYTES = 65536


class Feeder:
    """Hand records to the engine without ever waiting for it.

    Args:
        path: The file of records; made when it is not there.
        pipe: Writing end of the engine's standard input; owned from now on.
    """

    def __init__(self, path: str, pipe: int) -> None:
        os.set_blocking(pipe, False)
        self._pipe = pipe
        self._records = os.open(path, os.O_RDONLY | os.O_CREAT, 0o600)
        self._partial = bytearray()
        self._pending = bytearray()
        self._eof = False

    @property
    def open(self) -> bool:
        """Tell whether the engine may still get something."""
        return self._pipe >= 0

    @property
    def blocked_on(self) -> "int | None":
        """Give the descriptor that must become writable before more can be handed over."""
        return self._pipe if self.open and self._pending else None

    def feed(self) -> None:
        """Write what the engine takes now, and close its input after the last record."""
        while self.open and (self._pending or self._load()):
            try:
                taken = os.write(self._pipe, self._pending[:_PIECE_BYTES])
            except BlockingIOError:
                return
            except OSError:  # the engine closed its input: nobody is left to write to
                self.close()
                return
            del self._pending[:taken]
        if self._eof:
            self.close()

    def close(self) -> None:
        """Give the engine its end of file."""
        if self.open:
            os.close(self._pipe)
            os.close(self._records)
            self._pipe = -1

    def _load(self) -> bool:
        while not self._pending and not self._eof:
            piece = os.read(self._records, _PIECE_BYTES)
            if not piece:
                return False
            searched = len(self._partial)
            self._partial += piece
            while (end := self._partial.find(b"\n", searched)) >= 0:
                self._take(self._partial[:end].decode(errors="replace"))
                del self._partial[: end + 1]
                searched = 0
        return bool(self._pending)

    def _take(self, line: str) -> None:
        try:
            record = decode_json(line)
        except ValueError:  # a write that was cut by a crash, closed by the next one's newline
            return
        if record.get("eof"):
            self._eof = True
        elif not self._eof:
            self._pending += str(record.get("data", "")).encode(errors="replace")
