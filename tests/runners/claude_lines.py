"""Lines of claude, written by hand, and what they become."""

from typing import Any

from runners.cases import actions, told
from takopi.model import ActionEvent, ResumeToken, TakopiEvent

__all__ = [
    "INIT",
    "RESULT",
    "SESSION",
    "TOKEN",
    "only",
    "result",
    "said",
    "shown",
    "stream",
    "system",
    "turn",
    "use",
]

SESSION = "23da8fe7-3510-45ef-817d-4e2329e18443"
TOKEN = ResumeToken("claude", SESSION)
INIT = {"type": "system", "subtype": "init", "session_id": SESSION, "permissionMode": "default"}
RESULT = {"type": "result", "subtype": "success", "result": "done", "session_id": SESSION}


def turn(*lines: dict[str, Any] | str, rc: int | None = 0) -> list[TakopiEvent]:
    """Replay a turn that has these lines between its start and its result."""
    return told("claude", INIT, *lines, RESULT, rc=rc)


def said(*blocks: dict[str, Any], parent: str | None = None, **fields: Any) -> dict[str, Any]:
    """Make a line of the model."""
    message = {"content": list(blocks)}
    return {"type": "assistant", "message": message, "parent_tool_use_id": parent, **fields}


def use(name: str, call_id: str = "t1", **arguments: Any) -> dict[str, Any]:
    """Make the block of a tool call."""
    return {"type": "tool_use", "id": call_id, "name": name, "input": arguments}


def result(
    content: Any, call_id: str = "t1", extra: Any = None, is_error: bool | None = None
) -> dict[str, Any]:
    """Make the line of a tool's result."""
    block = {"type": "tool_result", "tool_use_id": call_id, "content": content}
    block["is_error"] = is_error
    return {"type": "user", "message": {"content": [block]}, "tool_use_result": extra}


def system(subtype: str, **fields: Any) -> dict[str, Any]:
    """Make a line in which claude speaks of itself."""
    return {"type": "system", "subtype": subtype, "session_id": SESSION, **fields}


def shown(events: list[TakopiEvent]) -> list[tuple[str, str, str]]:
    """List phase, kind and title of the actions."""
    return [(a.phase, a.action.kind, a.action.title) for a in actions(events)]


def only(events: list[TakopiEvent]) -> ActionEvent:
    """Return the only action."""
    (action,) = actions(events)
    return action


def stream(kind: str, parent: str | None = None, **fields: Any) -> dict[str, Any]:
    """Make a line of `--include-partial-messages`."""
    event = {"type": kind, **fields}
    return {"type": "stream_event", "event": event, "parent_tool_use_id": parent}
