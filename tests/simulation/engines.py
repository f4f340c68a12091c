"""Engines that live outside of the bot: what they print is written down, whoever reads it."""

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from anyio.lowlevel import checkpoint

from simulation.life import Life
from takopi.errors import RunFailed
from takopi.events import EventFactory
from takopi.model import ResumeToken, TakopiEvent
from takopi.run_host import RunExit, RunSpec
from takopi.runner import JsonlRunState, JsonlSubprocessRunner, ResumeTokenMixin

__all__ = ["ENGINES", "Process", "Processes", "SimDirectory", "SimHost", "words_of"]

ENGINES = ("alpha", "beta")
WORD = re.compile(r"\bp\d+\b")


def words_of(text: str) -> tuple[str, ...]:
    """Return the words by which prompts are known."""
    return tuple(WORD.findall(text))


@dataclass
class Process:
    """Be one engine process: when it prints what, and when it ends."""

    run_id: str
    number: int
    engine: str
    resume: str | None
    prompt: str
    started_at: float
    life: int
    lines: list[tuple[float, bytes]] = field(default_factory=list)
    ends_at: float = float("inf")
    code: int | None = 0
    signal: int | None = None
    stderr: str = ""
    leaves: tuple[str, ...] = ()
    session: str | None = None
    answer: str | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def alive(self, now: float) -> bool:
        return now < self.ends_at

    def kill(self, now: float, after_s: float) -> None:
        """End it soon; it prints nothing any more."""
        if now + after_s < self.ends_at:
            self.ends_at, self.code, self.signal = now + after_s, None, 2
            self.lines = [line for line in self.lines if line[0] <= now]
            self.changed.set()
            self.changed = asyncio.Event()


class Processes:
    """Own every engine process of the world; no life of the bot does.

    Args:
        rng: Decides what they do.
    """

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.all: dict[str, Process] = {}
        self.claimed: set[str] = set()
        self.sessions: dict[ResumeToken, Path] = {}
        self.calm = False
        """Whether engines only answer quickly, at the end of the hour."""
        self.max_runs = 1000
        self.faults: list[str] = []

    def start(self, spec: RunSpec, run_id: str, life: int) -> Process | None:
        """Start a process, unless somebody took its claim."""
        if run_id in self.claimed:
            return None
        self.claimed.add(run_id)
        now = asyncio.get_running_loop().time()
        resume = spec.argv[spec.argv.index("--resume") + 1] if "--resume" in spec.argv else None
        process = Process(
            run_id, len(self.all) + 1, spec.engine, resume, spec.stdin.decode(), now, life
        )
        self._script(process)
        if resume is not None:
            for other in self.all.values():
                if other.alive(now) and other.session == resume and other.engine == spec.engine:
                    self.faults.append(f"{run_id} and {other.run_id} overlap in session {resume}")
        working = [one for one in self.all.values() if one.alive(now) and one.signal is None]
        if len(working) >= self.max_runs:
            self.faults.append(f"{run_id} is one too many beside {len(working)} others")
        self.all[run_id] = process
        return process

    def _script(self, process: Process) -> None:
        """Decide what the engine will do."""
        rng, at = self.rng, process.started_at
        kinds = (
            ("answer", 50), ("long", 12), ("fail", 8), ("crash", 5), ("mute", 3), ("endless", 4),
            ("garbage", 5), ("nameless", 3), ("twice", 3), ("big", 4), ("dead", 2), ("lingers", 3),
        )  # fmt: skip
        names, weights = zip(*kinds, strict=True)
        kind = "answer" if self.calm else rng.choices(names, weights)[0]
        at += rng.uniform(0.05, 2.0)
        process.session = process.resume or f"s{process.number}"
        if kind in {"mute", "dead"}:
            process.session = None
            process.ends_at = at + (0 if kind == "dead" else rng.uniform(10, 900))
            process.code, process.stderr = 1, "sim: went away"
            return
        if kind != "nameless":
            self._say(process, at, type="session", id=process.session)
        else:
            process.session = None
        span = rng.uniform(60, 900) if kind == "long" else rng.uniform(0.5, 25)
        for number in range(rng.randrange(0, 12 if kind == "long" else 4)):
            at += rng.uniform(0, span / 4)
            self._say(process, at, type="tool", id=f"a{number}", title=f"step {number}")
        if kind == "garbage":
            process.lines.append((at + 0.1, b"this is { no JSON\n"))
        at += rng.uniform(0.1, span)
        self._end(process, kind, at)

    def _end(self, process: Process, kind: str, at: float) -> None:
        rng = self.rng
        if kind == "endless":
            return
        process.ends_at = at + rng.uniform(0.01, 0.5)
        if kind == "crash":
            process.code, process.stderr = rng.choice((1, 2, 139)), "sim: fell over"
            return
        if kind == "fail":
            self._say(process, at, type="failure", text=f"e{process.number}e failed")
            return
        process.answer = f"r{process.number}r"
        text = f"{process.answer} to {process.prompt[:200]}"
        if kind == "big":
            size = rng.choice((20, 40, 120))
            text += "".join(f"\n\nw{process.number}.{i} " + "long " * 60 for i in range(size))
        self._say(process, at, type="answer", text=text)
        if kind == "twice":
            self._say(process, at + 0.001, type="answer", text=f"again {text}")
        if kind == "lingers":
            process.ends_at = at + 3600
        elif rng.random() < 0.05:
            process.leaves = ("npm run dev",)

    @staticmethod
    def _say(process: Process, at: float, **fields: Any) -> None:
        process.lines.append((at, json.dumps(fields).encode() + b"\n"))


