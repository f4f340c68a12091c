"""Find the part of a CLI's standard error that tells a person what went wrong."""

import re

__all__ = ["useful_end"]

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")
_NOISE = re.compile(
    r"""\s*(?:
        \(node:\d+\)|                       # Node's own warnings and the hint after them
        \(Use\s`node\s--trace|
        npm\s(?:warn|notice)\b|
        Debugger\sattached|Waiting\sfor\sthe\sdebugger|
        at\s.+(?:\(.*:\d+(?::\d+)?\)|:\d+:\d+|<anonymous>\)?|native\))$|  # frames of JavaScript
        Reading\s(?:additional\s)?(?:prompt|input)\sfrom\sstdin|
        \^+$|[-=_*~]{3,}$
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_LOG_LINE = re.compile(r"^\S*\d{4}-\d\d-\d\dT[\d:.]+Z?\s+(?:TRACE|DEBUG|INFO)\b")
_MAX_LINES = 12
_MAX_CHARS = 1500


def useful_end(tail: str) -> str:
    """Return the last lines of `tail` without colours, stack frames and other noise.

    At most 12 lines and 1,500 characters; empty when nothing useful is there.
    """
    lines: list[str] = []
    for raw in _ANSI.sub("", tail).split("\n"):
        line = raw.rstrip().rsplit("\r", 1)[-1]  # progress bars overwrite themselves
        if not line or _NOISE.match(line) or _LOG_LINE.match(line):
            continue
        if lines and lines[-1] == line:
            continue
        lines.append(line)
    text = "\n".join(lines[-_MAX_LINES:])
    return text if len(text) <= _MAX_CHARS else "…" + text[-_MAX_CHARS + 1 :]
