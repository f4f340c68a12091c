"""What it costs to write down: a commit and an answer of the service against one bare fsync."""

import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio

from benchmarks.figure import Figure
from benchmarks.processes import median_ms
from takopi.bridge.records import LetterPut, LetterRecord, MessageBound, TurnPut, TurnRecord
from takopi.core.chat import ChatMessage, MessageReceived, Scope
from takopi.core.outbox_plan import Priority
from takopi.core.richtext import RichText
from takopi.store.opening import JournalOptions, open_journal
from takopi.store.reading import journal_health
from takopi.store.sqlite_store import SqliteStore

__all__ = ["measure"]

SCOPE = Scope("telegram", 1)


def _turn(number: int, state: str = "queued") -> TurnPut:
    prompt = "Why does the test of the parser fail since yesterday? " * 8
    return TurnPut(
        TurnRecord(
            turn_id=f"{number:016x}",
            scope=SCOPE,
            engine="codex",
            conversation=f"{number:016x}",
            prompt=prompt,
            messages=(number,),
            state=state,
        )
    )


def _final(number: int) -> list[TurnPut | LetterPut | MessageBound]:
    """Make the commit that matters most: a final of two parts."""
    text = RichText("The grammar was changed, and nobody told the parser. " * 60)
    letters = [
        LetterPut(
            LetterRecord(
                letter_id=2 * number + part,
                scope=SCOPE,
                chat_kind="private",
                priority=Priority.FINAL,
                body=ChatMessage(text),
                turn_id=f"{number:016x}",
            )
        )
        for part in (1, 2)
    ]
    return [_turn(number, "delivering"), *letters]


def _update(number: int) -> MessageReceived:
    return MessageReceived(
        update_id=number,
        scope=SCOPE,
        chat_kind="private",
        message_id=number,
        sender_id=1,
        text="Why does the test of the parser fail since yesterday? " * 8,
    )


class _SmallFile:
    """Append a few bytes and sync: the least that any durable commit costs."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)

    def sync(self) -> float:
        begin = time.perf_counter()
        os.write(self._descriptor, b"x" * 512)
        os.fsync(self._descriptor)
        return time.perf_counter() - begin


async def _timed(call: Callable[[], Awaitable[object]]) -> float:
    begin = time.perf_counter()
    await call()
    return time.perf_counter() - begin


async def _latencies(store: SqliteStore, bare: _SmallFile, rounds: int) -> dict[str, list[float]]:
    """Measure each kind in turns, so that a busy moment of the disk hits all of them."""
    found: dict[str, list[float]] = {"sync": [], "accept": [], "commit": [], "final": []}
    for number in range(1, rounds + 11):
        accept = await _timed(lambda n=number: store.accept([_update(n)], n, time.time()))
        changes = [_turn(number), MessageBound(1, number, f"{number:016x}", "prompt")]
        commit = await _timed(lambda c=changes: store.commit(c))
        final = await _timed(lambda n=number: store.commit(_final(n)))
        if number > 10:
            found["sync"].append(bare.sync())
            found["accept"].append(accept)
            found["commit"].append(commit)
            found["final"].append(final)
    return found


def _cpu_of_a_commit(path: Path, rounds: int) -> float:
    """Return processor seconds of one commit with its trip to the thread, but without the sync."""

    async def commits(store: SqliteStore) -> float:
        begin = time.process_time()
        for number in range(rounds):
            await store.commit([_turn(number), MessageBound(1, number, "t", "prompt")])
        took = time.process_time() - begin
        await store.close()
        return took

    store = open_journal(path, rebuild=lambda: (), now=time.time())
    store._db.execute("PRAGMA synchronous = OFF")
    return anyio.run(commits, store) / rounds


async def _grow(path: Path, megabytes: int) -> float:
    """Make a big journal and return its size in megabytes."""
    options = JournalOptions(reserve_bytes=4096)
    store = open_journal(path, rebuild=lambda: (), now=time.time(), options=options)
    for first in range(0, megabytes * 1000, 500):
        await store.commit([_turn(number, "done") for number in range(first, first + 500)])
    await store.close()
    return path.stat().st_size / 1e6


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)]


def measure(rounds: int = 1500, megabytes: int = 100) -> list[Figure]:
    """Write beside a bare file on the same disk, and look a big journal over."""
    with tempfile.TemporaryDirectory(dir=Path.home()) as scratch:
        folder = Path(scratch)
        store = open_journal(folder / "takopi.db", rebuild=lambda: (), now=time.time())

        async def run() -> dict[str, list[float]]:
            found = await _latencies(store, _SmallFile(folder / "bare"), rounds)
            await store.close()
            return found

        found = anyio.run(run)
        cpu = _cpu_of_a_commit(folder / "cpu.db", rounds)
        size = anyio.run(_grow, folder / "big.db", megabytes)
        begin = time.perf_counter()
        assert not journal_health(folder / "big.db").fault
        looked = time.perf_counter() - begin
    sync = found["sync"]
    bare = f"a bare write and fsync: p50 {median_ms(sync):.2f} ms, p99 {_p99(sync) * 1000:.2f} ms"
    figures = []
    for name, kind in (("commit of a turn", "commit"), ("commit of a final", "final")):
        figures.append(_against(name, found[kind], sync, bare))
    figures.append(_against("accept of an update", found["accept"], sync, bare))
    ratio = cpu / statistics.median(sync)
    detail = f"{cpu * 1e6:.0f} us, the trip to the thread and back included"
    return [
        *figures,
        Figure("processor time of a commit without its fsync / fsync", ratio, 1, detail=detail),
        Figure("looking a journal over", looked / size * 1000, 5, "ms/MB", f"{size:.0f} MB"),
    ]


def _against(name: str, seconds: list[float], sync: list[float], bare: str) -> Figure:
    ratio = statistics.median(seconds) / statistics.median(sync)
    detail = f"p50 {median_ms(seconds):.2f} ms, p99 {_p99(seconds) * 1000:.2f} ms; {bare}"
    return Figure(f"{name} / fsync, p50", ratio, 3, detail=detail)
