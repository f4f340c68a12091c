"""Turn a directive into a call of one of the tools that the engine offers."""

import json
import os.path
import re
from typing import Any, TypeAlias

from fakes.model_api.conversation import Conversation
from fakes.model_api.directives import unescape

__all__ = ["Arguments", "tool_call"]

Arguments: TypeAlias = dict[str, Any] | str
Schema: TypeAlias = dict[str, Any] | None

_CANDIDATES = {
    "bash": ("exec_command", "shell_command", "shell", "Bash", "bash", "run_shell_command"),
    "write": ("Write", "write", "write_file", "create", "create_file", "apply_patch"),
    "edit": ("Edit", "edit", "replace", "str_replace", "edit_file", "apply_patch"),
    "read": ("Read", "read", "read_file", "view"),
    "plan": ("update_plan", "TodoWrite", "todowrite", "todo_write", "write_todos", "TaskCreate"),
    "agent": ("Task", "Agent", "task", "agent", "spawn_agent"),
    "search": ("WebSearch", "websearch", "google_web_search", "web_search"),
    "ask": ("AskUserQuestion", "request_user_input", "ask_user", "question"),
}
_PATH_KEYS = ("file_path", "filePath", "path", "absolute_path", "filename")
_FILLERS: dict[str, Any] = {"integer": 1, "number": 1, "boolean": False, "array": [], "object": {}}


def tool_call(talk: Conversation, kind: str, argument: str) -> tuple[str, Arguments] | None:
    """Choose the tool and its arguments; None when the engine offers no such tool."""
    if "exec" in talk.custom and "exec_command" not in talk.tools:
        script = _javascript(talk, kind, argument)
        if script:
            return "exec", script
    if kind == "tool":
        return _named_tool(talk, argument)
    name = next((name for name in _CANDIDATES.get(kind, ()) if name in talk.tools), None)
    if name is None:
        return _fallback(talk, kind, argument)
    return name, _arguments(talk, kind, name, argument)


def _javascript(talk: Conversation, kind: str, argument: str) -> str | None:
    """Write the JavaScript for codex's code mode, in which `exec` is the only tool."""
    plain = Conversation(tools={"apply_patch": None, "update_plan": {}}, custom={"apply_patch"})
    if kind in {"write", "edit"}:
        patch = _arguments(plain, kind, "apply_patch", argument)
        return f"text(await tools.apply_patch({json.dumps(patch)}));"
    if kind == "plan":
        plan = _arguments(plain, kind, "update_plan", argument)
        return f"text(await tools.update_plan({json.dumps(plan)}));"
    if kind in {"bash", "read"}:
        command = {"cmd": argument if kind == "bash" else f"cat {argument}"}
        return f"const r = await tools.exec_command({json.dumps(command)}); text(r);"
    if kind == "js":
        return argument
    name, _, arguments = argument.partition("|")
    if kind == "tool" and name.strip() not in talk.tools:
        return f"text(await tools.{name.strip()}({arguments.strip() or '{}'}));"
    return None


def _named_tool(talk: Conversation, argument: str) -> tuple[str, Arguments]:
    """Call the tool that is named; {out.KEY} is the newest value of KEY in a tool result."""
    wanted, _, text = argument.partition("|")
    wanted = wanted.strip()
    results = "\n".join(item.text for item in talk.items if item.kind == "result")
    for key in re.findall(r"\{out\.(\w+)\}", text):
        values = re.findall(rf'"{key}"\s*:\s*"([^"]+)"', results)
        text = text.replace(f"{{out.{key}}}", values[-1] if values else "")
    partial = next((name for name in talk.tools if wanted in name), wanted)
    name = wanted if wanted in talk.tools else partial
    if name in talk.custom:
        return name, unescape(text.strip())
    try:
        return name, json.loads(text or "{}")
    except ValueError:
        return name, {}


def _fallback(talk: Conversation, kind: str, argument: str) -> tuple[str, Arguments] | None:
    path, text, _ = _parts(argument)
    if kind == "read":
        return tool_call(talk, "bash", f"cat {path}")
    if kind == "write":
        command = f"printf '%s\\n' '{text}' > {path}".replace("\n", "\\n")
        return tool_call(talk, "bash", command)
    return None


def _parts(argument: str) -> tuple[str, str, str]:
    parts = [unescape(part.strip()) for part in argument.split("|")]
    first, second, third = (*parts, "", "", "")[:3]
    return first, second, third


def _arguments(talk: Conversation, kind: str, name: str, argument: str) -> Arguments:
    schema = talk.tools[name]
    if name == "apply_patch":
        patch = _patch(kind, argument)
        return patch if name in talk.custom else _fill(schema, {("input", "patch"): patch})
    if kind == "bash":
        words = {("command", "cmd"): argument, ("description",): "run a command"}
        return _fill(schema, words)
    if kind in {"write", "edit", "read"}:
        return _file_arguments(talk, kind, schema, argument)
    if kind == "plan":
        return _plan_arguments(name, schema, argument)
    if kind == "agent":
        return _agent_arguments(talk, name, schema, argument)
    if kind == "search":
        return _fill(schema, {("query", "search_query"): argument})
    return _ask_arguments(schema, argument)


