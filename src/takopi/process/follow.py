"""Learn that run directories changed: at once by inotify, within a second in any case.

One notifier serves all runs of an event loop and none of them owns it. There is no task behind it:
of those who wait, one leads, which means that it waits for the notifier itself and wakes the
others; when it leaves, for whatever reason, it hands the lead to one that still waits. So nothing
runs while nobody waits, and nothing is left behind when a loop ends.

Every second the leader wakes everybody: a notification may be lost (queue overflow, network file
systems), and the death of a holder changes no file. Where there is no inotify, or its limits are
reached, the leader looks at the files' sizes instead, 10 times a second when idle and 100 times
while they grow.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import anyio
import anyio.to_thread

__all__ = ["ChangeWatcher", "Notifier", "Watch", "open_inotify", "warm_up"]

_POLL_FAST_S = 0.01
_POLL_SLOW_S = 0.1
_MODIFY = 0x002
_MOVED_TO = 0x080
_LOST = -1  # the descriptor of an event that says that the queue overflowed


class Notifier(Protocol):
    """Be what is used of `inotify_simple.INotify`."""

    def fileno(self) -> int:
        """Give the descriptor that becomes readable."""
        ...

    def add_watch(self, path: Any, mask: int) -> int:
        """Watch a directory."""
        ...

    def rm_watch(self, wd: int) -> None:
        """Stop watching a directory."""
        ...

    def read(self, timeout: int | None = None) -> list[Any]:
        """Return what happened since the last call."""
        ...

    def close(self) -> None:
        """Give the descriptor back."""
        ...


def open_inotify() -> Notifier:
    """Return a new inotify instance.

    Raises:
        OSError: There is none on this system, or no more for this user.
    """
    try:
        from inotify_simple import INotify  # type: ignore[import-untyped]
    except (ImportError, OSError, AttributeError) as error:
        raise OSError("inotify is not available") from error
    notifier: Notifier = INotify(nonblocking=True)
    return notifier


async def warm_up(open_notifier: Callable[[], Notifier] = open_inotify) -> None:
    """Open a notifier once in a thread: the first one looks for libc with other programs."""
    try:
        notifier = await anyio.to_thread.run_sync(open_notifier)
    except OSError:
        return
    notifier.close()


class Watch:
    """Be one place of the program that waits for one run directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.changed = False
        self.ticked = True
        self.descriptor = -1
        self._event: anyio.Event | None = None
        self._seen = self._look()

    def wake(self, *, changed: bool = True, ticked: bool = False) -> None:
        """Let the place look again; without a change, only at who leads."""
        self.changed |= changed
        self.ticked |= ticked
        if self._event:
            self._event.set()

    @property
    def sleeping(self) -> bool:
        """Tell whether the place waits for being woken, and was not yet."""
        return self._event is not None and not self._event.is_set()

    async def sleep(self) -> None:
        """Return once woken."""
        self._event = anyio.Event()
        try:
            await self._event.wait()
        finally:
            self._event = None

    def poll(self) -> bool:
        """Tell whether the files grew since the last call."""
        before, self._seen = self._seen, self._look()
        return self._seen != before

    def _look(self) -> tuple[int, bool]:
        try:
            size = (self.directory / "stdout.jsonl").stat().st_size
        except OSError:
            size = -1
        return size, (self.directory / "exit.json").exists()


class ChangeWatcher:
    """Watch the run directories of one event loop.

    Args:
        open_notifier: Opens an inotify instance; raises OSError where there is none.
        tick_s: After how many seconds everybody looks again, whatever was notified.
    """

    def __init__(
        self, open_notifier: Callable[[], Notifier] = open_inotify, *, tick_s: float = 1.0
    ) -> None:
        self._open_notifier = open_notifier
        self._tick_s = tick_s
        self._notifier: Notifier | None = None
        self._watches: list[Watch] = []
        self._lead_scope: anyio.CancelScope | None = None
        self._tick_at = 0.0
        self._poll_s = _POLL_FAST_S

    @contextmanager
    def watch(self, directory: Path) -> Iterator[Watch]:
        """Watch a directory while the block runs."""
        watch = Watch(directory)
        self._watches.append(watch)
        self._add(watch)
        try:
            yield watch
        finally:
            self._watches.remove(watch)
            self._drop(watch)

    async def wait(self, watch: Watch) -> bool:
        """Return once the directory changed since the last call, or a second passed.

        Returns:
            Whether it was the second: then other things than files should be looked at, too.
        """
        try:
            while not (watch.changed or watch.ticked):
                if self._lead_scope:
                    await watch.sleep()
                else:
                    await self._lead()
        finally:
            if not self._lead_scope:
                self._hand_over()
        ticked, watch.changed, watch.ticked = watch.ticked, False, False
        return ticked

    def _add(self, watch: Watch) -> None:
        try:
            if self._notifier is None:
                self._notifier = self._open_notifier()
            watch.descriptor = self._notifier.add_watch(watch.directory, _MODIFY | _MOVED_TO)
        except OSError:  # no inotify, or a limit: this one is polled, and the leader must know
            if self._lead_scope:
                self._lead_scope.deadline = anyio.current_time()

    def _drop(self, watch: Watch) -> None:
        notifier = self._notifier
        if notifier is None:
            return
        if not self._watches:
            notifier.close()
            self._notifier = None
        elif watch.descriptor >= 0 and not self._shared(watch):
            try:
                notifier.rm_watch(watch.descriptor)
            except OSError:  # the directory is gone, and its watch with it
                watch.descriptor = -1

    def _shared(self, watch: Watch) -> bool:
        return any(other.descriptor == watch.descriptor for other in self._watches)

    def _hand_over(self) -> None:
        for watch in self._watches:
            if watch.sleeping:
                watch.wake(changed=False)
                return

    async def _lead(self) -> None:
        polled = [watch for watch in self._watches if watch.descriptor < 0]
        now = anyio.current_time()
        if self._tick_at <= now:  # nobody waited for a while
            self._tick_at = now + self._tick_s
        deadline = min(self._tick_at, now + self._poll_s) if polled else self._tick_at
        with anyio.CancelScope(deadline=deadline) as self._lead_scope:
            try:
                if self._notifier is None:
                    await anyio.sleep_until(deadline)
                else:
                    await anyio.wait_readable(self._notifier.fileno())
            finally:
                self._lead_scope = None
        self._dispatch()
        self._poll(polled)
        now = anyio.current_time()
        if now >= self._tick_at:
            for watch in self._watches:
                watch.wake(changed=False, ticked=True)

    def _dispatch(self) -> None:
        if self._notifier is None:
            return
        changed = {event.wd for event in self._notifier.read(timeout=0)}
        for watch in self._watches:
            if watch.descriptor in changed or _LOST in changed:
                watch.wake()

    def _poll(self, polled: list[Watch]) -> None:
        grown = [watch for watch in polled if watch.poll()]
        for watch in grown:
            watch.wake()
        self._poll_s = _POLL_FAST_S if grown else min(self._poll_s * 2, _POLL_SLOW_S)
