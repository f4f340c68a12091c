"""Translation of a recorded codex stream against bare decoding of the same lines."""

import time
from pathlib import Path

import msgspec
from takopi.runners.codex import BACKEND

from benchmarks.figure import Figure
from takopi.runner import replay

__all__ = ["measure"]

FIXTURES = Path(__file__).parent.parent / "tests" / "fixtures" / "codex"


def stream(copies: int) -> bytes:
    """Join every recorded item `copies` times between one start and one end."""
    head, tail, items = b"", b"", []
    for path in sorted(FIXTURES.glob("*.jsonl")):
        for line in path.read_bytes().splitlines(keepends=True):
            if b'"thread.started"' in line:
                head = line
            elif b'"turn.completed"' in line:
                tail = line
            elif line.startswith(b'{"type":"item.') and len(line) < 20_000:
                items.append(line)
    return head + b"".join(items) * copies + tail


def measure(rounds: int = 7, copies: int = 100) -> list[Figure]:
    """Translate and decode in turns; the best of each counts."""
    data = stream(copies)
    lines = data.split(b"\n")[:-1]
    decode = msgspec.json.Decoder().decode
    best_translate = best_decode = float("inf")
    for _ in range(rounds):
        begin = time.perf_counter()
        for line in lines:
            decode(line)
        best_decode = min(best_decode, time.perf_counter() - begin)
        runner = BACKEND.build_runner({}, Path("takopi.toml"))
        begin = time.perf_counter()
        events = replay(runner, (data[i : i + 65536] for i in range(0, len(data), 65536)))
        best_translate = min(best_translate, time.perf_counter() - begin)
        assert events[-1].type == "completed"
    rate, bare = len(lines) / best_translate, len(lines) / best_decode
    detail = f"{rate / 1000:.0f} against {bare / 1000:.0f} thousand lines a second"
    name = "translating codex lines / bare decoding"
    return [Figure(name, rate / bare, 0.5, detail=detail, at_least=True)]
