"""Start engines: make the run directory, start the holder, hear that the engine runs."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import msgspec
from anyio.lowlevel import RunVar

from takopi.errors import AccessError, EngineError, EngineMissing, RunFailed, WorkDirMissing
from takopi.file_lock import FileLock
from takopi.logging import get_logger
from takopi.model import ResumeToken
from takopi.process import refusals
from takopi.process.ending import Patience
from takopi.process.follow import ChangeWatcher, Notifier, open_inotify, warm_up
from takopi.process.home import home_id, private_directory
from takopi.process.run import LocalRun, LoopServices, RunFrame
from takopi.process.run_directory import RunDirectory, new_run_id
from takopi.process.run_views import is_running
from takopi.process.session_index import SessionIndex
from takopi.process.tree import MARK, ProcessTable, Scanner
from takopi.run_host import RunSpec, is_run_id
from takopi.settings import home_directory

__all__ = ["HostLimits", "LocalRunHost", "home_host"]

_log = get_logger(__name__)

_HOLDER = Path(__file__).with_name("holder.py")
_READY_S = 30.0
_MB = 1_000_000
_HOLDERS: set[int] = set()
"""Children of this process that are not reaped; a changed configuration gets a host of its own."""


class HostLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Say what a host allows.

    Args:
        max_run_mb: Output that one run may write, in MB; beyond it the run is ended.
        min_free_mb: Free space below which no run starts, in MB.
        patience: How long the steps of an ending may take.
    """

    max_run_mb: int = 1024
    min_free_mb: int = 500
    patience: Patience = Patience()


