"""End what an earlier takopi left behind: at start, and only what nobody can want any more.

A process is ended if its mark carries the id of this folder, its run directory exists, no takopi
has the run (`owner`), and a healthy journal says that every turn of the run is final. Two kinds
are left alone beside: processes that the run was asked to leave (`keep_background`), and a run in
whose tree this takopi itself works, because an agent started it.
"""

import os
from collections.abc import Callable
from typing import NamedTuple

import anyio

from takopi.errors import AccessError
from takopi.file_lock import FileLock
from takopi.logging import get_logger
from takopi.process.host import LocalRunHost
from takopi.process.run_directory import RunDirectory
from takopi.process.run_views import is_real_directory
from takopi.process.tree import ProcessTable, commands
from takopi.run_host import is_run_id

__all__ = ["Swept", "sweep"]

_log = get_logger(__name__)


class Swept(NamedTuple):
    """Name what was ended of one run: the command lines of the roots."""

    run_id: str
    commands: tuple[str, ...]


async def sweep(
    host: LocalRunHost, is_final: Callable[[str], bool], *, healthy: bool
) -> tuple[Swept, ...]:
    """End what is left of runs that are over.

    Args:
        host: Owns the run directories.
        is_final: Tells, by the journal, that a run has turns and that all of them are final.
        healthy: Whether the journal is whole; nothing is ended otherwise.
    """
    if not healthy:
        return ()
    table = await host.look_at_processes()
    ended: list[Swept] = []

    async def end(directory: RunDirectory) -> None:
        names = await _end(host, directory, table)
        if names is not None:
            _log.info("run.swept", run=directory.run_id, commands=names)
            ended.append(Swept(directory.run_id, names))

    async with anyio.create_task_group() as tasks:  # one that is deaf must not hold up a start
        for run_id in _marked_runs(host, table):
            directory = RunDirectory(host.runs_dir / run_id)
            if _is_over(directory, table, host.mark(run_id)) and is_final(run_id):
                tasks.start_soon(end, directory)
    return tuple(sorted(ended))


def _marked_runs(host: LocalRunHost, table: ProcessTable) -> set[str]:
    marks = (mark.partition("/") for mark in table.marks())
    return {run for home, _, run in marks if home == host.home_id and is_run_id(run)}


def _is_over(directory: RunDirectory, table: ProcessTable, mark: str) -> bool:
    if not is_real_directory(directory.path) or table.is_around(os.getpid(), mark):
        return False
    if not directory.plan().get("keep_background"):
        return True
    try:
        return directory.exit() is None
    except OSError:  # short of descriptors: nothing is known
        return False


async def _end(
    host: LocalRunHost, directory: RunDirectory, table: ProcessTable
) -> tuple[str, ...] | None:
    """End a run's processes and name them; None when somebody has the run."""
    owner = FileLock(directory.owner)
    try:
        if not owner.acquire():
            return None
    except AccessError as error:
        _log.warning("run.not_swept", run=directory.run_id, error=str(error))
        return None
    try:
        holder = directory.process_facts().holder
        left = [one for one in table.marked(host.mark(directory.run_id)) if one != holder]
        names = commands(table.roots(left))
        run = host.attach(directory.run_id)
        if run is None:  # no holder had claimed it, and none will
            return None
        await run.cancel()
        return tuple(names)
    finally:
        owner.release()
