"""Look at run directories without touching them: nothing is signalled, claimed or made.

For `takopi ps` and `takopi logs`, and for whoever must know whether another one's run still works.
"""

import stat
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from takopi.model import EngineId, ResumeToken
from takopi.process.identity import is_alive
from takopi.process.run_directory import RunDirectory
from takopi.process.tree import ProcessTable, scan_processes
from takopi.run_host import RunExit, is_run_id

__all__ = [
    "RunState",
    "RunView",
    "is_real_directory",
    "is_running",
    "list_runs",
    "look_at_run",
    "run_names",
]

RunState: TypeAlias = Literal["starting", "running", "ended", "lost"]
"""`starting`: no holder has claimed it, and none will if the takopi that made it is gone.
`lost`: nobody saw how it ended."""


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """Be what a run directory says at one moment.

    Args:
        run_id: Name of the directory.
        directory: The directory; `stdout.jsonl` and `stderr.log` in it may be read and followed.
        state: Where the run is on its way.
        engine: Id of the engine; empty when `run.json` cannot be read.
        cwd: Where the engine works.
        created: When the directory was made, in ISO 8601 with time zone; empty when unknown.
        exit: How it ended.
        ended_at: When it ended, unix seconds.
        session: The session it serves, once that is known.
        pid: Process id of the engine while it lives.
        output_bytes: What the engine wrote on standard output and standard error.
        record: What the caller wrote down; `turn_record` is the turn.
    """

    run_id: str
    directory: Path
    state: RunState
    engine: EngineId = ""
    cwd: str = ""
    created: str = ""
    exit: RunExit | None = None
    ended_at: float | None = None
    session: ResumeToken | None = None
    pid: int | None = None
    output_bytes: int = 0
    record: Mapping[str, Any] = {}

    @property
    def stdout(self) -> Path:
        """Give the file of the engine's output."""
        return self.directory / "stdout.jsonl"

    @property
    def stderr(self) -> Path:
        """Give the file of what the engine said beside."""
        return self.directory / "stderr.log"


def list_runs(runs_dir: Path) -> Iterator[RunView]:
    """Yield the runs of a folder, the newest first."""
    scan = cache(scan_processes)  # at most once, and only when a run is in doubt
    for name in run_names(runs_dir):
        yield _view(RunDirectory(runs_dir / name), scan)


def look_at_run(runs_dir: Path, run_id: str) -> RunView | None:
    """Return one run; None when there is no such directory."""
    directory = runs_dir / run_id
    if not (is_run_id(run_id) and is_real_directory(directory)):
        return None
    return _view(RunDirectory(directory), scan_processes)


def run_names(runs_dir: Path) -> list[str]:
    """Return the names of the run directories in a folder, the newest first.

    Links and names that no run can have are left out, and so is what has no `run.json`.
    """
    found = []
    try:
        paths = list(runs_dir.iterdir())
    except OSError:
        return []
    for path in paths:
        if is_run_id(path.name) and is_real_directory(path):
            try:
                made = (path / "run.json").stat().st_mtime_ns
            except OSError:
                continue
            found.append((made, path.name))
    return [name for _, name in sorted(found, reverse=True)]


def is_running(directory: RunDirectory, scan: Callable[[], ProcessTable] = scan_processes) -> bool:
    """Tell whether the engine of a directory, of any folder, may still work.

    True also when this program is too short of descriptors to know.
    """
    try:
        if directory.exit() is not None or not directory.path.is_dir():
            return False
        facts = directory.process_facts()
        if any(one and is_alive(*one) for one in (facts.holder, facts.engine)):
            return True
    except OSError:
        return True
    if facts.engine is not None:
        return False
    # A holder that has not written down yet who it is, or was killed before it could.
    return any(mark.endswith(f"/{directory.run_id}") for mark in scan().marks())


def _view(directory: RunDirectory, scan: Callable[[], ProcessTable]) -> RunView:
    plan = directory.plan()
    facts = directory.process_facts()
    note = directory.session()
    record = plan.get("record")
    running = is_running(directory, scan)
    found = directory.exit()  # after the look at the processes: nobody is lost by ending meanwhile
    if found is not None:
        state: RunState = "ended"
    elif not (directory.path / "claim").exists():
        state = "starting"
    else:
        state = "running" if running else "lost"
    alive = facts.engine is not None and is_alive(*facts.engine)
    return RunView(
        run_id=directory.run_id,
        directory=directory.path,
        state=state,
        engine=str(plan.get("engine", "")),
        cwd=str(plan.get("cwd", "")),
        created=str(plan.get("created", "")),
        exit=found,
        ended_at=_mtime(directory.path / "exit.json") if found else None,
        session=ResumeToken(note.engine, note.value) if note else None,
        pid=facts.pid if alive else None,
        output_bytes=directory.written_bytes(),
        record=record if isinstance(record, dict) else {},
    )


def is_real_directory(path: Path) -> bool:
    """Tell whether a path is a directory and no link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _mtime(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:
        return None
