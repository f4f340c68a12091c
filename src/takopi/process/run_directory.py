"""The files of one run: who writes them, and how they are read.

run.json      takopi   what was started: engine, argv, cwd, version, the caller's record
stdin         takopi   one-shot runs: the whole input
stdin.jsonl   takopi   two-way runs: records, fed by the holder
session.json  takopi   the session that the run serves, once it is known
claim         holder   made with O_EXCL; takopi makes it to keep a holder from starting
process.json  holder   identities of holder and engine
stdout.jsonl  engine   its output, line by line
stderr.log    engine   what it says beside
exit.json     holder   how it ended
owner         takopi   locked as long as a takopi has the run
holder.log    holder   empty, unless the holder itself broke
"""

import json
import os
import secrets
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from takopi import __version__
from takopi.core.texts import tr
from takopi.process.frugal import write_atomically
from takopi.process.identity import boot_id, read_file
from takopi.run_host import RunExit, RunSpec

# A draft of a file has more at its end.
_FILES = (
    "claim",
    "exit.json",
    "holder.log",
    "owner",
    "process.json",
    "run.json",
    "session.json",
    "stderr.log",
    "stdin",
    "stdout.jsonl",
)

__all__ = ["Identity", "ProcessFacts", "RunDirectory", "SessionNote", "new_run_id"]


class Identity(NamedTuple):
    """Name one process of this boot."""

    pid: int
    start: str


class ProcessFacts(msgspec.Struct, frozen=True):
    """Be `process.json`.

    Args:
        boot: The boot that the pids belong to; another boot means that they are all gone.
        subreaper: Orphans of the engine's tree stay below the holder.
    """

    boot: str = ""
    holder_pid: int | None = None
    holder_start: str | None = None
    pid: int | None = None
    start: str | None = None
    subreaper: bool = False

    @property
    def holder(self) -> Identity | None:
        """Name the holder; None when it cannot be named for sure."""
        return _identity(self.boot, self.holder_pid, self.holder_start)

    @property
    def engine(self) -> Identity | None:
        """Name the engine; None before it started and when it cannot be named for sure."""
        return _identity(self.boot, self.pid, self.start)


class SessionNote(msgspec.Struct, frozen=True):
    """Be `session.json`: a session, and the directory in which it lives."""

    engine: str
    value: str
    cwd: str


class _Failure(msgspec.Struct, frozen=True):
    text: str | None = None


class _ExitFacts(msgspec.Struct, frozen=True):
    code: int | None = None
    signal: int | None = None
    ended: tuple[str, ...] = ()
    failure: _Failure | None = None


@cache
def _this_boot() -> str:
    return boot_id()


def _identity(boot: str, pid: int | None, start: str | None) -> Identity | None:
    if pid is None or start is None or boot != _this_boot():
        return None
    return Identity(pid, start)


def new_run_id(moment: datetime | None = None) -> str:
    """Return an id that sorts by time and that nobody else makes."""
    moment = moment or datetime.now(UTC)
    return f"{moment.astimezone(UTC):%Y%m%d-%H%M%S-%f}-{secrets.token_hex(4)}"


