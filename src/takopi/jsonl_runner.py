"""Run an engine that is a command printing one JSON value a line.

A subclass says how the command line looks (`command`, `build_args`, `stdin_payload`, `env`) and
what a line means (`decode_jsonl`, `translate`); the rest has defaults. `new_state`,
`decode_jsonl` and `translate` look at no clock, no file and no randomness, because a run that is
adopted after a restart is replayed from its file; `start_run`, `build_args` and `env` are called
for live runs only.
"""

import re
import signal
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import msgspec

from takopi.base_runner import BaseRunner, turn_events
from takopi.core.stderr_text import useful_end
from takopi.core.texts import tr
from takopi.core.turn_rules import check_started
from takopi.jsonl_fold import JsonlRunState
from takopi.jsonl_turn import JsonlTurn
from takopi.model import Action, ActionEvent, CompletedEvent, ResumeToken, StartedEvent, TakopiEvent
from takopi.runner_runtime import current_runtime
from takopi.turn import LiveTurn, TurnRequest

__all__ = ["JsonlSubprocessRunner"]

_decode = msgspec.json.Decoder().decode


class JsonlSubprocessRunner(BaseRunner):
    """Run turns of a command that prints JSON lines; `engine` is an attribute or a field."""

    unknown_session_re: ClassVar[re.Pattern[str] | None] = None
    """How the engine says, in an error or on standard error, that it does not know a session."""

    def open(self, request: TurnRequest) -> LiveTurn:
        """Make the live turn of a request; nothing starts before it is iterated."""
        if type(self).run_impl is not JsonlSubprocessRunner.run_impl:
            return super().open(request)  # a subclass adds something to the events
        return JsonlTurn(self, self.with_attachments(request))

    def adopt(self, request: TurnRequest, run_id: str) -> LiveTurn | None:
        """Make the live turn that goes on with a run which an earlier takopi started.

        What a subclass adds in `run` or `run_impl` is left out; the engine's own answer counts.

        Args:
            request: What the turn was to do; what its engine was started with is read from the run.
            run_id: Name of the run directory.

        Returns:
            None when the engine never started and never will.

        Raises:
            RunFailed: The disk does not let that be known.
        """
        run = current_runtime().host.attach(run_id)
        return None if run is None else JsonlTurn(self, request, adopted=run)

    def run_impl(self, prompt: str, resume: ResumeToken | None) -> AsyncIterator[TakopiEvent]:
        """Yield the events of one turn; called with the session's lock held."""
        request = self.request_for(prompt, resume)
        return turn_events(JsonlTurn(self, request, locked=False))

    # What is started

    def command(self) -> str:
        """Return the program: a name on the PATH or an absolute path."""
        raise NotImplementedError(f"the runner of {self.engine} must say its command()")

    def build_args(self, prompt: str, resume: ResumeToken | None, *, state: Any) -> list[str]:
        """Return the arguments that follow the program."""
        raise NotImplementedError(f"the runner of {self.engine} must say its build_args()")

    def stdin_payload(
        self,
        prompt: str,
        resume: ResumeToken | None,  # noqa: ARG002 - part of the hook
        *,
        state: Any,  # noqa: ARG002
    ) -> bytes | None:
        """Return what the program reads on standard input; None when the prompt is an argument."""
        return prompt.encode("utf-8", "replace")

    def pipes_stdin(self) -> bool:
        """Say whether the program reads its standard input from a pipe only, and not from a file.

        A file is the rule: it can be looked at later.
        """
        return False

    def env(self, *, state: Any) -> dict[str, str] | None:  # noqa: ARG002 - part of the hook
        """Return the whole environment as the engine should see it; None leaves it as it is.

        Start from `dict(os.environ)`: what was added or changed passes, what was left out is left
        out, and the rest goes through the allow-list of `core.engine_env`.
        """
        return None

    # What a run remembers

    def new_state(
        self,
        prompt: str,  # noqa: ARG002 - part of the hook
        resume: ResumeToken | None,  # noqa: ARG002
    ) -> Any:
        """Make the state of a run, which all other hooks get."""
        return JsonlRunState()

    def start_run(self, prompt: str, resume: ResumeToken | None, *, state: Any) -> None:
        """Prepare a live run; called before `build_args`."""

    # What a line means

    def decode_jsonl(self, *, line: bytes) -> Any | None:
        """Return the value of a line; None, or an exception, when it has none."""
        try:
            return _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    def translate(
        self,
        data: Any,
        *,
        state: Any,
        resume: ResumeToken | None,
        found_session: ResumeToken | None,
    ) -> list[TakopiEvent]:
        """Return the events of a decoded line.

        An error of takopi, like `EngineError`, ends the turn with its text; any other exception
        costs this line.
        """
        raise NotImplementedError(f"the runner of {self.engine} must say how to translate()")

    def handle_started_event(
        self,
        event: StartedEvent,
        *,
        expected_session: ResumeToken | None,
        found_session: ResumeToken | None,
    ) -> tuple[ResumeToken | None, bool]:
        """Return the session from now on, and whether the event is shown.

        Raises:
            SessionMismatch: The session is not the one asked for, or not the one found before.
            EngineError: The session is another engine's.
        """
        return check_started(self.engine)(
            event, expected_session=expected_session, found_session=found_session
        )

    # What goes wrong

    def next_note_id(self, state: Any) -> str:
        """Return the id of the next note of this run."""
        state.note_seq += 1
        return f"{self.tag()}.note.{state.note_seq}"

    def note_event(
        self, message: str, *, state: Any, ok: bool = False, detail: dict[str, Any] | None = None
    ) -> TakopiEvent:
        """Make a note that the person sees among the actions."""
        action = Action(
            self.next_note_id(state), "note" if ok else "warning", message, detail or {}
        )
        return ActionEvent(
            self.engine, action, "completed", ok, message, "info" if ok else "warning"
        )

    def invalid_json_events(self, *, raw: str, line: str, state: Any) -> list[TakopiEvent]:  # noqa: ARG002
        """Return the events of a line that is no JSON."""
        return [
            self.note_event(
                f"{self.tag()} printed a line that is no JSON", state=state, detail={"line": line}
            )
        ]

    def decode_error_events(
        self,
        *,
        raw: str,  # noqa: ARG002 - part of the hook
        line: str,
        error: Exception,
        state: Any,
    ) -> list[TakopiEvent]:
        """Return the events of a line on which `decode_jsonl` raised."""
        message = tr(
            "{engine} printed a line that takopi cannot read ({why})", engine=self.tag(), why=error
        )
        return [self.note_event(message, state=state, detail={"line": line, "error": str(error)})]

    def translate_error_events(
        self,
        *,
        data: Any,  # noqa: ARG002 - part of the hook
        error: Exception,
        state: Any,
    ) -> list[TakopiEvent]:
        """Return the events of a line on which `translate` raised."""
        self.get_logger().debug(
            "engine.translate_failed", engine=self.engine, error=repr(error), exc_info=error
        )
        message = tr(
            "takopi could not make sense of a line of {engine} ({kind})",
            engine=self.tag(),
            kind=type(error).__name__,
        )
        return [self.note_event(message, state=state, detail={"error": str(error)})]

    def process_error_events(
        self,
        rc: int,
        *,
        resume: ResumeToken | None,
        found_session: ResumeToken | None,
        state: Any,  # noqa: ARG002 - part of the hook
    ) -> list[TakopiEvent]:
        """Return the events of a process that failed without a result.

        The useful end of standard error is added to the error of a `CompletedEvent` by the base.
        """
        error = _how_it_ended(self.tag(), rc)
        return [self._failed(error, found_session or resume)]

    def stream_end_events(
        self,
        *,
        resume: ResumeToken | None,
        found_session: ResumeToken | None,
        state: Any,  # noqa: ARG002 - part of the hook
    ) -> list[TakopiEvent]:
        """Return the events of a process that ended well, or nobody knows how, without a result."""
        error = tr("{engine} ended without a result", engine=self.tag())
        return [self._failed(error, found_session or resume)]

    def _failed(self, error: str, resume: ResumeToken | None) -> TakopiEvent:
        return CompletedEvent(self.engine, ok=False, answer="", resume=resume, error=error)

    def stderr_message(self, tail: str) -> str:
        """Return what of the end of standard error a person should read; may add a hint."""
        return useful_end(tail)

    def pipes_error_message(self) -> str:
        """Say that standard input and output of the program are not there."""
        return tr(
            "{engine} could not be connected to takopi; try again, then run `takopi doctor`",
            engine=self.tag(),
        )


def _how_it_ended(engine: str, rc: int) -> str:
    if rc >= 0:
        return tr(
            "{engine} failed with exit status {code} without a result", engine=engine, code=rc
        )
    try:
        name = signal.Signals(-rc).name
    except ValueError:
        name = f"signal {-rc}"
    if name == "SIGKILL":
        name = tr("{signal} (out of memory?)", signal=name)
    return tr("{engine} was ended by {signal} without a result", engine=engine, signal=name)
