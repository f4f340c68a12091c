"""Tool calls of opencode and pi as a person sees them."""

from typing import Any

import pytest

from takopi.runners._tool_calls import describe_tool

PATCH = """\
*** Begin Patch
*** Add File: new.py
+x
*** Update File: old.py
@@
*** Delete File: gone.py
*** End Patch
"""


@pytest.mark.parametrize(
    ("name", "arguments", "kind", "title"),
    [
        ("bash", {"command": "ls -la"}, "command", "ls -la"),
        ("bash", {}, "command", "bash"),
        ("write", {"filePath": "/a/b"}, "file_change", "/a/b"),
        ("edit", {"path": "b"}, "file_change", "b"),
        ("edit", {"path": 3}, "tool", "edit"),
        ("apply_patch", {"patchText": PATCH}, "file_change", "new.py, old.py, gone.py"),
        ("patch", {}, "file_change", "patch"),
        ("websearch", {"query": "cats"}, "web_search", "cats"),
        ("webfetch", {}, "web_search", "webfetch"),
        ("task", {"description": "look", "prompt": "p"}, "subagent", "look"),
        ("task", {}, "subagent", "task"),
        ("grep", {"pattern": "x", "path": "src"}, "tool", "grep: x"),
        ("ls", {"path": "src"}, "tool", "ls: src"),
        ("read", {"filePath": "a.txt"}, "tool", "read: a.txt"),
        ("skill", {"name": "review"}, "tool", "skill: review"),
        ("github_issue", {"number": 3}, "tool", "github_issue"),
    ],
)
def test_a_tool_has_a_kind_and_a_title(
    name: str, arguments: dict[str, Any], kind: str, title: str
) -> None:
    """Paths stay as they are; the renderer knows the directory."""
    call = describe_tool(name, arguments)
    assert (call.kind, call.title) == (kind, title)


def test_a_patch_names_every_file() -> None:
    """Added, changed and deleted files are told apart."""
    changes = describe_tool("apply_patch", {"patchText": PATCH}).detail["changes"]
    assert [c["kind"] for c in changes] == ["add", "update", "delete"]
