"""Cancel ends an engine and everything that it started."""

import os
import stat
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import psutil
import pytest

from real_engines.world import Outcome, World

if TYPE_CHECKING:
    from takopi.model import TakopiEvent

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

# The tool reports from a session of its own, then both it and the tool's shell stay.
COMMAND = "setsid sh -c 'echo $$ > alive; exec tail -f /dev/null' & tail -f /dev/null"


def mark_of(process: psutil.Process) -> str:
    """Give the run that a process belongs to."""
    try:
        return process.environ().get("TAKOPI_RUN_ID", "")
    except psutil.Error:
        return ""


def processes_of(run_id: str) -> list[str]:
    """List what is left of a run."""
    return [
        " ".join(process.cmdline())
        for process in psutil.process_iter()
        if run_id in mark_of(process) and process.status() != psutil.STATUS_ZOMBIE
    ]


async def test_cancel_in_a_tool_leaves_no_process(world: World) -> None:
    """Also a process that the tool put into a session of its own is ended."""
    alive = world.work_dir / "alive"
    os.mkfifo(alive, stat.S_IRUSR | stat.S_IWUSR)
    events: list[TakopiEvent] = []
    async with world.turn(f"[[bash: {COMMAND}]]") as live:

        async def follow() -> None:
            events.extend([event async for event in live])

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(follow)
            with anyio.fail_after(120):
                said = await anyio.to_thread.run_sync(
                    alive.read_text, "utf-8", abandon_on_cancel=True
                )
            detached = psutil.Process(int(said))
            assert live.run_id is not None
            assert len(processes_of(live.run_id)) >= 2
            await live.interrupt()
    outcome = Outcome(events)
    assert outcome.end.ok is False
    assert outcome.end.resume is not None, "the session is known and can go on"
    assert not detached.is_running()
    assert processes_of(live.run_id) == []


async def test_a_cancelled_session_goes_on(world: World) -> None:
    """What was said before the cancellation is remembered."""
    first = await world.run("remember the walrus")
    gate = f"cancel-{world.engine}"
    before = len(world.model.main_requests)
    async with world.turn(f"[[hold: {gate}]]", first.token) as live:

        async def cancel() -> None:
            await anyio.to_thread.run_sync(
                lambda: world.model.wait_for(before + 1, timeout_s=120), abandon_on_cancel=True
            )
            await live.interrupt()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(cancel)
            events = [event async for event in live]
    world.model.release(gate)
    assert Outcome(events).end.ok is False
    again = await world.run("what was it?", first.token)
    assert again.end.ok, again.end.error
    assert "walrus" in again.end.answer


async def test_a_background_process_is_ended_and_named(world: World) -> None:
    """After a normal end nothing of the run stays behind."""
    # Another engine's test may look at the same time, in another process.
    seconds = str(1_000_000 + os.getpid())
    outcome = await world.run(
        f"[[bash: setsid sleep {seconds} >/dev/null 2>&1 & echo started]][[say: done]]"
    )
    assert outcome.end.ok, outcome.end.error
    assert any(seconds in command for command in outcome.ended_background)
    running = [process.info["cmdline"] for process in psutil.process_iter(["cmdline"])]
    assert ["sleep", seconds] not in running