class RunDirectory:
    """Be the directory of one run.

    Args:
        path: The directory; its name is the run's id.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stdout = path / "stdout.jsonl"
        self.stderr = path / "stderr.log"
        self.stdin_records = path / "stdin.jsonl"
        self.holder_log = path / "holder.log"
        self.owner = path / "owner"
        self._facts: ProcessFacts | None = None

    @property
    def run_id(self) -> str:
        """Give the run's id."""
        return self.path.name

    def create(self, spec: RunSpec, program: str) -> None:
        """Make the directory and what the holder needs to start.

        Args:
            program: Absolute path of the executable.

        Raises:
            OSError: The disk refused.
        """
        self.path.mkdir(mode=0o700)
        plan = {
            "version": 1,
            "takopi": __version__,
            "created": datetime.now(UTC).isoformat(),
            "engine": spec.engine,
            "program": program,
            "argv": list(spec.argv),
            "cwd": str(spec.cwd),
            "two_way": spec.two_way or spec.piped,
            "keep_background": spec.keep_background,
            # Names only: no secret is written down.
            "env": sorted({*spec.env, "PWD", "TAKOPI_RUN_ID"}),
            "record": dict(spec.record),
        }
        # The package json, not msgspec: an argument may hold bytes that are no UTF-8.
        self._write("run.json", json.dumps(plan).encode() + b"\n")
        if not (spec.two_way or spec.piped):
            self._write("stdin", spec.stdin)
        elif spec.stdin:
            self.append_input(spec.stdin.decode(errors="replace"), 0)
        if spec.piped and not spec.two_way:
            self.append_input(None, 0)  # now, as takopi may be gone when the engine has read it
        for name in ("stdout.jsonl", "stderr.log", "holder.log"):
            self._write(name, b"")

    def plan(self) -> dict[str, Any]:
        """Return `run.json`; empty when it cannot be read."""
        try:
            plan = json.loads((self.path / "run.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return plan if isinstance(plan, dict) else {}

    def is_genuine(self) -> bool:
        """Tell a run directory, also one that a crash left unfinished, from a foreign one."""
        if self.plan():
            return True
        try:
            names = os.listdir(self.path)  # noqa: PTH208 - names are wanted
        except OSError:
            return False
        return bool(names) and all(name.startswith(_FILES) for name in names)

    def take_claim(self) -> bool:
        """Keep every holder from starting here; False when one was first."""
        try:
            self._write("claim", b"", os.O_EXCL)
        except FileExistsError:
            return False
        return True

    def append_input(self, text: str | None, offset: int) -> None:
        """Add a record for the engine's input; None ends the input.

        Args:
            offset: How much of the engine's output had been read, in bytes.
        """
        record = {"eof": True} if text is None else {"offset": offset, "data": text}
        # The newline comes first, too: it closes a record that a crash left unfinished.
        self._write("stdin.jsonl", f"\n{json.dumps(record)}\n".encode(), os.O_APPEND)

    def process_facts(self) -> ProcessFacts:
        """Return `process.json`; all unknown while it is not there or not readable."""
        if self._facts is None or self._facts.pid is None:
            self._facts = self._read("process.json", ProcessFacts)
        return self._facts or ProcessFacts()

    def exit(self) -> RunExit | None:
        """Return how the run ended; None while `exit.json` is not there.

        Raises:
            OSError: This program is short of descriptors or memory.
        """
        content = read_file(str(self.path / "exit.json"))
        if not content:
            return None
        try:
            facts = msgspec.json.decode(content, type=_ExitFacts)
        except msgspec.DecodeError:
            return RunExit(lost=True)
        reason = None
        if facts.failure is not None:
            reason = tr("the program could not be started: {why}", why=facts.failure.text)
        return RunExit(code=facts.code, signal=facts.signal, ended=facts.ended, reason=reason)

    def write_session(self, note: SessionNote) -> None:
        """Write down the session that this run serves."""
        write_atomically(str(self.path / "session.json"), msgspec.structs.asdict(note))

    def session(self) -> SessionNote | None:
        """Return the session that this run serves; None while that is not known."""
        note: SessionNote | None = self._read("session.json", SessionNote)
        return note

    def session_noted_at(self) -> int:
        """Return when the session was written down, in nanoseconds; 0 when it was not."""
        try:
            return (self.path / "session.json").stat().st_mtime_ns
        except OSError:
            return 0

    def written_bytes(self) -> int:
        """Return how much the engine wrote; what was removed counts as nothing."""
        total = 0
        for path in (self.stdout, self.stderr):
            with suppress(OSError):
                total += path.stat().st_size
        return total

    def tail(self, path: Path, limit_bytes: int) -> str:
        """Return the end of one of the files, decoded with replacement."""
        try:
            with path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - limit_bytes))
                content = file.read()
        except OSError:
            return ""
        if size > limit_bytes:
            # The cut may go through a character; its rest would show as rubbish.
            content = content.lstrip(bytes(range(0x80, 0xC0)))
        return content.decode(errors="replace")

    def _read(self, name: str, kind: type[Any]) -> Any:
        try:
            return msgspec.json.decode(read_file(str(self.path / name)), type=kind)
        except msgspec.DecodeError:
            return None

    def _write(self, name: str, content: bytes, flags: int = 0) -> None:
        flags |= os.O_WRONLY | os.O_CREAT
        with open(os.open(self.path / name, flags, 0o600), "wb") as file:
            file.write(content)
