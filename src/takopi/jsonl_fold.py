"""Turn the bytes that an engine prints into takopi events: a pure fold, without waiting.

The live run, the contract suite and, after a restart, adoption share this one path, so that a
replayed stream gives what the live one gave. All lines of a chunk go through in one synchronous
step: per line there is no await and no context switch, which is what the speed rests on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from takopi.core.json_repair import repair_json
from takopi.core.lines import LineSplitter, Oversized
from takopi.core.texts import tr, tr_later
from takopi.core.turn_rules import TurnRules, WrongEvent
from takopi.errors import TakopiError
from takopi.model import (
    ActionEvent,
    CompletedEvent,
    EngineId,
    ResumeToken,
    TakopiEvent,
)
from takopi.turn import TurnRequest
from takopi.turn_context import bind_request

if TYPE_CHECKING:
    from takopi.jsonl_runner import JsonlSubprocessRunner

__all__ = ["CANCELLED", "JsonlFold", "JsonlRunState", "bug_text", "replay"]

CANCELLED = tr_later("the turn was cancelled")


@dataclass
class JsonlRunState:
    """Be what the hooks of one run remember; engines derive their own from it.

    Args:
        note_seq: Number of the last note, for ids that a replay repeats.
    """

    note_seq: int = 0


def bug_text(engine: EngineId, error: BaseException) -> str:
    """Say that the engine's module, not the engine, failed."""
    return tr(
        "the module of the engine {engine} failed with {kind}: {why}; the turn was ended: report "
        "this to the module's author",
        engine=engine,
        kind=type(error).__name__,
        why=error,
    )


