"""An engine in a home of its own, the model it talks to, and the turns it runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from fakes.engine_homes import EngineHome
from fakes.model_api import FakeModelApi, SeenRequest
from takopi.engines import find_engines
from takopi.model import ActionEvent, CompletedEvent, ResumeToken, StartedEvent, TakopiEvent
from takopi.process.host import LocalRunHost
from takopi.runner import Runner, RunnerRuntime, bind_runtime, open_turn
from takopi.turn import LiveTurn, TurnRequest

CONFIG = Path("takopi.toml")


@dataclass
class Outcome:
    """Be all events of a turn that ended."""

    events: list[TakopiEvent]
    ended_background: tuple[str, ...] = ()

    @property
    def end(self) -> CompletedEvent:
        """Give the last event."""
        last = self.events[-1]
        assert isinstance(last, CompletedEvent)
        return last

    @property
    def token(self) -> ResumeToken:
        """Give the session."""
        (started,) = [e for e in self.events if isinstance(e, StartedEvent)]
        return started.resume

    def actions(self, kind: str) -> list[ActionEvent]:
        """Give the actions of one kind that ended."""
        found = [e for e in self.events if isinstance(e, ActionEvent) and e.phase == "completed"]
        return [e for e in found if e.action.kind == kind]


@dataclass
class World:
    """Be an engine in a home of its own, with the model it talks to.

    Args:
        home: What the engine needs.
        model: The scripted model.
        work_dir: Where turns work.
        folder: Takopi's home.
    """

    home: EngineHome
    model: FakeModelApi
    work_dir: Path
    folder: Path

    @property
    def engine(self) -> str:
        """Give the engine's id."""
        return self.home.engine

    def runner(self) -> Runner:
        """Make a runner that knows nothing of earlier turns."""
        backend = find_engines(self.folder).load(self.engine)
        return backend.build_runner(dict(self.home.config), CONFIG)

    @asynccontextmanager
    async def turn(
        self, prompt: str, resume: ResumeToken | None = None, **changes: str
    ) -> AsyncIterator[LiveTurn]:
        """Open a turn over the real host, and release it at the end."""
        request = TurnRequest(prompt=prompt, resume=resume, environment=changes)
        async with self.asked(request) as live:
            yield live

    @asynccontextmanager
    async def asked(self, request: TurnRequest) -> AsyncIterator[LiveTurn]:
        """Open the turn of a request, which need not say where the engine and its work are."""
        host = LocalRunHost(self.folder / "runs", "real-engines")
        environment = {**self.home.environment, **request.environment}
        request = replace(request, cwd=self.work_dir, environment=environment)
        with bind_runtime(RunnerRuntime(host=host)):
            live = open_turn(self.runner(), request)
            try:
                yield live
            finally:
                await live.aclose()

    async def run(self, prompt: str, resume: ResumeToken | None = None, **changes: str) -> Outcome:
        """Run a turn to its end."""
        async with self.turn(prompt, resume, **changes) as live:
            events = [event async for event in live]
        return Outcome(events, live.ended_background)

    async def run_request(self, request: TurnRequest) -> Outcome:
        """Run the turn of a request to its end."""
        async with self.asked(request) as live:
            events = [event async for event in live]
        return Outcome(events, live.ended_background)

    def asked_since(self, number: int) -> list[SeenRequest]:
        """Give the model requests of conversations after the first `number`."""
        return self.model.main_requests[number:]
