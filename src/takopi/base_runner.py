"""Be what all runners share: the two ways to open a turn."""

from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from msgspec.structs import replace

from takopi.core.attachments import looks_like_image, with_files
from takopi.live_turn import IteratorTurn
from takopi.logging import get_logger
from takopi.model import EngineId, ResumeToken, TakopiEvent
from takopi.runners.run_options import get_run_options
from takopi.session_lock import SessionLockMixin
from takopi.turn import EngineCapabilities, LiveTurn, TurnRequest
from takopi.turn_context import current_request
from takopi.utils.paths import get_run_base_dir

__all__ = [
    "BaseRunner",
    "Runner",
    "adopt_turn",
    "capabilities_of",
    "list_models",
    "open_turn",
    "turn_events",
]


_log = get_logger(__name__)


@runtime_checkable
class Runner(Protocol):
    """Run turns of one engine; the least that takopi asks of a plug-in."""

    engine: EngineId

    def run(self, prompt: str, resume: ResumeToken | None) -> AsyncIterator[TakopiEvent]:
        """Yield the events of one turn."""
        ...

    def format_resume(self, token: ResumeToken) -> str:
        """Return the line that resumes a session."""
        ...

    def extract_resume(self, text: str | None) -> ResumeToken | None:
        """Return the session that a text names."""
        ...

    def is_resume_line(self, line: str) -> bool:
        """Say whether a line is a resume line of this engine."""
        ...


class BaseRunner(SessionLockMixin):
    """Run turns under the rules of the runner contract.

    A subclass brings `engine` and either `run_impl` or, derived from `JsonlSubprocessRunner`, the
    hooks of a command that prints JSON lines. It may be a plain class or a dataclass, slotted or
    not; no constructor of this class has to be called.
    """

    engine: EngineId

    @property
    def capabilities(self) -> EngineCapabilities:
        """Say what the engine can do beyond prompt in, answer out."""
        return EngineCapabilities()

    def run(self, prompt: str, resume: ResumeToken | None) -> AsyncIterator[TakopiEvent]:
        """Yield the events of one turn, `CompletedEvent` last.

        Never raises for what goes wrong with the engine: a missing CLI or directory, a refused
        prompt and a failed start are a `CompletedEvent` too, as with `open`. Model, reasoning and
        directory come from the caller's context, as it is at the time of the call.
        """
        return turn_events(self.open(self.request_for(prompt, resume)))

    def run_locked(self, prompt: str, resume: ResumeToken | None) -> AsyncIterator[TakopiEvent]:
        """Yield what `run` yields, for a subclass whose own `run` adds something around it."""
        return BaseRunner.run(self, prompt, resume)

    def request_for(self, prompt: str, resume: ResumeToken | None) -> TurnRequest:
        """Return a request with what the caller's context says beyond prompt and session."""
        around = current_request() or TurnRequest(prompt=prompt, cwd=get_run_base_dir())
        options = get_run_options()
        return replace(
            around,
            prompt=prompt,
            resume=resume,
            model=options.model if options else None,
            reasoning=options.reasoning if options else None,
        )

    def open(self, request: TurnRequest) -> LiveTurn:
        """Make the live turn of a request; nothing starts before it is iterated."""
        asked = self.with_attachments(request)
        return IteratorTurn(self.engine, asked, self.run_impl, locked=True)

    def takes_file(self, path: Path) -> bool:
        """Say whether the runner hands a file to the engine; what it does not is in the prompt.

        Called when a turn is opened. It may look at the beginning of the file, and must not wait.
        """
        return self.capabilities.images and looks_like_image(path)

    def with_attachments(self, request: TurnRequest) -> TurnRequest:
        """Return a request whose prompt names the files that the runner does not take."""
        return _with_attachments(request, self.takes_file)

    async def list_models(self) -> tuple[str, ...]:
        """List the models that a turn can ask for, as far as that is known."""
        return self.capabilities.models

    def adopt(self, request: TurnRequest, run_id: str) -> LiveTurn | None:  # noqa: ARG002
        """Go on with a turn that an earlier takopi began; None, as it lived in that process."""
        return None

    def run_impl(self, prompt: str, resume: ResumeToken | None) -> AsyncIterator[TakopiEvent]:
        """Yield the events of one turn; called with the session's lock held."""
        raise NotImplementedError(f"the runner of {self.engine} must have run_impl()")

    def tag(self) -> str:
        """Return the name under which notes and errors speak of the engine."""
        return str(self.engine)

    def get_logger(self) -> Any:
        """Return the logger of the module in which the runner is written."""
        return get_logger(type(self).__module__)


async def turn_events(turn: LiveTurn) -> AsyncIterator[TakopiEvent]:
    """Yield the events of a turn, and release it however the reading ends."""
    try:
        async for event in turn:
            yield event
    finally:
        await turn.aclose()


def open_turn(runner: Runner, request: TurnRequest) -> LiveTurn:
    """Open a turn of any runner, also of one that has only `run`.

    A runner whose `run` was written over its `open` is used through `run`, so that what it adds
    is not lost; the hooks below it still see the whole request.
    """
    for cls in type(runner).__mro__:
        if "open" in vars(cls):
            turn: LiveTurn = runner.open(request)  # type: ignore[attr-defined]
            return turn
        if "run" in vars(cls):
            break
    takes = getattr(runner, "takes_file", None) or (lambda _: False)
    asked = _with_attachments(request, takes)
    return IteratorTurn(runner.engine, asked, runner.run, locked=False)


def _with_attachments(request: TurnRequest, takes: Callable[[Path], bool]) -> TurnRequest:
    if not request.attachments:
        return request
    taken = tuple(path for path in request.attachments if _is_taken(takes, path))
    told = [path for path in request.attachments if path not in taken]
    return replace(request, attachments=taken, prompt=with_files(request.prompt, told))


def _is_taken(takes: Callable[[Path], bool], path: Path) -> bool:
    try:
        return takes(path)
    except Exception:  # noqa: BLE001 - an engine's module is a border: its bug costs the picture
        _log.exception("attachment.not_asked_about", path=str(path))
        return False


def capabilities_of(runner: Runner) -> EngineCapabilities:
    """Return what the engine of any runner can do; a foreign one may not say."""
    said = getattr(runner, "capabilities", None)
    return said if isinstance(said, EngineCapabilities) else EngineCapabilities()


async def list_models(runner: Runner) -> tuple[str, ...]:
    """List the models of any runner; a foreign one may not know, and what is no name is left out.

    May take seconds the first time, as an engine is asked; nothing is cached for a runner that
    does not do so itself.
    """
    listing = getattr(runner, "list_models", None)
    if listing is None:
        return capabilities_of(runner).models
    listed: Iterable[object] = await listing()
    return tuple(model for model in listed if isinstance(model, str))


def adopt_turn(runner: Runner, request: TurnRequest, run_id: str) -> LiveTurn | None:
    """Go on with a turn whose engine an earlier takopi started.

    The turn gives all events from its start on, as if it had been read all the time.

    Args:
        runner: Any runner; one that has no `adopt` cannot go on with anything.
        request: What the turn was to do, as `open_turn` had it; only `resume` may be known better
            by now: its lock is taken at once.
        run_id: Name of the run directory.

    Returns:
        None when this runner cannot, or when the engine never started and never will.

    Raises:
        RunFailed: The disk does not let it be known whether the engine started.
    """
    adopt: Callable[[TurnRequest, str], LiveTurn | None] | None = getattr(runner, "adopt", None)
    return None if adopt is None else adopt(request, run_id)
