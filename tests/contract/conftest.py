"""Fixtures of the contract's tests."""

from collections.abc import Iterator

import pytest

from contract.stage import Stage
from takopi.runner import RunnerRuntime, bind_runtime


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Give a scripted host that every turn of the test runs on."""
    stage = Stage()
    with bind_runtime(RunnerRuntime(host=stage.host)):
        yield stage
