"""At start takopi ends what is left of runs that are over, and touches nothing else."""
# ruff: noqa: ASYNC220 (processes and files are what these tests are about)

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from fakes.process_trees import Node, Tree, random_tree, tree_spec
from process.engines import first_line, holder_command, shell
from takopi.file_lock import FileLock
from takopi.process.host import LocalRunHost
from takopi.process.identity import is_alive, stat_fields
from takopi.process.run_directory import Identity, RunDirectory
from takopi.process.sweep import Swept, sweep

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120), pytest.mark.long]

TREE = Tree((Node(own_session=True), Node(orphan=True, own_session=True, deaf=True)))


def always(run_id: str) -> bool:
    return True


def never(run_id: str) -> bool:
    return False


class Left:
    """Be a run that was left alone, with processes in sessions of their own."""

    def __init__(self, host: LocalRunHost, folder: Path) -> None:
        self.host, self.folder = host, folder
        self.known: list[Identity] = []

    async def start(self, tree: Tree = TREE, *, kill_holder: bool = True) -> "Left":
        """Start it, and kill engine and holder, so that the mark alone tells whose it is."""
        self.folder.mkdir()
        pids = self.folder / "pids"
        pids.touch()
        run = await self.host.start(tree_spec(tree, pids, "stay", self.folder.name))
        chunks = run.follow()
        await first_line(chunks)
        await chunks.aclose()
        self.known = [_identity(int(pid)) for pid in pids.read_text().split()]
        facts = self.directory.process_facts()
        assert facts.holder
        assert facts.engine
        if kill_holder:
            for one in (facts.holder, facts.engine):
                os.kill(one.pid, signal.SIGKILL)
            while is_alive(*facts.engine) or is_alive(*facts.holder):
                await anyio.lowlevel.checkpoint()
        else:
            self.known += [facts.engine, facts.holder]
        return self

    @property
    def directory(self) -> RunDirectory:
        """Give the run directory."""
        return RunDirectory(self.host.runs_dir / self.folder.name)

    def alive(self) -> int:
        """Count what lives of it."""
        return sum(is_alive(*one) for one in self.known)

    async def end(self) -> None:
        """End it after all."""
        run = self.host.attach(self.folder.name)
        assert run is not None
        await run.cancel()


def _identity(pid: int) -> Identity:
    fields = stat_fields(pid)
    assert fields
    return Identity(pid, fields[2])


@pytest.fixture
def left(host: LocalRunHost, tmp_path: Path) -> Left:
    """Give a run to leave alone."""
    return Left(host, tmp_path / "r1")


async def test_what_a_final_run_left_is_ended_and_named(left: Left) -> None:
    """Also in sessions of its own, and deaf."""
    await left.start()
    assert left.alive() == 2
    assert await sweep(left.host, always, healthy=True) == (
        Swept("r1", ("sleep 600", "sleep 600")),
    )
    assert left.alive() == 0
    assert await sweep(left.host, always, healthy=True) == ()


async def test_an_engine_that_lingers_after_its_final_is_ended(left: Left) -> None:
    """takopi may be killed between the final and the end of the process."""
    await left.start(kill_holder=False)
    (swept,) = await sweep(left.host, always, healthy=True)
    assert swept.run_id == "r1"
    assert left.alive() == 0
    assert left.directory.exit() is not None


async def test_a_random_tree_without_its_holder_is_swept(left: Left) -> None:
    """All that can be found by mark or parent."""
    await left.start(random_tree(random.Random(3)).findable())
    await sweep(left.host, always, healthy=True)
    assert left.alive() == 0


Refusal = Callable[[Left], object]


def no_directory(left: Left) -> object:
    return left.directory.path.rename(left.folder / "elsewhere")


def a_link(left: Left) -> object:
    no_directory(left)
    return left.directory.path.symlink_to(left.folder / "elsewhere")


def owned(left: Left) -> object:
    lock = FileLock(left.directory.owner)
    assert lock.acquire()
    return lock


def unlockable(left: Left) -> object:
    left.directory.owner.unlink(missing_ok=True)
    return left.directory.owner.mkdir()


