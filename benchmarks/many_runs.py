"""200 runs at once: what the event loop feels, and what each run costs takopi."""

import asyncio
import gc
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio

from benchmarks.figure import Figure
from benchmarks.processes import resident_mb

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from fakes.toy_engine import install_toy_engine
from takopi.engines import find_engines
from takopi.process.host import LocalRunHost
from takopi.runner import RunnerRuntime, bind_runtime, open_turn
from takopi.turn import TurnRequest

__all__ = ["measure"]


async def _run(runs: int, scratch: Path) -> tuple[list[float], float, float]:
    home = scratch / "home"
    home.mkdir(mode=0o700)
    install_toy_engine(home, scratch / "bin")
    os.environ["PATH"] = f"{scratch / 'bin'}:{os.environ['PATH']}"
    host = LocalRunHost(home / "runs", "bench")
    with bind_runtime(RunnerRuntime(host=host, env_pass={}, keep_background=frozenset())):
        return await _run_all(runs, scratch, home)


async def _run_all(runs: int, scratch: Path, home: Path) -> tuple[list[float], float, float]:
    catalogue = find_engines(home)
    runner = catalogue.load("toy").build_runner({}, home / "takopi.toml")
    gate = scratch / "gate"
    running = 0
    everyone = anyio.Event()

    async def turn(number: int) -> None:
        nonlocal running
        live = open_turn(
            runner, TurnRequest(prompt=f"wait: {gate}\nmany: 50\nbye {number}", cwd=scratch)
        )
        async for event in live:
            if event.type == "action" and event.phase == "started":
                running += 1
                if running == runs:
                    everyone.set()
        assert event.type == "completed" and event.ok, event
        await live.aclose()

    gc.collect()
    before = resident_mb()
    with timed_callbacks() as took:
        async with anyio.create_task_group() as turns:
            for number in range(runs):
                turns.start_soon(turn, number)
            await everyone.wait()
            # In a thread: what the benchmark itself does must not hold the loop.
            resident, holder = await anyio.to_thread.run_sync(_memory, home)
            gate.touch()
    return took, (resident - before) * 1000 / runs, holder


def _memory(home: Path) -> tuple[float, float]:
    """Return the resident MB of this process and of the biggest holder."""
    gc.collect()
    pids = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]
    return resident_mb(), max(
        (resident_mb(pid) for pid in pids if _is_holder(pid, home)), default=0
    )


@contextmanager
def timed_callbacks() -> Iterator[list[float]]:
    """Collect how long each callback of the event loop held it, in seconds.

    A timer that wakes late would tell how busy the two hundred engines keep the machine; what is
    asked for is that takopi itself never holds the loop.
    """
    run, took = asyncio.Handle._run, []

    def timed(handle: asyncio.Handle) -> None:
        begin = time.perf_counter()
        run(handle)
        took.append(time.perf_counter() - begin)

    asyncio.Handle._run = timed
    try:
        yield took
    finally:
        asyncio.Handle._run = run


def _is_holder(pid: int, home: Path) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return any(w.endswith(b"holder.py") for w in words) and str(home).encode() in b" ".join(words)


def measure(runs: int = 200) -> list[Figure]:
    """Start all runs, wait until each works, let them print at once, and see them end."""
    with tempfile.TemporaryDirectory() as scratch:
        begin = time.perf_counter()
        callbacks, each, holder = anyio.run(_run, runs, Path(scratch))
        took = time.perf_counter() - begin
    late = sorted(callbacks)[int(len(callbacks) * 0.999)] * 1000
    detail = f"{len(callbacks)} callbacks in {took:.1f} s, worst {max(callbacks) * 1000:.0f} ms"
    return [
        Figure(f"event loop callbacks with {runs} runs, p99.9", late, 100, "ms", detail),
        Figure("takopi's own memory for a run", each, 100, "KB"),
        Figure("a holder's resident memory", holder, 12, "MB"),
    ]
