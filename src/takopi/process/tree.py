"""See all processes at one moment, and find those that belong to a run.

Three ways find them, because each alone is blind to something: below the engine (a tool that keeps
its parent), below the holder (what daemonised, with whatever environment), and by `TAKOPI_RUN_ID`
in the environment (what got away from both, or whose holder is gone).
"""

from collections.abc import Iterable, Iterator

import anyio
import anyio.to_thread

from takopi.process.identity import (
    PROC,
    command_line,
    environment_mark,
    has_proc,
    process_ids,
    ps_output,
    stat_fields,
)
from takopi.process.run_directory import Identity

__all__ = ["MARK", "ProcessTable", "Scanner", "commands", "scan_processes"]

MARK = "TAKOPI_RUN_ID"
_START_WORDS = 5  # `ps` prints a start time as in "Sat Nov 21 07:44:00 2026"


class ProcessTable:
    """Be the living processes of one moment.

    Args:
        entries: Identity, parent's pid and mark of each process.
    """

    def __init__(self, entries: Iterable[tuple[Identity, int, str | None]]) -> None:
        self._children: dict[int, list[Identity]] = {}
        self._marked: dict[str, list[Identity]] = {}
        self._parents: dict[Identity, int] = {}
        for identity, parent, mark in entries:
            self._parents[identity] = parent
            self._children.setdefault(parent, []).append(identity)
            if mark:
                self._marked.setdefault(mark, []).append(identity)

    def __contains__(self, identity: Identity) -> bool:
        return identity in self._parents

    def below(self, root: Identity | None) -> Iterator[Identity]:
        """Yield the descendants of a process that lives."""
        todo = list(self._children.get(root.pid, [])) if root in self._parents and root else []
        while todo:
            identity = todo.pop()
            yield identity
            todo += self._children.get(identity.pid, [])

    def marked(self, mark: str) -> list[Identity]:
        """Return the processes that carry a run's mark."""
        return self._marked.get(mark, [])

    def marks(self) -> Iterator[str]:
        """Yield every mark that a living process carries."""
        yield from self._marked

    def is_around(self, pid: int, mark: str) -> bool:
        """Tell whether a process or one above it carries a mark."""
        by_pid = {identity.pid: parent for identity, parent in self._parents.items()}
        marked = {identity.pid for identity in self.marked(mark)}
        seen: set[int] = set()
        while pid in by_pid and pid not in seen:
            if pid in marked:
                return True
            seen.add(pid)
            pid = by_pid[pid]
        return False

    def roots(self, identities: Iterable[Identity]) -> list[Identity]:
        """Return those whose parent is not among them, eldest first."""
        chosen = set(identities)
        pids = {identity.pid for identity in chosen}
        return sorted(one for one in chosen if self._parents.get(one) not in pids)


def scan_processes(proc: str = PROC) -> ProcessTable:
    """Look at all processes now; takes milliseconds, so an event loop asks a `Scanner`."""
    return ProcessTable(_scan_proc(proc) if has_proc(proc) else _scan_ps())


def _scan_proc(proc: str) -> Iterator[tuple[Identity, int, str | None]]:
    for pid in process_ids(proc):
        fields = stat_fields(pid, proc)
        if fields and fields[0]:
            mark = environment_mark(pid, MARK.encode(), proc)
            yield Identity(pid, fields[2]), fields[1], mark


def _scan_ps() -> Iterator[tuple[Identity, int, str | None]]:
    columns = (word for name in ("pid", "ppid", "stat", "lstart") for word in ("-o", f"{name}="))
    for line in ps_output("-A", *columns).splitlines():
        words = line.split()
        if len(words) == 3 + _START_WORDS and not words[2].startswith("Z"):
            identity = Identity(int(words[0]), " ".join(words[3:]))
            yield identity, int(words[1]), _mark_by_psutil(identity.pid)


def _mark_by_psutil(pid: int) -> str | None:
    import psutil  # only where /proc is not

    try:
        return psutil.Process(pid).environ().get(MARK)
    except (psutil.Error, OSError):  # gone, or another user's
        return None


class Scanner:
    """Look at the processes in a thread, once for all who ask at the same time.

    Two hundred runs that are cancelled together need a few looks, not hundreds: whoever asks gets
    a look that began after the question.
    """

    def __init__(self) -> None:
        self._lock = anyio.Lock()
        self._begun = 0
        self._table_number = 0
        self._table = ProcessTable(())

    async def look(self) -> ProcessTable:
        """Return the processes of a moment after this call."""
        asked = self._begun
        async with self._lock:
            if self._table_number <= asked:
                self._begun += 1
                number = self._begun
                table = await anyio.to_thread.run_sync(scan_processes)
                self._table, self._table_number = table, number
            return self._table


def commands(identities: Iterable[Identity]) -> list[str]:
    """Return the command lines of processes, without those that are gone."""
    return [line for one in identities if (line := command_line(one.pid))]
