"""What a runner needs of whoever owns processes: start, follow, end.

`process.LocalRunHost` is the real one: each run is a directory owned by a holder process, its
output is a file, and following means reading that file. Tests may bring another.
"""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from takopi.model import EngineId, ResumeToken

__all__ = ["Run", "RunExit", "RunHost", "RunSpec", "is_run_id"]

# No dot: nothing that starts with one, no `..`, and names beside runs may carry one.
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def is_run_id(name: str) -> bool:
    """Tell whether a run directory may have this name: letters, digits, `-` and `_`, up to 100."""
    return _RUN_ID.fullmatch(name) is not None


class RunSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Say what to start.

    Args:
        engine: Id of the engine.
        argv: Program and arguments; never goes through a shell.
        cwd: Absolute working directory; `PWD` is set to it as well.
        env: The whole environment of the engine; the host adds `TAKOPI_RUN_ID` and `PWD`.
        stdin: What the engine reads on its standard input, then end of file.
        two_way: Keep the standard input open for more; `stdin` is only what it reads first.
        piped: Give `stdin` by a pipe, for a program that reads nothing from a file.
        install_cmd: Shown when the program is missing.
        keep_background: Leave processes that outlive a normal end alone.
        record: JSON-ready facts for `run.json` (prompt, engine config, scope, message ids).
        run_id: Name for the run directory, as `is_run_id` wants it; None lets the host choose one.
        on_directory: Told the run directory, maybe in another thread, before anything is started.
    """

    engine: EngineId
    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    stdin: bytes = b""
    two_way: bool = False
    piped: bool = False
    install_cmd: str | None = None
    keep_background: bool = False
    record: Mapping[str, Any] = {}
    run_id: str | None = None
    on_directory: Callable[[Path], None] | None = None


class RunExit(msgspec.Struct, frozen=True, kw_only=True):
    """Say how an engine process ended.

    Args:
        code: Exit status, or None after a signal or when nobody saw the end.
        signal: Number of the signal that ended it, or None.
        ended: Command lines of background processes that outlived the engine and were ended.
        reason: Why the host ended the run by itself (too much output), why it never started, or why
            the end is not known (a full disk); None when there is nothing to say.
        lost: Nobody saw the end: the holder is gone, by a crash or a reboot.
    """

    code: int | None = None
    signal: int | None = None
    ended: tuple[str, ...] = ()
    reason: str | None = None
    lost: bool = False

    @property
    def returncode(self) -> int | None:
        """Give the status as `subprocess` does: negative for a signal, None for unknown."""
        return -self.signal if self.signal is not None else self.code


class Run(Protocol):
    """Be one started engine process."""

    @property
    def run_id(self) -> str:
        """Give the id, which is the name of the run directory."""
        ...

    @property
    def directory(self) -> Path:
        """Give the run directory."""
        ...

    @property
    def record(self) -> Mapping[str, Any]:
        """Give `RunSpec.record` as it was written down; empty when it cannot be read."""
        ...

    def follow(self) -> AsyncIterator[bytes]:
        """Yield chunks of standard output from the start until the engine has ended.

        The last chunk comes after the exit is known, so nothing written before it is missed.
        """
        ...

    async def wait(self) -> RunExit:
        """Wait until the engine has ended and `exit.json` tells how."""
        ...

    def stderr_tail(self, limit_bytes: int = 8192) -> str:
        """Return the end of standard error, decoded with replacement."""
        ...

    def note_session(self, token: ResumeToken) -> None:
        """Write down which session this run serves, for finding its directory later."""
        ...

    def send(self, text: str) -> None:
        """Hand text to the standard input of a two-way run; the engine gets it when it reads."""
        ...

    def close_input(self) -> None:
        """End the standard input of a two-way run."""
        ...

    async def settle(self, grace_s: float) -> RunExit:
        """Wait for a normal end for `grace_s` seconds, then end what is left.

        Processes that outlived the engine are ended too and named in the result.
        """
        ...

    async def cancel(self) -> RunExit:
        """End the engine and everything it started: SIGINT, SIGTERM, SIGKILL, survivors by pid."""
        ...


class RunHost(Protocol):
    """Own the processes of engines."""

    async def start(self, spec: RunSpec) -> Run:
        """Start an engine in a run directory of its own.

        Raises:
            EngineMissing: The program is not on the PATH of `spec.env`.
            WorkDirMissing: `spec.cwd` is not a directory.
            RunIdTaken: There is a run with the id of `spec` already.
            RunFailed: The directory could not be made or the holder did not start.
        """
        ...

    def attach(self, run_id: str) -> Run | None:
        """Return a run that an earlier takopi started, ended or not.

        None when its engine never started and never will: there is no such directory, or nobody
        had taken its claim, which this call then takes for good.

        Raises:
            RunFailed: The disk refused the claim, so it is not known whether the engine starts.
        """
        ...

    def is_running(self, directory: Path) -> bool:
        """Tell whether the engine of a run directory, also of another folder's, may still work."""
        ...

    def session_cwd(self, token: ResumeToken) -> Path | None:
        """Return the directory in which a session was started, when a run directory knows it."""
        ...
