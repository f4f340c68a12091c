"""A host of its own for each test, and proof that nothing outlives the test."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from process.engines import holder_command
from takopi.process.host import LocalRunHost
from takopi.process.tree import MARK


@pytest.fixture
def home_id() -> str:
    """Name a home that no other test has."""
    return secrets.token_hex(8)


@pytest.fixture
def runs_dir(tmp_path: Path) -> Path:
    """Give the folder of the runs."""
    return tmp_path / "runs"


@pytest.fixture
def host(runs_dir: Path, home_id: str) -> Iterator[LocalRunHost]:
    """Give a host; nothing that it started may be alive after the test."""
    yield LocalRunHost(runs_dir, home_id, holder_command=holder_command())
    # A holder may still be on its way out.
    _, left = psutil.wait_procs(list(_processes_of(home_id)), timeout=5)
    for process in left:
        process.kill()
    assert not left


def _processes_of(home_id: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK, "").startswith(f"{home_id}/"):
                yield process
        except psutil.Error:
            continue
