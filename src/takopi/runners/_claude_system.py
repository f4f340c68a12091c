"""Turn what claude says about itself into events: the session, retries, tasks, limits, notices."""

import re
from collections.abc import Callable
from typing import Any

from takopi.events import EventFactory
from takopi.model import Action, ActionEvent, ActionPhase, ResumeToken, TakopiEvent
from takopi.runners._claude_messages import denied
from takopi.runners._claude_state import ENGINE, ClaudeState, Streamed, note, once
from takopi.runners._texts import block_text, first_line
from takopi.schemas.claude import ClaudeEvent, ClaudeServer

__all__ = ["SAFE_ID", "limit_events", "system_events"]

SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_EXITED = re.compile(r"\(exit code (?P<code>\d{1,3})\)")

# Told to programs that draw claude's own screen; nothing in them is news for a person.
_SILENT = frozenset(
    {"hook_started", "hook_progress", "hook_response", "session_state_changed", "task_updated"}
    | {"files_persisted", "post_turn_summary", "task_summary", "turn_duration", "turn_starting"}
    | {"stop_hook_summary", "memory_saved", "memory_recall", "commands_changed", "plugin_install"}
)


def system_events(event: ClaudeEvent, state: ClaudeState) -> list[TakopiEvent]:
    """Return the events of a line of type `system`."""
    make = _MAKERS.get(event.subtype)
    if make is not None:
        return make(event, state)
    words = first_line(block_text(event.content) or event.text or _message(event))
    if event.level in {"warning", "error"} or "fallback" in event.subtype:
        return [note(state, words or event.subtype, warning=True)]
    if event.subtype in _SILENT:
        return []
    if words:
        return [note(state, words)]
    name = event.subtype or "(none)"
    return once(state, f"claude.system.{name}", f"claude sent system/{name}")


def limit_events(event: ClaudeEvent, state: ClaudeState) -> list[TakopiEvent]:
    """Say that the account's limit is near or reached."""
    info = event.rate_limit_info
    if info is None or info.status not in {"allowed_warning", "rejected"}:
        return []
    which = info.rateLimitType.replace("_", " ")
    used = f" ({info.utilization:.0%} used)" if info.utilization and info.utilization < 10 else ""
    what = "is reached" if info.status == "rejected" else f"is nearly reached{used}"
    title = f"the account's {which} limit {what}" if which else f"the account's limit {what}"
    return once(state, f"claude.limit.{info.status}.{which}", title, warning=True)


def _init(event: ClaudeEvent, state: ClaudeState) -> list[TakopiEvent]:
    state.turns += 1
    if SAFE_ID.fullmatch(event.session_id) is None:
        return [note(state, f"claude reported a session without a usable id: {event.session_id!r}")]
    state.permission_mode = event.permissionMode or state.permission_mode
    token = ResumeToken(ENGINE, event.session_id)
    if state.events.resume == token:
        return []  # said again at each turn
    if state.events.resume is not None:
        state.events = EventFactory(ENGINE)  # the contract's rules refuse it, with a clear text
    out: list[TakopiEvent] = [state.events.started(token, meta=_meta(event))]
    for server in event.mcp_servers:
        out += _server_events(server, state)
    return out


def _meta(event: ClaudeEvent) -> dict[str, Any]:
    meta: dict[str, Any] = {
        "model": event.model,
        "cwd": event.cwd,
        "permission_mode": event.permissionMode,
        "version": event.claude_code_version,
        "tools": len(event.tools),
        "api_key_source": event.apiKeySource,
        "mcp_servers": [server.name for server in event.mcp_servers],
    }
    return {key: value for key, value in meta.items() if value}


def _server_events(server: ClaudeServer, state: ClaudeState) -> list[TakopiEvent]:
    key = f"claude.mcp.{server.name}"
    if server.status == "failed":
        title = f"MCP server {server.name} did not start: its tools are missing"
    elif server.status == "needs-auth":
        title = f"MCP server {server.name} needs a login: use `/mcp` in claude"
    else:
        return []
    return once(state, key, title, warning=True)


def _status(event: ClaudeEvent, state: ClaudeState) -> list[TakopiEvent]:
    if event.status == "compacting":
        if state.compacting:
            return []
        state.compacts += 1
        state.compacting = True
        return [_compact_event(state, "started")]
    if event.compact_result:
        failed = event.compact_result != "success"
        return _compacted(state, event.compact_error or "failed" if failed else "")
    return []


