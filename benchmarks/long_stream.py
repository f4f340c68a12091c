"""Memory while a stream of 100 MB in lines of 200 KB goes through the translation."""

import json
import subprocess
import sys

from benchmarks.figure import Figure

__all__ = ["measure"]

PROBE = """
import json, sys
from pathlib import Path
from benchmarks.processes import resident_mb
from takopi.jsonl_fold import JsonlFold
from takopi.runners.codex import BACKEND
from takopi.turn import TurnRequest

megabytes = int(sys.argv[1])
item = {"id": "item_0", "type": "command_execution", "command": "cat big", "exit_code": 0,
        "aggregated_output": "x" * 200_000, "status": "completed"}
fold = JsonlFold(BACKEND.build_runner({}, Path("takopi.toml")), TurnRequest(prompt="x"))
fold.feed(b'{"type":"thread.started","thread_id":"01a1fc42-c54c-7fd3-a2cd-98b75367b22e"}\\n')

def lines(first, last):
    for number in range(first, last):
        item["id"] = f"item_{number}"
        yield json.dumps({"type": "item.completed", "item": item}).encode() + b"\\n"

def drive(first, last):
    peak = 0.0
    for line in lines(first, last):
        for start in range(0, len(line), 65536):
            fold.feed(line[start:start + 65536])
        peak = max(peak, resident_mb())
    return peak

before = drive(0, 5)
print(json.dumps([before, drive(5, megabytes * 5)]))
"""


def measure(megabytes: int = 100) -> list[Figure]:
    """Compare the peak of the whole stream with that of its first megabyte."""
    command = [sys.executable, "-c", PROBE, str(megabytes)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    before, peak = json.loads(printed)
    detail = f"{before:.0f} MB after 1 MB, {peak:.0f} MB at the peak of {megabytes} MB"
    return [Figure("growth over a long stream", peak - before, 16, "MB", detail)]
