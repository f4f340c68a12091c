"""How a turn gets its engine: the directory, the word in the journal, and only then the engine."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import anyio
import msgspec
from msgspec.structs import replace

from takopi.bridge.attachments import Arrivals, attach_files
from takopi.bridge.ports import Clock, EngineDirectory, RunHost, Workspaces
from takopi.bridge.records import TurnRecord
from takopi.bridge.turn import Turn
from takopi.bridge.turn_journal import TurnJournal
from takopi.bridge.turn_messages import Ending, TurnMessages
from takopi.bridge.turn_topics import TurnTopics
from takopi.context import RunContext
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
        new_run_id: Makes names of run directories, as `run_host.is_run_id` wants them.
        limits: How long an engine may be silent.
    """

    new_run_id: Callable[[], str]
    limits: StallLimits


@dataclass(frozen=True, slots=True)
class DriverPorts:
    """Bind what a turn needs.

    Args:
        engines: Knows the runners.
        host: Knows where sessions live, and the runs that were left.
        workspaces: Knows where the projects' prompts run.
        journal: Writes turns down.
        clock: Tells the time.
        messages: Shows turns.
        options: How turns are run.
        arrivals: Fetches the files of prompts; None where there are none.
        topics: Makes topics for new sessions; None where nobody does.
        gate: Keeps turns from starting where a command changes files.
    """

    engines: EngineDirectory
    host: RunHost
    workspaces: Workspaces
    journal: TurnJournal
    clock: Clock
    messages: TurnMessages
    options: TurnOptions
    arrivals: Arrivals | None = None
    topics: TurnTopics | None = None
    gate: TreeGate = field(default_factory=TreeGate)


async def open_run(ports: DriverPorts, turn: Turn) -> LiveTurn | Ending | None:
    """Open the run of a turn, after the journal has taken that it starts.

    Returns:
        None when takopi goes, or somebody cancelled the turn, before it came to that; how the turn
        ends when a file of its prompt is not to be had.

    Raises:
        StoreError: The journal did not take it; nothing was started.
        WorkDirMissing: The directory of its session or project is gone.
        TakopiError: Its branch has no working tree, and git would not make one.
    """
    runner = ports.engines.runner(turn.engine)
    cwd, context = await _directory(ports, turn.record)
    if turn.left.is_set() or turn.cancelled.is_set():
        return None
    turn.record = replace(turn.record, cwd=str(cwd), project=context.project, branch=context.branch)
    if ports.arrivals is not None:
        ending = await attach_files(ports.arrivals, ports.journal, turn)
        if ending is not None or turn.left.is_set() or turn.cancelled.is_set():
            return ending
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
        prompt=record.prompt,
        resume=resume,
        cwd=turn.cwd,
        model=record.choices.model,
        reasoning=record.choices.reasoning,
        permission_mode=record.choices.mode,
        attachments=tuple(Path(file.path) for file in record.files if file.path),
        record=facts,
        run_id=record.run_id,
    )


async def _directory(ports: DriverPorts, record: TurnRecord) -> tuple[Path, RunContext]:
    """Find the directory of a turn before anything starts in a wrong one.

    A session that takopi has run lives where it ran; any other begins where its context says.
    """
    found = None
    if record.asked is not None:
        # Reads run directories; there may be many.
        found = await anyio.to_thread.run_sync(ports.host.session_cwd, record.asked)
    if found is None:
        return await ports.workspaces.directory(record.context), record.context
    if not await anyio.Path(found).is_dir():
        raise WorkDirMissing(found)
    context = await ports.workspaces.context_of(found)
    # A branch may have been left since; what the prompt was asked for is then still right.
    same_project = context.project is not None and context.project == record.project
    return found, record.context if same_project and record.branch else context
