"""Let the turns of one session pass one after the other, in the order in which they came.

A lock belongs to a session, not to a runner: two runners of one engine share it. It is not tied
to a task, because a turn may be read in one task and closed in another.
"""

from collections import deque
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from weakref import WeakValueDictionary

import anyio
from anyio.lowlevel import RunVar, checkpoint_if_cancelled

from takopi.errors import EngineError
from takopi.model import EngineId, ResumeToken, TakopiEvent

__all__ = ["SessionLock", "SessionLockMixin", "session_lock"]


class SessionLock:
    """Be held by one turn at a time; those who wait get it first in, first out."""

    __slots__ = ("__weakref__", "_held", "_waiting")

    def __init__(self) -> None:
        self._held = False
        self._waiting: deque[anyio.Event] = deque()

    @property
    def locked(self) -> bool:
        """Say whether a turn holds the lock."""
        return self._held

    @property
    def waiting(self) -> int:
        """Count the turns that wait."""
        return len(self._waiting)

    async def acquire(self) -> None:
        """Wait until it is this turn's time."""
        await checkpoint_if_cancelled()
        if not self._held:
            self._held = True
            return
        mine = anyio.Event()
        self._waiting.append(mine)
        try:
            await mine.wait()
        except BaseException:
            if mine.is_set():  # handed over in the same step in which the wait was cancelled
                self.release()
            else:
                self._waiting.remove(mine)
            raise

    def release(self) -> None:
        """Hand the lock to the turn that waits longest, or free it."""
        if not self._held:
            raise RuntimeError("a session's lock was released twice")
        if self._waiting:
            self._waiting.popleft().set()  # stays held: nobody can slip in between
        else:
            self._held = False

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


# A registry for each event loop: a lock left behind by a loop that ended must not stop the next.
_locks: RunVar[WeakValueDictionary[tuple[EngineId, str], SessionLock]] = RunVar(
    "takopi_session_locks"
)


def session_lock(token: ResumeToken) -> SessionLock:
    """Return the lock of a session; whoever uses it must keep the reference."""
    locks = _locks.get(None)
    if locks is None:
        locks = WeakValueDictionary()
        _locks.set(locks)
    key = (token.engine, token.value)
    lock = locks.get(key)
    if lock is None:
        lock = locks[key] = SessionLock()
    return lock


class SessionLockMixin:
    """Give a runner the locks of its sessions."""

    engine: EngineId

    def lock_for(self, token: ResumeToken) -> SessionLock:
        """Return the lock that a turn of this session holds until its process has ended."""
        return session_lock(token)

    async def run_with_resume_lock(
        self,
        prompt: str,
        resume: ResumeToken | None,
        run_fn: Callable[[str, ResumeToken | None], AsyncIterator[TakopiEvent]],
    ) -> AsyncIterator[TakopiEvent]:
        """Yield the events of a turn that holds the lock of its session; a new one has none yet.

        For runners that bring a `run` of their own.

        Raises:
            EngineError: The session is that of another engine.
        """
        if resume is None:
            async for event in run_fn(prompt, None):
                yield event
            return
        if resume.engine != self.engine:
            raise EngineError(
                f"{self.engine} cannot resume a session of {resume.engine} ({resume.value})"
            )
        async with self.lock_for(resume):
            async for event in run_fn(prompt, resume):
                yield event
