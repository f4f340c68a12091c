"""One run: its output byte for byte, its input, and what it costs."""
# ruff: noqa: ASYNC240 (processes and files are what these tests are about)

import hashlib
import json
import os
import shutil
import signal
import statistics
import time
from contextlib import suppress
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from process.engines import (
    everything,
    first_line,
    holder_command,
    python,
    shell,
)
from takopi.process.ending import Patience
from takopi.process.follow import ChangeWatcher, open_inotify
from takopi.process.host import LocalRunHost
from takopi.process.run import LocalRun, LoopServices, RunFrame
from takopi.process.run_directory import RunDirectory
from takopi.process.tree import ProcessTable, Scanner
from takopi.run_host import RunExit

pytestmark = pytest.mark.anyio

QUICK = Patience(0.3, 0.3, 1.0, 3.0, 0.8, 1.2)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("exit 0", RunExit(code=0)),
        ("exit 3", RunExit(code=3)),
        ("kill -9 $$", RunExit(signal=9)),
        ("kill -15 $$", RunExit(signal=15)),
    ],
)
async def test_the_exit_tells_code_or_signal(
    host: LocalRunHost, script: str, expected: RunExit
) -> None:
    """An exit status is a code, a death by signal is its number."""
    run = await host.start(shell(script))
    assert await run.wait() == expected
    assert await run.wait() == expected


@pytest.mark.parametrize("notified", [True, False])
async def test_ten_megabytes_in_long_lines_arrive_byte_for_byte(
    runs_dir: Path, home_id: str, notified: bool
) -> None:
    """Nothing is lost or reordered, with notifications and without."""
    script = (
        "import os, hashlib\n"
        "data = b''.join(bytes([65 + n % 26]) * 200_000 + b'\\n' for n in range(50)) + b'no end'\n"
        "os.write(2, hashlib.sha256(data).hexdigest().encode())\n"
        "while data: data = data[os.write(1, data[:70_001]):]\n"
    )

    def none() -> object:
        raise OSError("no inotify here")

    host = LocalRunHost(
        runs_dir,
        home_id,
        holder_command=holder_command(),
        open_notifier=open_inotify if notified else none,
    )
    run = await host.start(python(script))
    digest, longest = hashlib.sha256(), 0
    async for chunk in run.follow():
        digest.update(chunk)
        longest = max(longest, len(chunk))
    assert digest.hexdigest() == run.stderr_tail()
    assert longest <= 64 * 1024


async def test_a_reader_that_sleeps_until_the_end_loses_nothing(host: LocalRunHost) -> None:
    """The engine never waits for its reader, and all it wrote is there later."""
    run = await host.start(
        shell('i=0; while [ $i -lt 20000 ]; do echo "line $i"; i=$((i+1)); done')
    )
    chunks = run.follow()
    said = await anext(chunks)
    assert await run.wait() == RunExit(code=0)
    said += b"".join([chunk async for chunk in chunks])
    assert said == b"".join(b"line %d\n" % n for n in range(20_000))


@pytest.mark.long  # once is in contract/test_on_real_processes.py
async def test_what_is_written_right_before_the_end_arrives(host: LocalRunHost) -> None:
    """A last word without newline is there although the process ends at once, every time."""
    for n in range(20):
        run = await host.start(shell(f"printf 'last words {n}'"))
        assert await everything(run) == f"last words {n}".encode()


async def test_several_readers_see_the_same(host: LocalRunHost) -> None:
    """A run can be followed by more than one, also after its end."""
    run = await host.start(shell("echo a; echo b"))
    seen: list[bytes] = []

    async def read() -> None:
        seen.append(await everything(run))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        tasks.start_soon(read)
    await read()
    assert seen == [b"a\nb\n"] * 3


