"""Tell systemd how the service is: ready, alive, leaving.

The protocol is a few lines of text in one datagram, so no library is needed for it.
Source: https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

import os
import socket
from collections.abc import Callable, Mapping
from typing import Protocol

from takopi.bridge.ports import Clock
from takopi.logging import get_logger

__all__ = [
    "POLL_FRESH_S",
    "PollSource",
    "ServiceNotifier",
    "Signs",
    "keep_alive",
    "watchdog_period_s",
]

_log = get_logger(__name__)

POLL_FRESH_S = 120.0
"""A poll takes 50 s when nothing happens; two in a row without an answer are no accident."""


class ServiceNotifier:
    """Send states to the service manager; does nothing where there is none.

    Args:
        environment: Names the socket.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        name = environment.get("NOTIFY_SOCKET", "")
        # An @ stands for the zero byte that an abstract name begins with.
        self._address = "\0" + name[1:] if name.startswith("@") else name
        self._told = ""

    @property
    def wanted(self) -> bool:
        """Tell whether anybody listens."""
        return self._address.startswith(("/", "\0"))

    def send(self, *states: str) -> None:
        """Send states like `READY=1`; a manager that does not take them costs only a log line."""
        if not self.wanted:
            return
        kind = socket.SOCK_DGRAM
        try:
            with socket.socket(socket.AF_UNIX, kind) as sock:
                sock.settimeout(0)  # a manager that hangs must not hold up the bot
                sock.connect(self._address)
                sock.send("\n".join(states).encode())
        except OSError as error:
            _log.warning("service.not_notified", error=str(error))

    def status(self, text: str) -> None:
        """Show a line in `systemctl status`, when it is another than the one before."""
        if text != self._told:
            self._told = text
            self.send(f"STATUS={text}")


class PollSource(Protocol):
    """Be what is asked how the polls go."""

    @property
    def last_poll_at(self) -> float | None:
        """Give the clock's time of the last completed poll; None before the first."""
        ...


def watchdog_period_s(environment: Mapping[str, str], pid: int) -> float | None:
    """Return how often the manager wants to hear of this process; None when it does not."""
    usec = environment.get("WATCHDOG_USEC", "")
    wanted = environment.get("WATCHDOG_PID", str(pid))
    if not usec.isdigit() or int(usec) == 0 or wanted != str(pid):
        return None
    return int(usec) / 1_000_000


class Signs:
    """Be the signs that the bot is well: polls that were answered, and the journal's refusals.

    While the journal refuses, no poll is made, because an answer would be lost. That is known, it
    is told in the chats, and another process could do no better; a bot that merely hangs makes
    neither kind of sign.

    Args:
        polls: Knows when the last poll was completed.
        clock: Tells the time.
    """

    def __init__(self, polls: PollSource, clock: Clock) -> None:
        self._polls = polls
        self._clock = clock
        self._refused_at: float | None = None

    @property
    def last_poll_at(self) -> float | None:
        """Give the clock's time of the last sign; None before the first."""
        signs = [at for at in (self._polls.last_poll_at, self._refused_at) if at is not None]
        return max(signs, default=None)

    @property
    def refusing(self) -> bool:
        """Tell whether the last sign was a refusal."""
        refused, polled = self._refused_at, self._polls.last_poll_at
        return refused is not None and (polled is None or polled < refused)

    def refused(self) -> None:
        """Note that the journal takes nothing just now, so that no poll is made."""
        self._refused_at = self._clock.now()


async def keep_alive(
    notifier: ServiceNotifier,
    polls: PollSource,
    clock: Clock,
    period_s: float | None,
    working: Callable[[], str],
) -> None:
    """Tell the manager at half its period that polling works or knowingly waits, or say nothing.

    Args:
        notifier: Tells it.
        polls: Knows when the last poll was completed.
        clock: Tells the time.
        period_s: After so long without a sign the manager restarts the service; None: never.
        working: Says what `systemctl status` shows while all is well.
    """
    began = clock.now()
    pause_s = min(period_s or POLL_FRESH_S, POLL_FRESH_S) / 2
    while True:
        last = polls.last_poll_at
        silent_s = clock.now() - (began if last is None else max(began, last))
        if silent_s <= POLL_FRESH_S:
            if period_s is not None:
                notifier.send("WATCHDOG=1")
            notifier.status(working())
        else:
            notifier.status(f"no answer of Telegram was taken for {silent_s / 60:.0f} min")
        await clock.sleep_until(clock.now() + pause_s)
