"""One turn as its caller sees it: the request, and the live turn that answers it."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from takopi.model import ResumeToken, TakopiEvent

__all__ = ["EngineCapabilities", "LiveTurn", "TurnRequest"]


class TurnRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Say what one turn is to do.

    Args:
        prompt: The person's words, without directives and resume lines.
        resume: The session to continue; None starts a new one.
        cwd: Absolute directory to work in; None means the base directory of the caller's context.
        model: Model for this turn, over the engine's configuration.
        reasoning: Reasoning level for this turn, over the engine's configuration.
        permission_mode: Permission mode for this turn, over the engine's configuration: a neutral
            one (`core.permission_modes`) or a word of the engine.
        attachments: Absolute paths of files that go with the prompt. What a runner does not take
            as a file is named in the prompt when the turn is opened.
        environment: Variables the engine gets beside the allow-listed ones.
        record: JSON-ready facts for `run.json` (scope, message ids, person).
        run_id: Name for the run directory, so that whoever asks can write it down before anything
            starts; None lets the host choose one.
    """

    prompt: str
    resume: ResumeToken | None = None
    cwd: Path | None = None
    model: str | None = None
    reasoning: str | None = None
    permission_mode: str | None = None
    attachments: tuple[Path, ...] = ()
    environment: Mapping[str, str] = {}
    record: Mapping[str, Any] = {}
    run_id: str | None = None


class EngineCapabilities(msgspec.Struct, frozen=True, kw_only=True):
    """Say what an engine can do beyond prompt in, answer out; the bridge queues otherwise.

    Args:
        steer: Takes another message while it works.
        answer: Asks the person and takes the answer.
        models: Models that are known without asking the engine; `list_models` may know more.
        reasoning_levels: Levels that `TurnRequest.reasoning` accepts.
        permission_modes: Modes that `TurnRequest.permission_mode` accepts, the neutral ones first.
        images: Takes pictures that go with a prompt.
    """

    steer: bool = False
    answer: bool = False
    models: tuple[str, ...] = ()
    reasoning_levels: tuple[str, ...] = ()
    permission_modes: tuple[str, ...] = ()
    images: bool = False


class LiveTurn(Protocol):
    """Be one turn while it runs; iterate it for events, `CompletedEvent` is the last."""

    @property
    def run_id(self) -> str | None:
        """Give the run directory's name once the engine was started; None without one."""
        ...

    @property
    def ended_background(self) -> tuple[str, ...]:
        """Name the processes that outlived a normal end and were ended; complete after `aclose`."""
        ...

    @property
    def output_bytes(self) -> int:
        """Count what the engine has printed so far; it stands still while the engine is silent."""
        ...

    @property
    def lost(self) -> bool:
        """Tell that the run ended without a result and without anybody who saw how.

        Known once `CompletedEvent` was given.
        """
        ...

    @property
    def session_unknown(self) -> bool:
        """Tell that the turn failed because the engine does not know the session asked for.

        Known once `CompletedEvent` was given; the same prompt may be sent to a new session.
        """
        ...

    def __aiter__(self) -> AsyncIterator[TakopiEvent]: ...

    async def steer(self, text: str) -> bool:
        """Hand another message to the working agent; False where the engine cannot."""
        ...

    async def answer(self, ask_id: str, answer: str) -> bool:
        """Answer an ask; False where the engine cannot or the ask is closed."""
        ...

    async def interrupt(self) -> None:
        """End the turn and everything it started; the iterator then ends with `CompletedEvent`."""
        ...

    def detach(self) -> bool:
        """Leave the engine to itself: closing the turn from now on ends nothing.

        The iterator ends where it is, without `CompletedEvent`; `aclose` frees the session. False,
        and nothing changes, where there is no run directory by which another takopi could go on
        with it.
        """
        ...

    async def aclose(self) -> None:
        """Release the turn: end what is left of the run, then free the session's lock."""
        ...