async def test_output_is_seen_within_ten_milliseconds(host: LocalRunHost) -> None:
    """From the engine's write to the reader it takes at most 10 ms (the median of 40)."""
    script = (
        "import os, time\n"
        "for _ in range(40):\n"
        "    os.write(1, b'%d\\n' % time.monotonic_ns())\n"
        "    time.sleep(0.02)\n"
    )
    run = await host.start(python(script))
    late_ms = []
    async for chunk in run.follow():
        now = time.monotonic_ns()
        late_ms += [(now - int(line)) / 1e6 for line in chunk.split()]
    assert len(late_ms) == 40
    assert statistics.median(late_ms) <= 10


async def test_following_a_silent_engine_costs_nothing(host: LocalRunHost) -> None:
    """Two seconds of silence take less than 50 ms of processor time."""
    run = await host.start(shell("sleep 2"))
    before = time.process_time()
    assert await everything(run) == b""
    assert time.process_time() - before < 0.05


async def test_two_hundred_runs_never_block_the_loop(host: LocalRunHost, runs_dir: Path) -> None:
    """However much 200 runs have to say, each says one chunk in a pass of the event loop."""
    for n in range(200):
        directory = runs_dir / f"run-{n}"
        directory.mkdir()
        (directory / "stdout.jsonl").write_bytes(b"x" * 150_000)
        (directory / "stderr.log").touch()
        (directory / "claim").touch()
        (directory / "exit.json").write_text('{"code": 0}')
    passes: list[int] = []
    heard: list[int] = []
    done = anyio.Event()

    async def count_passes() -> None:
        while not done.is_set():
            before = len(heard)
            await anyio.lowlevel.checkpoint()
            passes.append(len(heard) - before)

    async def read(n: int) -> None:
        async for chunk in host.attach(f"run-{n}").follow():
            heard.append(len(chunk))

    async with anyio.create_task_group() as outer:
        outer.start_soon(count_passes)
        async with anyio.create_task_group() as readers:
            for n in range(200):
                readers.start_soon(read, n)
        done.set()
    assert sum(heard) == 200 * 150_000
    assert max(heard) <= 64 * 1024
    assert max(passes) <= 200


async def test_a_reader_that_leaves_early_gives_everything_back(host: LocalRunHost) -> None:
    """Closing the iterator closes the file and the notifier; the run goes on."""
    run = await host.start(shell("echo x; exec sleep 300"))
    before = len(list(Path("/proc/self/fd").iterdir()))
    chunks = run.follow()
    await first_line(chunks)
    await chunks.aclose()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert (await run.cancel()).signal == signal.SIGINT
    # Of the run itself nothing is kept open either, once it was ended.
    assert len(list(Path("/proc/self/fd").iterdir())) == before - 1


async def test_the_end_of_standard_error_is_decoded_from_its_last_bytes(
    host: LocalRunHost,
) -> None:
    """A cut inside a character shows no rubbish; undecodable bytes are replaced."""
    run = await host.start(shell(r"printf 'start\303\274\303\274\377end' >&2"))
    await run.wait()
    assert run.stderr_tail() == "startüü\ufffdend"
    assert run.stderr_tail(7) == "ü\ufffdend"[-6:]
    run.directory.joinpath("stderr.log").unlink()
    assert run.stderr_tail() == ""


