"""200 runs at once: what the event loop feels, and what each run costs takopi."""

import asyncio
import gc
import os
import sys
import tempfile
import time
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
    bind_runtime(RunnerRuntime(host=host, env_pass={}, keep_background=frozenset()))
    catalogue = find_engines(home)
    runner = catalogue.load("toy").build_runner({}, home / "takopi.toml")
    gate = scratch / "gate"
    delays: list[float] = []
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

    async def feel_the_loop(scope: anyio.CancelScope) -> None:
        loop = asyncio.get_running_loop()
        with scope:
            while True:
                begin = loop.time()
                await asyncio.sleep(0.005)
                delays.append(loop.time() - begin - 0.005)

    gc.collect()
    before = resident_mb()
    feeler = anyio.CancelScope()
    async with anyio.create_task_group() as everything:
        everything.start_soon(feel_the_loop, feeler)
        async with anyio.create_task_group() as turns:
            for number in range(runs):
                turns.start_soon(turn, number)
            await everyone.wait()
            gc.collect()
            each = (resident_mb() - before) * 1000 / runs
            holders = [
                resident_mb(int(entry))
                for entry in os.listdir("/proc")
                if entry.isdigit() and _is_holder(int(entry), home)
            ]
            gate.touch()
        feeler.cancel()
    return delays, each, max(holders, default=0.0)


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
        delays, each, holder = anyio.run(_run, runs, Path(scratch))
        took = time.perf_counter() - begin
    late = sorted(delays)[int(len(delays) * 0.999)] * 1000
    detail = f"{runs} runs in {took:.1f} s, worst {max(delays) * 1000:.0f} ms"
    return [
        Figure(f"event loop delay with {runs} runs, p99.9", late, 100, "ms", detail),
        Figure("takopi's own memory for a run", each, 100, "KB"),
        Figure("a holder's resident memory", holder, 12, "MB"),
    ]
