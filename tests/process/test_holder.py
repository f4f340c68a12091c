"""The holder as a program: small, alone on its directory, and careful with what it leaves."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from process.engines import (
    HOLDER,
    TREE,
    Named,
    environment,
    everything,
    first_line,
    holder_command,
    shell,
)
from takopi.process import holding
from takopi.process.host import LocalRunHost
from takopi.process.identity import stat_fields
from takopi.process.run_directory import RunDirectory, new_run_id
from takopi.run_host import RunExit, RunSpec

WITHOUT_PROC = (
    "import sys; from takopi.process.holding import Holder\n"
    "sys.exit(Holder(sys.argv[1], proc='/nowhere').main())\n"
)


def made(runs_dir: Path, spec: RunSpec) -> RunDirectory:
    """Make a run directory without starting anything."""
    runs_dir.mkdir(mode=0o700, exist_ok=True)
    directory = RunDirectory(runs_dir / new_run_id())
    directory.create(spec, f"/bin/{spec.argv[0]}")
    return directory


def hold(directory: RunDirectory) -> subprocess.Popen[bytes]:
    """Start a holder."""
    command = (*holder_command(), str(directory.path))
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=environment()
    )


def test_a_holder_needs_twelve_megabytes_at_most(runs_dir: Path, tmp_path: Path) -> None:
    """The most that it ever had in memory, while it holds an engine."""
    fifo = tmp_path / "go"
    os.mkfifo(fifo)
    directory = made(runs_dir, shell('read x < "$1"', str(fifo)))
    command = (sys.executable, "-I", "-S", str(HOLDER), str(directory.path))
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as holder:
        assert holder.stdout
        assert json.loads(holder.stdout.readline()) == {"ok": True}
        status = Path(f"/proc/{holder.pid}/status").read_text()
        fifo.write_text("\n")
    assert int(status.split("VmHWM:")[1].split()[0]) <= 12 * 1024


def test_a_holder_imports_little_and_nothing_of_others(runs_dir: Path) -> None:
    """Only the standard library, and none of its heavy modules."""
    directory = made(runs_dir, shell(":"))
    script = (
        "import sys\n"
        "path = sys.argv.pop(1)\n"
        "try: exec(open(path).read(), {'__name__': '__main__', '__file__': path})\n"
        "except SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script, str(HOLDER), str(directory.path)],
        capture_output=True,
        check=True,
        env=environment(),
    )
    modules = set(done.stderr.decode().split())
    ours = {name for name in modules if name.startswith("takopi")}
    assert {name.split(".")[0] for name in modules - ours - {"__main__"}} <= sys.stdlib_module_names
    assert not modules & {"json", "typing", "pathlib", "subprocess", "re", "enum", "signal"}


def test_of_two_holders_one_wins(runs_dir: Path, tmp_path: Path) -> None:
    """Started at the same time on one directory: one engine, and the loser says why it left."""
    ran = tmp_path / "ran"
    directory = made(runs_dir, shell('echo x >> "$1"', str(ran)))
    holders = [hold(directory) for _ in range(4)]
    said = [json.loads(holder.communicate()[0]) for holder in holders]
    assert sorted(holder.returncode for holder in holders) == [0, 3, 3, 3]
    assert said.count({"ok": True}) == 1
    assert said.count({"error": "claimed"}) == 3
    assert ran.read_text() == "x\n"


def test_a_claim_taken_by_takopi_keeps_the_engine_from_starting(
    runs_dir: Path, tmp_path: Path
) -> None:
    """Whoever has the claim knows that the engine never started and never will."""
    ran = tmp_path / "ran"
    directory = made(runs_dir, shell('echo x >> "$1"', str(ran)))
    assert directory.take_claim()
    holder = hold(directory)
    assert json.loads(holder.communicate()[0]) == {"error": "claimed"}
    assert holder.returncode == holding.EXIT_CLAIMED
    assert not ran.exists()
    assert not (directory.path / "process.json").exists()


def test_output_that_was_removed_is_made_anew_for_nobody_else(runs_dir: Path) -> None:
    """takopi makes both files; whoever removed one does not open what the engine prints."""
    directory = made(runs_dir, shell("echo out"))
    before = os.umask(0o022)
    try:
        for path in (directory.stdout, directory.stderr):
            path.unlink()
        with hold(directory) as holder:
            holder.communicate()
    finally:
        os.umask(before)
    assert directory.stdout.read_bytes() == b"out\n"
    for path in (directory.stdout, directory.stderr):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_holder_nobody_listens_to_goes_on(runs_dir: Path) -> None:
    """takopi may be gone before the holder says that the engine runs."""
    directory = made(runs_dir, shell("exit 4"))
    holder = hold(directory)
    assert holder.stdout
    holder.stdout.close()
    assert holder.wait() == 0
    assert directory.exit() == RunExit(code=4)


def test_an_engine_that_cannot_start_is_written_down(runs_dir: Path) -> None:
    """The reason goes to takopi and into exit.json, with the exit status of the holder."""
    directory = made(runs_dir, shell(":", cwd=Path("/no/such/directory")))
    holder = hold(directory)
    said = json.loads(holder.communicate()[0])
    assert said == {"error": "exec", "errno": 2, "text": "No such file or directory"}
    assert holder.returncode == holding.EXIT_NOT_STARTED
    assert json.loads((directory.path / "exit.json").read_text())["failure"]["errno"] == 2


def test_signals_for_the_holder_do_not_lose_the_end(runs_dir: Path, tmp_path: Path) -> None:
    """It ignores what a terminal sends, and passes on what a person sends it."""
    directory = made(runs_dir, shell("exec sleep 300"))
    holder = hold(directory)
    assert holder.stdout
    holder.stdout.readline()
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM):
        holder.send_signal(number)
    holder.communicate()
    assert directory.exit() == RunExit(signal=15)


def test_it_keeps_no_directory_busy(runs_dir: Path, tmp_path: Path) -> None:
    """A project or a mount can be removed while the holder waits."""
    fifo = tmp_path / "go"
    os.mkfifo(fifo)
    directory = made(runs_dir, shell('cd /; read x < "$1"', str(fifo), cwd=tmp_path))
    holder = hold(directory)
    assert holder.stdout
    holder.stdout.readline()
    assert Path(f"/proc/{holder.pid}/cwd").readlink() == Path("/")
    fifo.write_text("\n")
    holder.communicate()


def test_helpers_that_end_by_themselves_are_no_background_processes(
    runs_dir: Path, tmp_path: Path
) -> None:
    """A child that notices the engine's end and leaves is not named."""
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    # The child reads until the engine, the only writer, is gone.
    directory = made(runs_dir, shell('cat "$1" & exec 3> "$1"; exit 0', str(fifo)))
    hold(directory).communicate()
    assert directory.exit() == RunExit(code=0)


