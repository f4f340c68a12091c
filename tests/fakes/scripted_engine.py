"""Engines that play a script, and a directory and a host to find them by."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from takopi.core.missing_engines import MissingEngine
from takopi.errors import PluginError
from takopi.model import (
    Action,
    ActionEvent,
    CompletedEvent,
    ResumeToken,
    StartedEvent,
    TakopiEvent,
)
from takopi.run_host import Run, RunSpec
from takopi.turn import TurnRequest

Script = Callable[["ScriptedTurn"], AsyncIterator[TakopiEvent]]


@dataclass
class ScriptedTurn:
    """Be one turn of a script, and remember what was done to it."""

    runner: "ScriptedRunner"
    request: TurnRequest
    number: int
    script: Script
    run_id: str | None = None
    ended_background: tuple[str, ...] = ()
    background_at_close: tuple[str, ...] = ()
    output_bytes: int = 0
    lost: bool = False
    session_unknown: bool = False
    close_gate: anyio.Event | None = None
    interrupts: int = 0
    closed: int = 0
    interrupted: anyio.Event = field(default_factory=anyio.Event)
    _playing: AsyncGenerator[TakopiEvent, None] | None = None

    @property
    def session(self) -> ResumeToken:
        """Give the session asked for, or one of the turn's own."""
        return self.request.resume or ResumeToken(self.runner.engine, f"s{self.number}")

    def started(self) -> StartedEvent:
        """Report the session."""
        return StartedEvent(self.runner.engine, self.session)

    def step(self, title: str, number: int = 1) -> ActionEvent:
        """Report a command that starts."""
        return ActionEvent(
            self.runner.engine, Action(f"a{number}", "command", title), phase="started"
        )

    def answer(self, text: str) -> CompletedEvent:
        """Report the end."""
        return CompletedEvent(self.runner.engine, ok=True, answer=text, resume=self.session)

    def failure(self, error: str, *, resume: ResumeToken | None = None) -> CompletedEvent:
        """Report an end without an answer."""
        return CompletedEvent(self.runner.engine, ok=False, answer="", resume=resume, error=error)

    def __aiter__(self) -> AsyncIterator[TakopiEvent]:
        self._playing = self._play()
        return self._playing

    async def _play(self) -> AsyncGenerator[TakopiEvent, None]:
        self.runner.playing += 1
        self.runner.most_playing = max(self.runner.most_playing, self.runner.playing)
        try:
            async for event in self.script(self):
                yield event
        finally:
            self.runner.playing -= 1

    async def steer(self, text: str) -> bool:
        return False

    async def answer_to(self, ask_id: str, answer: str) -> bool:
        return False

    async def interrupt(self) -> None:
        self.interrupts += 1
        self.interrupted.set()
        self.runner.changed()

    def detach(self) -> bool:
        return False

    async def aclose(self) -> None:
        if self.close_gate is not None:
            await self.close_gate.wait()
        if self._playing is not None:
            await self._playing.aclose()
        self.closed += 1
        self.ended_background = self.background_at_close


async def prompt_answer(turn: ScriptedTurn) -> AsyncIterator[TakopiEvent]:
    """Start, and answer with the prompt."""
    yield turn.started()
    yield turn.answer(f"answer to {turn.request.prompt}")


async def until_cancelled(turn: ScriptedTurn) -> AsyncIterator[TakopiEvent]:
    """Start, work, and end when somebody cancels."""
    yield turn.started()
    yield turn.step("sleep 60")
    await turn.interrupted.wait()
    yield turn.failure("cancelled", resume=turn.session)


def gated(gate: anyio.Event) -> Script:
    """Start, and answer once a gate opens."""

    async def script(turn: ScriptedTurn) -> AsyncIterator[TakopiEvent]:
        yield turn.started()
        await gate.wait()
        yield turn.answer(f"answer to {turn.request.prompt}")

    return script


class ScriptedRunner:
    """Be an engine; `scripts` are played one a turn, then `default` for ever.

    `changed` is called whenever a turn begins or is interrupted, for those who wait for it.
    """

    def __init__(self, engine: str, default: Script = prompt_answer) -> None:
        self.engine = engine
        self.default = default
        self.scripts: list[Script] = []
        self.turns: list[ScriptedTurn] = []
        self.prepare: Callable[[ScriptedTurn], None] | None = None
        self.changed: Callable[[], None] = lambda: None
        self.playing = 0
        self.most_playing = 0

    def open(self, request: TurnRequest) -> ScriptedTurn:
        script = self.scripts.pop(0) if self.scripts else self.default
        turn = ScriptedTurn(self, request, len(self.turns) + 1, script)
        if self.prepare is not None:
            self.prepare(turn)
        self.turns.append(turn)
        self.changed()
        return turn

    async def run(
        self, prompt: str, resume: ResumeToken | None
    ) -> AsyncIterator[TakopiEvent]:  # pragma: no cover - `open` is used
        async for event in self.open(TurnRequest(prompt=prompt, resume=resume)):
            yield event

    def format_resume(self, token: ResumeToken) -> str:
        return f"`{self.engine} resume {token.value}`"

    def is_resume_line(self, line: str) -> bool:
        words = line.strip().strip("`").split()
        return len(words) >= 3 and words[:2] == [self.engine, "resume"]

    def extract_resume(self, text: str | None) -> ResumeToken | None:
        found = [line for line in (text or "").splitlines() if self.is_resume_line(line)]
        if not found:
            return None
        return ResumeToken(self.engine, found[-1].strip().strip("`").split()[2].strip("`"))


@dataclass
class ScriptedDirectory:
    """Know scripted engines.

    Args:
        runners: By id.
        broken: Engines that are listed and cannot be used.
        versions: What their CLIs say.
        hanging: They say nothing until this is set.
        absent: Engines that are not installed, with what installs them.
    """

    runners: dict[str, ScriptedRunner]
    broken: dict[str, Exception] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    hanging: anyio.Event | None = None
    absent: dict[str, str | None] = field(default_factory=dict)

    def ids(self) -> Sequence[str]:
        return (*self.runners, *self.broken)

    def runner(self, engine: str) -> ScriptedRunner:
        if engine in self.broken:
            raise self.broken[engine]
        if engine not in self.runners:
            raise PluginError(f"nobody knows {engine}")
        return self.runners[engine]

    async def version(self, engine: str) -> str | None:
        if self.hanging is not None:
            await self.hanging.wait()
        return self.versions.get(engine)

    def missing(self, engine: str) -> MissingEngine | None:
        if engine in self.broken:
            return MissingEngine(engine, broken=True)
        if engine in self.absent:
            return MissingEngine(engine, self.absent[engine])
        return None


@dataclass
class ScriptedHost:
    """Know where sessions were started."""

    directories: dict[ResumeToken, Path] = field(default_factory=dict)

    async def start(self, spec: RunSpec) -> Run:  # pragma: no cover - scripts start nothing
        raise NotImplementedError

    def session_cwd(self, token: ResumeToken) -> Path | None:
        return self.directories.get(token)
