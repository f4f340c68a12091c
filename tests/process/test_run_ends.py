"""The end of a run: every way to bring it about, and who may be gone by then."""
# ruff: noqa: ASYNC220 (processes and files are what these tests are about)

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from process.engines import (
    TREE,
    Named,
    everything,
    first_line,
    holder_command,
    shell,
)
from takopi.process.ending import Patience
from takopi.process.host import HostLimits, LocalRunHost
from takopi.process.identity import is_alive, stat_fields
from takopi.process.run_directory import RunDirectory
from takopi.run_host import RunExit

pytestmark = pytest.mark.anyio

QUICK = Patience(0.3, 0.3, 1.0, 3.0, 0.8, 1.2)


WAYS = {
    "cancel": 'trap "exit 0" INT; while :; do sleep 0.05; done',
    "cancel of one that ignores signals": 'trap "" INT TERM; while :; do sleep 5; done',
    "a lingering engine": "while :; do sleep 5; done",
    "a normal end": "exit 0",
    "a crash": "kill -9 $$",
    "too much output": "while :; do echo 1234567890123456789012345678901234567890; done",
}


@pytest.mark.parametrize("way", WAYS)
async def test_every_way_to_end_leaves_no_process(
    runs_dir: Path, home_id: str, tmp_path: Path, way: str, host: LocalRunHost
) -> None:
    """Tools in their own sessions, orphans and daemons without environment end with the run."""
    limits = HostLimits(patience=QUICK, max_run_mb=5)
    host = LocalRunHost(runs_dir, home_id, limits=limits, holder_command=holder_command())
    pids = tmp_path / "pids"
    pids.touch()
    run = await host.start(shell(TREE + WAYS[way], str(pids)))
    chunks = run.follow()
    await first_line(chunks)
    named = Named.written_in(pids) if way not in ("a normal end", "a crash") else None
    if "cancel" in way:
        await run.cancel()
    elif way == "too much output":
        async for _ in chunks:
            pass
        assert "more than 5 MB" in ((await run.wait()).reason or "")
    found = await run.settle(0.2 if way == "a lingering engine" else 10)
    left = [int(pid) for pid in pids.read_text().split() if stat_fields(int(pid))]
    assert not left
    assert named is None or not named.alive()
    if way == "a normal end":
        assert found.code == 0
        assert {"sleep 301", "sleep 302"} <= set(found.ended)


async def test_a_cancel_ends_also_what_it_found_when_the_canceller_leaves(
    host: LocalRunHost, tmp_path: Path
) -> None:
    """An order to end is carried out although the task that gave it is cancelled."""
    pids = tmp_path / "pids"
    pids.touch()
    run = await host.start(shell(TREE + "exec sleep 300", str(pids)))
    await first_line(run.follow())
    named = Named.written_in(pids)
    with anyio.move_on_after(0):
        await run.cancel()
    assert not named.alive()


async def test_cancelling_twice_at_once_is_one_cancel(host: LocalRunHost) -> None:
    """Both callers get the same end."""
    run = await host.start(shell("echo x; exec sleep 300"))
    await first_line(run.follow())
    ends: list[RunExit] = []

    async def cancel() -> None:
        ends.append(await run.cancel())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(cancel)
        tasks.start_soon(cancel)
    assert ends[0].signal == ends[1].signal == signal.SIGINT
    assert (await run.cancel()).signal == signal.SIGINT


async def test_an_engine_that_handles_interrupts_ends_by_its_own_words(
    host: LocalRunHost,
) -> None:
    """SIGINT comes first and alone: what the engine says then is not cut."""
    script = 'trap "echo bye; exit 7" INT; echo up; while :; do sleep 0.05; done'
    run = await host.start(shell(script))
    chunks = run.follow()
    await first_line(chunks)
    assert await run.cancel() == RunExit(code=7)
    assert b"".join([chunk async for chunk in chunks]) == b"bye\n"


