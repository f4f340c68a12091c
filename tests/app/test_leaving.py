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


HANGING = """
import anyio, sys, time
from anyio.to_thread import run_sync
from takopi.app.leaving import no_thread_is_waited_for

async def serve(seconds):
    async with anyio.create_task_group() as tasks:
        async def hang():
            await run_sync(time.sleep, seconds, abandon_on_cancel=True)
        tasks.start_soon(hang)
        await anyio.sleep(0.1)
        tasks.cancel_scope.cancel()

with no_thread_is_waited_for():
    anyio.run(serve, float(sys.argv[1]))
print("served", flush=True)
"""


@pytest.mark.parametrize(("seconds", "said"), [("3000", b""), ("0.3", b"served\n")])
def test_a_thread_that_hangs_keeps_no_process(seconds, said) -> None:
    """A plug-in or a dead disk would keep it for ever; what ends soon is waited for."""
    command = [sys.executable, "-c", HANGING, seconds]
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=20, check=False)
    assert (done.returncode, done.stdout) == (0, said)