class SimRun:
    """Be one process as one life of the bot sees it."""

    def __init__(self, processes: Processes, process: Process, life: Life) -> None:
        self._processes = processes
        self._process = process
        self._life = life
        self._loop = asyncio.get_running_loop()

    @property
    def run_id(self) -> str:
        return self._process.run_id

    @property
    def directory(self) -> Path:
        return Path("/runs") / self.run_id

    @property
    def record(self) -> dict[str, Any]:
        return {}

    async def follow(self) -> AsyncIterator[bytes]:
        process, at = self._process, 0
        while True:
            self._life.step()
            now = self._loop.time()
            ready = [line for line in process.lines[at:] if line[0] <= now]
            if ready:
                at += len(ready)
                await checkpoint()
                yield b"".join(line for _, line in ready)
                continue
            if now >= process.ends_at:
                return
            upcoming = process.lines[at][0] if at < len(process.lines) else process.ends_at
            await self._until(min(upcoming, process.ends_at))

    async def wait(self) -> RunExit:
        process = self._process
        while self._loop.time() < process.ends_at:
            await self._until(process.ends_at)
        self._life.step()
        return RunExit(code=process.code, signal=process.signal)

    async def _until(self, moment: float) -> None:
        self._life.step()
        with anyio.CancelScope(deadline=moment):
            await self._process.changed.wait()
        self._life.step()

    def stderr_tail(self, limit_bytes: int = 8192) -> str:
        return self._process.stderr

    def note_session(self, token: ResumeToken) -> None:
        self._life.step()
        self._processes.sessions[token] = Path("/")

    def send(self, text: str) -> None:
        raise NotImplementedError

    def close_input(self) -> None:
        raise NotImplementedError

    async def settle(self, grace_s: float) -> RunExit:
        with anyio.move_on_after(grace_s):
            await self.wait()
        exit_ = await self.cancel()
        if self._process.signal is None and self._process.leaves:
            return RunExit(code=exit_.code, ended=self._process.leaves)
        return exit_

    async def cancel(self) -> RunExit:
        self._life.step()
        self._process.kill(self._loop.time(), self._processes.rng.choice((0.01, 0.1, 2.0, 4.0)))
        with anyio.CancelScope(shield=True):
            return await self.wait()


class SimHost:
    """Be the host of one life."""

    def __init__(self, processes: Processes, life: Life) -> None:
        self._processes = processes
        self._life = life
        self._names = 0

    async def start(self, spec: RunSpec) -> SimRun:
        processes, life = self._processes, self._life
        run_id = getattr(spec, "run_id", None)
        if run_id is None:
            self._names += 1
            run_id = f"run-{life.number}-{self._names}"
        call = life.begin(lambda: processes.start(spec, run_id, life.number))
        try:
            await life.wait(processes.rng.uniform(0.02, 0.4))
            process = processes.start(spec, run_id, life.number)
        finally:
            life.end(call)
        life.step()
        if process is None:
            raise RunFailed("its claim was taken")
        return SimRun(processes, process, life)

    def attach(self, run_id: str) -> SimRun | None:
        self._life.step()
        process = self._processes.all.get(run_id)
        if process is None:
            self._processes.claimed.add(run_id)
            return None
        return SimRun(self._processes, process, self._life)

    def session_cwd(self, token: ResumeToken) -> Path | None:
        self._life.step()
        return self._processes.sessions.get(token)


@dataclass
class SimState(JsonlRunState):
    """Be what the translation remembers."""

    factory: EventFactory = field(default_factory=lambda: EventFactory("?"))


class SimRunner(ResumeTokenMixin, JsonlSubprocessRunner):
    """Be the module of an engine, written as any other."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.resume_re = re.compile(rf"(?im)^`?{engine} resume (?P<token>s\d+)`?$")

    def command(self) -> str:
        return self.engine

    def build_args(self, prompt: str, resume: ResumeToken | None, *, state: Any) -> list[str]:
        return ["--resume", resume.value] if resume else []

    def new_state(self, prompt: str, resume: ResumeToken | None) -> SimState:
        return SimState(factory=EventFactory(self.engine))

    def translate(
        self, data: Any, *, state: SimState, resume: Any, found_session: Any
    ) -> list[TakopiEvent]:
        factory = state.factory
        match data["type"]:
            case "session":
                return [factory.started(ResumeToken(self.engine, data["id"]))]
            case "answer":
                return [factory.completed_ok(answer=data["text"])]
            case "failure":
                return [factory.completed_error(error=data["text"])]
        return [
            factory.action(
                phase="completed", action_id=data["id"], kind="command", title=data["title"],
                detail={}, ok=True,
            )
        ]  # fmt: skip


class SimDirectory:
    """Know the engines."""

    def __init__(self) -> None:
        self._runners = {engine: SimRunner(engine) for engine in ENGINES}

    def ids(self) -> tuple[str, ...]:
        return ENGINES

    def runner(self, engine: str) -> SimRunner:
        return self._runners[engine]

    async def version(self, engine: str) -> str | None:
        return "1.0"

    def missing(self, engine: str) -> None:
        return None
