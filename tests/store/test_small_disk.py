"""On a disk that is really full, finals still find room."""

import subprocess
import sys
from pathlib import Path

import pytest

from store.examples import with_tests

PROGRAM = Path(__file__).with_name("on_a_small_disk.py")

# The mount lives in a namespace of its own and is gone with the program.
MOUNTED = 'mount -t tmpfs -o size=1m none "$1" && shift && exec "$@"'


def in_a_small_disk(folder: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command where `folder` is a disk of one megabyte."""
    return subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", MOUNTED, "sh", folder, *command],
        capture_output=True,
        text=True,
        env=with_tests(),
        timeout=60,
    )


def test_finals_find_room_on_a_full_disk(tmp_path: Path) -> None:
    """Prompts are refused, finals are taken, and a start on a full disk works."""
    try:
        possible = in_a_small_disk(tmp_path, "true").returncode == 0
    except FileNotFoundError:
        possible = False
    if not possible:
        pytest.skip("a file system cannot be mounted here")
    done = in_a_small_disk(tmp_path, sys.executable, PROGRAM, tmp_path)
    assert done.stdout == "done\n", done.stderr
