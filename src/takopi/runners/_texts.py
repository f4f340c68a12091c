"""Read texts out of what engines say, and say a plan in one line."""

import re
from collections.abc import Sequence
from typing import Any

from takopi.model import Action

__all__ = ["block_text", "first_line", "plan_action"]

_FIRST_LINE = re.compile(r"\S[^\n]*")


def first_line(text: str) -> str:
    """Return the first line that says something."""
    if "\n" not in text:
        return text.strip()
    found = _FIRST_LINE.search(text)  # a long text is neither copied nor read to its end
    return found[0].rstrip() if found else ""


def block_text(content: Any) -> str:
    """Return the text of a tool's result: a text, or blocks of which some hold text."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts: list[str] = []
    for block in content:
        if isinstance(block, str):
            texts.append(block)
        elif isinstance(block, dict):
            text = block.get("text")
            kind = block.get("type")
            if isinstance(text, str):
                texts.append(text)
            elif isinstance(kind, str):
                texts.append(f"[{kind}]")
    return "\n".join(texts)


def plan_action(items: Sequence[tuple[str, str]]) -> Action:
    """Make the one plan action of a run from texts and statuses."""
    done = [status for _, status in items].count("completed")
    detail = {"items": [{"text": text, "status": status} for text, status in items]}
    return Action("plan", "plan", f"{done} of {len(items)} done", detail)
