"""Make what codex says of its failures readable, and add what to do where the cause is known."""

import re
from typing import Any

import msgspec

from takopi.runners._hints import Hint, add_hint

__all__ = ["UNKNOWN_SESSION", "readable", "stderr_text", "with_hint"]

_decode = msgspec.json.Decoder().decode

UNKNOWN_SESSION = re.compile(
    r"no rollout found|thread not found|no (?:saved )?(?:session|conversation) ", re.I
)
"""How codex says that it does not know a session."""

# The first match wins, so the causes stand from the special to the general.
_HINTS: tuple[Hint, ...] = (
    (
        re.compile(r"Missing environment variable: `(?P<name>\w+)`"),
        "An engine gets only listed variables: put this one into `pass` of `[env.codex]`, "
        'like pass = ["{name}"].',
    ),
    (
        UNKNOWN_SESSION,
        "codex does not know this session on this machine. "
        "Send the prompt without the resume line to start a new one.",
    ),
    (
        re.compile(
            r"\b401\b|unauthorized|not logged in|log ?in required|please log ?in"
            r"|(?:invalid|incorrect) api key|(?:access|refresh) token",
            re.I,
        ),
        "Run `codex login` on the machine on which takopi runs, then try again.",
    ),
    (
        re.compile(r"\b429\b|usage limit|rate limit|quota", re.I),
        "The limit of the account is reached: try again later.",
    ),
    (
        re.compile(r"requires approval, but approval policy is never", re.I),
        "A run cannot ask. Allow the server's tools in codex's config.toml with "
        '`default_tools_approval_mode = "approve"`.',
    ),
    (
        re.compile(
            r"error sending request|failed to lookup address|connection (?:failed|refused|reset)"
            r"|network error",
            re.I,
        ),
        "The model's server could not be reached: check network and proxy, then try again.",
    ),
    (
        re.compile(r"model provider `[^`]*` not found|error loading config|config\.toml", re.I),
        "Mend codex's own config.toml, then try again.",
    ),
    (
        re.compile(r"unexpected argument|invalid value .* for '", re.I),
        "Check `[codex]` in takopi's configuration, `extra_args` first.",
    ),
)

_LOG_LINE = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z?\s+(?:TRACE|DEBUG|INFO|WARN|ERROR)\s+\S+:\s")
_NOISE = re.compile(
    r"WARNING: proceeding, even though|Stack backtrace:|\s+\d+: |\s+at \S+:\d+"
    r"|Reading (?:prompt|additional input) from stdin|.*bubblewrap|For more information, try"
    r"|Usage: codex|\s+codex exec \[OPTIONS\]|.*failed to record rollout items"
)
_MAX_LINES = 8
_MAX_CHARS = 1200
_MAX_DEPTH = 5


def readable(text: str) -> str:
    """Return the message out of the JSON in which APIs wrap their errors."""
    text = text.strip()
    for _ in range(_MAX_DEPTH):
        start = text.find("{")
        if start < 0:
            break
        try:
            inner = _message_in(_decode(text[start:].encode("utf-8", "replace")))
        except (msgspec.DecodeError, RecursionError):
            break
        if not inner:
            break
        text = f"{text[:start].rstrip()} {inner}".strip()
    return text


def _message_in(value: Any) -> str:
    for _ in range(_MAX_DEPTH):
        if isinstance(value, str):
            return value.strip()
        if not isinstance(value, dict):
            return ""
        value = next((value[key] for key in ("error", "message", "detail") if value.get(key)), None)
    return ""


def with_hint(text: str) -> str:
    """Add what to do, where the cause is known."""
    return add_hint(text, _HINTS)


def stderr_text(tail: str) -> str:
    """Return what of codex's standard error a person should read.

    Most of it is noise even when all is well: a warning about its own helpers, log lines, a stack
    without names. A log line is shown only when there is nothing else.
    """
    said: list[str] = []
    logged: list[str] = []
    for raw in tail.splitlines():
        line = raw.rstrip()
        if not line or _NOISE.match(line):
            continue
        log = _LOG_LINE.match(line)
        if log is not None:
            logged.append(line[log.end() :].removeprefix("error="))
        else:
            said.append(line.removeprefix("Error: ").removeprefix("error: "))
    lines = said or list(dict.fromkeys(logged))
    text = "\n".join(lines[-_MAX_LINES:])
    if len(text) > _MAX_CHARS:
        text = "…" + text[1 - _MAX_CHARS :]
    return with_hint(text)
