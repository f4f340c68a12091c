"""Turns without a bot around them: a scheduler that lives, dies and lives again over one journal.

What outlives a life: the journal, the chat, the clock and the engines' processes.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import TaskGroup

from fakes.clock import VirtualClock, settle
from fakes.engine_processes import EngineProcesses, Life, ProcessHost, ProcessRunner
from fakes.scripted_engine import ScriptedDirectory
from fakes.transport import MemoryTransport
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.outbox import Outbox
from takopi.bridge.records import Change, MessageBound, TurnPut, TurnRecord
from takopi.bridge.scheduler import Scheduler
from takopi.bridge.turn_journal import TurnJournal
from takopi.bridge.turn_messages import FinalOptions, TurnMessages
from takopi.bridge.turn_start import DriverPorts, TurnOptions
from takopi.bridge.workspaces import OneDirectory
from takopi.core.chat import Scope
from takopi.core.watchdog import StallLimits
from takopi.errors import StoreError
from takopi.transport import MessageRef

SCOPE = Scope("memory", 1)


class LifeStore:
    """Be the journal as one life sees it: the dead write nothing.

    Args:
        store: The journal.
        life: Who writes.
    """

    def __init__(self, store: MemoryStore, life: Life) -> None:
        self._store = store
        self._life = life
        self.commits: list[Sequence[Change]] = []
        self.fault: Callable[[Sequence[Change]], Exception | None] | None = None
        self.dies_at: tuple[int, bool] | None = None
        """The life ends with this commit: which one from now on, and whether it still counts."""

    async def commit(self, changes: Sequence[Change]) -> None:
        if self._life.dead:
            raise StoreError("the dead write nothing")
        error = self.fault(changes) if self.fault else None
        if error is not None:
            raise error
        counts = True
        if self.dies_at is not None:
            left, counts = self.dies_at
            self.dies_at = (left - 1, counts)
            self._life.dead = left <= 1
            counts = counts or left > 1
        if counts:
            self.commits.append(changes)
            await self._store.commit(changes)
        if self._life.dead:
            # Whoever wrote never hears of it; that it was refused is the next best thing to say.
            raise StoreError("died while writing")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class LifeTransport:
    """Be the chat as one life sees it: the dead are not heard."""

    def __init__(self, chat: MemoryTransport, life: Life) -> None:
        self._chat = chat
        self._life = life
        self.id = chat.id

    async def send(self, *what: Any) -> MessageRef:
        return MessageRef(1, 0) if self._life.dead else await self._chat.send(*what)

    async def send_document(self, *what: Any) -> MessageRef:
        return MessageRef(1, 0) if self._life.dead else await self._chat.send_document(*what)

    async def edit(self, *what: Any) -> None:
        if not self._life.dead:
            await self._chat.edit(*what)

    async def delete(self, *what: Any) -> None:
        if not self._life.dead:
            await self._chat.delete(*what)


@dataclass
class Stage:
    """Hold what outlives a scheduler, and the one that lives."""

    max_runs: int = 8
    limits: StallLimits = field(default_factory=StallLimits)
    work_dir: Path = Path("/projects")

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.chat = MemoryTransport(self.clock)
        self.journal = MemoryStore()
        self.processes = EngineProcesses()
        self.host = ProcessHost(self.processes)
        self.submitted = 0
        self.runs = 0
        self.engines: tuple[str, ...] = ("codex", "claude")
        self.make_runner: Callable[[str, EngineProcesses, Life], Any] = ProcessRunner
        self._dying = anyio.Event()

    async def live(self, *, task_status: Any = anyio.TASK_STATUS_IGNORED) -> None:
        """Live until `die`."""
        self.life = Life()
        self._dying = anyio.Event()
        self.store = LifeStore(self.journal, self.life)
        self.runners = {
            engine: self.make_runner(engine, self.processes, self.life) for engine in self.engines
        }
        self.directory = ScriptedDirectory(dict(self.runners))
        state = await self.journal.load()
        transport: Any = LifeTransport(self.chat, self.life)
        store: Any = self.store
        outbox = self.outbox = Outbox(transport, store, self.clock)
        async with anyio.create_task_group() as group:
            self.scheduler = self._scheduler(outbox, group)
            deliveries = outbox.restore(state)
            group.start_soon(outbox.run)
            await self.scheduler.recover(state.turns, deliveries)
            task_status.started()
            await self._dying.wait()
            group.cancel_scope.cancel()

    def die(self) -> None:
        """Let the life end where it stands; what it did so far stays."""
        self.life.dead = True
        self._dying.set()

    def _scheduler(self, outbox: Outbox, group: TaskGroup) -> Scheduler:
        messages = TurnMessages(outbox, self.clock, FinalOptions())
        store: Any = self.store
        host: Any = self.host
        options = TurnOptions(new_run_id=self._new_run_id, limits=self.limits)
        ports = DriverPorts(
            self.directory,
            host,
            OneDirectory(self.work_dir),
            TurnJournal(store),
            self.clock,
            messages,
            options,
        )
        return Scheduler(ports, group, self.max_runs)

    def _new_run_id(self) -> str:
        self.runs += 1
        return f"run-{self.runs}"

    def record(self, prompt: str = "", **more: Any) -> TurnRecord:
        """Make the record of a new prompt; `after` names the turn that it replies to."""
        self.submitted += 1
        number = self.submitted
        turn_id = f"t{number}"
        basis: dict[str, Any] = {
            "turn_id": turn_id,
            "scope": SCOPE,
            "engine": "codex",
            "conversation": turn_id,
            "prompt": prompt or f"prompt {number}",
            "messages": (10_000 + number,),
            "person": 1,
            "accepted_at": self.clock.wall(),
        }
        return TurnRecord(**{**basis, **more})

    async def submit(self, prompt: str = "", **more: Any) -> str:
        """Accept a prompt as the dispatcher does; returns the turn's id."""
        record = self.record(prompt, **more)
        bound = MessageBound(1, record.messages[0], record.turn_id, "prompt")
        await self.journal.commit([TurnPut(record), bound])
        self.scheduler.submit(record)
        await settle()
        return record.turn_id

    async def state(self, turn_id: str) -> TurnRecord:
        """Return a turn as the journal has it."""
        found = await self.journal.turn(turn_id)
        assert found is not None
        return found

    def states(self, turn_id: str) -> list[str]:
        """List the states of a turn in the order in which this life wrote them down."""
        puts = (c for changes in self.store.commits for c in changes if isinstance(c, TurnPut))
        states = [put.turn.state for put in puts if put.turn.turn_id == turn_id]
        return [state for n, state in enumerate(states) if n == 0 or states[n - 1] != state]

    def finals(self) -> list[str]:
        """List what the chat shows that looks like a final."""
        words = ("✓ done", "✗ error", "■ cancelled", "⚠ interrupted")
        return [text for text in self.chat.texts() if text.startswith(words)]


@asynccontextmanager
async def staged(**options: Any) -> AsyncIterator[Stage]:
    """Set up a stage whose first life begins; what still runs at the end is torn down."""
    stage = Stage(**options)
    async with living(stage):
        yield stage


@asynccontextmanager
async def living(stage: Stage) -> AsyncIterator[None]:
    """Let a stage live for the length of the block, once more if it did before."""
    async with anyio.create_task_group() as group:
        await group.start(stage.live)
        await settle()
        yield
        stage.die()
    assert stage.processes.faults == []


async def leave_running(stage: Stage, **more: Any) -> str:
    """Let a life end while an engine works."""
    async with living(stage):
        turn_id = await stage.submit("hello", **more)
        stage.processes.last.started()
        stage.processes.last.step("make")
        await stage.clock.advance(60)
    return turn_id
