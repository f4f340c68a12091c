"""Fold what opencode prints into events.

A run is a row of steps. Each starts with `step_start` and ends with `step_finish`, whose reason is
`tool-calls` when another step follows. There is no event for the end of the run: the answer is the
text of the last step, known when the process has exited. Tools are reported once, when they ended.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from takopi.events import EventFactory
from takopi.jsonl_fold import JsonlRunState
from takopi.model import ResumeToken, TakopiEvent
from takopi.runners._summed_usage import add_call, summed_usage
from takopi.runners._tool_calls import ToolCall, describe_tool
from takopi.schemas.opencode import OpencodeError, OpencodeEvent, OpencodePart, OpencodeTokens
from takopi.schemas.opencode import OpencodeState as ToolState

__all__ = ["OpencodeState", "end_events", "line_events"]

ENGINE = "opencode"
_PLAN = "plan"
_STATUSES = ("pending", "in_progress", "completed")
_SESSION = re.compile(r"ses_[A-Za-z0-9]{1,64}")


@dataclass(slots=True)
class OpencodeState(JsonlRunState):
    """Be what a run remembers.

    Args:
        session: The session's id, once known.
        texts: What the current step has said.
        last_text: The last thing said in the whole run.
        reason: Why the last step ended; empty while a step runs.
        steps: How many steps have begun.
        refused: Titles of the tool calls that opencode refused in the last step.
        error: The last failure that was reported, while nothing came after it.
        plan: Items of the plan, once there is one.
        model: The model asked for; empty when that is opencode's own choice.
    """

    factory: EventFactory = field(default_factory=lambda: EventFactory(ENGINE))
    session: str = ""
    texts: list[str] = field(default_factory=list)
    last_text: str = ""
    reason: str = ""
    steps: int = 0
    refused: list[str] = field(default_factory=list)
    error: str = ""
    plan: list[dict[str, str]] = field(default_factory=list)
    strange: set[str] = field(default_factory=set)
    numbers: dict[str, float] = field(default_factory=dict)
    model: str = ""

    def next_id(self, kind: str) -> str:
        """Number what has no id of its own."""
        self.note_seq += 1
        return f"{ENGINE}.{kind}.{self.note_seq}"


def line_events(event: OpencodeEvent, state: OpencodeState) -> list[TakopiEvent]:
    """Return the events of one line."""
    out: list[TakopiEvent] = []
    if not state.session and _SESSION.fullmatch(event.sessionID):
        state.session = event.sessionID
        out.append(state.factory.started(ResumeToken(ENGINE, event.sessionID)))
    part = event.part or OpencodePart()
    if state.session and event.sessionID not in {"", state.session}:
        return out  # a sub-agent's own conversation, should it ever be printed
    if event.type == "step_start":
        state.steps += 1
        state.texts, state.refused, state.reason, state.error = [], [], "", ""
    elif event.type == "text":
        out += _text_events(part, state)
    elif event.type == "reasoning":
        out += _thinking_events(part, state)
    elif event.type == "tool_use":
        out += _tool_events(part, state)
    elif event.type == "step_finish":
        state.reason = part.reason or "unknown"
        _count(state, part.tokens, part.cost)
    elif event.type == "error":
        state.error = _error_text(event.error or OpencodeError())
    elif event.type not in state.strange:
        state.strange.add(event.type)
        out.append(_strange(event.type, state))
    return out


def end_events(
    state: OpencodeState, *, session: ResumeToken | None, status: str
) -> list[TakopiEvent]:
    """Return the end of a run whose process has exited.

    Args:
        state: What the run printed.
        session: The session found, or else the one asked for.
        status: How the process failed; empty for exit status 0 or an unknown one.
    """
    out = _plan_end(state)
    answer = "\n\n".join(state.texts) or state.last_text
    error = _failure(state, status)
    make, usage = state.factory.completed, summed_usage(state.numbers, state.model)
    if error is not None:
        said = "\n\n".join(state.texts)
        out.append(make(ok=False, answer=said, resume=session, error=error, usage=usage))
        return out
    if status:
        out.append(_warning(f"opencode {status} after its answer", state))
    elif not state.reason:
        out.append(_warning("opencode did not finish its step: the answer may be cut", state))
    elif state.reason == "length":
        out.append(_warning("the model's output limit was reached: the answer is cut", state))
    elif state.reason != "stop":
        out.append(_warning(f"opencode ended its step with `{state.reason}`", state))
    out.append(make(ok=True, answer=answer, resume=session, usage=usage))
    return out


def _failure(state: OpencodeState, status: str) -> str | None:
    """Say why the run failed; None when it has an answer."""
    if state.error:
        return state.error
    if state.refused:
        return (
            f"opencode refused {', '.join(state.refused)} and stopped: its settings say to ask, "
            "and a run cannot ask. Allow it in the `permission` table of opencode.json, or add "
            '`--auto` to `opencode.extra_args` to allow all that is not set to "deny".'
        )
    if state.reason == "tool-calls":
        return "opencode stopped after a tool, without an answer; send `continue` to go on"
    if state.reason:
        return None
    if status:
        return f"opencode {status} without a result"
    if state.texts:
        return None
    return "opencode ended without a result"


def _text_events(part: OpencodePart, state: OpencodeState) -> list[TakopiEvent]:
    if not part.text:
        return []
    state.texts.append(part.text)
    state.last_text = part.text
    return [_said("message", "answer", part, state)]


def _thinking_events(part: OpencodePart, state: OpencodeState) -> list[TakopiEvent]:
    return [_said("thinking", "thinking", part, state)] if part.text else []


def _said(kind: Any, title: str, part: OpencodePart, state: OpencodeState) -> TakopiEvent:
    return state.factory.action_completed(
        action_id=part.id or state.next_id(kind),
        kind=kind,
        title=title,
        ok=True,
        detail={"offset": 0, "text": part.text},
    )


def _tool_events(part: OpencodePart, state: OpencodeState) -> list[TakopiEvent]:
    tool = part.state or ToolState()
    if part.tool == "todowrite" and isinstance(tool.input.get("todos"), list):
        return _plan_events(tool.input["todos"], state)
    call = _call(part.tool, tool)
    detail = dict(call.detail)
    ok = tool.status == "completed" and part.tool != "invalid"
    message = tool.error or None
    metadata = tool.metadata
    if call.kind == "command" and metadata is not None and metadata.exit is not None:
        detail["exit_code"] = metadata.exit
        ok = ok and metadata.exit == 0
    if tool.output:
        detail["output"] = tool.output
    if metadata is not None and metadata.sessionId:
        detail["session"] = metadata.sessionId
    if tool.error.startswith("The user rejected permission"):
        state.refused.append(f"`{call.title}`")
        message = "refused by opencode's permission settings"
    ended = state.factory.action_completed(
        action_id=part.callID or part.id or state.next_id("tool"),
        kind=call.kind,
        title=call.title,
        ok=ok,
        detail=detail,
        message=message,
    )
    return [ended]


def _call(name: str, tool: ToolState) -> ToolCall:
    if name == "invalid":  # the model called a tool that is not there
        wanted = tool.input.get("tool")
        return ToolCall("tool", f"no such tool: {wanted}", {"tool": wanted})
    call = describe_tool(name or "tool", tool.input)
    existed = tool.metadata is not None and tool.metadata.exists
    if name == "write" and existed and call.kind == "file_change":
        changes = [{**change, "kind": "update"} for change in call.detail["changes"]]
        return ToolCall(call.kind, call.title, {"changes": changes})
    return call


def _plan_events(todos: list[Any], state: OpencodeState) -> list[TakopiEvent]:
    known = bool(state.plan)
    state.plan = [_plan_item(todo) for todo in todos if isinstance(todo, dict)]
    make = state.factory.action_updated if known else state.factory.action_started
    return [make(action_id=_PLAN, kind="plan", title=_PLAN, detail={"items": state.plan})]


def _plan_item(todo: dict[str, Any]) -> dict[str, str]:
    status = todo.get("status")
    if not isinstance(status, str) or status not in _STATUSES:  # "cancelled" is done with
        status = "completed" if status == "cancelled" else "pending"
    return {"text": str(todo.get("content", "")), "status": status}


def _plan_end(state: OpencodeState) -> list[TakopiEvent]:
    if not state.plan:
        return []
    done = all(item["status"] == "completed" for item in state.plan) or None
    detail = {"items": state.plan}
    make = state.factory.action_completed
    return [make(action_id=_PLAN, kind="plan", title=_PLAN, ok=done, detail=detail)]


def _error_text(error: OpencodeError) -> str:
    data = error.data
    message = (data.message if data else "") or error.name or "opencode reported an error"
    status = data.statusCode if data else None
    text = f"{message} (HTTP {status})" if status else message
    if status in {401, 403} or error.name == "ProviderAuthError":
        text += "\nLog in with `opencode auth login`, or check the provider's key."
    elif error.name == "UnknownError" and "Check server logs" in message:
        # This is all that opencode says about a model that it does not know.
        text += "\nCheck `opencode.model`: `opencode models` lists what there is."
    return text


def _strange(kind: str, state: OpencodeState) -> TakopiEvent:
    return state.factory.action_completed(
        action_id=state.next_id("note"),
        kind="note",
        title=f"opencode printed `{kind}`, which takopi does not know",
        ok=True,
        level="debug",
    )


def _warning(text: str, state: OpencodeState) -> TakopiEvent:
    return state.factory.action_completed(
        action_id=state.next_id("note"), kind="warning", title=text, ok=False, level="warning"
    )


def _count(state: OpencodeState, tokens: OpencodeTokens | None, cost: float) -> None:
    tokens = tokens or OpencodeTokens()
    cached, written = (tokens.cache.read, tokens.cache.write) if tokens.cache else (0, 0)
    call = {  # opencode counts what is beside the cache, and beside the reasoning
        "input_tokens": tokens.input + cached + written,
        "cached_tokens": cached,
        "output_tokens": tokens.output + tokens.reasoning,
        "reasoning_tokens": tokens.reasoning,
        "cost_usd": cost,
    }
    add_call(state.numbers, call)
