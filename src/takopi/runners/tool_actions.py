"""Say what a tool call is, for the engines that speak of tools as claude does."""

from collections.abc import Mapping, Sequence
from typing import Any

from takopi.model import ActionKind
from takopi.utils.paths import relativize_command, relativize_path

__all__ = ["tool_input_path", "tool_kind_and_title"]

_COMMANDS = frozenset({"bash", "shell", "exec", "exec_command", "run_shell_command"})
_CHANGES = frozenset({"edit", "write", "multiedit", "notebookedit", "patch", "apply_patch"})
_PATTERNS = frozenset({"glob", "grep", "find", "ls", "list"})
_SEARCHES = frozenset({"websearch", "web_search", "google_web_search"})
_FETCHES = frozenset({"webfetch", "web_fetch", "fetch"})
_TODOS = frozenset({"todowrite", "todo_write", "todoread", "todo_read"})
_QUESTIONS = frozenset({"askuserquestion", "question"})
_TASKS = frozenset({"task", "agent", "subagent"})


def tool_input_path(tool_input: Mapping[str, Any], *, path_keys: Sequence[str]) -> str | None:
    """Return the path that a tool call is about: the first of `path_keys` that has a text."""
    return _first_text(tool_input, path_keys)


def tool_kind_and_title(
    tool_name: str,
    tool_input: Mapping[str, Any],
    *,
    path_keys: Sequence[str],
    task_kind: ActionKind = "subagent",
) -> tuple[ActionKind, str]:
    """Return kind and title of a tool call, with paths relative to the run's directory.

    Args:
        tool_name: Name of the tool; capitals do not matter.
        tool_input: Its arguments.
        path_keys: The arguments that may hold a path, the best first.
        task_kind: Kind of a tool that hands work to another agent.
    """
    name = tool_name.lower()
    path = tool_input_path(tool_input, path_keys=path_keys)
    place = relativize_path(path) if path else None
    if name in _COMMANDS:
        command = tool_input.get("command")
        if isinstance(command, list):  # some engines hand over an argv
            command = " ".join(map(str, command))
        return "command", relativize_command(str(command)) if command else tool_name
    if name in _CHANGES:
        return "file_change", place or tool_name
    if name == "read":
        return "tool", f"read: {place}" if place else "read"
    if name in _PATTERNS:
        wanted = _first_text(tool_input, ("pattern", "query")) or place
        return "tool", f"{name}: {wanted}" if wanted else name
    if name in _SEARCHES:
        return "web_search", _first_text(tool_input, ("query", "q")) or "search the web"
    if name in _FETCHES:
        return "web_search", _first_text(tool_input, ("url", "prompt")) or "fetch a page"
    if name in _TODOS:
        return "note", "update the plan"
    if name in _QUESTIONS:
        return "note", "ask a question"
    if name in _TASKS:
        words = _first_text(tool_input, ("description", "prompt", "subagent_type"))
        return task_kind, words or tool_name
    return "tool", f"{tool_name}: {place}" if place else tool_name


def _first_text(tool_input: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    for key in keys:
        value = tool_input.get(key)
        if isinstance(value, str) and value:
            return value
    return None
