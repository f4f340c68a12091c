"""End an engine and everything it started.

The engine is asked first (SIGINT, then SIGTERM), because engines end their tools better than
anybody else can, and killed last. Then the holder ends what is left below it. What even then lives
is ended here, one by one: tools run in sessions of their own, so no process group reaches them all.

Processes are collected before the first signal and again after each: a tool whose parent died is
found below nobody any more. What was collected once stays known, by pid *and* start time.
"""

import os
import signal
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import anyio

from takopi.process.identity import send_signal
from takopi.process.run_directory import Identity, ProcessFacts
from takopi.process.tree import ProcessTable, Scanner, commands

__all__ = ["Patience", "TreeEnding"]

_STEP_S = 0.05


class Patience(NamedTuple):
    """Say how many seconds each step of an ending may take before the next one."""

    interrupt_s: float = 2.0
    terminate_s: float = 1.5
    kill_s: float = 1.0
    holder_s: float = 2.0
    survivors_term_s: float = 0.8
    survivors_kill_s: float = 1.2


class TreeEnding:
    """End the tree of one run.

    Args:
        facts: Who holder and engine are.
        mark: The run's `TAKOPI_RUN_ID`.
        scanner: Looks at the processes.
        ended_within: Waits at most so many seconds; tells whether the run's end is known.
        patience: How long each step may take.
    """

    def __init__(
        self,
        facts: ProcessFacts,
        mark: str,
        scanner: Scanner,
        ended_within: Callable[[float], Awaitable[bool]],
        patience: Patience | None = None,
    ) -> None:
        self._facts = facts
        self._mark = mark
        self._scanner = scanner
        self._ended_within = ended_within
        self._patience = patience or Patience()
        self._known: set[Identity] = set()

    async def collect(self) -> ProcessTable:
        """Look for processes of the run, and add them to those that are known."""
        table = await self._scanner.look()
        engine, holder = self._facts.engine, self._facts.holder
        found = {*table.below(holder), *table.below(engine), *table.marked(self._mark)}
        for known in self._known:
            found.update(table.below(known))
        if engine is not None:
            found.add(engine)
        # Neither the holder, which writes down the end, nor a takopi that an agent started.
        self._known |= {one for one in found if one != holder and one.pid != os.getpid()}
        return table

    async def end_engine(self) -> None:
        """End the engine; the holder then ends what is below it, and writes down the end."""
        await self.collect()
        patience = self._patience
        for number, limit_s in (
            (signal.SIGINT, patience.interrupt_s),
            (signal.SIGTERM, patience.terminate_s),
            (signal.SIGKILL, patience.kill_s),
        ):
            engine = self._facts.engine
            if engine is None or not send_signal(*engine, number):
                break
            if await self._ended_within(limit_s):
                return
            await self.collect()
        await self._ended_within(patience.holder_s)

    async def end_survivors(self) -> list[str]:
        """End what still lives, one by one; return the commands of those found first."""
        named: list[str] | None = None
        for number, limit_s in (
            (signal.SIGTERM, self._patience.survivors_term_s),
            (signal.SIGKILL, self._patience.survivors_kill_s),
        ):
            told: set[Identity] = set()
            deadline = anyio.current_time() + limit_s
            while anyio.current_time() < deadline:
                table = await self.collect()
                left = {one for one in self._known if one in table}
                if named is None:
                    named = commands(table.roots(left))
                if not left:
                    return named
                for identity in left - told:
                    send_signal(*identity, number)
                told |= left
                await anyio.sleep(_STEP_S)
        return named or []

    def end_holder(self) -> None:
        """Kill a holder that did not write down the end in time: its work is done or lost."""
        if self._facts.holder is not None:
            send_signal(*self._facts.holder, signal.SIGKILL)