def _patch(kind: str, argument: str) -> str:
    path, first, second = _parts(argument)
    if kind == "write":
        lines = "\n".join("+" + line for line in first.split("\n"))
        return f"*** Begin Patch\n*** Add File: {path}\n{lines}\n*** End Patch\n"
    return f"*** Begin Patch\n*** Update File: {path}\n@@\n-{first}\n+{second}\n*** End Patch\n"


def _file_arguments(talk: Conversation, kind: str, schema: Schema, argument: str) -> Arguments:
    path, first, second = _parts(argument)
    cwd = talk.cwd()
    absolute = path if not cwd else os.path.join(cwd, path)  # noqa: PTH118 (a model's text)
    words: dict[tuple[str, ...], Any] = {_PATH_KEYS: absolute}
    if kind == "write":
        words[("content", "file_text", "contents", "text")] = first
    elif kind == "edit" and "edits" in ((schema or {}).get("properties") or {}):
        words[("edits",)] = [{"oldText": first, "newText": second}]
    elif kind == "edit":
        words[("old_string", "oldString", "old_str", "oldText")] = first
        words[("new_string", "newString", "new_str", "newText")] = second
        words[("instruction",)] = "replace"
    return _fill(schema, words)


def _steps(argument: str) -> list[tuple[str, str]]:
    steps = []
    for step in (part.strip() for part in argument.split(";")):
        if step.startswith("x "):
            steps.append((step[2:], "completed"))
        elif step.startswith("> "):
            steps.append((step[2:], "in_progress"))
        elif step:
            steps.append((step, "pending"))
    return steps


def _plan_arguments(name: str, schema: Schema, argument: str) -> Arguments:
    steps = _steps(argument)
    if name == "update_plan":
        plan = [{"step": text, "status": status} for text, status in steps]
        return {"explanation": "fake plan", "plan": plan}
    if name == "TaskCreate":
        subject = steps[0][0]
        words = {("subject",): subject, ("description",): argument, ("activeForm",): subject}
        return _fill(schema, words)
    items = (((schema or {}).get("properties") or {}).get("todos") or {}).get("items") or {}
    keys = items.get("properties") or {"content": {}, "status": {}}
    todos = [_todo(keys, number, *step) for number, step in enumerate(steps, 1)]
    return _fill(schema, {("todos",): todos})


def _todo(keys: dict[str, Any], number: int, text: str, status: str) -> dict[str, Any]:
    values = {"status": status, "activeForm": f"Doing {text}", "id": str(number)}
    values["priority"] = "medium"
    values |= dict.fromkeys(("content", "description", "title", "text"), text)
    return {key: values[key] for key in keys if key in values}


def _agent_arguments(talk: Conversation, name: str, schema: Schema, argument: str) -> Arguments:
    offered = ((schema or {}).get("properties") or {}).get("subagent_type") or {}
    agent = (offered.get("enum") or ["general-purpose"])[0]
    if name == "task":  # opencode names its agents only in the text of the tool
        agent = "general"
    words: dict[tuple[str, ...], Any] = {
        ("prompt", "message", "objective", "task", "input"): argument,
        ("description",): "fake sub-agent",
        ("subagent_type",): agent,
        ("agent_type",): "default",
        ("task_name",): "fake_sub_agent",
        ("fork_turns",): "none",
        ("run_in_background",): False,
    }
    return _fill(schema, words)


def _ask_arguments(schema: Schema, argument: str) -> Arguments:
    question, *choices = [unescape(part.strip()) for part in argument.split("|")]
    options = [
        {"label": choice, "description": f"choose {choice}"} for choice in choices or ("Yes", "No")
    ]
    asked = {"id": "q1", "question": question, "header": "Question", "options": options}
    words: dict[tuple[str, ...], Any] = {
        ("questions",): [asked | {"multiSelect": False}],
        ("question",): question,
        ("options",): choices,
    }
    return _fill(schema, words)


def _fill(schema: Schema, words: dict[tuple[str, ...], Any]) -> dict[str, Any]:
    """Fill a tool's own schema: the words under the first name it knows, then what it requires."""
    properties = (schema or {}).get("properties") or {}
    filled: dict[str, Any] = {}
    for names, value in words.items():
        name = next((name for name in names if name in properties), None)
        if name is None:
            continue
        wants_list = "array" in str(properties[name].get("type"))
        filled[name] = ["bash", "-lc", value] if wants_list and isinstance(value, str) else value
    for name in (schema or {}).get("required") or ():
        if name not in filled:
            filled[name] = _filler(name, properties.get(name) or {})
    return filled


def _filler(name: str, schema: dict[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    return _FILLERS.get(str(schema.get("type")), f"fake {name}")
