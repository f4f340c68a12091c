"""Make what claude says of its failures readable, and add what to do where the cause is known."""

import re

from takopi.core.stderr_text import useful_end
from takopi.runners._hints import Hint, add_hint
from takopi.schemas.claude import ClaudeEvent

__all__ = ["UNKNOWN_SESSION", "result_error", "stderr_text", "with_hint"]

UNKNOWN_SESSION = re.compile(
    r"No conversation found|is not a UUID|--resume requires a valid session", re.I
)
"""How claude says that it does not know a session."""

# The first match wins, so the causes stand from the special to the general.
_HINTS: tuple[Hint, ...] = (
    (
        UNKNOWN_SESSION,
        "claude does not know this session in this directory: it keeps those of each directory "
        "apart. Send the prompt without the resume line to start a new one.",
    ),
    (
        re.compile(
            r"not logged in|please run /login|invalid api key|OAuth token|authenticat", re.I
        ),
        "Run `claude` on the machine on which takopi runs and log in with `/login`. To be billed "
        "by ANTHROPIC_API_KEY instead, set `use_api_billing = true` in `[claude]`.",
    ),
    (
        re.compile(r"credit balance|billing", re.I),
        "Check the account's balance, or `use_api_billing` in `[claude]`.",
    ),
    (
        re.compile(r"prompt is too long|context (?:window|length)", re.I),
        "Send `//compact` as a reply to shorten the session, or start a new one.",
    ),
    (
        re.compile(r"\b429\b|rate.?limit|limit (?:is )?reached|hit your .{0,40}limit", re.I),
        "The limit of the account is reached: try again later.",
    ),
    (
        re.compile(r"\b529\b|overloaded|\b50[0234]\b", re.I),
        "The model's server has too much to do or fails: try again later.",
    ),
    (
        re.compile(
            r"ECONN\w+|ENOTFOUND|EAI_AGAIN|unable to connect|connection error|fetch failed", re.I
        ),
        "The model's server could not be reached: check network and proxy, then try again.",
    ),
    (
        re.compile(r"root/sudo privileges"),
        "Run takopi as another user, or remove `dangerously_skip_permissions` from `[claude]`.",
    ),
    (
        re.compile(
            r"issue with the selected model|model.{0,60}(?:not (?:found|exist)|not have access)",
            re.I,
        ),
        "Check `model` of `[claude]`.",
    ),
    (
        re.compile(r"unknown option|argument '.*' is invalid|argument missing", re.I),
        "Check `[claude]` in takopi's configuration, `extra_args` first.",
    ),
)
_SUBTYPES = {
    "error_max_turns": "claude stopped at its limit of turns",
    "error_max_budget_usd": "claude stopped at its limit of cost",
    "error_max_structured_output_retries": "claude could not give the answer in the form asked for",
    "error_during_execution": "claude stopped in the middle of the turn",
}
# Notes of claude's makers to themselves.
_DIAGNOSTIC = re.compile(r"\[\w+_diagnostic\]")


def with_hint(text: str) -> str:
    """Add what to do, where the cause is known."""
    return add_hint(text, _HINTS)


def result_error(event: ClaudeEvent, api_error: str) -> str:
    """Say why a turn failed.

    Args:
        event: The result.
        api_error: What claude said of a failed request before.
    """
    said = [text for text in event.errors if text and not _DIAGNOSTIC.match(text)]
    if event.terminal_reason.startswith("aborted") and not said:
        return "claude was interrupted"
    text = event.result or "\n".join(said) or api_error
    if event.subtype != "success" and event.subtype in _SUBTYPES and not text:
        text = _SUBTYPES[event.subtype]
    elif not text:
        text = f"claude reported a failure without a reason ({event.subtype or 'no subtype'})"
    return with_hint(text)


def stderr_text(tail: str) -> str:
    """Return what of claude's standard error a person should read."""
    lines = [line.removeprefix("Error: ") for line in useful_end(tail).split("\n")]
    return with_hint("\n".join(lines))
