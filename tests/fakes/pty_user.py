"""A person at a terminal: a process on a pseudo-terminal, what it shows, and keys."""

import os
import pty
import re
import select
import signal
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

import psutil
import pyte

__all__ = ["CTRL_C", "CTRL_D", "CTRL_Z", "PtyUser", "ends_soon"]

_ROWS = 30
CTRL_C = "\x03"
CTRL_D = "\x04"
CTRL_Z = "\x1a"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x1b\x07]*(?:\x07|\x1b\\)")


def ends_soon(pid: int, limit_s: float = 10) -> bool:
    """Tell whether a process that was killed is gone, as soon as the kernel gets to it."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True  # whoever has to reap it is in no hurry
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


class PtyUser:
    """Run a program on a pseudo-terminal until the block ends.

    Args:
        argv: The program and its arguments.
        environment: The whole environment; TERM is added.
        columns: The width of the terminal; it has 30 rows.
        term: What kind of terminal it is.
        cwd: Where it is started.
    """

    def __init__(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        *,
        columns: int = 100,
        term: str = "xterm-256color",
        cwd: Path | None = None,
    ) -> None:
        self._argv = list(argv)
        self._cwd = cwd or Path.cwd()
        self._environment = {**environment, "TERM": term, "COLUMNS": str(columns)}
        self._columns = columns
        self._screen = pyte.Screen(columns, _ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self._shown = ""
        self._read_to = 0
        self._status: int | None = None

    def __enter__(self) -> Self:
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            try:
                # As a shell starts it: who runs the tests in the background ignores Ctrl-C.
                signal.signal(signal.SIGINT, signal.SIG_DFL)
                os.chdir(self._cwd)
                termios.tcsetwinsize(0, (_ROWS, self._columns))
                os.execve(self._argv[0], self._argv, self._environment)
            finally:
                os._exit(127)
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is None:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self._terminal)

    @property
    def shown(self) -> str:
        """Give everything that was shown so far, without escape sequences."""
        return ESCAPES.sub("", self._shown)

    @property
    def raw(self) -> str:
        """Give everything that was shown so far, escape sequences too."""
        return self._shown

    def echoes(self) -> bool:
        """Tell whether the terminal shows what is typed, as a shell expects to find it."""
        modes = termios.tcgetattr(self._terminal)[3]
        wanted = termios.ECHO | termios.ICANON | termios.ISIG
        return modes & wanted == wanted

    def expect(self, text: str, limit_s: float = 20) -> str:
        """Wait until `text` is shown after what was expected before; return what came between."""
        deadline = time.monotonic() + limit_s
        while (found := self.shown.find(text, self._read_to)) < 0:
            left = deadline - time.monotonic()
            if left <= 0 or not self._read(left):
                raise AssertionError(f"{text!r} was not shown; shown was:\n{self.shown}")
        before = self.shown[self._read_to : found]
        self._read_to = found + len(text)
        return before

    @property
    def rows(self) -> list[str]:
        """Give what stands on the terminal now, row by row, without what is empty at the end."""
        return "\n".join(row.rstrip() for row in self._screen.display).rstrip("\n").split("\n")

    def see(self, text: str, limit_s: float = 20) -> None:
        """Wait until `text` stands on the terminal; for programs that redraw what changed."""
        self._until(lambda: any(text in row for row in self.rows), text, limit_s)

    def see_last(self, *rows: str, limit_s: float = 20) -> None:
        """Wait until these are the last rows on the terminal."""
        self._until(lambda: self.rows[-len(rows) :] == list(rows), "\n".join(rows), limit_s)

    def _until(self, seen: Callable[[], bool], wanted: str, limit_s: float) -> None:
        deadline = time.monotonic() + limit_s
        while not seen():
            left = deadline - time.monotonic()
            if left <= 0 or not self._read(left):
                shown = "\n".join(self.rows)
                raise AssertionError(f"not on the terminal:\n{wanted}\n\nit shows:\n{shown}")

    def type(self, keys: str) -> None:
        """Press keys; what is shown meanwhile is read, or both sides would wait for each other."""
        left = keys.encode()
        while left:
            self._read(0)
            if select.select([], [self._terminal], [], 0.1)[1]:
                left = left[os.write(self._terminal, left[:256]) :]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program."""
        os.kill(self._pid, number)

    def leave(self, limit_s: float = 20) -> int:
        """Wait for the program's end and return its exit status."""
        deadline = time.monotonic() + limit_s
        while self._read(max(0.0, deadline - time.monotonic())):
            assert time.monotonic() < deadline, f"it did not end; shown was:\n{self.shown}"
        _, status = os.waitpid(self._pid, 0)
        self._status = os.waitstatus_to_exitcode(status)
        return self._status

    def _read(self, limit_s: float) -> bool:
        """Read once; False at the end of the program or of the time."""
        ready, _, _ = select.select([self._terminal], [], [], limit_s)
        if not ready:
            return False
        try:
            chunk = os.read(self._terminal, 65536)
        except OSError:  # EIO: the program has closed the terminal
            return False
        self._shown += chunk.decode("utf-8", "replace")
        self._stream.feed(chunk)
        return bool(chunk)
