"""Be one run: follow its output, wait for its end, end it."""

import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import anyio.lowlevel
import msgspec

from takopi.core.texts import tr
from takopi.file_lock import FileLock
from takopi.logging import get_logger
from takopi.model import ResumeToken
from takopi.process.ending import Patience, TreeEnding
from takopi.process.follow import ChangeWatcher
from takopi.process.identity import is_alive, send_signal
from takopi.process.run_directory import RunDirectory, SessionNote
from takopi.process.tree import Scanner
from takopi.run_host import RunExit

__all__ = ["LocalRun", "LoopServices", "RunFrame"]

_log = get_logger(__name__)

_CHUNK_BYTES = 64 * 1024
_MB = 1_000_000
_COLLECT_S = 0.5
_COLLECT_STEP_S = 0.005


class LoopServices(NamedTuple):
    """Be what all runs of one event loop share."""

    watcher: ChangeWatcher
    scanner: Scanner
    starting: anyio.CapacityLimiter


class RunFrame(NamedTuple):
    """Say what a run knows of its host.

    Args:
        mark: `TAKOPI_RUN_ID` of the run.
        services: Gives the services of the running event loop.
        reap: Reaps the holder if it is a child that ended; False while it still is to be reaped.
        max_run_mb: Output that a run may write, in MB.
        patience: How long the steps of an ending may take.
        min_free_mb: Free space that a run needs, in MB.
    """

    mark: str
    services: Callable[[], LoopServices]
    reap: Callable[[], bool]
    max_run_mb: int
    patience: Patience
    min_free_mb: int = 0


