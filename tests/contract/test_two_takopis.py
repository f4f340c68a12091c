"""A session has one takopi at a time, whichever process that is.

The real thing, with engines, holders and crashes at every moment, takes long and is in
process/test_session_of_two.py; this is its witness.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from contract.scripted import ENGINE, Script
from contract.stage import S1, Stage, read
from takopi.model import ActionEvent, CompletedEvent
from takopi.session_hold import session_file
from takopi.turn import LiveTurn

pytestmark = pytest.mark.anyio

RUN = Path("/nowhere/r7")

# Has the session as a turn of another takopi does, until it is told to give it back.
OTHER = """
import asyncio, pathlib, sys

from takopi.model import ResumeToken
from takopi.session_hold import SessionHold


async def main():
    hold = SessionHold(ResumeToken(sys.argv[1], sys.argv[2]))
    assert await hold.take() is None
    hold.note_run(pathlib.Path(sys.argv[3]))
    print("held", flush=True)
    sys.stdin.readline()
    hold.release()


asyncio.run(main())
"""


@contextmanager
def other_takopi() -> Iterator[subprocess.Popen[bytes]]:
    """Let a process have the session."""
    command = [sys.executable, "-c", OTHER, ENGINE, S1.value, str(RUN)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == b"held\n"
            yield process
        finally:
            process.kill()


def opened(stage: Stage) -> LiveTurn:
    """Open a turn of the session here."""
    stage.scripts(Script([b'{"session": "s1"}\n{"result": "done"}\n']))
    turn = stage.open(S1)
    turn.session_poll_s = 0.001
    return turn


async def waits(turn: LiveTurn) -> str:
    """Return what a turn says that it waits for."""
    event = await anext(turn)
    assert isinstance(event, ActionEvent)
    assert event.phase == "started"
    return event.action.title


async def test_the_second_process_waits_until_the_first_gives_the_session_back(
    stage: Stage,
) -> None:
    """Its engine is not started before, and the person reads for whom it waits."""
    with other_takopi() as other:
        turn = opened(stage)
        said = await waits(turn)
        assert said == f"waits for another takopi that uses this session (process {other.pid})"
        assert stage.host.runs == []
        other.communicate(b"\n")
        assert other.returncode == 0
        closed, *_, final = await read(turn)
    assert isinstance(closed, ActionEvent)
    assert (closed.action.title, closed.phase, closed.ok) == (said, "completed", True)
    assert final == CompletedEvent(ENGINE, True, "done", S1)
    assert not session_file(S1).exists()


async def test_a_killed_process_keeps_the_session_as_long_as_its_run_works(stage: Stage) -> None:
    """The kernel frees the lock; what the file says does not let a second engine in."""
    stage.host.working.add(RUN)
    with other_takopi() as other:
        pass
    assert other.returncode < 0
    turn = opened(stage)
    assert await waits(turn) == (
        "waits for the run r7, which works in this session although its takopi is gone"
    )
    assert stage.host.runs == []
    stage.host.working.clear()
    assert (await read(turn))[-1] == CompletedEvent(ENGINE, True, "done", S1)
