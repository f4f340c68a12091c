"""The keys of a terminal, one by one and unseen, and the terminal as it was afterwards."""

import os
import select
import signal
import sys
import termios
from collections import deque
from types import FrameType, TracebackType
from typing import Any, Self

from takopi.core.keyboard import Key, KeyDecoder

__all__ = ["Keyboard", "wait_for_input"]

CHUNK_BYTES = 4096
# Terminals that know it mark what is pasted, so that a line break in it is no Enter.
PASTE_MARKS_ON = "\x1b[?2004h"
PASTE_MARKS_OFF = "\x1b[?2004l"
CURSOR_ON = "\x1b[?25h"
LOCAL_MODES = 3
SIGNALS_WAIT_S = 0.2
CONTROL_KEYS = 6
ENDINGS = (signal.SIGTERM, signal.SIGHUP)


class Keyboard:
    """Read keys while the `with` block lasts.

    What is typed ahead is kept for the next question. Ctrl-C stays a signal, so that it ends a
    wait for the network too; Ctrl-Z and Ctrl-\\ do nothing, because the shell would find a
    terminal that shows nothing.

    Args:
        descriptor: A terminal.
    """

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor
        self._decoder = KeyDecoder()
        self._keys: deque[Key] = deque()
        self._saved: list[Any] = []
        self._handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self._saved = termios.tcgetattr(self._descriptor)
        try:
            for number in ENDINGS:
                self._handlers[number] = signal.signal(number, _end)
            self._change()
            sys.stdout.write(PASTE_MARKS_ON)
            sys.stdout.flush()
        except BaseException:
            self._restore()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()

    def read(self) -> Key:
        """Wait for the next key.

        Raises:
            KeyboardInterrupt: The terminal is gone.
        """
        while not self._keys:
            wait_for_input(self._descriptor)
            try:
                data = os.read(self._descriptor, CHUNK_BYTES)
            except OSError:
                data = b""
            if not data:
                raise KeyboardInterrupt
            self._keys.extend(self._decoder.feed(data))
        return self._keys.popleft()

    def forget(self) -> None:
        """Drop what was typed so far."""
        self._keys.clear()
        self._decoder = KeyDecoder()
        termios.tcflush(self._descriptor, termios.TCIFLUSH)

    def _change(self) -> None:
        modes = termios.tcgetattr(self._descriptor)
        modes[LOCAL_MODES] &= ~(termios.ICANON | termios.ECHO)
        nothing = os.fpathconf(self._descriptor, "PC_VDISABLE").to_bytes(1, "big")
        for key in (termios.VSUSP, termios.VQUIT):
            modes[CONTROL_KEYS][key] = nothing
        modes[CONTROL_KEYS][termios.VMIN] = 1
        modes[CONTROL_KEYS][termios.VTIME] = 0
        # Not TCSAFLUSH: it would throw away what was typed ahead.
        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, modes)

    def _restore(self) -> None:
        # A second Ctrl-C must not come between the half and the whole of it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._saved)
            sys.stdout.write(PASTE_MARKS_OFF + CURSOR_ON)
            sys.stdout.flush()
        except (OSError, termios.error):
            pass  # the terminal is gone, and with it its modes
        finally:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)
            self._handlers.clear()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def wait_for_input(descriptor: int) -> None:
    """Return when there is something to read.

    A signal that comes just before a blocking read would be noticed after the next key only, so
    Ctrl-C would be lost: the wait is a short one, again and again.
    """
    while not select.select([descriptor], [], [], SIGNALS_WAIT_S)[0]:
        pass


def _end(number: int, frame: FrameType | None) -> None:
    del frame
    raise SystemExit(128 + number)
