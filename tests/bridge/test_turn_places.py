"""Where a turn starts: a directory that hangs never holds it, and commands go before engines."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from bridge.test_contexts import projects, runs
from bridge.world import World
from fakes.clock import settle
from takopi.errors import GitRefused
from takopi.model import ResumeToken

pytestmark = pytest.mark.anyio


@contextmanager
def hanging(world: World, what: str) -> Iterator[None]:
    """Hang in one method; not even a cancellation ends it, as a thread on a dead disk."""
    released = anyio.Event()

    async def hang(name: str) -> None:
        if name == what:
            with anyio.CancelScope(shield=True):
                await released.wait()

    world.workspaces.slowly = hang
    try:
        yield
    finally:
        world.workspaces.slowly = None
        released.set()


@pytest.mark.parametrize("what", ["directory", "snapshot"])
async def test_a_cancel_reaches_a_turn_whose_directory_does_not_answer(what) -> None:
    """It ends at once, starts nothing, and what comes after it runs."""
    async with projects() as world:
        with hanging(world, what):
            world.chat.write("/zed one")
            await settle()
            world.chat.write("/cancel")
            await settle()
            assert world.finals()[0].startswith("■ cancelled")
            world.workspaces.slowly = None
            world.chat.write("/zed two")
            await settle()
            assert [prompt for _, _, prompt in runs(world)] == ["two"]
        await settle()
        assert len(runs(world)) == 1


async def test_takopi_goes_although_a_directory_does_not_answer() -> None:
    """The turn is left to the next one."""
    async with projects() as world:
        with hanging(world, "directory"):
            world.chat.write("/zed one")
            await settle()
            world.bridge.stop(detach=True)
            await world.clock.advance(15)
        assert runs(world) == []
        assert world.finals() == []


async def test_a_host_that_hangs_over_a_session_is_left_behind() -> None:
    """It reads run directories in a thread."""
    hold = threading.Event()
    async with projects() as world:

        def hang(_: ResumeToken) -> Path | None:
            hold.wait(20)
            return None

        world.host.session_cwd = hang
        try:
            world.chat.write("go on\n`codex resume abc`")
            for _ in range(5):
                await anyio.lowlevel.checkpoint()
            world.chat.write("/cancel")
            with anyio.fail_after(10):
                while not world.finals():  # noqa: ASYNC110 - a thread hangs meanwhile
                    await anyio.sleep(0.005)
            assert world.finals()[0].startswith("■ cancelled")
            assert runs(world) == []
        finally:
            hold.set()
        await settle()


async def test_the_snapshot_is_written_down_before_the_engine_starts() -> None:
    async with projects() as world:
        world.workspaces.snapshots = ["tree-1"]
        world.chat.write("/zed one")
        await settle()
        record = await world.store.turn("t1")
        assert record.before == "tree-1"
        assert world.claude.turns[0].request.record["turn_record"]["before"] == "tree-1"


async def test_a_snapshot_that_fails_or_takes_long_costs_nothing_but_itself() -> None:
    async with projects() as world:

        async def refuses(name: str) -> None:
            if name == "snapshot":
                raise GitRefused("git cannot write; mend that")

        world.workspaces.slowly = refuses
        world.chat.write("/zed one")
        await settle()
        with hanging(world, "snapshot"):
            world.chat.write("/zed two")
            await settle()
            assert [prompt for _, _, prompt in runs(world)] == ["one"]
            await world.clock.advance(3)
            assert [prompt for _, _, prompt in runs(world)] == ["one", "two"]
            assert (await world.store.turn("t2")).before is None


async def test_a_turn_waits_while_a_command_has_its_tree() -> None:
    """Of another tree it does not, and a cancel ends the waiting."""
    async with projects() as world:
        gate = world.bridge._scheduler.gate
        async with gate.hold(Path("/src/zed/.worktrees/dev")):
            for text in ("/zed @dev one", "/zed two", "/zed @dev three"):
                world.chat.write(text)
            await settle()
            assert [prompt for _, _, prompt in runs(world)] == ["two"]
            waits = next(n for (_, n), m in world.chat.shown.items() if "claude" in m.text)
            world.chat.write("/cancel", reply_to=waits)
            await settle()
        await settle()
        assert [prompt for _, _, prompt in runs(world)] == ["two", "three"]


async def test_a_session_whose_directory_does_not_answer_can_be_cancelled(tmp_path) -> None:
    """And goes on where it lives once it does."""
    async with projects() as world:
        world.host.directories[ResumeToken("codex", "abc")] = tmp_path
        with hanging(world, "has"):
            world.chat.write("go on\n`codex resume abc`")
            await settle()
            world.chat.write("/cancel")
            await settle()
            assert world.finals()[0].startswith("■ cancelled")
        world.chat.write("go on\n`codex resume abc`")
        await settle()
        assert runs(world) == [("codex", str(tmp_path), "go on")]
