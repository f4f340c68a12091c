"""Translation of recorded codex streams against bare decoding of the same lines.

Both read the same chunks through the same splitter, so that what differs is the translation alone;
a second figure lets bare decoding have its lines for nothing.
"""

import gc
import time
from pathlib import Path

import msgspec

from benchmarks.figure import Figure
from takopi.core.lines import LineSplitter
from takopi.jsonl_fold import JsonlFold
from takopi.runners.codex import BACKEND
from takopi.turn import TurnRequest

__all__ = ["measure"]

FIXTURES = Path(__file__).parent.parent / "tests" / "fixtures" / "codex"
SHORT = 20_000


def stream(copies: int, longest: int) -> bytes:
    """Join the recorded items `copies` times as one turn; each copy has ids of its own."""
    head, items = b"", []
    for copy in range(copies):
        for number, path in enumerate(sorted(FIXTURES.glob("*.jsonl"))):
            own = b'"id":"%d_%d_' % (copy, number)
            for line in path.read_bytes().splitlines(keepends=True):
                if b'"thread.started"' in line:
                    head = line
                elif line.startswith(b'{"type":"item.') and len(line) <= longest:
                    items.append(line.replace(b'"id":"item_', own))
    return head + b"".join(items)


def ratio(data: bytes, rounds: int, *, given: bool) -> tuple[float, str]:
    """Translate and decode in turns; the best counts.

    Args:
        data: The stream.
        rounds: How often each is done.
        given: Whether bare decoding need not split the stream into lines.
    """
    lines = data.split(b"\n")[:-1]
    chunks = [data[start : start + 65536] for start in range(0, len(data), 65536)]
    decode = msgspec.json.Decoder().decode
    runner = BACKEND.build_runner({}, Path("takopi.toml"))
    best_translate = best_decode = float("inf")
    for _ in range(rounds):
        splitter = LineSplitter()
        begin = time.perf_counter()
        for part in (lines,) if given else map(splitter.feed, chunks):
            for line in part:
                decode(line)
        best_decode = min(best_decode, time.perf_counter() - begin)
        fold = JsonlFold(runner, TurnRequest(prompt=""))
        begin = time.perf_counter()
        for chunk in chunks:
            fold.feed(chunk)
        best_translate = min(best_translate, time.perf_counter() - begin)
    ours, bare = (best / len(lines) * 1e6 for best in (best_translate, best_decode))
    detail = f"{ours:.2f} us against {bare:.2f} us a line of {len(data) // len(lines)} bytes"
    return bare / ours, detail


def measure(rounds: int = 9, copies: int = 20) -> list[Figure]:
    """Measure all recorded lines, bare lines, and without the few longer than 20 KB."""
    gc.collect()
    gc.freeze()  # as the bot does once it is ready
    figures = []
    whole, short = stream(copies, 1 << 30), stream(copies, SHORT)
    for name, data, given in (
        ("a codex stream", whole, False),
        ("a codex stream, lines given to the decoder", whole, True),
        ("a codex stream of short lines", short, False),
    ):
        value, detail = ratio(data, rounds, given=given)
        title = f"translating {name} / bare decoding"
        figures.append(Figure(title, value, 0.5, detail=detail, at_least=True))
    gc.unfreeze()
    return figures
