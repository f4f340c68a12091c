"""Learning of changes: at once, from whoever leads, and in any case after a while."""
# ruff: noqa: ASYNC240 (processes and files are what these tests are about)

import errno
from pathlib import Path

import anyio
import anyio.lowlevel
import inotify_simple
import pytest

from takopi.process.follow import ChangeWatcher, Notifier, open_inotify, warm_up

pytestmark = pytest.mark.anyio

NEVER_S = 3600.0


class Full(inotify_simple.INotify):
    """Be an inotify instance whose watches are used up after the first."""

    taken = 0

    def add_watch(self, path: object, mask: int) -> int:
        """Refuse all but the first."""
        if self.taken:
            raise OSError(errno.ENOSPC, "the limit of watches is reached")
        self.taken += 1
        return super().add_watch(path, mask)


def no_instance() -> Notifier:
    """Be a user whose inotify instances are used up."""
    raise OSError(errno.EMFILE, "the limit of instances is reached")


def full() -> Notifier:
    """Open an instance with one watch."""
    return Full(nonblocking=True)


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """Give three run directories with empty outputs."""
    made = [tmp_path / name for name in "abc"]
    for path in made:
        path.mkdir()
        (path / "stdout.jsonl").touch()
    return made


def grow(path: Path) -> None:
    """Write as an engine does."""
    with (path / "stdout.jsonl").open("a") as file:
        file.write("x")


def end(path: Path) -> None:
    """Write exit.json as a holder does."""
    (path / "draft").write_text("{}")
    (path / "draft").rename(path / "exit.json")


@pytest.mark.parametrize("opener", [open_inotify, no_instance, full])
@pytest.mark.parametrize("change", [grow, end])
async def test_every_change_wakes_the_one_who_waits_for_it(
    runs: list[Path], opener: object, change: object
) -> None:
    """With inotify, without it, and beyond its limits: each waiter hears of its own directory."""
    watcher = ChangeWatcher(opener, tick_s=NEVER_S)
    heard: list[str] = []
    ready = anyio.Event()

    async def listen(path: Path) -> None:
        with watcher.watch(path) as watch:
            assert await watcher.wait(watch), "the first look is always due"
            if path == runs[-1]:
                ready.set()
            assert not await watcher.wait(watch)
            heard.append(path.name)

    async with anyio.create_task_group() as tasks:
        for path in runs:
            tasks.start_soon(listen, path)
        await ready.wait()
        for path in reversed(runs):
            change(path)
            while path.name not in heard:
                await anyio.lowlevel.checkpoint()
    assert heard == ["c", "b", "a"]


@pytest.mark.parametrize("opener", [open_inotify, no_instance])
async def test_a_change_before_the_wait_is_not_missed(runs: list[Path], opener: object) -> None:
    """What happens while the reader is busy wakes it when it waits."""
    watcher = ChangeWatcher(opener, tick_s=NEVER_S)
    with watcher.watch(runs[0]) as watch:
        await watcher.wait(watch)
        grow(runs[0])
        assert not await watcher.wait(watch)


async def test_when_the_leader_leaves_another_leads(runs: list[Path]) -> None:
    """However the leader leaves, those who still wait hear of changes."""
    watcher = ChangeWatcher(tick_s=NEVER_S)
    scopes = [anyio.CancelScope() for _ in runs]
    heard: list[str] = []

    async def listen(path: Path, scope: anyio.CancelScope) -> None:
        with scope, watcher.watch(path) as watch:
            await watcher.wait(watch)
            await watcher.wait(watch)
            heard.append(path.name)

    async with anyio.create_task_group() as tasks:
        for path, scope in zip(runs, scopes, strict=True):
            tasks.start_soon(listen, path, scope)
        await anyio.wait_all_tasks_blocked()
        scopes[0].cancel()
        scopes[1].cancel()
        await anyio.wait_all_tasks_blocked()
        grow(runs[2])
    assert heard == ["c"]


async def test_everybody_looks_again_after_a_while(runs: list[Path]) -> None:
    """A notification that never comes is made up for by the tick, for the leader and the others."""
    watcher = ChangeWatcher(tick_s=0.05)
    ticks: list[bool] = []

    async def listen(path: Path) -> None:
        with watcher.watch(path) as watch:
            await watcher.wait(watch)
            ticks.append(await watcher.wait(watch))

    async with anyio.create_task_group() as tasks:
        for path in runs:
            tasks.start_soon(listen, path)
    assert ticks == [True] * 3


async def test_the_tick_comes_although_others_are_busy(runs: list[Path]) -> None:
    """A directory that never rests does not keep the others from their tick."""
    watcher = ChangeWatcher(tick_s=0.1)
    ticked = anyio.Event()

    async def busy() -> None:
        with watcher.watch(runs[0]) as watch:
            while not ticked.is_set():
                grow(runs[0])
                await watcher.wait(watch)

    async def idle() -> None:
        with watcher.watch(runs[1]) as watch:
            await watcher.wait(watch)
            assert await watcher.wait(watch)
            ticked.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(busy)
        tasks.start_soon(idle)


async def test_an_overflow_makes_everybody_look(runs: list[Path]) -> None:
    """When the kernel lost events, nobody knows whose they were."""

    class Overflowing(inotify_simple.INotify):
        def read(self, timeout: int | None = None) -> list[inotify_simple.Event]:
            super().read(timeout)
            return [inotify_simple.Event(-1, 0x4000, 0, "")]

    watcher = ChangeWatcher(lambda: Overflowing(nonblocking=True), tick_s=NEVER_S)
    with watcher.watch(runs[0]), watcher.watch(runs[1]) as watch:
        await watcher.wait(watch)
        grow(runs[0])
        assert not await watcher.wait(watch)


async def test_a_polled_directory_does_not_wait_for_a_leader_that_is_notified(
    runs: list[Path],
) -> None:
    """A watch beyond the limit is polled from now on, though the leader already waits."""
    watcher = ChangeWatcher(full, tick_s=NEVER_S)

    async def lead() -> None:
        with watcher.watch(runs[0]) as watch:
            await watcher.wait(watch)
            await watcher.wait(watch)

    async def follow() -> None:
        with watcher.watch(runs[1]) as watch:
            await watcher.wait(watch)
            grow(runs[1])
            assert not await watcher.wait(watch)
            grow(runs[0])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lead)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(follow)


async def test_two_who_watch_one_directory_share_a_watch(runs: list[Path]) -> None:
    """When one leaves, the other is still notified; at the end nothing stays open."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    watcher = ChangeWatcher(tick_s=NEVER_S)
    with watcher.watch(runs[1]), watcher.watch(runs[0]) as watch:
        with watcher.watch(runs[0]):
            await watcher.wait(watch)
        grow(runs[0])
        assert not await watcher.wait(watch)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1  # the loop's own selector


async def test_a_directory_that_goes_away_is_no_error(runs: list[Path]) -> None:
    """Its watch goes with it."""
    watcher = ChangeWatcher(tick_s=NEVER_S)
    with watcher.watch(runs[1]), watcher.watch(runs[0]) as watch:
        await watcher.wait(watch)
        (runs[0] / "stdout.jsonl").unlink()
        runs[0].rmdir()
        assert not await watcher.wait(watch)
    with watcher.watch(runs[0]) as watch:
        await watcher.wait(watch)


async def test_warming_up_never_fails() -> None:
    """Where there is no inotify there is nothing to warm up."""
    await warm_up()
    await warm_up(no_instance)
