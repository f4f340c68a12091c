"""How a turn gets its engine: the directory, the word in the journal, and only then the engine."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import anyio
import msgspec
from msgspec.structs import replace

from takopi.bridge.ports import Clock, EngineDirectory, RunHost
from takopi.bridge.turn import Turn
from takopi.bridge.turn_journal import TurnJournal
from takopi.bridge.turn_messages import TurnMessages
from takopi.core.watchdog import StallLimits
from takopi.errors import WorkDirMissing
from takopi.model import ResumeToken
from takopi.runner import open_turn
from takopi.turn import LiveTurn, TurnRequest

__all__ = ["DriverPorts", "TurnOptions", "open_run", "turn_request"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnOptions:
    """Say how turns are run.

    Args:
        work_dir: Absolute directory in which new sessions start.
        new_run_id: Makes names of run directories, as `run_host.is_run_id` wants them.
        limits: How long an engine may be silent.
    """

    work_dir: Path
    new_run_id: Callable[[], str]
    limits: StallLimits


@dataclass(frozen=True, slots=True)
class DriverPorts:
    """Bind what a turn needs.

    Args:
        engines: Knows the runners.
        host: Knows where sessions live, and the runs that were left.
        journal: Writes turns down.
        clock: Tells the time.
        messages: Shows turns.
        options: How turns are run.
    """

    engines: EngineDirectory
    host: RunHost
    journal: TurnJournal
    clock: Clock
    messages: TurnMessages
    options: TurnOptions


async def open_run(ports: DriverPorts, turn: Turn) -> LiveTurn | None:
    """Open the run of a turn, after the journal has taken that it starts.

    Returns:
        None when takopi goes, or somebody cancelled the turn, before it came to that.

    Raises:
        StoreError: The journal did not take it; nothing was started.
        WorkDirMissing: The directory of its session is gone.
    """
    runner = ports.engines.runner(turn.engine)
    cwd = await _directory(ports, turn.record.asked)
    if turn.left.is_set() or turn.cancelled.is_set():
        return None
    turn.record = replace(turn.record, cwd=str(cwd))
    await ports.journal.must(turn)
    if turn.cancelled.is_set():
        return None
    return open_turn(runner, turn_request(turn, turn.record.asked))


def turn_request(turn: Turn, resume: ResumeToken | None) -> TurnRequest:
    """Say what a turn is to do.

    Args:
        turn: The turn; its directory is decided.
        resume: The session to continue.
    """
    record = turn.record
    facts = {
        "turn": record.turn_id,
        "transport": record.scope.transport,
        "chat_id": record.scope.chat_id,
        "thread_id": record.scope.thread_id,
        "message_id": record.messages[0] if record.messages else None,
        "person": record.person,
        # From this a lost journal can be made again.
        "turn_record": msgspec.to_builtins(record),
    }
    return TurnRequest(
        prompt=record.prompt, resume=resume, cwd=turn.cwd, record=facts, run_id=record.run_id
    )


async def _directory(ports: DriverPorts, resume: ResumeToken | None) -> Path:
    """Find the directory of a session before anything starts in a wrong one."""
    found = None
    if resume is not None:
        # Reads run directories; there may be many.
        found = await anyio.to_thread.run_sync(ports.host.session_cwd, resume)
    if found is None:
        return ports.options.work_dir
    if not await anyio.Path(found).is_dir():
        raise WorkDirMissing(found)
    return found