class LocalRunHost:
    """Own runs as directories below one folder.

    Args:
        runs_dir: The folder; made (0700) if it is not there.
        home_id: Random id of takopi's home, part of the mark on every process.
        limits: What is allowed.
        holder_command: How a holder is started; the run directory is added.
        open_notifier: Opens an inotify instance; raises OSError where there is none.

    Raises:
        AccessError: The folder is writable by others.
    """

    def __init__(
        self,
        runs_dir: Path,
        home_id: str,
        *,
        limits: HostLimits | None = None,
        holder_command: tuple[str, ...] = (sys.executable, "-I", "-S", str(_HOLDER)),
        open_notifier: Callable[[], Notifier] = open_inotify,
    ) -> None:
        self._runs_dir = private_directory(runs_dir)
        self._home_id = home_id
        self._limits = limits or HostLimits()
        self._holder_command = holder_command
        self._open_notifier = open_notifier
        self._services: RunVar[LoopServices] = RunVar("takopi-loop-services")
        self.sessions = SessionIndex(self._runs_dir)
        """Where sessions were started."""

    @property
    def runs_dir(self) -> Path:
        """Give the folder of the runs."""
        return self._runs_dir

    @property
    def home_id(self) -> str:
        """Give the id that the mark of every process begins with."""
        return self._home_id

    async def start(self, spec: RunSpec) -> LocalRun:
        """Start an engine in a run directory of its own.

        Raises:
            EngineMissing: The program is not on the PATH of `spec.env`.
            WorkDirMissing: `spec.cwd` is not a directory.
            RunIdTaken: There is a run with the id of `spec` already.
            RunFailed: The directory could not be made or the holder did not start.
            AccessError: The folder of the runs is writable by others.
        """
        self._reap_all()
        program = self._check(spec)
        if self._services.get(None) is None:
            await warm_up(self._open_notifier)
        # In a thread, one after the other: two hundred starts must not hold up the event loop.
        limiter = self._loop_services().starting
        directory, owner, holder, ready = await anyio.to_thread.run_sync(
            self._launch, spec, program, limiter=limiter
        )
        run = LocalRun(directory, self._frame(directory.run_id, holder), owner)
        try:
            answer = await self._hear(ready)
        except BaseException:
            # Whoever wanted the run has left: it must not start, or it must end.
            with anyio.CancelScope(shield=True):
                if not directory.take_claim():
                    await self._hear(ready)
                    await run.cancel()
            raise
        finally:
            os.close(ready)
        if answer.get("ok"):
            _log.debug("run.started", run=run.run_id, engine=spec.engine, program=program)
            return run
        if answer.get("error") == "exec":
            raise _refusal(spec, program, answer)
        # A holder that is only slow must not start the engine after this.
        if not directory.take_claim():
            await run.cancel()
        said = directory.tail(directory.holder_log, 2000).strip().splitlines()
        raise refusals.holder_silent(spec.engine, said, directory.path)

    def attach(self, run_id: str) -> LocalRun | None:
        """Return a run that was started earlier, maybe by a takopi that is gone.

        None when its engine never started and never will: the claim was free, and is taken now.

        Raises:
            RunFailed: The disk refused the claim, so it is not known whether the engine starts.
        """
        if not is_run_id(run_id):
            return None
        directory = RunDirectory(self._runs_dir / run_id)
        try:
            never_started = directory.take_claim()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise refusals.not_looked_into(directory.path, error) from error
        if never_started:
            return None
        owner = FileLock(directory.owner)
        try:
            owner.acquire()  # in vain while another takopi has it
        except AccessError as error:  # the disk is full, say: the run goes on all the same
            _log.warning("run.not_owned", run=run_id, error=str(error))
        return LocalRun(directory, self._frame(run_id, None), owner)

    def is_running(self, directory: Path) -> bool:
        """Tell whether the engine of a run directory, also of another folder's, may still work."""
        return is_running(RunDirectory(directory))

    def session_cwd(self, token: ResumeToken) -> Path | None:
        """Return the directory in which a session was started, when a run directory knows it."""
        return self.sessions.cwd_of(token)

    def mark(self, run_id: str) -> str:
        """Return what every process of a run has as `TAKOPI_RUN_ID`."""
        return f"{self._home_id}/{run_id}"

    async def look_at_processes(self) -> ProcessTable:
        """Return the processes of a moment after this call."""
        return await self._loop_services().scanner.look()

    def _check(self, spec: RunSpec) -> str:
        if not _is_directory(spec.cwd):
            raise WorkDirMissing(spec.cwd)
        words = (*spec.argv, *spec.env.keys(), *spec.env.values())
        if any("\0" in word for word in words):
            raise refusals.has_nul(spec.engine)
        if spec.run_id is not None and not is_run_id(spec.run_id):
            raise RunFailed(
                f"{spec.run_id!r} cannot name a run: letters, digits, `-` and `_` can, at most 100"
            )
        program = _find_program(spec)
        if program is None:
            raise EngineMissing(spec.engine, spec.argv[0], spec.install_cmd)
        private_directory(self._runs_dir)
        free_mb = shutil.disk_usage(self._runs_dir).free // _MB
        if free_mb < self._limits.min_free_mb:
            raise refusals.disk_full(free_mb, self._limits.min_free_mb, self._runs_dir)
        return program

    def _launch(self, spec: RunSpec, program: str) -> tuple[RunDirectory, FileLock, int, int]:
        """Make the run directory, own it, start the holder; return the pipe it speaks on, too."""
        directory = RunDirectory(self._runs_dir / (spec.run_id or new_run_id()))
        try:
            directory.create(spec, program)
        except FileExistsError:
            raise refusals.run_taken(directory.path) from None
        except OSError as error:
            raise refusals.not_made(directory.path, error) from error
        owner = FileLock(directory.owner)
        owner.acquire()
        if spec.on_directory is not None:
            spec.on_directory(directory.path)
        env = {
            **spec.env,
            "PWD": str(spec.cwd),
            MARK: self.mark(directory.run_id),
        }
        try:
            ready, holder_end = os.pipe()
        except OSError as error:
            raise refusals.no_holder(spec.engine, error, directory.path) from error
        try:
            with directory.holder_log.open("ab") as log:
                holder = subprocess.Popen(
                    [*self._holder_command, str(directory.path)],
                    stdin=subprocess.DEVNULL,
                    stdout=holder_end,
                    stderr=log,
                    cwd=directory.path,
                    env=env,
                    start_new_session=True,
                )
        except (OSError, ValueError) as error:
            os.close(ready)
            python = self._holder_command[0]
            raise refusals.holder_failed(spec.engine, error, python, directory.path) from error
        finally:
            os.close(holder_end)
        # It outlives this object and is reaped by pid; Popen would complain about that.
        holder.returncode = 0
        _HOLDERS.add(holder.pid)
        return directory, owner, holder.pid, ready

    async def _hear(self, ready: int) -> dict[str, Any]:
        """Return what the holder says once the engine runs or cannot; empty when it broke."""
        said = b""
        with anyio.move_on_after(_READY_S):
            while not said.endswith(b"\n"):
                await anyio.wait_readable(ready)
                piece = os.read(ready, 4096)
                if not piece:
                    break
                said += piece
        try:
            answer = msgspec.json.decode(said)
        except msgspec.DecodeError:
            return {}
        return answer if isinstance(answer, dict) else {}

    def _frame(self, run_id: str, holder: int | None) -> RunFrame:
        def reap() -> bool:
            return self._reap(holder or self._earlier_holder(run_id))

        return RunFrame(
            mark=self.mark(run_id),
            services=self._loop_services,
            reap=reap,
            max_run_mb=self._limits.max_run_mb,
            min_free_mb=self._limits.min_free_mb,
            patience=self._limits.patience,
        )

    def _loop_services(self) -> LoopServices:
        services = self._services.get(None)
        if services is None:
            watcher = ChangeWatcher(self._open_notifier)
            services = LoopServices(watcher, Scanner(), anyio.CapacityLimiter(1))
            self._services.set(services)
        return services

    def _reap_all(self) -> None:
        for holder in tuple(_HOLDERS):
            self._reap(holder)

    def _earlier_holder(self, run_id: str) -> int | None:
        """Find the holder of a run that was attached: an earlier host may have started it."""
        facts = RunDirectory(self._runs_dir / run_id).process_facts().holder if _HOLDERS else None
        return None if facts is None else facts[0]

    def _reap(self, holder: int | None) -> bool:
        """Reap a holder that ended; tell whether none is left to reap."""
        if holder is not None and holder in _HOLDERS:
            try:
                reaped, _ = os.waitpid(holder, os.WNOHANG)
            except ChildProcessError:
                reaped = holder
            if reaped:
                _HOLDERS.discard(holder)
        return holder not in _HOLDERS


def _is_directory(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - False also where Path would raise PermissionError


def _refusal(spec: RunSpec, program: str, answer: dict[str, Any]) -> EngineError:
    """Return why the engine could not be started, in words for the person."""
    if not _is_directory(spec.cwd):
        return WorkDirMissing(spec.cwd)
    if answer.get("errno") == errno.ENOENT and not Path(program).exists():
        return EngineMissing(spec.engine, spec.argv[0], spec.install_cmd)
    return refusals.not_started(spec.engine, program, spec.cwd, answer.get("text"))


def _find_program(spec: RunSpec) -> str | None:
    """Return the absolute path of the executable, seen from the working directory."""
    name = spec.argv[0]
    if "/" in name:
        return shutil.which(str(spec.cwd / name))
    entries = spec.env.get("PATH", os.defpath).split(os.pathsep)
    return shutil.which(name, path=os.pathsep.join(str(spec.cwd / entry) for entry in entries))


def home_host() -> LocalRunHost:
    """Return the host of the home that the environment names, one for each home."""
    return _host_of(home_directory())


@cache
def _host_of(home: Path) -> LocalRunHost:
    return LocalRunHost(private_directory(home) / "runs", home_id(home))
