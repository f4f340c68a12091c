"""Who holds the process's own terminal, so that also a process that ends at once gives it back.

What leaves with `os._exit` unwinds nothing: a terminal in raw mode would stay so, and the shell
would show nothing of what is typed.
"""

import os
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

__all__ = ["give_back_terminal", "terminal_lent"]

_INPUT = 0


class _Loan(NamedTuple):
    release: Callable[[], None]
    modes: list[Any]


_loans: list[_Loan] = []


@contextmanager
def terminal_lent(release: Callable[[], None]) -> Iterator[None]:
    """Remember the modes of the terminal while something else sets them.

    Args:
        release: Lets go of it soon, from any thread, whatever state it is in.
    """
    loan = _Loan(release, termios.tcgetattr(_INPUT))
    _loans.append(loan)
    try:
        yield
    finally:
        if loan in _loans:
            _loans.remove(loan)


def give_back_terminal() -> None:
    """Set the modes that were found, if something else holds the terminal just now."""
    while _loans:
        loan = _loans.pop()
        loan.release()
        with suppress(OSError, termios.error):
            # The kernel stops a process in the background that does this.
            if os.tcgetpgrp(_INPUT) == os.getpgrp():
                termios.tcsetattr(_INPUT, termios.TCSANOW, loan.modes)
