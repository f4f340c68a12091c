"""What a tool call is called."""

from pathlib import Path
from typing import Any

import pytest

from takopi.runners.tool_actions import tool_input_path, tool_kind_and_title
from takopi.utils.paths import reset_run_base_dir, set_run_base_dir

KEYS = ("file_path", "path")


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("Bash", {"command": "cat /w/a.py"}, ("command", "cat a.py")),
        ("shell", {"command": ["ls", "-l"]}, ("command", "ls -l")),
        ("bash", {}, ("command", "bash")),
        ("Edit", {"file_path": "/w/src/a.py"}, ("file_change", "src/a.py")),
        ("write", {}, ("file_change", "write")),
        ("Read", {"path": "/etc/hosts"}, ("tool", "read: /etc/hosts")),
        ("read", {}, ("tool", "read")),
        ("Grep", {"pattern": "x+", "path": "/w"}, ("tool", "grep: x+")),
        ("ls", {"path": "/w/src"}, ("tool", "ls: src")),
        ("glob", {}, ("tool", "glob")),
        ("WebSearch", {"query": "takopi"}, ("web_search", "takopi")),
        ("websearch", {}, ("web_search", "search the web")),
        ("WebFetch", {"url": "http://x"}, ("web_search", "http://x")),
        ("webfetch", {}, ("web_search", "fetch a page")),
        ("TodoWrite", {"todos": []}, ("note", "update the plan")),
        ("AskUserQuestion", {}, ("note", "ask a question")),
        ("Task", {"description": "look around", "prompt": "long"}, ("subagent", "look around")),
        ("agent", {}, ("subagent", "agent")),
        ("mcp__db__query", {"sql": "select 1"}, ("tool", "mcp__db__query")),
        ("Convert", {"file_path": "/w/x.png"}, ("tool", "Convert: x.png")),
        ("Read", {"file_path": 7, "path": ""}, ("tool", "read")),
    ],
)
def test_a_tool_call_has_a_kind_and_a_title(
    name: str, given: dict[str, Any], expected: tuple[str, str]
) -> None:
    """Known tools by what they do, others by name; paths relative to the run's directory."""
    token = set_run_base_dir(Path("/w"))
    try:
        assert tool_kind_and_title(name, given, path_keys=KEYS) == expected
    finally:
        reset_run_base_dir(token)


def test_the_kind_of_a_task_can_be_chosen() -> None:
    """Some engines show it as a plain tool."""
    assert tool_kind_and_title("task", {}, path_keys=(), task_kind="tool") == ("tool", "task")


def test_the_first_key_with_a_text_wins() -> None:
    """Engines name the path differently."""
    assert tool_input_path({"path": "b", "file_path": "a"}, path_keys=KEYS) == "a"
    assert tool_input_path({"path": "b"}, path_keys=KEYS) == "b"
    assert tool_input_path({}, path_keys=KEYS) is None