async def test_kept_background_lives_until_somebody_cancels(
    host: LocalRunHost, tmp_path: Path
) -> None:
    """With keep_background a normal end leaves it alone; a cancel finds and ends all of it."""
    pids = tmp_path / "pids"
    pids.touch()
    spec = shell(TREE, str(pids), keep_background=True)
    run = await host.start(spec)
    assert await run.settle(10) == RunExit(code=0)
    assert await everything(run) == b"ready\n"
    named = Named.written_in(pids)
    assert len(named.alive()) == 4
    await run.cancel()
    assert not named.alive()


async def test_a_lingering_engine_with_kept_background_ends_alone(
    host: LocalRunHost, tmp_path: Path
) -> None:
    """After the grace the engine is ended, what it left in the background is not."""
    pids = tmp_path / "pids"
    pids.touch()
    run = await host.start(shell(TREE + "exec sleep 300", str(pids), keep_background=True))
    await first_line(run.follow())
    assert (await run.settle(0)).signal == signal.SIGINT
    named = Named.written_in(pids)
    assert len(named.alive()) == 4
    await run.cancel()
    assert not named.alive()


async def test_a_run_survives_the_death_of_takopi(
    host: LocalRunHost, runs_dir: Path, home_id: str, tmp_path: Path
) -> None:
    """SIGKILL takes takopi, the run goes on, and another takopi sees its output and end."""
    fifo = tmp_path / "go"
    os.mkfifo(fifo)
    script = (
        "import sys, anyio; from pathlib import Path\n"
        "from takopi.process.host import LocalRunHost; from takopi.run_host import RunSpec\n"
        "runs, home, fifo, path = sys.argv[1:]\n"
        "async def main():\n"
        "    argv = ('sh', '-c', 'echo before; read x < \"$0\"; echo after; exit 5', fifo)\n"
        "    spec = RunSpec(engine='x', argv=argv, cwd=Path('/'), env={'PATH': path})\n"
        "    run = await LocalRunHost(Path(runs), home).start(spec)\n"
        "    print(run.run_id, flush=True)\n"
        "    await run.wait()\n"
        "anyio.run(main)\n"
    )
    takopi = subprocess.Popen(
        [sys.executable, "-c", script, str(runs_dir), home_id, str(fifo), os.environ["PATH"]],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with takopi:
        assert takopi.stdout
        run_id = (await anyio.to_thread.run_sync(takopi.stdout.readline)).decode().strip()
        # The whole group, as a terminal does it: holder and engine are in others.
        os.killpg(takopi.pid, signal.SIGINT)
        os.killpg(takopi.pid, signal.SIGHUP)
        os.killpg(takopi.pid, signal.SIGKILL)
    run = host.attach(run_id)
    chunks = run.follow()
    assert await first_line(chunks) == b"before\n"
    fifo.write_text("\n")
    assert await first_line(chunks) == b"after\n"
    assert await run.wait() == RunExit(code=5)


async def test_without_its_holder_an_engine_ends_with_an_unknown_code(
    host: LocalRunHost, tmp_path: Path
) -> None:
    """A crashed holder: output is followed on, and no exit code is invented."""
    fifo = tmp_path / "go"
    os.mkfifo(fifo)
    run = await host.start(shell('echo up; read x < "$1"; echo down', str(fifo)))
    chunks = run.follow()
    await first_line(chunks)
    _kill_holder(run.directory)
    fifo.write_text("\n")
    assert await first_line(chunks) == b"down\n"
    assert [chunk async for chunk in chunks] == []
    assert await run.wait() == RunExit(lost=True)


async def test_an_end_that_a_full_disk_kept_secret_is_told_as_such(
    host: LocalRunHost, runs_dir: Path, home_id: str
) -> None:
    """Nobody could write `exit.json`; the person reads why, and what helps."""
    run = await host.start(shell("exec sleep 300"))
    (run.directory / "exit.json").mkdir()  # as on a full disk, the holder cannot write it
    facts = RunDirectory(run.directory).process_facts()
    assert facts.engine
    os.kill(facts.engine.pid, signal.SIGKILL)
    full = LocalRunHost(runs_dir, home_id, limits=HostLimits(min_free_mb=10**9))
    found = await full.attach(run.run_id).wait()
    assert found.code is None
    assert found.reason is not None
    assert found.reason.startswith("how the run ended could not be written down, and only ")
    assert found.reason.endswith("free some space, then try again")
    assert await run.wait() == RunExit(lost=True)


async def test_without_its_holder_a_tree_is_still_found_by_identity_and_mark(
    host: LocalRunHost, tmp_path: Path
) -> None:
    """Cancel ends engine, tools and orphans that carry the run's mark."""
    pids = tmp_path / "pids"
    pids.touch()
    tree = TREE.replace('(env -i "$(command -v setsid)"', "(setsid")
    run = await host.start(shell(tree + "exec sleep 300", str(pids)))
    await first_line(run.follow())
    named = Named.written_in(pids)
    _kill_holder(run.directory)
    assert (await run.cancel()).code is None
    assert not named.alive()


async def test_a_holder_that_died_before_it_named_its_engine_is_no_end(
    host: LocalRunHost, tmp_path: Path
) -> None:
    """The engine is then known by its mark alone; its end is seen, and cancel finds it."""
    run = await host.start(shell("echo up; exec sleep 300"))
    await first_line(run.follow())
    path = run.directory / "process.json"
    facts = RunDirectory(run.directory).process_facts()
    _kill_holder(run.directory)
    path.write_text(path.read_text().replace(f'"pid": {facts.pid}', '"pid": null'))
    later = host.attach(run.run_id)
    assert await later.cancel() == RunExit(ended=("sleep 300",), lost=True)
    assert facts.engine
    assert not is_alive(*facts.engine)


async def test_a_stopped_holder_does_not_hold_up_a_cancel(
    runs_dir: Path, home_id: str, host: LocalRunHost
) -> None:
    """A holder that does not write down the end is killed; the end is then unknown."""
    limits = HostLimits(patience=Patience(0.2, 0.2, 0.2, 0.2, 0.5, 0.5))
    host = LocalRunHost(runs_dir, home_id, limits=limits, holder_command=holder_command())
    run = await host.start(shell("echo up; exec sleep 300"))
    await first_line(run.follow())
    holder = RunDirectory(run.directory).process_facts().holder
    assert holder
    os.kill(holder.pid, signal.SIGSTOP)
    assert (await run.cancel()).code is None
    assert not is_alive(*holder)


@pytest.mark.parametrize("wrong", ["start", "boot"])
async def test_a_process_of_another_identity_is_never_signalled(
    host: LocalRunHost, runs_dir: Path, wrong: str
) -> None:
    """A pid that went to somebody else, or is of another boot, is not ours to end."""
    run = await host.start(shell("sleep 0.1"))
    await run.wait()
    with subprocess.Popen(["sleep", "300"]) as stranger:
        facts = RunDirectory(run.directory).process_facts()
        fields = stat_fields(stranger.pid)
        assert fields
        text = (run.directory / "process.json").read_text()
        text = text.replace(f'"pid": {facts.pid}', f'"pid": {stranger.pid}')
        text = text.replace(f'"holder_pid": {facts.holder_pid}', f'"holder_pid": {stranger.pid}')
        if wrong == "boot":
            text = text.replace(facts.boot, "another-boot")
            for start in (facts.start, facts.holder_start):
                text = text.replace(f'"{start}"', f'"{fields[2]}"')
        (run.directory / "process.json").write_text(text)
        (run.directory / "exit.json").unlink()
        assert await host.attach(run.run_id).cancel() == RunExit(lost=True)
        assert stranger.poll() is None
        stranger.kill()


async def test_a_takopi_short_of_descriptors_invents_no_end(
    host: LocalRunHost, tmp_path: Path
) -> None:
    """While no file can be opened nothing is known; later the real code is."""
    fifo = tmp_path / "go"
    os.mkfifo(fifo)
    run = await host.start(shell('read x < "$1"; exit 6', str(fifo)))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    found: list[RunExit] = []

    async def wait() -> None:
        found.append(await run.wait())

    async with anyio.create_task_group() as tasks:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
            tasks.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        fifo.write_text("\n")
    assert found == [RunExit(code=6)]


def _kill_holder(directory: Path) -> None:
    holder = RunDirectory(directory).process_facts().holder
    assert holder
    os.kill(holder.pid, signal.SIGKILL)
