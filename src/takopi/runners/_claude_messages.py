"""Turn what the model says, does and is told into events.

claude prints one line for each block of a message. What a sub-agent does carries the id of the
call that started it: its tool calls are actions of their own that name that call, its words are
news of it. Its reasoning and its to-do list are left out, as they would take the place of the
session's own.
"""

import re

from takopi.model import Action, ActionEvent, TakopiEvent
from takopi.runners._claude_plan import PLAN_TOOLS
from takopi.runners._claude_state import (
    ENGINE,
    ClaudeState,
    Streamed,
    note,
    once,
    plan_event,
    went_on,
)
from takopi.runners._claude_tools import ToolCall, ToolEnd, describe, ending, is_denial
from takopi.runners._texts import block_text, first_line
from takopi.schemas.claude import ClaudeBlock, ClaudeEvent, ClaudeMessage

__all__ = ["assistant_events", "denied", "stream_events", "user_events"]

_INTERRUPTED = "[Request interrupted by user"
_COMMAND_OUTPUT = re.compile(
    r"<local-command-std(?:out|err)>(.*?)</local-command-std(?:out|err)>", re.S
)
_SILENT_BLOCKS = frozenset({"redacted_thinking", "image", "document", "fallback"})


def assistant_events(event: ClaudeEvent, state: ClaudeState) -> list[TakopiEvent]:
    """Return the events of a message of the model."""
    message = event.message
    if not isinstance(message, ClaudeMessage):
        return []
    content = message.content
    blocks = (ClaudeBlock("text", content),) if isinstance(content, str) else content
    parent = event.parent_tool_use_id
    out: list[TakopiEvent] = []
    if event.error and not parent:
        # claude's own words for a failed request; the result repeats them.
        state.api_error = "\n".join(block.text for block in blocks if block.text)
        return out
    for block in blocks:
        if block.type == "thinking":
            out += [] if parent else _thinking(block, state)
            continue
        if not parent:
            out += went_on(state)
        if block.type == "text":
            out += _nested_text(block, parent, state) if parent else _text(block, state)
        elif block.type.endswith("tool_use"):
            out += _tool_use(block, parent, state)
        elif block.type.endswith("tool_result"):
            out += _tool_result(block, None, state)
        elif block.type not in _SILENT_BLOCKS:
            kind = block.type or "without a type"
            out += once(state, f"claude.block.{kind}", f"claude sent a block of type {kind}")
    return out


def user_events(event: ClaudeEvent, state: ClaudeState) -> list[TakopiEvent]:
    """Return the events of what the model is told: results of tools, above all."""
    message = event.message
    if not isinstance(message, ClaudeMessage):
        return []
    if isinstance(message.content, str):
        _keep_command_output(message.content, state)
        return []
    out: list[TakopiEvent] = []
    for block in message.content:
        if block.type.endswith("tool_result"):
            out += _tool_result(block, event.tool_use_result, state)
        elif block.type == "text" and not event.parent_tool_use_id:
            if block.text.startswith(_INTERRUPTED):
                out.append(note(state, "interrupted"))
            else:
                _keep_command_output(block.text, state)
    return out


def stream_events(event: ClaudeEvent, state: ClaudeState) -> list[TakopiEvent]:
    """Return the events of text and reasoning as they are written."""
    part = event.event
    if part is None or event.parent_tool_use_id:
        return []
    block = part.content_block
    if part.type == "content_block_start" and block is not None:
        if block.type == "text":
            out = went_on(state)
            state.texts += 1
            state.writing = Streamed()
            return out
        if block.type == "thinking" and state.thinking is None:
            state.thoughts += 1
            state.thinking = Streamed()
    delta = part.delta
    if part.type != "content_block_delta" or delta is None:
        return []
    if delta.type == "text_delta" and delta.text and state.writing is not None:
        detail = state.writing.take(delta.text)
        title = state.writing.title or "message"
        action = Action(f"message.{state.texts}", "message", title, detail)
        return [ActionEvent(ENGINE, action, "updated")]
    if delta.type == "thinking_delta" and delta.thinking and state.thinking is not None:
        detail = state.thinking.take(delta.thinking)
        action = Action(f"thinking.{state.thoughts}", "thinking", "thinking", detail)
        return [ActionEvent(ENGINE, action, "updated")]
    return []