async def test_two_way_input_arrives_in_order_and_ends(host: LocalRunHost) -> None:
    """What is sent while the engine runs is read by it; closing the input ends it."""
    spec = shell('while read -r a; do echo "got $a"; done; echo eof', stdin=b"0\n", two_way=True)
    run = await host.start(spec)
    chunks = run.follow()
    assert await first_line(chunks) == b"got 0\n"
    run.send("1 ü\n")
    assert await first_line(chunks) == "got 1 ü\n".encode()
    run.send("2\n3\n")
    run.close_input()
    rest = b"".join([chunk async for chunk in chunks])
    assert rest == b"got 2\ngot 3\neof\n"
    lines = (run.directory / "stdin.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines if line]
    assert [record.get("offset") for record in records] == [0, 6, 15, None]
    assert records[-1] == {"eof": True}
    run.send("too late\n")
    assert await run.wait() == RunExit(code=0)


async def test_a_piped_input_is_a_pipe_that_ends(host: LocalRunHost) -> None:
    """Some programs read nothing from a file; nobody has to end the input for them."""
    given = b"x" * 300_000 + b"\n"
    spec = shell("[ -p /dev/stdin ] && wc -c", stdin=given, piped=True)
    run = await host.start(spec)
    printed = b"".join([chunk async for chunk in run.follow()])
    assert int(printed) == len(given)
    assert await run.wait() == RunExit(code=0)


async def test_a_large_input_does_not_wait_for_a_slow_engine(host: LocalRunHost) -> None:
    """Five megabytes are sent at once; the holder feeds them as the engine reads."""
    script = (
        "import fcntl, sys, termios, array\n"
        "waiting = array.array('i', [0])\n"
        "while waiting[0] < 65536: fcntl.ioctl(0, termios.FIONREAD, waiting)\n"
        "print(len(sys.stdin.read()))\n"
    )
    run = await host.start(python(script, two_way=True))
    run.send("x" * 5_000_000)
    run.close_input()
    assert (await everything(run)).strip() == b"5000000"


async def test_an_engine_that_closes_its_input_is_not_disturbed(
    host: LocalRunHost, tmp_path: Path
) -> None:
    """Input for an engine that does not want it is dropped."""
    fifo = tmp_path / "go"
    os.mkfifo(fifo)
    script = 'exec 0<&-; echo closed; read x < "$1"; echo done'
    run = await host.start(shell(script, str(fifo), two_way=True))
    chunks = run.follow()
    assert await first_line(chunks) == b"closed\n"
    facts = RunDirectory(run.directory).process_facts()
    records = str(run.directory / "stdin.jsonl")
    assert records in _open_files(facts.holder_pid)
    run.send("x" * 200_000)
    while records in _open_files(facts.holder_pid):
        await anyio.lowlevel.checkpoint()
    fifo.write_text("\n")
    assert await first_line(chunks) == b"done\n"
    assert await run.wait() == RunExit(code=0)


async def test_what_is_written_while_the_end_is_looked_for_arrives(
    host: LocalRunHost, tmp_path: Path, runs_dir: Path
) -> None:
    """The output is read once more after the end is known, and only up to that moment."""
    directory = RunDirectory(runs_dir / "run")
    directory.create(shell(":"), "/bin/sh")

    class LateWords(Scanner):
        """Be a moment in which the last process writes and goes."""

        async def look(self) -> ProcessTable:
            """Show that nobody is left."""
            directory.stdout.write_bytes(b"late" * 40_000)
            return ProcessTable(())

    services = LoopServices(ChangeWatcher(), LateWords(), anyio.CapacityLimiter(1))
    frame = RunFrame("home/run", lambda: services, lambda: True, 10, QUICK)
    assert await everything(LocalRun(directory, frame)) == b"late" * 40_000


async def test_a_run_directory_that_is_removed_ends_the_reading(host: LocalRunHost) -> None:
    """Somebody who deletes a run's files gets an unknown end, not an exception."""
    run = await host.start(shell("echo x; exec sleep 0.3"))
    chunks = run.follow()
    await first_line(chunks)
    shutil.rmtree(run.directory)
    assert [chunk async for chunk in chunks] == []
    assert await run.wait() == RunExit(lost=True)


async def test_garbage_in_the_files_is_an_unknown_end(host: LocalRunHost) -> None:
    """A damaged run directory gives no exception and no invented code."""
    run = await host.start(shell(":"))
    await run.wait()
    for name in ("exit.json", "process.json", "run.json"):
        (run.directory / name).write_text("[garbage")
    assert await host.attach(run.run_id).wait() == RunExit(lost=True)


def _open_files(pid: int | None) -> list[str]:
    found = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.append(str(path.readlink()))
    return found
