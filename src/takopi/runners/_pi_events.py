"""Fold what pi prints into events.

`message_update` brings a message in pieces, `message_end` the whole of it, which counts. How the
run went is in the last message of the assistant: its `stopReason` is `error` or `aborted` where
the model failed, and pi's exit status is 0 then too. A failed message may be tried again
(`auto_retry_start`), so it fails the run only when the run is over (`agent_settled`).
"""

import re
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from takopi.events import EventFactory
from takopi.jsonl_fold import JsonlRunState
from takopi.model import Action, ActionEvent, ActionPhase, ResumeToken, TakopiEvent
from takopi.runners._summed_usage import add_call, summed_usage
from takopi.runners._tool_calls import ToolCall, describe_tool
from takopi.schemas.pi import PiBlock, PiDelta, PiEvent, PiMessage, PiResult, PiUsage

__all__ = ["PiState", "final_events", "line_events"]

ENGINE = "pi"
_RETRY = "pi.retry"
_COMPACTION = "pi.compaction"
_SESSION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?")
_EXIT_STATUS = re.compile(r"Command exited with code (\d+)\s*\Z")
_SILENT = frozenset(
    {"agent_start", "turn_start", "turn_end", "agent_end", "entry_appended", "queue_update"}
    | {"session_info_changed", "thinking_level_changed", "bash_execution_update"}
    | {"summarization_retry_attempt_start", "summarization_retry_finished"}
)
_UNFINISHED = frozenset({"pending", "toolUse"})

BlockKind = Literal["message", "thinking"]


@dataclass(slots=True)
class PiState(JsonlRunState):
    """Be what a run remembers.

    Args:
        messages: How many messages of the assistant have begun.
        written: For each block of the current message the length of its text so far.
        closed: Blocks of the current message whose text is whole.
        last: The last whole message of the assistant.
        last_text: The last text that was said in the whole run.
        retrying: Whether a retry was reported and its outcome not yet.
        calls: Tool calls that run.
        numbers: Tokens and cost of all messages.
    """

    factory: EventFactory = field(default_factory=lambda: EventFactory(ENGINE))
    messages: int = 0
    written: dict[int, int] = field(default_factory=dict)
    closed: set[int] = field(default_factory=set)
    last: PiMessage | None = None
    last_text: str = ""
    retrying: bool = False
    calls: dict[str, ToolCall] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    strange: set[str] = field(default_factory=set)

    def next_id(self, kind: str) -> str:
        """Number what has no id of its own."""
        self.note_seq += 1
        return f"{ENGINE}.{kind}.{self.note_seq}"


def line_events(event: PiEvent, state: PiState) -> list[TakopiEvent]:
    """Return the events of one line."""
    kind = event.type
    if kind == "message_update":
        delta = event.assistantMessageEvent
        return [] if delta is None else _delta_events(delta, state)
    if kind in _SILENT:
        return []
    if kind in {"message_start", "message_end"}:
        return _message_events(event, state)
    if kind.startswith("tool_execution_"):
        return _tool_events(event, state)
    if kind == "session":
        if state.factory.resume is not None or not _SESSION.fullmatch(event.id):
            return []
        return [state.factory.started(ResumeToken(ENGINE, event.id))]
    if kind == "agent_settled":
        return final_events(state, session=state.factory.resume, status="")
    return _other_events(event, state)


def final_events(state: PiState, *, session: ResumeToken | None, status: str) -> list[TakopiEvent]:
    """Return the end of the run.

    Args:
        state: What the run printed.
        session: The session found, or else the one asked for.
        status: How the process failed; empty when it did not.
    """
    last = state.last
    answer = _text(last) if last is not None else ""
    error = _failure(last, status)
    model = state.last.model if state.last is not None else ""
    make, usage = state.factory.completed, summed_usage(state.numbers, model)
    if error is not None:
        return [make(ok=False, answer=answer, resume=session, error=error, usage=usage)]
    out: list[TakopiEvent] = []
    if status:
        out.append(_warning(f"pi {status} after its answer", state))
    if last is not None and last.stopReason == "length":
        out.append(_warning("the model's output limit was reached: the answer is cut", state))
    answer = answer or state.last_text
    out.append(make(ok=True, answer=answer, resume=session, usage=usage))
    return out