def denied(state: ClaudeState, tool: str) -> list[TakopiEvent]:
    """Say once for each tool that it was not permitted, and where that is set."""
    mode = f" in permission mode {state.permission_mode}" if state.permission_mode else ""
    title = (
        f"claude was not allowed to use {tool}{mode}; "
        "see `allowed_tools` and `permission_mode` of `[claude]`"
    )
    return once(state, f"claude.denied.{tool}", title, warning=True)


def _keep_command_output(text: str, state: ClaudeState) -> None:
    found = _COMMAND_OUTPUT.search(text)
    if found is not None:
        state.command_output = found[1].strip()


def _text(block: ClaudeBlock, state: ClaudeState) -> list[TakopiEvent]:
    if not block.text:
        return []
    if state.writing is None:
        state.texts += 1
    state.writing = None
    state.answer = block.text
    detail = {"offset": 0, "text": block.text}
    action = Action(
        f"message.{state.texts}", "message", first_line(block.text) or "message", detail
    )
    return [ActionEvent(ENGINE, action, "completed", ok=True)]


def _thinking(block: ClaudeBlock, state: ClaudeState) -> list[TakopiEvent]:
    if state.thinking is None:
        if not block.thinking:
            return []
        state.thoughts += 1
    else:
        state.thinking = None
    detail = {"offset": 0, "text": block.thinking} if block.thinking else {}
    title = first_line(block.thinking).strip("* ") or "thinking"
    action = Action(f"thinking.{state.thoughts}", "thinking", title, detail)
    return [ActionEvent(ENGINE, action, "completed", ok=True)]


def _nested_text(block: ClaudeBlock, parent: str, state: ClaudeState) -> list[TakopiEvent]:
    call = state.tools.get(parent) or state.background.get(parent)
    if call is None or not block.text:
        return []
    return [ActionEvent(ENGINE, call.action(parent), "updated", None, first_line(block.text))]


def _tool_use(block: ClaudeBlock, parent: str | None, state: ClaudeState) -> list[TakopiEvent]:
    if block.name in PLAN_TOOLS:
        if parent:
            state.told.add(block.id)
            return []
        changed = state.plan.call(block.id, block.name, block.input)
        return [plan_event(state)] if changed else []
    call = describe(block.name, block.input)
    if parent:
        call.detail["parent"] = parent
    state.tools[block.id] = call
    return [ActionEvent(ENGINE, call.action(block.id), "started")]


def _tool_result(block: ClaudeBlock, extra: object, state: ClaudeState) -> list[TakopiEvent]:
    call_id = block.tool_use_id
    is_error = bool(block.is_error)
    if state.plan.knows(call_id):
        text = block_text(block.content)
        changed = state.plan.result(call_id, text, extra, is_error=is_error)
        return [plan_event(state)] if changed else []
    call = state.tools.pop(call_id, None)
    if call is None:
        if call_id in state.told:
            return []  # of a sub-agent's to-do list
        call = ToolCall("tool", "a tool whose call was not seen")
    end = ending(call, block.content, is_error=is_error, extra=extra)
    if end.background:
        state.background[call_id] = call
        action = call.action(call_id, end.detail)
        return [ActionEvent(ENGINE, action, "updated", None, end.message)]
    return [_ended(call_id, call, end), *_denial(call, end, state)]


def _ended(call_id: str, call: ToolCall, end: ToolEnd) -> ActionEvent:
    return ActionEvent(ENGINE, call.action(call_id, end.detail), "completed", end.ok, end.message)


def _denial(call: ToolCall, end: ToolEnd, state: ClaudeState) -> list[TakopiEvent]:
    if end.ok or "exit_code" in end.detail or not is_denial(str(end.detail.get("output", ""))):
        return []
    return denied(state, call.name)
