"""A RunHost that plays a script, and a small engine to play it for."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from takopi.events import EventFactory
from takopi.model import ResumeToken, TakopiEvent
from takopi.run_host import RunExit, RunSpec
from takopi.runner import JsonlRunState, JsonlSubprocessRunner, ResumeTokenMixin

ENGINE = "toy"


@dataclass
class Script:
    """Say what a run prints and how it ends.

    An item of `chunks` is bytes to print or an event to wait for first.
    """

    chunks: Sequence[bytes | anyio.Event] = ()
    exit: RunExit = field(default_factory=lambda: RunExit(code=0))
    stderr: str = ""
    settled: RunExit | None = None
    close_gate: anyio.Event | None = None


class ScriptedRun:
    """Be one run of a script; `log` tells what was done with it."""

    def __init__(self, script: Script, spec: RunSpec, number: int) -> None:
        self.script = script
        self.spec = spec
        self.run_id = f"run-{number}"
        self.directory = Path("/nowhere") / self.run_id
        self.log: list[str] = []
        self.sessions: list[ResumeToken] = []
        self.cancelled = anyio.Event()
        self.following_closed = False
        self.graces_s: list[float] = []

    async def follow(self) -> AsyncIterator[bytes]:
        try:
            for item in self.script.chunks:
                if isinstance(item, bytes):
                    await anyio.lowlevel.checkpoint()
                    yield item
                elif not await self._first(item):
                    return
        finally:
            self.following_closed = True

    async def _first(self, gate: anyio.Event) -> bool:
        """Wait for the gate or the cancellation; False for the latter."""
        async with anyio.create_task_group() as tasks:

            async def watch() -> None:
                await self.cancelled.wait()
                tasks.cancel_scope.cancel()

            tasks.start_soon(watch)
            await gate.wait()
            tasks.cancel_scope.cancel()
        return gate.is_set()

    @property
    def record(self) -> Mapping[str, Any]:
        return self.spec.record

    def send(self, text: str) -> None:
        self.log.append(f"send {text}")

    def close_input(self) -> None:
        self.log.append("close input")

    async def wait(self) -> RunExit:
        return RunExit(signal=2) if self.cancelled.is_set() else self.script.exit

    def stderr_tail(self, limit_bytes: int = 8192) -> str:
        return self.script.stderr[-limit_bytes:]

    def note_session(self, token: ResumeToken) -> None:
        self.sessions.append(token)

    async def settle(self, grace_s: float) -> RunExit:
        if self.script.close_gate is not None:
            await self.script.close_gate.wait()
        self.log.append("settle")
        self.graces_s.append(grace_s)
        return self.script.settled or self.script.exit

    async def cancel(self) -> RunExit:
        self.cancelled.set()
        if self.script.close_gate is not None:
            await self.script.close_gate.wait()
        self.log.append("cancel")
        return RunExit(signal=2)


class ScriptedHost:
    """Start scripts in the order in which they were given; an exception is raised instead."""

    def __init__(self, *scripts: Script | Exception) -> None:
        self.scripts = list(scripts)
        self.runs: list[ScriptedRun] = []
        self.cwds: dict[ResumeToken, Path] = {}
        self.start_gate: anyio.Event | None = None
        self.starting = anyio.Event()
        self.left: dict[str, ScriptedRun] = {}
        self.working: set[Path] = set()

    async def start(self, spec: RunSpec) -> ScriptedRun:
        script = self.scripts.pop(0)
        self.starting.set()
        if self.start_gate is not None:
            await self.start_gate.wait()
        if isinstance(script, Exception):
            raise script
        run = ScriptedRun(script, spec, len(self.runs) + 1)
        self.runs.append(run)
        if spec.on_directory is not None:
            spec.on_directory(run.directory)
        return run

    def attach(self, run_id: str) -> ScriptedRun | None:
        return self.left.get(run_id)

    def is_running(self, directory: Path) -> bool:
        return directory in self.working

    def session_cwd(self, token: ResumeToken) -> Path | None:
        return self.cwds.get(token)


@dataclass
class ToyState(JsonlRunState):
    factory: EventFactory = field(default_factory=lambda: EventFactory(ENGINE))


@dataclass
class ToyRunner(ResumeTokenMixin, JsonlSubprocessRunner):
    """Speak a protocol of three words: session, tool, result."""

    engine: str = ENGINE
    resume_re: re.Pattern[str] = re.compile(r"(?im)^\s*`?toy resume (?P<token>[^`\s]+)`?\s*$")
    args: tuple[str, ...] = ()

    def command(self) -> str:
        return "toy"

    def build_args(self, prompt: str, resume: ResumeToken | None, *, state: Any) -> list[str]:
        return [*self.args, *(["--resume", resume.value] if resume else [])]

    def new_state(self, prompt: str, resume: ResumeToken | None) -> ToyState:
        return ToyState()

    def translate(
        self,
        data: Any,
        *,
        state: ToyState,
        resume: ResumeToken | None,
        found_session: ResumeToken | None,
    ) -> list[TakopiEvent]:
        factory = state.factory
        match data:
            case {"session": value}:
                return [factory.started(ResumeToken(ENGINE, value))]
            case {"tool": name, "id": action_id}:
                return [
                    factory.action_started(action_id=action_id, kind="tool", title=name),
                    factory.action_completed(action_id=action_id, kind="tool", title=name, ok=True),
                ]
            case {"result": answer}:
                return [factory.completed_ok(answer=answer)]
            case {"failed": error}:
                return [factory.completed_error(error=error)]
            case {"raise": text}:
                raise ValueError(text)
        return []


def line(**data: Any) -> bytes:
    """Return one line of the toy protocol."""
    import json

    return json.dumps(data).encode() + b"\n"


HELLO = (line(session="s1"), line(tool="look", id="t1"), line(result="done"))