def test_the_roots_of_what_is_left_are_named(runs_dir: Path) -> None:
    """`npm run dev` is named once, not with each process below it."""
    script = "setsid sh -c 'sleep 300 & sleep 301; :' >/dev/null & setsid sleep 302 & exit 0"
    directory = made(runs_dir, shell(script))
    hold(directory).communicate()
    found = directory.exit()
    assert found is not None
    assert sorted(found.ended) == ["sh -c sleep 300 & sleep 301; :", "sleep 302"]


def test_a_subreaper_cannot_be_had_without_ctypes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python without ctypes degrades: takopi still finds orphans by their mark."""
    monkeypatch.setitem(sys.modules, "ctypes", None)
    assert holding.become_subreaper() is False


@pytest.mark.anyio
@pytest.mark.parametrize("stubborn", [False, True])
async def test_without_proc_the_group_is_ended_and_the_rest_found_by_takopi(
    runs_dir: Path, home_id: str, host: LocalRunHost, tmp_path: Path, stubborn: bool
) -> None:
    """A system that does not show its processes as Linux does still leaves none."""
    trap = "trap '' TERM;" if stubborn else ""
    script = f"(setsid sleep 300 &) ; sh -c '{trap} echo up; sleep 301; sleep 302' & read x"
    fifo = tmp_path / "go"
    os.mkfifo(fifo)
    blind = LocalRunHost(runs_dir, home_id, holder_command=(sys.executable, "-c", WITHOUT_PROC))
    run = await blind.start(shell(f'{script} < "$1"', str(fifo)))
    chunks = run.follow()
    await first_line(chunks)
    with fifo.open("w") as file:
        file.write("\n")
    found = await run.settle(20)
    assert found.code == 0
    assert found.ended == ("sleep 300",)


@pytest.mark.anyio
async def test_records_that_a_crash_cut_are_skipped(host: LocalRunHost) -> None:
    """A record counts with its newline; half of one is closed by the next."""
    run = await host.start(shell("cat", two_way=True))
    with (run.directory / "stdin.jsonl").open("a") as file:
        file.write('{"offset": 0, "data": "lo')
    run.send("kept\n")
    with (run.directory / "stdin.jsonl").open("a") as file:
        file.write('{"eof": true}\n{"offset": 0, "data": "after the end"}\n')
    # No signal for the last two: the holder looks by itself within a second.
    assert await everything(run) == b"kept\n"


@pytest.mark.anyio
async def test_an_orphan_of_the_holder_is_reaped(host: LocalRunHost, tmp_path: Path) -> None:
    """What is reparented to the holder while the engine works leaves no zombie."""
    pids = tmp_path / "pids"
    script = '(sh -c \'echo $$ > "$0"; echo up\' "$1" &); read x; exit 0'
    run = await host.start(shell(script, str(pids), two_way=True))
    await first_line(run.follow())
    orphan = int(pids.read_text())
    with anyio.fail_after(10):
        while stat_fields(orphan) is not None:
            await anyio.lowlevel.checkpoint()
    run.close_input()
    assert await run.wait() == RunExit(code=0)


def test_the_tree_of_a_crashed_engine_is_ended(runs_dir: Path, tmp_path: Path) -> None:
    """Also when the engine is killed: nothing is left but its files."""
    pids = tmp_path / "pids"
    pids.touch()
    directory = made(runs_dir, shell(TREE + "exec sleep 300", str(pids)))
    holder = hold(directory)
    assert holder.stdout
    holder.stdout.readline()
    while not directory.stdout.read_bytes():
        pass
    named = Named.written_in(pids)
    engine = directory.process_facts().engine
    assert engine
    os.kill(engine.pid, signal.SIGKILL)
    holder.communicate()
    assert not named.alive()
    found = directory.exit()
    assert found is not None
    assert found.signal == signal.SIGKILL
