"""How a turn gets its engine: the directory, the word in the journal, and only then the engine."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio
import msgspec
from anyio.abc import TaskGroup
from msgspec.structs import replace

from takopi.bridge.attachments import Arrivals, attach_files
from takopi.bridge.border import border
from takopi.bridge.ending import Ending
from takopi.bridge.leaving_behind import Wanted, while_wanted
from takopi.bridge.ports import Clock, EngineDirectory, RunHost, Workspaces
from takopi.bridge.records import TurnRecord
from takopi.bridge.spending import Spending
from takopi.bridge.tree_gate import TreeGate
from takopi.bridge.turn import Turn
from takopi.bridge.turn_journal import TurnJournal
from takopi.bridge.turn_messages import TurnMessages
from takopi.bridge.turn_topics import TurnTopics
from takopi.context import RunContext
from takopi.core.texts import tr_later
from takopi.core.watchdog import StallLimits
from takopi.desktop_sessions import desktop_directory
from takopi.errors import WorkDirMissing
from takopi.model import ResumeToken
from takopi.runner import open_turn
from takopi.turn import LiveTurn, TurnRequest

__all__ = ["DriverPorts", "TurnOptions", "open_run", "turn_request"]


SNAPSHOT_LIMIT_S = 3.0
"""How long a start waits for what the directory holds; /diff then shows what is in no commit."""


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
        spending: Keeps to the day's budget; None where there is none.
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
    spending: Spending | None = None


async def open_run(ports: DriverPorts, turn: Turn, group: TaskGroup) -> LiveTurn | Ending | None:
    """Open the run of a turn, after the journal has taken that it starts.

    Neither a dead disk nor a git that hangs keeps a turn from being cancelled here.

    Args:
        ports: What a turn needs.
        turn: The turn.
        group: What is left behind when the turn is cancelled goes on in it.

    Returns:
        None when takopi goes, or somebody cancelled the turn, before it came to that; how the turn
        ends when its directory, or a file of its prompt, is not to be had.

    Raises:
        StoreError: The journal did not take it; nothing was started.
    """
    runner = ports.engines.runner(turn.engine)
    ending = await _take_place(ports, turn, group)
    if ending is not None or turn.left.is_set() or turn.cancelled.is_set():
        return ending
    looking = Wanted(turn, group, ports.clock, SNAPSHOT_LIMIT_S)
    cwd = turn.cwd or Path()
    before = await while_wanted(
        looking, tr_later("taking a snapshot"), partial(ports.workspaces.snapshot, cwd)
    )
    turn.record = replace(turn.record, before=before.found)
    if turn.left.is_set() or turn.cancelled.is_set():
        return None
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
        "message_id": next((number for number in record.messages if number > 0), None),
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


async def _take_place(ports: DriverPorts, turn: Turn, group: TaskGroup) -> Ending | None:
    """Find the directory of a turn, and wait until no command changes files there."""
    wanted = Wanted(turn, group, ports.clock)
    while True:
        errand = await while_wanted(
            wanted, tr_later("finding the directory"), partial(_directory, ports, turn.record)
        )
        if errand.error is not None:
            return Ending("failed", error=errand.error)
        if errand.found is None or turn.left.is_set() or turn.cancelled.is_set():
            return None
        cwd, context = errand.found
        turn.record = replace(
            turn.record, cwd=str(cwd), project=context.project, branch=context.branch
        )
        # From here on a command sees that this turn works there; see `TreeGate.is_held`.
        tree = ports.workspaces.tree_of(cwd)
        if not ports.gate.is_held(tree):
            return None
        await while_wanted(
            wanted, tr_later("waiting for the files"), partial(ports.gate.wait, tree)
        )
        if turn.left.is_set() or turn.cancelled.is_set():
            return None


async def _directory(ports: DriverPorts, record: TurnRecord) -> tuple[Path, RunContext]:
    """Find the directory of a turn before anything starts in a wrong one.

    A session that takopi has run lives where it ran, and one of the desktop where its engine says;
    any other begins where its context says.
    """
    found = None
    if record.asked is not None:
        # Reads run directories; there may be many.
        found = await anyio.to_thread.run_sync(
            ports.host.session_cwd, record.asked, abandon_on_cancel=True
        )
        if found is None:
            with border("finding the directory of a session", turn=record.turn_id):
                runner = ports.engines.runner(record.engine)
                found = await desktop_directory(runner, record.asked)
    if found is None:
        return await ports.workspaces.directory(record.context), record.context
    if not await ports.workspaces.has(found):
        raise WorkDirMissing(found)
    context = await ports.workspaces.context_of(found)
    # A branch may have been left since; what the prompt was asked for is then still right.
    same_project = context.project is not None and context.project == record.project
    return found, record.context if same_project and record.branch else context