def _compact_boundary(event: ClaudeEvent, state: ClaudeState) -> list[TakopiEvent]:  # noqa: ARG001
    # Comes after a status that said the same, or alone.
    if not state.compacting and state.compacts:
        return []
    state.compacts += not state.compacting
    return _compacted(state, "")


def _compacted(state: ClaudeState, error: str) -> list[TakopiEvent]:
    state.compacts = state.compacts or 1
    state.compacting = False
    return [_compact_event(state, "completed", error)]


def _compact_event(state: ClaudeState, phase: ActionPhase, error: str = "") -> ActionEvent:
    action = Action(f"compact.{state.compacts}", "note", "compact the conversation")
    ok = None if phase != "completed" else not error
    return ActionEvent(ENGINE, action, phase, ok, error or None, "info")


def _api_retry(event: ClaudeEvent, state: ClaudeState) -> list[TakopiEvent]:
    phase: ActionPhase = "updated" if state.retrying else "started"
    if not state.retrying:
        state.retries += 1
    what = f"API error {event.error_status}" if event.error_status else "no connection to the API"
    why = (event.error or "").replace("_", " ")
    if why and why != "unknown":
        what += f" ({why})"
    wait = f" in {event.retry_delay_ms / 1000:.0f} s" if 0 < event.retry_delay_ms < 1e9 else ""
    state.retrying = f"{what}; try {event.attempt} of {event.max_retries}{wait}"
    action = Action(f"retry.{state.retries}", "warning", state.retrying)
    return [ActionEvent(ENGINE, action, phase, None, None, "warning")]


def _thinking_tokens(event: ClaudeEvent, state: ClaudeState) -> list[TakopiEvent]:
    # Comes for each token: only the first one is news.
    if state.thinking is not None or event.parent_tool_use_id:
        return []
    state.thoughts += 1
    state.thinking = Streamed()
    return [
        ActionEvent(ENGINE, Action(f"thinking.{state.thoughts}", "thinking", "thinking"), "started")
    ]


def _task_started(event: ClaudeEvent, state: ClaudeState) -> list[TakopiEvent]:
    if event.task_id and event.tool_use_id:
        state.tasks[event.task_id] = event.tool_use_id
    return []


def _task_progress(event: ClaudeEvent, state: ClaudeState) -> list[TakopiEvent]:
    call_id = event.tool_use_id or state.tasks.get(event.task_id, "")
    call = state.background.get(call_id) or state.tools.get(call_id)
    words = event.summary or event.last_tool_name
    if call is None or not words:
        return []
    return [ActionEvent(ENGINE, call.action(call_id), "updated", None, first_line(words))]


def _task_notification(event: ClaudeEvent, state: ClaudeState) -> list[TakopiEvent]:
    call_id = event.tool_use_id or state.tasks.get(event.task_id, "")
    call = state.background.pop(call_id, None)
    if call is None:
        return []  # it ran in the foreground, and its result says more
    ok = event.status == "completed"
    detail: dict[str, Any] = {}
    exited = _EXITED.search(event.summary)
    if exited is not None:
        detail["exit_code"] = int(exited["code"])
        ok = ok and not detail["exit_code"]
    message = None if ok else event.status or "ended"
    if event.status in {"stopped", "killed"} and state.held is not None:
        state.stopped.append(first_line(call.title))
    return [ActionEvent(ENGINE, call.action(call_id, detail), "completed", ok, message)]


def _permission_denied(event: ClaudeEvent, state: ClaudeState) -> list[TakopiEvent]:
    return denied(state, event.tool_name or "a tool")


def _message(event: ClaudeEvent) -> str:
    return event.message if isinstance(event.message, str) else ""


_MAKERS: dict[str, Callable[[ClaudeEvent, ClaudeState], list[TakopiEvent]]] = {
    "init": _init,
    "status": _status,
    "compact_boundary": _compact_boundary,
    "api_retry": _api_retry,
    "thinking_tokens": _thinking_tokens,
    "task_started": _task_started,
    "task_progress": _task_progress,
    "task_notification": _task_notification,
    "permission_denied": _permission_denied,
}
