"""Engines whose processes outlive the bot: what they said stays, whoever reads it.

A test says what a process does (`say`, `end`); each life of the bot brings runners of its own.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from fakes.scripted_engine import ScriptedRunner
from takopi.errors import RunFailed
from takopi.model import (
    Action,
    ActionEvent,
    CompletedEvent,
    ResumeToken,
    StartedEvent,
    TakopiEvent,
)
from takopi.run_host import Run, RunExit, RunSpec
from takopi.turn import TurnRequest


@dataclass(eq=False)
class EngineProcess:
    """Be one engine process with its run directory; it lives until it ends or is let go.

    Args:
        engine: Id of the engine.
        request: What it was started with.
        number: Of all processes.
    """

    engine: str
    request: TurnRequest
    number: int
    events: list[TakopiEvent] = field(default_factory=list)
    alive: bool = True
    lingers: bool = False
    lost: bool = False
    deaf: bool = False
    cancels: int = 0
    settled: int = 0
    changed: anyio.Event = field(default_factory=anyio.Event)

    @property
    def session(self) -> ResumeToken:
        """Give the session asked for, or one of its own."""
        return self.request.resume or ResumeToken(self.engine, f"s{self.number}")

    def say(self, *events: TakopiEvent) -> None:
        """Print something."""
        self.events += events
        self.changed.set()
        self.changed = anyio.Event()

    def started(self) -> None:
        """Report the session."""
        self.say(StartedEvent(self.engine, self.session))

    def step(self, title: str, number: int = 1) -> None:
        """Begin a command."""
        action = Action(f"a{number}", "command", title)
        self.say(ActionEvent(self.engine, action, phase="started"))

    def ask(self, phase: Any = "started") -> None:
        """Ask a person something, or hear the answer."""
        self.say(ActionEvent(self.engine, Action("q", "ask", "May I?"), phase=phase))

    def answer(self, text: str = "", *, sessionless: bool = False) -> None:
        """Answer and exit."""
        session = None if sessionless else self.session
        text = text or f"answer to {self.request.prompt}"
        self._end(CompletedEvent(self.engine, ok=True, answer=text, resume=session))

    def fail(self, error: str) -> None:
        """Exit without an answer."""
        self._end(CompletedEvent(self.engine, ok=False, answer="", error=error))

    def vanish(self) -> None:
        """End with the machine: nobody writes down how."""
        self.lost = True
        self.fail(f"{self.engine} ended without a result")

    async def cancel(self) -> RunExit:
        """End it by force."""
        self.cancels += 1
        if not self.deaf:
            self.fail("the turn was cancelled")
        return RunExit(signal=2)

    async def settle(self, grace_s: float) -> RunExit:
        """Let it exit."""
        self.settled += 1
        self.alive = False
        return RunExit(code=0)

    @property
    def over(self) -> bool:
        """Tell whether it has said its last word."""
        return bool(self.events) and isinstance(self.events[-1], CompletedEvent)

    def _end(self, event: TakopiEvent) -> None:
        self.alive = self.alive and self.lingers and event.ok
        if not self.over:
            self.say(event)


@dataclass
class EngineProcesses:
    """Hold every process that was ever started, by the name of its run directory."""

    by_id: dict[str, EngineProcess] = field(default_factory=dict)
    prepare: Callable[[EngineProcess], None] | None = None
    faults: list[str] = field(default_factory=list)
    """What must never happen; an error raised here would only cost a turn."""
    directories: dict[ResumeToken, Path] = field(default_factory=dict)

    def start(self, engine: str, request: TurnRequest) -> EngineProcess:
        """Start one; a name is used once, and no session twice at the same time."""
        process = EngineProcess(engine, request, len(self.by_id) + 1)
        run_id = request.run_id or "nameless"
        turn = request.record.get("turn")
        if run_id in self.by_id or request.run_id is None:
            self.faults.append(f"{run_id} was started twice")
        for other in self.by_id.values():
            if other.alive and other.session == process.session:
                self.faults.append(f"two runs of {process.session} at once")
            if other.request.record.get("turn") == turn:
                self.faults.append(f"two runs of the turn {turn}")
        self.by_id[run_id] = process
        if self.prepare is not None:
            self.prepare(process)
        return process

    def all(self) -> list[EngineProcess]:
        """List them in the order of their starts."""
        return list(self.by_id.values())

    @property
    def last(self) -> EngineProcess:
        """Give the latest one."""
        return self.all()[-1]


class Life:
    """Be one life of the bot; a dead one does nothing any more, whatever still runs of it."""

    dead = False


class ProcessTurn:
    """Follow a process from its start on."""

    def __init__(
        self,
        life: Life,
        start: Callable[[], EngineProcess],
        process: EngineProcess | None = None,
    ) -> None:
        self._life = life
        self._start = start
        self._process = process
        self._detached = False
        self._left = anyio.Event()
        self.closed = 0
        self.ended_background: tuple[str, ...] = ()

    @property
    def run_id(self) -> str | None:
        return None if self._process is None else self._process.request.run_id

    @property
    def output_bytes(self) -> int:
        return 0 if self._process is None else len(self._process.events)

    @property
    def lost(self) -> bool:
        return self._process is not None and self._process.lost

    async def __aiter__(self) -> AsyncIterator[TakopiEvent]:
        process = self._process = self._process or self._start()
        place = 0
        while not self._detached:
            if place < len(process.events):
                place += 1
                yield process.events[place - 1]
                continue
            news = process.changed
            async with anyio.create_task_group() as group:
                group.start_soon(self._stop_waiting, group)
                await news.wait()
                group.cancel_scope.cancel()

    async def _stop_waiting(self, group: Any) -> None:
        await self._left.wait()
        group.cancel_scope.cancel()

    async def steer(self, text: str) -> bool:
        return False

    async def answer(self, ask_id: str, answer: str) -> bool:
        return False

    async def interrupt(self) -> None:
        await self._end()

    def detach(self) -> bool:
        if self._process is None:
            return False
        self._detached = True
        self._left.set()
        return True

    async def aclose(self) -> None:
        self.closed += 1
        if not self._detached:
            await self._end()

    async def _end(self) -> None:
        process = self._process
        if process is None or not process.alive or self._life.dead:
            return
        if process.over:
            await process.settle(0)
        else:
            await process.cancel()


class ProcessRunner(ScriptedRunner):
    """Run an engine as processes that are left behind."""

    def __init__(self, engine: str, processes: EngineProcesses, life: Life) -> None:
        super().__init__(engine)
        self._processes = processes
        self._life = life
        self.adopted: list[str] = []

    def open(self, request: TurnRequest) -> Any:
        if self._life.dead:
            self._processes.faults.append("the dead started something")
        return ProcessTurn(self._life, lambda: self._processes.start(self.engine, request))

    def adopt(self, request: TurnRequest, run_id: str) -> Any:
        self.adopted.append(run_id)
        process = self._processes.by_id.get(run_id)
        return None if process is None else ProcessTurn(self._life, lambda: process, process)


@dataclass
class ProcessHost:
    """Know the processes.

    Args:
        processes: They.
        broken: The disk does not tell what there is.
    """

    processes: EngineProcesses
    broken: bool = False

    async def start(self, spec: RunSpec) -> Run:  # pragma: no cover - the runners start
        raise NotImplementedError

    def attach(self, run_id: str) -> Any:
        if self.broken:
            raise RunFailed("the disk is broken; mend it")
        return self.processes.by_id.get(run_id)

    def session_cwd(self, token: ResumeToken) -> Path | None:
        return self.processes.directories.get(token)