def _failure(last: PiMessage | None, status: str) -> str | None:
    """Say why the run failed; None when it has an answer."""
    if last is not None and last.stopReason == "error":
        message = _plain(last.errorMessage) or "the model failed, and pi does not say why"
        if message.startswith(("401", "403")):
            message += "\nLog in: run `pi` in a terminal and use /login, or check the key."
        return message
    if last is not None and last.stopReason == "aborted":
        return last.errorMessage or "pi aborted the turn"
    if last is not None and last.stopReason not in _UNFINISHED and (last.stopReason or _text(last)):
        return None
    if status:
        return f"pi {status} without a result"
    return "pi ended without a result"


def _plain(message: str) -> str:
    """Take the words out of `500: {"message": "..."}`, as pi hands on what a provider sent."""
    status, _, body = message.partition(": ")
    if not status.isdigit() or not body.startswith("{"):
        return message
    try:
        error = msgspec.json.decode(body, type=_ProviderError)
    except (msgspec.DecodeError, RecursionError):
        return message
    words = error.message or (error.error.message if error.error else "")
    return f"{status}: {words}" if words else message


class _ProviderErrorBody(msgspec.Struct):
    message: str = ""


class _ProviderError(msgspec.Struct):
    message: str = ""
    error: _ProviderErrorBody | None = None


def _delta_events(delta: PiDelta, state: PiState) -> list[TakopiEvent]:
    what, _, step = delta.type.partition("_")
    if what not in {"text", "thinking"}:
        return []  # a tool call that is being written
    kind: BlockKind = "message" if what == "text" else "thinking"
    index = delta.contentIndex
    if step == "end":
        return _whole_block(kind, index, delta.content, state)
    if step not in {"start", "delta"}:
        return []
    offset = state.written.get(index)
    state.written[index] = (offset or 0) + len(delta.delta)
    phase: ActionPhase = "started" if offset is None else "updated"
    detail = {"offset": offset or 0, "text": delta.delta}
    return [_block(kind, index, phase, detail, state)]


def _whole_block(kind: BlockKind, index: int, text: str, state: PiState) -> list[TakopiEvent]:
    if index in state.closed or (not text and index not in state.written):
        return []
    state.closed.add(index)
    return [_block(kind, index, "completed", {"offset": 0, "text": text}, state)]


def _block(
    kind: BlockKind, index: int, phase: ActionPhase, detail: dict[str, Any], state: PiState
) -> TakopiEvent:
    title = "answer" if kind == "message" else kind
    action = Action(f"{ENGINE}.{state.messages}.{index}", kind, title, detail)
    return ActionEvent(ENGINE, action, phase, True if phase == "completed" else None)


def _message_events(event: PiEvent, state: PiState) -> list[TakopiEvent]:
    message = event.message
    if message is None or message.role != "assistant":
        return []
    if event.type == "message_start":
        state.messages += 1
        state.written, state.closed = {}, set()
        return []
    state.last = message
    state.last_text = _text(message) or state.last_text
    _count(state, message)
    out: list[TakopiEvent] = []
    for index, block in enumerate(_blocks(message.content)):
        if block.type == "text":
            out += _whole_block("message", index, block.text, state)
        elif block.type == "thinking":
            out += _whole_block("thinking", index, block.thinking, state)
    if state.retrying and message.stopReason not in {"error", "aborted"}:
        out += _retry_end(state, ok=True, text="the model answers again")
    return out


def _tool_events(event: PiEvent, state: PiState) -> list[TakopiEvent]:
    id_ = event.toolCallId or "pi.tool"
    call = state.calls.get(id_)
    if call is None:
        call = state.calls[id_] = describe_tool(event.toolName or "tool", event.args)
        if event.type == "tool_execution_start":
            make = state.factory.action_started
            return [make(action_id=id_, kind=call.kind, title=call.title, detail=call.detail)]
    if event.type == "tool_execution_end":
        del state.calls[id_]
        return [_tool_end(id_, call, event, state)]
    if event.type != "tool_execution_update":
        return []
    detail = {**call.detail, "output": _result_text(event.partialResult)}
    make = state.factory.action_updated
    return [make(action_id=id_, kind=call.kind, title=call.title, detail=detail)]


