"""Turn the lines of `codex exec --json` into events: a fold without clock, file or randomness."""

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from takopi.events import EventFactory
from takopi.jsonl_fold import JsonlRunState
from takopi.model import Action, ActionEvent, ActionPhase, ResumeToken, TakopiEvent
from takopi.runners._codex_errors import readable, with_hint
from takopi.runners._texts import block_text, first_line, plan_action
from takopi.schemas.codex import CodexEvent, CodexItem, CodexUsage

__all__ = ["CodexState", "line_events"]

ENGINE = "codex"

_PHASES: dict[str, ActionPhase] = {
    "item.started": "started",
    "item.updated": "updated",
    "item.completed": "completed",
}
_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
# codex runs each command by a login shell, and quotes it the way a shell reads.
_SHELL = re.compile(r"(?:\S*/)?(?:ba|z|da|k)?sh -l?c (?=['\"\w])")
_USUAL = "/bin/bash -lc "
_DOUBLE_QUOTED = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\$`])')
# Beyond this a command is not taken apart by the rules of a shell, which is slow.
_UNQUOTE_CHARS = 20_000
_BAD = frozenset({"failed", "declined"})


@dataclass
class CodexState(JsonlRunState):
    """Remember what later lines of a run build on.

    Args:
        events: Makes the events.
        meta: What is known of the session before it answers.
        answer: The latest whole message; the last one is the answer.
        plan: The latest plan, while it is open.
        problem: An error that is not known to be the last word yet.
        retries: How many series of reconnects there were; the number names the action.
        retry: Title of the reconnect that goes on.
        unknown: Types of lines that were named once.
    """

    events: EventFactory = field(default_factory=lambda: EventFactory(ENGINE))
    meta: dict[str, Any] = field(default_factory=dict)
    answer: str = ""
    plan: CodexItem | None = None
    problem: str = ""
    retries: int = 0
    retry: str = ""
    unknown: set[str] = field(default_factory=set)


def line_events(event: CodexEvent, state: CodexState) -> list[TakopiEvent]:
    """Return the events of a line."""
    phase = _PHASES.get(event.type)
    if phase is not None:
        item = event.item
        if item is None:
            return [_note(state, f"codex sent {event.type} without an item")]
        if not item.id:
            item.id = item.type or "item"
        make = _ITEMS.get(item.type, _unknown_item)
        if state.problem or state.retry:
            return [*_settle(state), *make(item, phase, state)]
        return make(item, phase, state)
    make_line = _LINES.get(event.type)
    if make_line is None:
        return _unknown_line(event, state)
    return make_line(event, state)


# Lines


def _thread_started(event: CodexEvent, state: CodexState) -> list[TakopiEvent]:
    if _SAFE_ID.fullmatch(event.thread_id) is None:
        return [_note(state, f"codex reported a session without a usable id: {event.thread_id!r}")]
    token = ResumeToken(ENGINE, event.thread_id)
    if state.events.resume not in (None, token):
        state.events = EventFactory(ENGINE)  # the contract's rules refuse it, with a clear text
    return [state.events.started(token, meta=dict(state.meta) or None)]


def _turn_started(event: CodexEvent, state: CodexState) -> list[TakopiEvent]:  # noqa: ARG001
    return []


def _turn_completed(event: CodexEvent, state: CodexState) -> list[TakopiEvent]:
    end = state.events.completed_ok(answer=state.answer, usage=_usage(event.usage, state))
    return [*_settle(state), *_close_plan(state), end]


def _turn_failed(event: CodexEvent, state: CodexState) -> list[TakopiEvent]:
    said = (event.error.message if event.error else "") or state.problem or event.message
    state.problem = ""
    error = with_hint(readable(said)) or "codex ended the turn without saying why"
    return [state.events.completed_error(error=error, answer=state.answer)]


def _error(event: CodexEvent, state: CodexState) -> list[TakopiEvent]:
    if not event.message.startswith("Reconnecting"):
        # `turn.failed` follows with the same words, unless codex goes on.
        before = _flush_problem(state)
        state.problem = event.message or "codex reported an error without a text"
        return before
    if event.message == state.retry:
        return []
    before = _flush_problem(state)
    phase: ActionPhase = "updated" if state.retry else "started"
    if not state.retry:
        state.retries += 1
    state.retry = event.message
    return [*before, _retry_event(state, phase)]


def _unknown_line(event: CodexEvent, state: CodexState) -> list[TakopiEvent]:
    name = event.type or "(none)"
    if name in state.unknown:
        return []
    state.unknown.add(name)
    words = f": {event.message}" if event.message else ""
    return [_note(state, f"codex sent {name}{words}")]


_LINES: dict[str, Callable[[CodexEvent, CodexState], list[TakopiEvent]]] = {
    "thread.started": _thread_started,
    "turn.started": _turn_started,
    "turn.completed": _turn_completed,
    "turn.failed": _turn_failed,
    "error": _error,
}


# Items

_MakeItem: TypeAlias = Callable[[CodexItem, ActionPhase, CodexState], list[TakopiEvent]]


def _message(item: CodexItem, phase: ActionPhase, state: CodexState) -> list[TakopiEvent]:
    if not item.text:
        return []
    if phase == "completed":
        state.answer = item.text
    detail = {"offset": 0, "text": item.text}
    action = Action(item.id, "message", first_line(item.text) or "message", detail)
    return [ActionEvent(ENGINE, action, phase, True if phase == "completed" else None)]


def _reasoning(item: CodexItem, phase: ActionPhase, state: CodexState) -> list[TakopiEvent]:  # noqa: ARG001
    if not item.text:
        return []
    title = first_line(item.text).strip("* ") or "thinking"
    action = Action(item.id, "thinking", title, {"offset": 0, "text": item.text})
    return [ActionEvent(ENGINE, action, phase, True if phase == "completed" else None)]


def _command(item: CodexItem, phase: ActionPhase, state: CodexState) -> list[TakopiEvent]:  # noqa: ARG001
    command = inner_command(item.command) or item.command or "command"
    detail: dict[str, Any] = {"command": command}
    if phase != "completed":
        if item.aggregated_output:
            detail["output"] = item.aggregated_output
        return [ActionEvent(ENGINE, Action(item.id, "command", command, detail), phase)]
    detail["exit_code"] = item.exit_code
    detail["output"] = item.aggregated_output
    ok = not item.exit_code and item.status not in _BAD
    message = "declined" if item.status == "declined" else None
    action = Action(item.id, "command", command, detail)
    return [ActionEvent(ENGINE, action, phase, ok, message)]


def _file_change(item: CodexItem, phase: ActionPhase, state: CodexState) -> list[TakopiEvent]:  # noqa: ARG001
    changes = [{"path": change.path, "kind": change.kind} for change in item.changes]
    title = ", ".join([change.path for change in item.changes]) or "change files"
    action = Action(item.id, "file_change", title, {"changes": changes})
    return [_ended(action, item, phase)]


def _mcp_call(item: CodexItem, phase: ActionPhase, state: CodexState) -> list[TakopiEvent]:  # noqa: ARG001
    title = ".".join(part for part in (item.server, item.tool) if part) or "MCP tool"
    detail = {"server": item.server, "tool": item.tool, "arguments": item.arguments}
    if item.result is not None:
        detail["result"] = item.result
        detail["output"] = (
            block_text(item.result.get("content")) if isinstance(item.result, dict) else ""
        )
    return [_ended(Action(item.id, "tool", title, detail), item, phase)]


def _web_search(item: CodexItem, phase: ActionPhase, state: CodexState) -> list[TakopiEvent]:  # noqa: ARG001
    action = item.action if isinstance(item.action, dict) else {}
    words = (item.query, action.get("query"), action.get("url"), action.get("pattern"))
    title = next((word for word in words if isinstance(word, str) and word), "the web")
    detail = {"query": item.query, "action": item.action}
    return [_ended(Action(item.id, "web_search", title, detail), item, phase)]


def _todo_list(item: CodexItem, phase: ActionPhase, state: CodexState) -> list[TakopiEvent]:  # noqa: ARG001
    # One plan a run, whatever ids codex gives it; it is completed with the turn.
    first = state.plan is None
    state.plan = item
    return [ActionEvent(ENGINE, _plan_action(item), "started" if first else "updated")]


def _collab_call(item: CodexItem, phase: ActionPhase, state: CodexState) -> list[TakopiEvent]:  # noqa: ARG001
    prompt = item.prompt or ""
    what = item.tool.replace("_", " ") or "sub-agent"
    title = (item.tool == "spawn_agent" and first_line(prompt)) or what
    if item.tool == "wait" and item.receiver_thread_ids:
        title = f"wait for {len(item.receiver_thread_ids)}"
    detail = {"tool": item.tool, "prompt": prompt, "agents": list(item.receiver_thread_ids)}
    if item.agents_states:
        detail["states"] = item.agents_states
    return [_ended(Action(item.id, "subagent", title, detail), item, phase)]


def _warning(item: CodexItem, phase: ActionPhase, state: CodexState) -> list[TakopiEvent]:  # noqa: ARG001
    title = readable(item.message) or "codex gave a warning without a text"
    action = Action(item.id, "warning", title)
    return [ActionEvent(ENGINE, action, phase, None, None, "warning")]


def _unknown_item(item: CodexItem, phase: ActionPhase, state: CodexState) -> list[TakopiEvent]:  # noqa: ARG001
    words = item.text or item.message or item.query or item.command or item.tool
    name = item.type.replace("_", " ") or "an item without a type"
    title = f"{name}: {words}" if words else name
    action = Action(item.id or f"unknown.{item.type}", "note", title, {"type": item.type})
    ok = item.status not in _BAD if phase == "completed" else None
    return [ActionEvent(ENGINE, action, phase, ok, None, "info")]


_ITEMS: dict[str, _MakeItem] = {
    "agent_message": _message,
    "reasoning": _reasoning,
    "command_execution": _command,
    "file_change": _file_change,
    "mcp_tool_call": _mcp_call,
    "web_search": _web_search,
    "todo_list": _todo_list,
    "collab_tool_call": _collab_call,
    "error": _warning,
}


# Parts


def _ended(action: Action, item: CodexItem, phase: ActionPhase) -> ActionEvent:
    if phase != "completed":
        return ActionEvent(ENGINE, action, phase)
    message = with_hint(readable(item.error.message)) if item.error else None
    ok = item.error is None and item.status not in _BAD
    return ActionEvent(ENGINE, action, phase, ok, message or None)


def _plan_action(item: CodexItem) -> Action:
    # codex says what is done, not what is being done.
    return plan_action(
        [(todo.text, "completed" if todo.completed else "pending") for todo in item.items]
    )


def _close_plan(state: CodexState) -> list[TakopiEvent]:
    if state.plan is None:
        return []
    action = _plan_action(state.plan)
    state.plan = None
    return [ActionEvent(ENGINE, action, "completed", ok=True)]


def _settle(state: CodexState) -> list[TakopiEvent]:
    """Say that codex went on after an error or a reconnect."""
    out = _flush_problem(state)
    if state.retry:
        out.append(_retry_event(state, "completed"))
        state.retry = ""
    return out


def _flush_problem(state: CodexState) -> list[TakopiEvent]:
    if not state.problem:
        return []
    note = _note(state, with_hint(readable(state.problem)), warning=True)
    state.problem = ""
    return [note]


def _retry_event(state: CodexState, phase: ActionPhase) -> ActionEvent:
    action = Action(f"retry.{state.retries}", "warning", readable(state.retry))
    ok = True if phase == "completed" else None
    return ActionEvent(ENGINE, action, phase, ok, None, "warning")


def _note(state: CodexState, title: str, *, warning: bool = False) -> ActionEvent:
    state.note_seq += 1
    action = Action(f"codex.note.{state.note_seq}", "warning" if warning else "note", title)
    return ActionEvent(
        ENGINE,
        action,
        "completed",
        None if warning else True,
        None,
        "warning" if warning else "info",
    )


def _usage(usage: CodexUsage | None, state: CodexState) -> dict[str, Any] | None:
    if usage is None:
        return None
    numbers: dict[str, Any] = {
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_input_tokens,
        "output_tokens": usage.output_tokens,
        "reasoning_tokens": usage.reasoning_output_tokens,
        "of_session": True,  # a resumed one brings along what it took before
    }
    if usage.cache_write_input_tokens:
        numbers["cache_write_input_tokens"] = usage.cache_write_input_tokens
    if state.meta.get("model"):
        numbers["model"] = state.meta["model"]
    return numbers


def inner_command(command: str) -> str:
    """Return what runs, without the shell around it: `/bin/bash -lc 'ls'` is `ls`."""
    parts = command.split("'", 3)
    if len(parts) == 3 and parts[0] == _USUAL and not parts[2]:  # nearly always
        return parts[1]
    match = _SHELL.match(command)
    if match is None:
        return command
    inner = command[match.end() :]
    quoted = _DOUBLE_QUOTED.fullmatch(inner)
    if quoted is not None:
        return "".join(_ESCAPED.split(quoted[1]))  # the split keeps all but the backslashes
    if len(inner) > _UNQUOTE_CHARS:
        return inner
    try:
        words = shlex.split(inner)
    except ValueError:  # cut in the middle of a quotation
        return command
    return words[0] if len(words) == 1 else command