class JsonlFold:
    """Fold the output of one run into events.

    Args:
        runner: Brings the hooks.
        request: The turn; the hooks see it as the current request.
    """

    __slots__ = (
        "_decode",
        "_runner",
        "_splitter",
        "_stderr",
        "_translate",
        "aborted",
        "request",
        "rules",
        "state",
    )

    def __init__(self, runner: "JsonlSubprocessRunner", request: TurnRequest) -> None:
        self._runner = runner
        self.request = request
        self.rules = TurnRules(runner.engine, request.resume, runner.handle_started_event)
        self._splitter = LineSplitter()
        self._stderr = ""
        self._decode, self._translate = runner.decode_jsonl, runner.translate
        self.aborted = False
        """Whether the engine has to be ended at once, as what it does is not what was asked."""
        with bind_request(request):
            self.state: Any = runner.new_state(request.prompt, request.resume)

    @property
    def session_unknown(self) -> bool:
        """Whether the run failed because the engine does not know the session asked for.

        An engine says so before anything else, so a run that reported its session knew it.
        """
        end, pattern = self.rules.completed, self._runner.unknown_session_re
        if end is None or end.ok or self.request.resume is None or self.rules.started:
            return False
        return pattern is not None and bool(pattern.search(f"{end.error}\n{self._stderr}"))

    def feed(self, chunk: bytes) -> list[TakopiEvent]:
        """Take a chunk of output and return the events of the lines it completes."""
        if self.rules.completed is not None:
            return []
        lines = self._splitter.feed(chunk)
        if not lines:  # a part of a long line
            return []
        with bind_request(self.request):
            return self._take(lines)

    def finish(
        self, rc: int | None, *, stderr: str = "", ended_because: str | None = None
    ) -> list[TakopiEvent]:
        """Take the end of the output and return the events up to `CompletedEvent`.

        Args:
            rc: Exit status; negative for a signal, None when nobody saw the end.
            stderr: The end of standard error; its useful part goes into the error.
            ended_because: Why takopi itself ended the engine; None when it did not. It is the
                error then, whatever the exit status says.
        """
        if self.rules.completed is not None:
            return []
        self._stderr = "" if ended_because else stderr
        with bind_request(self.request):
            out = self._take(self._splitter.finish())
            if self.rules.completed is None:
                try:
                    self._end(rc, stderr, ended_because, out)
                except Exception as error:  # noqa: BLE001 - a turn is a border
                    self._abort(error, out)
        return out

    def _take(self, lines: list[bytes | Oversized]) -> list[TakopiEvent]:
        # The loop over all output there is: no call and no look-up that is not needed.
        decode, translate, rules, state = self._decode, self._translate, self.rules, self.state
        admit, resume = rules.admit, self.request.resume
        out: list[TakopiEvent] = []
        try:
            for raw in lines:
                data = failure = None
                if raw.__class__ is bytes and raw and not raw.isspace():
                    try:
                        data = decode(line=raw)
                    except Exception as error:  # noqa: BLE001 - a module's bug costs one line
                        failure = error
                if data is None:
                    events = self._without_value(raw, failure)
                else:
                    try:
                        events = translate(
                            data, state=state, resume=resume, found_session=rules.session
                        )
                    except Exception as error:  # noqa: BLE001 - as above
                        events = self._untranslatable(data, error)
                    if events.__class__ is not list:
                        events = self._listed(data, events)
                for event in events:
                    try:
                        admit(event, out)
                    except WrongEvent as error:
                        self._refuse(data, error, out)
                if rules.completed is not None:
                    break
        except Exception as error:  # noqa: BLE001 - a turn is a border
            self._abort(error, out)
        return out

    def _without_value(
        self, raw: bytes | Oversized, failure: Exception | None
    ) -> list[TakopiEvent]:
        """Return the events of a line that is too long, blank, or gave no value as it is."""
        if isinstance(raw, Oversized):
            return [self._oversized(raw)]
        if not raw or raw.isspace():
            return []
        runner, state = self._runner, self.state
        data = self._decode_again(raw)
        if data is not None:
            return self._translated(data)
        line = raw.decode("utf-8", "replace")
        texts = {"raw": line, "line": line.strip()}
        if failure is None:
            return runner.invalid_json_events(**texts, state=state)
        return runner.decode_error_events(**texts, error=failure, state=state)

    def _translated(self, data: Any) -> list[TakopiEvent]:
        resume, found = self.request.resume, self.rules.session
        try:
            events = self._translate(data, state=self.state, resume=resume, found_session=found)
        except Exception as error:  # noqa: BLE001 - a module's bug costs one line
            return self._untranslatable(data, error)
        return self._listed(data, events)

    def _listed(self, data: Any, events: Iterable[TakopiEvent] | None) -> list[TakopiEvent]:
        """Return a list of what a module wrote as a generator, or as nothing."""
        try:
            return list(events or ())
        except Exception as error:  # noqa: BLE001 - a module's bug costs one line
            return self._untranslatable(data, error)

    def _untranslatable(self, data: Any, error: Exception) -> list[TakopiEvent]:
        if isinstance(error, TakopiError):
            raise error  # the module says that this turn cannot go on
        return self._runner.translate_error_events(data=data, error=error, state=self.state)

    def _refuse(self, data: Any, error: WrongEvent, out: list[TakopiEvent]) -> None:
        """Put a warning in the place of an event that cannot be used."""
        for event in self._untranslatable(data, error):
            self.rules.admit(event, out)

    def _decode_again(self, line: bytes) -> Any | None:
        mended = repair_json(line)
        if mended is None:
            return None
        try:
            return self._runner.decode_jsonl(line=mended)
        except Exception:  # noqa: BLE001 - the first error is the one to report
            return None

    def _oversized(self, line: Oversized) -> TakopiEvent:
        size = line.size_bytes / 1024 / 1024
        return self._runner.note_event(
            tr("skipped a line of {size} MiB: longer than takopi reads", size=f"{size:.1f}"),
            state=self.state,
            detail={"size_bytes": line.size_bytes},
        )

    def _end(
        self, rc: int | None, stderr: str, ended_because: str | None, out: list[TakopiEvent]
    ) -> None:
        runner, rules = self._runner, self.rules
        resume, found, state = self.request.resume, rules.session, self.state
        if rc:
            events = runner.process_error_events(
                rc, resume=resume, found_session=found, state=state
            )
        else:
            events = runner.stream_end_events(resume=resume, found_session=found, state=state)
        message = "" if ended_because else runner.stderr_message(stderr)
        for event in events:
            shown = event
            if isinstance(event, CompletedEvent):
                if ended_because:
                    shown = replace(event, ok=False, error=ended_because)
                elif not event.ok:
                    shown = replace(event, error=_with_stderr(event.error or "", message))
            elif ended_because and isinstance(event, ActionEvent):
                continue  # notes on an exit status that takopi itself caused
            try:
                rules.admit(shown, out)
            except WrongEvent as error:
                self._refuse(None, error, out)
        text = ended_because or tr("{engine} ended without a result", engine=runner.engine)
        rules.fail(_with_stderr(text, message), out)

    def _abort(self, error: Exception, out: list[TakopiEvent]) -> None:
        self.aborted = True
        known = isinstance(error, TakopiError)
        self.rules.fail(str(error) if known else bug_text(self._runner.engine, error), out)


def _with_stderr(error: str, message: str) -> str:
    if not message or message in error:
        return error
    return f"{error}\n\n{message}" if error else message


def replay(
    runner: "JsonlSubprocessRunner",
    chunks: Iterable[bytes],
    resume: ResumeToken | None = None,
    rc: int | None = 0,
    *,
    prompt: str = "",
    stderr: str = "",
) -> list[TakopiEvent]:
    """Return the events that a run with this output has, without running anything.

    Args:
        runner: A `JsonlSubprocessRunner`.
        chunks: The recorded standard output, cut anyhow.
        resume: The session that the run continued.
        rc: Exit status of the run; None when nobody saw the end.
        prompt: The prompt of the run.
        stderr: The end of its standard error.
    """
    fold = JsonlFold(runner, TurnRequest(prompt=prompt, resume=resume))
    events: list[TakopiEvent] = []
    for chunk in chunks:
        events += fold.feed(chunk)
    return events + fold.finish(rc, stderr=stderr)
