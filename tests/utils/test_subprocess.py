"""A helper program that lives as long as a block, with all that it started."""

import os
import signal
import subprocess
from pathlib import Path
from typing import NamedTuple

import anyio
import pytest

from takopi.process.identity import stat_fields
from takopi.utils import subprocess as subprocesses
from takopi.utils.subprocess import manage_subprocess

pytestmark = pytest.mark.anyio


async def test_input_and_output_are_pipes() -> None:
    """The process is anyio's own, with all that its users know."""
    async with manage_subprocess(["cat"]) as process:
        assert process.stdin
        assert process.stdout
        await process.stdin.send(b"hello")
        assert await process.stdout.receive() == b"hello"
        await process.stdin.aclose()
        assert await process.wait() == 0
    assert process.returncode == 0


async def test_it_has_a_session_of_its_own_and_takes_other_options(tmp_path: Path) -> None:
    """A signal for the caller's group does not reach it."""
    async with manage_subprocess(["pwd"], cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        assert process.stdout
        assert await process.stdout.receive() == f"{tmp_path}\n".encode()
    async with manage_subprocess(["sleep", "300"], start_new_session=False) as process:
        assert os.getsid(process.pid) == process.pid


@pytest.mark.long
@pytest.mark.parametrize(
    "script",
    [
        "sleep 300 & echo $!; exec sleep 300",
        "sleep 300 & echo $!; exit 0",
        "sh -c 'trap \"\" TERM; echo $$; sleep 0.3' & exec sleep 300",
        "trap '' TERM; (sleep 301; sleep 302) & echo $!; while :; do sleep 300; done",
    ],
)
async def test_its_group_ends_with_the_block(script: str) -> None:
    """Children end too, when the process is gone already, and when nobody listens to SIGTERM."""
    async with manage_subprocess(["sh", "-c", script], stdin=subprocess.DEVNULL) as process:
        assert process.stdout
        child = int(await process.stdout.receive())
    assert process.returncode is not None
    fields = stat_fields(child)
    assert fields is None or not fields[0]


async def test_it_ends_also_when_the_block_is_cancelled() -> None:
    """A cancelled block leaves nothing behind, and stays cancelled."""
    with anyio.CancelScope() as scope:
        async with manage_subprocess(["sleep", "300"]) as process:
            scope.cancel()
            await process.wait()
    assert scope.cancelled_caught
    assert process.returncode == -signal.SIGTERM


async def test_a_start_that_is_cancelled_leaves_nothing_behind() -> None:
    """The process is known once it runs, so that it ends with its group."""
    started = []
    with anyio.CancelScope() as scope:
        scope.cancel()
        async with manage_subprocess(["sleep", "300"]) as process:
            started.append(process)
    assert [process.returncode for process in started] == [-signal.SIGTERM]


async def test_an_error_in_the_block_is_passed_on() -> None:
    """The process ends, the error is the caller's."""
    with pytest.raises(RuntimeError, match="mine"):
        async with manage_subprocess(["sleep", "300"]) as process:
            raise RuntimeError("mine")
    assert process.returncode == -signal.SIGTERM


async def test_a_number_that_went_to_another_process_is_not_signalled() -> None:
    """When the first process was reaped, a process with its number is somebody else's."""

    class Reaped(NamedTuple):
        pid: int
        returncode: int = 0

    async with manage_subprocess(["sleep", "300"]) as stranger:
        assert not subprocesses._signal_group(Reaped(stranger.pid), signal.SIGKILL)
        assert stranger.returncode is None
        fields = stat_fields(stranger.pid)
        assert fields is not None
        assert fields[0]


async def test_a_program_that_is_missing_is_told() -> None:
    """The system's own error, as anyio gives it."""
    with pytest.raises(FileNotFoundError):
        async with manage_subprocess(["/no/such/program"]):
            pass