class LocalRun:
    """Be one started engine process, known by its run directory alone.

    Args:
        directory: The run directory.
        frame: What the run knows of its host.
        owner: The lock that tells others that a takopi has the run; freed when the run was ended,
            or with this object.
    """

    def __init__(
        self, directory: RunDirectory, frame: RunFrame, owner: FileLock | None = None
    ) -> None:
        self._directory = directory
        self._frame = frame
        self._owner = owner
        plan = directory.plan()
        self._cwd = str(plan.get("cwd", ""))
        record = plan.get("record")
        self._record: dict[str, Any] = record if isinstance(record, dict) else {}
        self._keep_background = bool(plan.get("keep_background"))
        self._exit: RunExit | None = None
        self._end_reason: str | None = None
        self._session: ResumeToken | None = None
        self._read_bytes = 0
        self._ending_lock = anyio.Lock()

    @property
    def run_id(self) -> str:
        """Give the id, which is the name of the run directory."""
        return self._directory.run_id

    @property
    def directory(self) -> Path:
        """Give the run directory."""
        return self._directory.path

    @property
    def record(self) -> Mapping[str, Any]:
        """Give what the caller wrote down at the start; empty when it cannot be read."""
        return self._record

    async def follow(self) -> AsyncIterator[bytes]:
        """Yield chunks of standard output from the start until the engine has ended."""
        try:
            file = self._directory.stdout.open("rb", buffering=0)
        except FileNotFoundError:  # removed, or lost with the power
            await self.wait()
            return
        watcher = self._frame.services().watcher
        offset, ticked = 0, True
        with file, watcher.watch(self.directory) as watch:
            while True:
                # Other tasks get their turn between two chunks, however much there is to read.
                await anyio.lowlevel.checkpoint()
                if chunk := file.read(_CHUNK_BYTES):
                    offset += len(chunk)
                    self._read_bytes = max(self._read_bytes, offset)
                    yield chunk
                    await self._check_size()
                elif await self._look_for_end(ticked=ticked):
                    break
                else:
                    await self._check_size()
                    ticked = await watcher.wait(watch)
            # What was written before the end was known; what background processes add is theirs.
            end = os.fstat(file.fileno()).st_size
            while offset < end and (chunk := file.read(min(_CHUNK_BYTES, end - offset))):
                await anyio.lowlevel.checkpoint()
                offset += len(chunk)
                self._read_bytes = max(self._read_bytes, offset)
                yield chunk

    async def wait(self) -> RunExit:
        """Wait until the engine has ended and `exit.json` tells how."""
        watcher = self._frame.services().watcher
        with watcher.watch(self.directory) as watch:
            ticked = True
            while (found := await self._look_for_end(ticked=ticked)) is None:
                await self._check_size()
                ticked = await watcher.wait(watch)
        await self._collect_holder()
        return found

    def stderr_tail(self, limit_bytes: int = 8192) -> str:
        """Return the end of standard error, decoded with replacement."""
        return self._directory.tail(self._directory.stderr, limit_bytes)

    def note_session(self, token: ResumeToken) -> None:
        """Write down which session this run serves, for finding its directory later."""
        if token != self._session and self._cwd:  # without `run.json` the directory is not known
            _log.debug("run.session", run=self.run_id, session=token.value)
            self._directory.write_session(SessionNote(token.engine, token.value, self._cwd))
            self._session = token

    def send(self, text: str) -> None:
        """Hand text to the standard input of a two-way run; the engine gets it when it reads."""
        self._directory.append_input(text, self._read_bytes)
        self._wake_holder()

    def close_input(self) -> None:
        """End the standard input of a two-way run."""
        self._directory.append_input(None, self._read_bytes)
        self._wake_holder()

    async def settle(self, grace_s: float) -> RunExit:
        """Wait for a normal end for `grace_s` seconds, then end what is left.

        Processes that outlived the engine are ended too and named in the result, unless the run
        was started with `keep_background`.
        """
        with anyio.move_on_after(grace_s):
            await self.wait()
        return await self._end(survivors=not self._keep_background)

    async def cancel(self) -> RunExit:
        """End the engine and everything it started: SIGINT, SIGTERM, SIGKILL, survivors by pid."""
        return await self._end(survivors=True)

    async def _end(self, *, survivors: bool) -> RunExit:
        found = RunExit()
        # An order to end is carried out, also when the one who gave it is cancelled meanwhile.
        with anyio.CancelScope(shield=True):
            async with self._ending_lock:
                ending = self._tree_ending()
                if await self._look_for_end(ticked=True) is None:
                    await ending.end_engine()
                named = await ending.end_survivors() if survivors else []
                if await self._look_for_end(ticked=True) is None:
                    ending.end_holder()
                found = self._exit or RunExit(reason=self._end_reason)
                found = msgspec.structs.replace(found, ended=(*found.ended, *named))
                self._exit = found
            await self._collect_holder()
        if self._owner is not None:
            self._owner.release()
        return found

    def _tree_ending(self) -> TreeEnding:
        frame, facts = self._frame, self._directory.process_facts()
        scanner = frame.services().scanner
        return TreeEnding(facts, frame.mark, scanner, self._ended_within, frame.patience)

    async def _ended_within(self, limit_s: float) -> bool:
        watcher = self._frame.services().watcher
        with anyio.move_on_after(limit_s), watcher.watch(self.directory) as watch:
            while await self._look_for_end(ticked=True) is None:
                await watcher.wait(watch)
        return self._exit is not None

    async def _look_for_end(self, *, ticked: bool) -> RunExit | None:
        if self._exit is None:
            try:
                found = self._directory.exit()
                if found is None and ticked and await self._is_lost():
                    # The holder may have written it down between the two looks.
                    found = self._directory.exit() or RunExit(reason=self._why_unknown(), lost=True)
            except OSError:  # short of descriptors: nothing is known now, look again later
                return None
            if found and self._exit is None:
                reason = self._end_reason or found.reason
                self._exit = msgspec.structs.replace(found, reason=reason)
                _log.debug(
                    "run.ended",
                    run=self.run_id,
                    code=found.code,
                    signal=found.signal,
                    ended=len(found.ended),
                )
        return self._exit

    async def _is_lost(self) -> bool:
        """Tell whether nobody is left who could write down the end, nor an engine to end."""
        facts = self._directory.process_facts()
        if facts.holder and is_alive(*facts.holder):
            return False
        self._frame.reap()
        if facts.engine:
            return not is_alive(*facts.engine)
        # The holder died before it could write down whom it started.
        table = await self._frame.services().scanner.look()
        return not table.marked(self._frame.mark)

    def _why_unknown(self) -> str | None:
        """Say why nobody could write down the end, when the disk tells."""
        if not self.directory.exists():
            return None
        free_mb = shutil.disk_usage(self.directory).free // _MB
        if free_mb >= self._frame.min_free_mb:
            return None
        return tr(
            "how the run ended could not be written down, and only {free} MB are free where "
            "{folder} is; free some space, then try again",
            free=free_mb,
            folder=self.directory,
        )

    async def _check_size(self) -> None:
        if self._exit is not None or self._end_reason is not None:
            return
        if self._directory.written_bytes() > self._frame.max_run_mb * _MB:
            self._end_reason = tr(
                "the run wrote more than {most} MB and was ended; its output so far is in {folder}",
                most=self._frame.max_run_mb,
                folder=self.directory,
            )
            await self.cancel()

    def _wake_holder(self) -> None:
        holder = self._directory.process_facts().holder
        if holder is not None:
            send_signal(*holder, signal.SIGUSR1)

    async def _collect_holder(self) -> None:
        """Reap the holder, which ends right after it wrote down the end."""
        with anyio.move_on_after(_COLLECT_S):
            # No file tells when it is gone, and a descriptor for each would cost more.
            while not self._frame.reap() and not self._keep_background:  # noqa: ASYNC110
                await anyio.sleep(_COLLECT_STEP_S)
