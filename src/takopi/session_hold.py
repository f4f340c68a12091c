"""Have a session to oneself, among all takopi processes of this user.

Two locks, always taken in this order: that of this process (`session_lock`, first come first
served) and a file in the user's state folder, one for each session. Sessions belong to the engines
and not to takopi's folder, so bots with folders of their own and a `takopi codex --resume` in a
terminal meet at the same file. The kernel frees it when a takopi is killed.

The engine outlives takopi, though, and nobody holds the file until the next takopi adopts the run.
The file therefore says which run serves the session, before that run is started. Whoever gets the
file and finds a run in it that still works gives the file back and waits: the holder's and the
engine's identities tell, also for runs of another folder. We do not let the holder keep the lock,
because a new session has no name before its engine, and so its holder, is started.

A turn whose engine works already does not wait for the file. That is a new session, which nobody
else knows yet, or an adopted run: nobody keeps the file while that works, by the rule above; if
somebody has it, the run is over, and only its answer has to be delivered.
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import anyio
import anyio.to_thread
import msgspec

from takopi.core.texts import tr
from takopi.errors import AccessError
from takopi.file_lock import FileLock
from takopi.logging import get_logger
from takopi.model import ResumeToken
from takopi.runner_runtime import current_runtime
from takopi.session_lock import session_lock

__all__ = ["POLL_S", "SessionHold", "session_file"]

_log = get_logger(__name__)

POLL_S = 0.5
"""How often a file that another process holds is tried again.

An flock can be waited for in a thread only, which no cancellation would end, and whether a run
still works must be looked at anyway.
"""

_QUICK_S = 0.02
_QUICK_TRIES = 3  # somebody may have the file for a moment only, to look into it


class _Note(msgspec.Struct, frozen=True):
    """Be what the file says: who holds it, and the directory of the run it is held for."""

    pid: int = 0
    run: str | None = None


def session_file(token: ResumeToken, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the file of a session: the same for every folder of this user."""
    # Not Path.home(), which raises for a user without one; then the folder cannot be made.
    state = environment.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")  # noqa: PTH111
    digest = hashlib.sha256(f"{token.engine}\0{token.value}".encode()).hexdigest()[:32]
    return Path(state) / "takopi" / "sessions" / f"{digest}.lock"


class SessionHold:
    """Hold a session for one turn.

    Args:
        token: The session.
        started: The engine works already.
        poll_s: How often the file of a session that is used elsewhere is tried.
    """

    __slots__ = (
        "_file",
        "_lock",
        "_mine",
        "_noted",
        "_poll_s",
        "_started",
        "_told",
        "_tries",
        "held",
    )

    def __init__(
        self, token: ResumeToken, *, started: bool = False, poll_s: float = POLL_S
    ) -> None:
        self._lock = session_lock(token)
        self._file = FileLock(session_file(token))
        self._started = started
        self._poll_s = poll_s
        self._mine = False
        self._noted: Path | None = None
        self._tries = 0
        self._told = False
        self.held = False
        """Whether the session is this turn's."""

    @property
    def told(self) -> bool:
        """Say whether the person was told that the turn waits."""
        return self._told

    async def take(self) -> str | None:
        """Wait for the session; None when it is held.

        Returns:
            Why it takes long, in words for the person, once; call again to go on waiting.

        Raises:
            AccessError: The file cannot be made or locked, and the engine does not work yet.
        """
        if not self._mine:
            await self._lock.acquire()
            self._mine = True
        while (reason := await self._try()) is not None:
            self._tries += 1
            if self._tries >= _QUICK_TRIES and self._started:
                _log.warning("session.not_locked", reason=reason)
                break
            if self._tries >= _QUICK_TRIES and not self._told:
                self._told = True
                return reason
            quick = self._tries < _QUICK_TRIES
            await anyio.sleep(min(_QUICK_S, self._poll_s) if quick else self._poll_s)
        self.held = True
        return None

    def note_run(self, directory: Path) -> None:
        """Say which run serves the session, for those who come when this takopi is gone."""
        if self._file.held and directory != self._noted:
            self._noted = directory
            self._file.write(msgspec.json.encode(_Note(os.getpid(), str(directory))))

    def release(self, *, run_goes_on: bool = False) -> None:
        """Free the session.

        Args:
            run_goes_on: The run works on without this takopi; others have to wait for it.
        """
        # Who looked into the file only must leave what it says.
        self._file.release(remove=self.held and not run_goes_on)
        if self._mine:
            self._lock.release()
        self._mine = self.held = False

    async def _try(self) -> str | None:
        """Take the file; return why that cannot be."""
        try:
            taken = self._file.acquire()
        except AccessError as error:
            if not self._started:
                raise
            return str(error)  # the engine works already: nothing is gained by ending it
        if not taken:
            pid = self._note().pid
            if pid:
                return tr(
                    "waits for another takopi that uses this session (process {pid})", pid=pid
                )
            return tr("waits for another takopi that uses this session")
        run = None if self._started else self._note().run
        if run is None or not await self._is_running(Path(run)):
            self._file.write(msgspec.json.encode(_Note(os.getpid())))
            return None
        self._file.release()
        return tr(
            "waits for the run {run}, which works in this session although its takopi is gone",
            run=Path(run).name,
        )

    async def _is_running(self, run: Path) -> bool:
        return await anyio.to_thread.run_sync(current_runtime().host.is_running, run)

    def _note(self) -> _Note:
        try:
            return msgspec.json.decode(self._file.read(), type=_Note)
        except msgspec.DecodeError:
            return _Note()