def _tool_end(id_: str, call: ToolCall, event: PiEvent, state: PiState) -> TakopiEvent:
    output = _result_text(event.result)
    detail: dict[str, Any] = {**call.detail, "output": output}
    message = None
    if call.kind == "command":
        code = _EXIT_STATUS.search(output) if event.isError else None
        if code is not None:
            detail["exit_code"] = int(code[1])
        elif not event.isError:
            detail["exit_code"] = 0
    if event.isError and "exit_code" not in detail:
        message = output or None
    if event.result is not None and event.result.details is not None and event.result.details.diff:
        detail["diff"] = event.result.details.diff
    return state.factory.action_completed(
        action_id=id_,
        kind=call.kind,
        title=call.title,
        ok=not event.isError,
        detail=detail,
        message=message,
    )


def _other_events(event: PiEvent, state: PiState) -> list[TakopiEvent]:
    kind = event.type
    if kind == "auto_retry_start":
        return [_retry(event, state)]
    if kind == "auto_retry_end":
        text = _plain(event.finalError) or "the model answers again"
        return _retry_end(state, ok=event.success, text=text)
    if kind == "summarization_retry_scheduled":
        wait = f"summing up failed, attempt {event.attempt} in {event.delayMs / 1000:g} s"
        return [_warning(f"{wait}: {event.errorMessage}", state)]
    if kind == "compaction_start":
        return [_compaction("started", "summing up the conversation", state)]
    if kind == "compaction_end":
        return [_compaction_end(event, state)]
    if kind in state.strange:
        return []
    state.strange.add(kind)
    note = state.factory.action_completed(
        action_id=state.next_id("note"),
        kind="note",
        title=f"pi printed `{kind}`, which takopi does not know",
        ok=True,
        level="debug",
    )
    return [note]


def _retry(event: PiEvent, state: PiState) -> TakopiEvent:
    phase: ActionPhase = "updated" if state.retrying else "started"
    state.retrying = True
    title = f"the model failed: {_plain(event.errorMessage) or 'pi does not say why'}"
    message = f"attempt {event.attempt} of {event.maxAttempts} in {event.delayMs / 1000:g} s"
    return state.factory.action(
        phase=phase,
        action_id=_RETRY,
        kind="warning",
        title=title,
        message=message,
        level="warning",
    )


def _retry_end(state: PiState, *, ok: bool, text: str) -> list[TakopiEvent]:
    if not state.retrying:
        return []
    state.retrying = False
    level: Literal["info", "warning"] = "info" if ok else "warning"
    title = text if ok else f"the model failed: {text}"
    make = state.factory.action_completed
    return [make(action_id=_RETRY, kind="warning", title=title, ok=ok, level=level)]


def _compaction(phase: ActionPhase, title: str, state: PiState) -> TakopiEvent:
    return state.factory.action(phase=phase, action_id=_COMPACTION, kind="note", title=title)


def _compaction_end(event: PiEvent, state: PiState) -> TakopiEvent:
    ok = not event.errorMessage and not event.aborted
    return state.factory.action_completed(
        action_id=_COMPACTION,
        kind="note",
        title="summed up the conversation" if ok else "the conversation could not be summed up",
        ok=ok,
        message=event.errorMessage or None,
    )


def _warning(text: str, state: PiState) -> TakopiEvent:
    return state.factory.action_completed(
        action_id=state.next_id("note"), kind="warning", title=text, ok=False, level="warning"
    )


def _blocks(content: list[PiBlock] | str) -> list[PiBlock]:
    return [PiBlock("text", content)] if isinstance(content, str) else content


def _text(message: PiMessage) -> str:
    texts = [block.text for block in _blocks(message.content) if block.type == "text"]
    return "\n\n".join(text for text in texts if text)


def _result_text(result: PiResult | None) -> str:
    if result is None:
        return ""
    return "\n".join(block.text for block in _blocks(result.content) if block.type == "text")


def _count(state: PiState, message: PiMessage) -> None:
    usage = message.usage or PiUsage()
    call = {  # pi counts what is beside the cache
        "input_tokens": usage.input + usage.cacheRead + usage.cacheWrite,
        "cached_tokens": usage.cacheRead,
        "output_tokens": usage.output,
        "reasoning_tokens": usage.reasoning,
        "cost_usd": usage.cost.total if usage.cost else 0,
    }
    add_call(state.numbers, call)
