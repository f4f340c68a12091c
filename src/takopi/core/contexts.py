"""Which project and branch a prompt belongs to, and why.

What decides, the first that says anything: `PRECEDENCE`. A test makes the table of
`docs/reference/context.md` from it.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, TypeAlias

import msgspec

from takopi.context import RunContext

__all__ = [
    "NOWHERE",
    "NO_CONTEXT",
    "PRECEDENCE",
    "ContextSource",
    "HeldContext",
    "first_context",
    "format_context",
    "read_context",
]

ContextSource: TypeAlias = Literal[
    "reply", "line", "directive", "topic", "chat", "project chat", "default", "none"
]

PRECEDENCE: Mapping[ContextSource, str] = MappingProxyType(
    {
        "reply": "the turn whose message is replied to",
        "line": "the `ctx:` line of the message of this bot that is replied to",
        "directive": "`/project` and `@branch` at the start of the first line",
        "topic": "what `/ctx` or `/topic` bound the topic to",
        "chat": "what `/ctx` bound the chat to",
        "project chat": "the project whose `chat_id` the chat is",
        "default": "`default_project` of the configuration",
        "none": "no project: the prompt runs in `work_dir`",
    }
)

NO_CONTEXT = RunContext()

# Marked as code on both sides or on none: a branch may end with such a mark, too.
_LINE = re.compile(
    r"\s*(?P<code>`*)\s*ctx:\s*(?P<project>[A-Za-z0-9_-]{1,32})(?:\s+@(?P<branch>\S+?))?"
    r"\s*(?P=code)\s*"
)


class HeldContext(msgspec.Struct, frozen=True):
    """Be the context that holds, and what says so.

    Args:
        context: Project and branch.
        source: What decided.
    """

    context: RunContext = NO_CONTEXT
    source: ContextSource = "none"


NOWHERE = HeldContext()


def first_context(found: Sequence[tuple[ContextSource, RunContext | None]]) -> HeldContext:
    """Return the first context that names a project.

    Args:
        found: What says something, in the order of `PRECEDENCE`.
    """
    for source, context in found:
        if context is not None and context.project is not None:
            return HeldContext(context, source)
    return NOWHERE


def format_context(context: RunContext) -> str:
    """Write the line that names a context; empty for no project."""
    if context.project is None:
        return ""
    branch = f" @{context.branch}" if context.branch else ""
    return f"ctx: {context.project}{branch}"


def read_context(text: str, aliases: Sequence[str]) -> RunContext | None:
    """Return what the last context line of a text names; None without one.

    Args:
        text: A message of this bot: only there such a line counts.
        aliases: Names of the projects that are known.
    """
    known = {alias.lower(): alias for alias in aliases}
    for line in reversed(text.splitlines()):
        match = _LINE.fullmatch(line)
        if match and match["project"].lower() in known:
            return RunContext(known[match["project"].lower()], match["branch"])
    return None
