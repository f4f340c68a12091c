"""Say what a tool call of opencode or pi is, from its name and arguments alone.

Paths stay as the engine gave them: the renderer knows the run's directory and makes them relative
to it. (`tool_actions` looks at the directory of the process, which a replay does not have.)
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from takopi.model import ActionKind

__all__ = ["ToolCall", "describe_tool"]

_PATH_KEYS = ("filePath", "file_path", "path")
_PATTERN_TOOLS = frozenset({"glob", "grep", "find", "ls", "list"})
_PATCH_LINE = re.compile(r"^\*\*\* (Add|Update|Delete) File: (.+)$", re.MULTILINE)
_PATCH_KINDS = {"Add": "add", "Update": "update", "Delete": "delete"}


@dataclass(frozen=True, slots=True)
class ToolCall:
    """Be a tool call as a person sees it.

    Args:
        kind: Kind of the action.
        title: One line.
        detail: What the kind adds.
    """

    kind: ActionKind
    title: str
    detail: dict[str, Any] = field(default_factory=dict)


def describe_tool(name: str, arguments: Mapping[str, Any]) -> ToolCall:
    """Describe a tool call; a tool that nobody knows is shown by its name."""
    path = _text(arguments, *_PATH_KEYS)
    if name == "bash":
        command = _text(arguments, "command")
        return ToolCall("command", command or name, {"command": command})
    if name in {"write", "edit", "multiedit"} and path:
        kind = "add" if name == "write" else "update"
        return ToolCall("file_change", path, {"changes": [{"path": path, "kind": kind}]})
    if name in {"apply_patch", "patch"}:
        return _describe_patch(name, _text(arguments, "patchText", "patch", "input"))
    if name in {"webfetch", "websearch"}:
        words = _text(arguments, "query", "url")
        return ToolCall("web_search", words or name, {"query": words})
    if name == "task":
        words = _text(arguments, "description", "prompt")
        detail = {"prompt": _text(arguments, "prompt"), "agent": _text(arguments, "subagent_type")}
        return ToolCall("subagent", words or name, detail)
    words = _text(arguments, "pattern") if name in _PATTERN_TOOLS else ""
    words = words or path or _text(arguments, "name", "query")
    title = f"{name}: {words}" if words else name
    return ToolCall("tool", title, {"tool": name, "input": dict(arguments)})


def _describe_patch(name: str, patch: str) -> ToolCall:
    changes = [
        {"path": path.strip(), "kind": _PATCH_KINDS[verb]}
        for verb, path in _PATCH_LINE.findall(patch)
    ]
    title = ", ".join(change["path"] for change in changes)
    return ToolCall("file_change", title or name, {"changes": changes})


def _text(arguments: Mapping[str, Any], *keys: str) -> str:
    for key in keys:
        value = arguments.get(key)
        if isinstance(value, str) and value:
            return value
    return ""
