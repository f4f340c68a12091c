"""Looking at processes: who is below whom, and who carries a mark."""
# ruff: noqa: ASYNC220 (processes and files are what these tests are about)

import os
import subprocess

import anyio
import pytest

from takopi.process.identity import start_time
from takopi.process.run_directory import Identity
from takopi.process.tree import ProcessTable, Scanner, commands, scan_processes


def _identity(pid: int) -> Identity:
    return Identity(pid, f"start-{pid}")


TABLE = ProcessTable(
    [
        (_identity(1), 0, None),
        (_identity(2), 1, None),
        (_identity(3), 2, "home/run"),
        (_identity(4), 3, None),
        (_identity(5), 1, "home/run"),
        (_identity(6), 5, "home/other"),
    ]
)


def test_a_table_knows_descendants_and_marks() -> None:
    """Below a process are its children and theirs; a mark is compared whole."""
    assert set(TABLE.below(_identity(2))) == {_identity(3), _identity(4)}
    assert TABLE.marked("home/run") == [_identity(3), _identity(5)]
    assert TABLE.marked("home") == []


def test_a_process_of_another_identity_has_no_descendants() -> None:
    """A pid that went to somebody else leads nowhere, and neither does None."""
    assert list(TABLE.below(Identity(2, "another start"))) == []
    assert list(TABLE.below(None)) == []
    assert Identity(2, "another start") not in TABLE


def test_the_roots_are_those_whose_parents_are_elsewhere() -> None:
    """A person is told about what was started, not about each helper below it."""
    assert TABLE.roots([_identity(3), _identity(4), _identity(6)]) == [_identity(3), _identity(6)]


@pytest.mark.parametrize("proc", ["/proc", "/nowhere"])
def test_a_look_finds_real_processes(proc: str) -> None:
    """With /proc and with ps: parent, start time and mark of a child."""
    env = {"PATH": os.environ["PATH"], "TAKOPI_RUN_ID": "home/real"}
    with subprocess.Popen(["sleep", "300"], env=env) as child:
        table = scan_processes(proc)
        (found,) = table.marked("home/real")
        assert found.pid == child.pid
        assert os.getpid() in {one.pid for one in table.below(_ancestor(table, proc))}
        assert commands([found]) == ["sleep 300"]
        child.kill()
    assert commands([found]) == []


def _ancestor(table: ProcessTable, proc: str) -> Identity:
    start = start_time(os.getppid(), proc)
    assert start is not None
    return Identity(os.getppid(), start)


@pytest.mark.anyio
async def test_whoever_asks_gets_a_look_that_began_later() -> None:
    """Fifty who ask at once share two looks, and each sees what existed when it asked."""
    scanner = Scanner()
    tables: list[ProcessTable] = []

    async def ask() -> None:
        tables.append(await scanner.look())

    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(ask)
    assert len({id(table) for table in tables}) <= 2
    with subprocess.Popen(["sleep", "300"]) as child:
        start = start_time(child.pid)
        assert start is not None
        assert Identity(child.pid, start) in await scanner.look()
        child.kill()
    assert Identity(child.pid, start) not in await scanner.look()
