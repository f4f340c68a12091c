"""Read the script that a prompt carries."""

from typing import NamedTuple

__all__ = ["TOOL_KINDS", "Directive", "parse_directives", "shorten", "unescape"]

TOOL_KINDS = frozenset(
    {"agent", "ask", "bash", "edit", "js", "plan", "read", "search", "tool", "write"}
)


class Directive(NamedTuple):
    """Be one `[[kind: argument]]`."""

    kind: str
    argument: str
    parallel: bool


def parse_directives(text: str) -> list[Directive]:
    """Find the directives of a prompt; brackets inside an argument are balanced."""
    found: list[Directive] = []
    start = text.find("[[")
    while start >= 0:
        end = _closing(text, start + 2)
        if end is None:
            break
        kind, _, argument = text[start + 2 : end - 2].partition(":")
        kind = kind.strip().lower()
        found.append(Directive(kind.lstrip("+"), argument.strip(), kind.startswith("+")))
        start = text.find("[[", end)
    return found


def _closing(text: str, position: int) -> int | None:
    depth = 1
    while position < len(text) and depth:
        if text.startswith("[[", position):
            depth, position = depth + 1, position + 2
        elif text.startswith("]]", position):
            depth, position = depth - 1, position + 2
        else:
            position += 1
    return None if depth else position


def unescape(text: str) -> str:
    r"""Turn the two characters \n into a newline, and \t into a tab."""
    return text.replace("\\n", "\n").replace("\\t", "\t")


def shorten(text: str, limit: int = 80) -> str:
    """Put a text on one line, without live directives."""
    line = " ".join(text.split()).replace("[[", "<<").replace("]]", ">>")
    return line if len(line) <= limit else line[:limit] + "..."
