"""A transaction that was committed survives SIGKILL; one that was not leaves nothing."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from store.examples import with_tests

FULL = bool(os.environ.get("TAKOPI_TEST_FULL"))
PROGRAM = Path(__file__).with_name("killed_writer.py")
KILLS = 500 if FULL else 36

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("seed", range(4 if FULL else 1))
def test_what_was_committed_survives_a_kill(tmp_path: Path, seed: int) -> None:
    """At random instants: while the file is made, in commits and in checkpoints."""
    done = subprocess.run(
        [sys.executable, PROGRAM, tmp_path, str(KILLS), str(seed)],
        capture_output=True,
        text=True,
        env=with_tests(),
    )
    told = re.fullmatch(rf"{KILLS} kills, (\d+) transactions\n", done.stdout)
    assert told, done.stderr
    assert int(told[1]) > KILLS
