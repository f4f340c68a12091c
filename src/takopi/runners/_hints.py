"""Add what to do to an error whose cause is known."""

import re
from collections.abc import Sequence
from typing import TypeAlias

__all__ = ["Hint", "add_hint"]

Hint: TypeAlias = tuple[re.Pattern[str], str]


def add_hint(text: str, hints: Sequence[Hint]) -> str:
    """Add the advice of the first hint that fits; `{name}` in it is the pattern's group."""
    for pattern, advice in hints:
        match = pattern.search(text)
        if match is None:
            continue
        for name, found in match.groupdict().items():
            advice = advice.replace(f"{{{name}}}", found or "")
        return text if advice in text else f"{text}\n{advice}"
    return text