@pytest.mark.parametrize("refusal", [no_directory, a_link, owned, unlockable])
async def test_what_is_not_surely_over_is_left_alone(left: Left, refusal: Refusal) -> None:
    """Each condition alone is enough."""
    await left.start()
    made = refusal(left)
    assert await sweep(left.host, always, healthy=True) == ()
    assert left.alive() == 2
    del made
    if refusal in (no_directory, a_link):
        left.directory.path.unlink(missing_ok=True)
        (left.folder / "elsewhere").rename(left.directory.path)
    await left.end()


async def test_an_open_turn_a_sick_journal_or_another_home_save_it(
    left: Left, runs_dir: Path
) -> None:
    """Nothing is ended that the journal does not call final, and nothing without a journal."""
    await left.start()
    assert await sweep(left.host, never, healthy=True) == ()
    assert await sweep(left.host, always, healthy=False) == ()
    stranger = LocalRunHost(runs_dir, "another-home", holder_command=holder_command())
    assert await sweep(stranger, always, healthy=True) == ()
    assert left.alive() == 2
    await left.end()


async def test_what_was_meant_to_stay_stays(host: LocalRunHost, tmp_path: Path) -> None:
    """keep_background: a dev server outlives its run and the next start of takopi."""
    spec = shell("setsid sleep 300 & echo $!; exit 0", run_id="r1", keep_background=True)
    run = await host.start(spec)
    chunks = run.follow()
    server = _identity(int(await first_line(chunks)))
    await chunks.aclose()
    assert (await run.settle(10)).code == 0
    assert await sweep(host, always, healthy=True) == ()
    assert is_alive(*server)
    # An end that was not normal is none that leaves something on purpose.
    (run.directory / "exit.json").unlink()
    assert await sweep(host, always, healthy=True) == (Swept("r1", ("sleep 300",)),)
    assert not is_alive(*server)


async def test_a_run_that_is_being_started_is_not_swept(host: LocalRunHost, tmp_path: Path) -> None:
    """Its holder has not claimed it; whoever sweeps takes the claim, and nothing starts."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    spec = shell("echo started", run_id="r1")
    directory = RunDirectory(host.runs_dir / "r1")
    directory.create(spec, "/bin/sh")
    late = ["sh", "-c", f'echo > "{gate}"; read x < "{gate}"; exec "$@"', "sh", *holder_command()]
    env = {**spec.env, "TAKOPI_RUN_ID": host.mark("r1")}
    with subprocess.Popen([*late, str(directory.path)], stdout=subprocess.PIPE, env=env) as holder:
        await anyio.to_thread.run_sync(gate.read_text)
        assert await sweep(host, always, healthy=True) == ()
        gate.write_text("x\n")
        assert b"claimed" in (await anyio.to_thread.run_sync(holder.communicate))[0]
    assert directory.stdout.read_bytes() == b""


async def test_a_takopi_started_by_an_agent_does_not_end_itself(left: Left, home_id: str) -> None:
    """Its own mark, or one of a process above it, is not its to sweep."""
    await left.start()
    script = (
        "import sys, anyio; from pathlib import Path\n"
        "from takopi.process.host import LocalRunHost; from takopi.process.sweep import sweep\n"
        "host = LocalRunHost(Path(sys.argv[1]), sys.argv[2])\n"
        "async def main(): print(await sweep(host, lambda run: True, healthy=True))\n"
        "anyio.run(main)\n"
    )
    command = [sys.executable, "-c", script, str(left.host.runs_dir), home_id]
    env = {**os.environ, "TAKOPI_RUN_ID": left.host.mark("r1")}

    def said(*around: str) -> bytes:
        return subprocess.run([*around, *command], env=env, capture_output=True, check=True).stdout

    assert await anyio.to_thread.run_sync(said) == b"()\n"
    bare = ("sh", "-c", 'env -u TAKOPI_RUN_ID "$@"; exit', "sh")
    assert await anyio.to_thread.run_sync(said, *bare) == b"()\n"
    assert left.alive() == 2
    env.pop("TAKOPI_RUN_ID")
    assert b"r1" in await anyio.to_thread.run_sync(said)
    assert left.alive() == 0
