"""Delete run directories that nobody needs: too old, or too much together.

Nothing else is ever deleted: no link, no file beside the run directories, no directory whose name
no run can have or that looks like none. A run directory is renamed before it is emptied, so that
one which a crash left half deleted is no run any more, and is finished the next time.
"""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import anyio
import anyio.to_thread

from takopi.core.run_keeping import Keeping, StoredRun, runs_to_delete
from takopi.errors import AccessError
from takopi.file_lock import FileLock
from takopi.logging import get_logger
from takopi.process.host import LocalRunHost
from takopi.process.run_directory import RunDirectory
from takopi.process.run_views import is_real_directory, is_running
from takopi.process.tree import ProcessTable
from takopi.run_host import is_run_id

__all__ = ["Keeping", "delete_old_runs"]

_log = get_logger(__name__)

_DOOMED = ".deleting-"


async def delete_old_runs(
    host: LocalRunHost, keeping: Keeping, is_needed: Callable[[str], bool], now: float
) -> tuple[str, ...]:
    """Delete run directories and return their names, the oldest first.

    Args:
        host: Owns the run directories.
        keeping: What is kept.
        is_needed: Tells that the journal still wants a run: one of its turns is not final, or a
            final is not accepted. Runs that no turn belongs to are a terminal's; they are not.
        now: The present, in unix seconds.
    """
    await anyio.to_thread.run_sync(_finish_deleting, host.runs_dir)
    table = await host.look_at_processes()
    stored = await anyio.to_thread.run_sync(_stored, host, table)
    judged = [run._replace(free=run.free and not is_needed(run.run_id)) for run in stored]
    doomed = [RunDirectory(host.runs_dir / name) for name in runs_to_delete(judged, keeping, now)]
    if not doomed or not await anyio.to_thread.run_sync(_keep_sessions, host, doomed):
        return ()
    # One by one: a takopi that stops does not wait for all of them.
    deleted = [one.run_id for one in doomed if await anyio.to_thread.run_sync(_delete, one)]
    _log.info("runs.deleted", count=len(deleted))
    return tuple(deleted)


def _finish_deleting(runs_dir: Path) -> None:
    """Delete what a crash left half deleted."""
    for path in _entries(runs_dir):
        name = path.name
        mine = name.startswith(_DOOMED) and is_run_id(name.removeprefix(_DOOMED))
        if mine and is_real_directory(path):
            _empty(path)


def _stored(host: LocalRunHost, table: ProcessTable) -> list[StoredRun]:
    """Weigh all run directories, and tell which ones no process uses."""
    found = []
    for path in _entries(host.runs_dir):
        directory = RunDirectory(path)
        if is_run_id(path.name) and is_real_directory(path) and directory.is_genuine():
            changed_at, size = _weigh(path)
            free = not table.marked(host.mark(path.name)) and not is_running(
                directory, lambda: table
            )
            found.append(StoredRun(path.name, changed_at, size, free))
    return found


def _weigh(directory: Path) -> tuple[float, int]:
    """Return when a run directory changed last, and its size."""
    changed_at, size = 0.0, 0
    for path in (directory, *_entries(directory)):
        try:
            status = path.lstat()
        except OSError:  # gone meanwhile
            continue
        changed_at = max(changed_at, status.st_mtime)
        size += status.st_size
    return changed_at, size


def _keep_sessions(host: LocalRunHost, doomed: Sequence[RunDirectory]) -> bool:
    notes = (directory.session() for directory in doomed)
    try:
        host.sessions.keep(note for note in notes if note is not None)
    except OSError as error:  # without it sessions could not resume where they live
        _log.warning("runs.not_deleted", error=str(error))
        return False
    return True


def _delete(directory: RunDirectory) -> bool:
    owner = FileLock(directory.owner)
    try:
        if not owner.acquire():
            return False  # a terminal has it
        path = directory.path
        doomed = path.with_name(_DOOMED + path.name)
        path.rename(doomed)
    except (OSError, AccessError) as error:
        _log.warning("run.not_deleted", run=directory.run_id, error=str(error))
        return False
    finally:
        owner.release()
    _empty(doomed)
    return True


def _empty(path: Path) -> None:
    try:
        shutil.rmtree(path)
    except OSError as error:  # the next time again
        _log.warning("run.not_deleted", run=path.name, error=str(error))


def _entries(folder: Path) -> list[Path]:
    try:
        return [folder / name for name in sorted(os.listdir(folder))]  # noqa: PTH208 - sorts names
    except OSError:
        return []
