"""Say what a tool call of claude is, and how it ended.

Paths stay as claude gave them: the renderer knows the run's directory and makes them relative.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from takopi.model import Action, ActionKind
from takopi.runners._texts import block_text, first_line

__all__ = ["ToolCall", "ToolEnd", "describe", "ending", "is_denial"]

_EXIT = re.compile(r"\AExit code (?P<code>\d{1,3})(?:\n|\Z)")
_NO_OUTPUT = "(Bash completed with no output)"
_ERROR_TAG = re.compile(r"</?tool_use_error>")
_DENIED = re.compile(
    r"requested permissions? to |Permission to use .{1,200} has been denied"
    r"|was blocked\. For security|while in plan mode|haven't granted it|requires approval"
)
# The arguments that say most about a tool that is not known here, the best first.
_TELLING = ("description", "subject", "query", "pattern", "prompt", "command", "name", "url")
_PATHS = ("file_path", "notebook_path", "path")


@dataclass(frozen=True, slots=True)
class ToolCall:
    """Be a tool call as a person sees it.

    Args:
        kind: Kind of the action.
        title: One line.
        detail: What the kind adds.
        name: Name of the tool.
    """

    kind: ActionKind
    title: str
    detail: dict[str, Any] = field(default_factory=dict)
    name: str = ""

    def action(self, action_id: str, more: Mapping[str, Any] | None = None) -> Action:
        """Make the action, with what came to be known added to its detail."""
        return Action(action_id, self.kind, self.title, {**self.detail, **(more or {})})


@dataclass(frozen=True, slots=True)
class ToolEnd:
    """Be the end of a tool call.

    Args:
        ok: Whether it did what it should.
        detail: What came to be known.
        message: Why it failed, or what happens to it.
        background: Whether it goes on in the background.
    """

    ok: bool
    detail: dict[str, Any]
    message: str | None = None
    background: bool = False


def describe(name: str, arguments: Any) -> ToolCall:
    """Describe a tool call; a tool that nobody knows is shown by its name and what it is about."""
    values: Mapping[str, Any] = arguments if isinstance(arguments, dict) else {}
    known = _KNOWN.get(name)
    if known is not None:
        return known(name, values)
    if name.startswith("mcp__"):
        server, _, tool = name[5:].partition("__")
        title = f"{server}.{tool}" if tool else name
        detail = {"server": server, "tool": tool, "arguments": arguments}
        return ToolCall("tool", title, detail, name)
    words = first_line(_text(values, *_TELLING)) or _text(values, *_PATHS)
    title = f"{name}: {words}" if words else name or "tool"
    return ToolCall("tool", title, {"tool": name, "input": arguments}, name)


def _command(name: str, values: Mapping[str, Any]) -> ToolCall:
    command = _text(values, "command")
    return ToolCall("command", command or name, {"command": command}, name)


def _change(name: str, values: Mapping[str, Any]) -> ToolCall:
    path = _text(values, *_PATHS)
    kind = "add" if name == "Write" else "update"
    changes = [{"path": path, "kind": kind}] if path else []
    return ToolCall("file_change", path or name, {"changes": changes}, name)


def _look(name: str, values: Mapping[str, Any]) -> ToolCall:
    words = _text(values, "pattern", *_PATHS)
    title = f"{name.lower()}: {words}" if words else name.lower()
    return ToolCall("tool", title, {"tool": name, "input": dict(values)}, name)


def _search(name: str, values: Mapping[str, Any]) -> ToolCall:
    words = _text(values, "query", "url")
    return ToolCall("web_search", words or name, {"query": words}, name)


def _agent(name: str, values: Mapping[str, Any]) -> ToolCall:
    prompt = _text(values, "prompt")
    title = _text(values, "description") or first_line(prompt) or name
    detail = {"prompt": prompt, "agent": _text(values, "subagent_type")}
    return ToolCall("subagent", title, detail, name)


def _skill(name: str, values: Mapping[str, Any]) -> ToolCall:
    words = _text(values, "skill", "command")
    title = f"skill: {words}" if words else "skill"
    return ToolCall("tool", title, {"tool": name, "input": dict(values)}, name)


def _question(name: str, values: Mapping[str, Any]) -> ToolCall:
    asked = values.get("questions")
    first = asked[0] if isinstance(asked, list) and asked else None
    words = _text(first, "question") if isinstance(first, dict) else ""
    title = f"question: {words}" if words else "question"
    return ToolCall("tool", title, {"tool": name, "input": dict(values)}, name)


_KNOWN: dict[str, Callable[[str, Mapping[str, Any]], ToolCall]] = {
    "Bash": _command,
    "PowerShell": _command,
    "Edit": _change,
    "MultiEdit": _change,
    "Write": _change,
    "NotebookEdit": _change,
    "Read": _look,
    "Glob": _look,
    "Grep": _look,
    "LS": _look,
    "WebSearch": _search,
    "WebFetch": _search,
    # The session's list of tools says "Task", its calls say "Agent".
    "Agent": _agent,
    "Task": _agent,
    "Skill": _skill,
    "AskUserQuestion": _question,
}


def ending(call: ToolCall, content: Any, *, is_error: bool, extra: Any) -> ToolEnd:
    """Say how a call ended.

    Args:
        call: The call.
        content: What the model is told.
        is_error: Whether that is an error.
        extra: claude's own record of the result (`tool_use_result`).
    """
    output = _ERROR_TAG.sub("", block_text(content))
    record: Mapping[str, Any] = extra if isinstance(extra, dict) else {}
    if record.get("backgroundTaskId") or record.get("isAsync") is True:
        return ToolEnd(ok=True, detail={}, message="in the background", background=True)
    if call.kind == "command":
        return _command_end(output, record, is_error=is_error)
    detail: dict[str, Any] = {}
    if call.kind == "file_change":
        if record.get("type") == "update":  # Write says only now that the file was there before
            changes = call.detail.get("changes", ())
            detail["changes"] = [{**change, "kind": "update"} for change in changes]
    elif call.kind == "subagent":
        output = block_text(record.get("content")) or output
    if output:
        detail["output"] = output
    return ToolEnd(not is_error, detail, first_line(output) or "failed" if is_error else None)


def _command_end(output: str, record: Mapping[str, Any], *, is_error: bool) -> ToolEnd:
    if output == _NO_OUTPUT:
        output = ""
    if not is_error:
        stopped = record.get("interrupted") is True
        detail: dict[str, Any] = {"output": output}
        if not stopped:
            detail["exit_code"] = 0
        return ToolEnd(not stopped, detail, "interrupted" if stopped else None)
    exited = _EXIT.match(output)
    if exited is None:  # it was not run at all: refused, or no such tool
        return ToolEnd(ok=False, detail={"output": output}, message=first_line(output) or "failed")
    detail = {"exit_code": int(exited["code"]), "output": output[exited.end() :]}
    return ToolEnd(ok=False, detail=detail)


def is_denial(output: str) -> bool:
    """Say whether a failed call failed because it was not permitted."""
    return _DENIED.search(output[:2000]) is not None


def _text(values: Mapping[str, Any], *keys: str) -> str:
    for key in keys:
        value = values.get(key)
        if isinstance(value, str) and value:
            return value
    return ""
