"""How a process of takopi ends when a signal comes late."""

import signal
import subprocess
import sys

import pytest

AFTER_SERVING = """
import anyio, sys
from takopi.app.leaving import heed_signals, stop_signals

async def serve():
    async with anyio.create_task_group() as tasks:
        await tasks.start(heed_signals, print, stop_signals())
        tasks.cancel_scope.cancel()

anyio.run(serve)
print("served", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 143), (signal.SIGINT, 130)]
)
def test_a_signal_after_serving_ends_the_process_with_its_own_status(number, status) -> None:
    """An impatient service manager must not see a bot killed that closes its journal."""
    with subprocess.Popen(
        [sys.executable, "-c", AFTER_SERVING], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"served\n"
        process.send_signal(number)
        assert process.wait(20) == status
