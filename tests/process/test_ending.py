"""Ending what cannot be ended: bounded in time, and honest."""

import os

import anyio
import pytest

from takopi.process.ending import Patience, TreeEnding
from takopi.process.run_directory import Identity, ProcessFacts
from takopi.process.tree import ProcessTable, Scanner

pytestmark = pytest.mark.anyio

# This test's own process under a start time that is not its own: it can never be signalled.
UNTOUCHABLE = Identity(os.getppid(), "not its start time")


class Unmoved(Scanner):
    """Be a system on which one process lives for ever."""

    async def look(self) -> ProcessTable:
        """Show it."""
        return ProcessTable([(UNTOUCHABLE, 1, "home/run")])


async def _never(limit_s: float) -> bool:
    return False


async def test_what_does_not_die_does_not_hold_up_the_ending() -> None:
    """After the patience of each step the ending is over, and the rest is named."""
    patience = Patience(0.01, 0.01, 0.01, 0.01, 0.02, 0.02)
    ending = TreeEnding(ProcessFacts(), "home/run", Unmoved(), _never, patience)
    with anyio.fail_after(5):
        await ending.end_engine()
        named = await ending.end_survivors()
        ending.end_holder()
    assert len(named) == 1


async def test_an_impatient_ending_looks_at_nothing() -> None:
    """Without any time for survivors there are no names."""
    patience = Patience(0, 0, 0, 0, 0, 0)
    ending = TreeEnding(ProcessFacts(), "home/run", Unmoved(), _never, patience)
    assert await ending.end_survivors() == []
