"""Every key of the configuration, described once.

Reading (`takopi.settings`), `takopi config`, the doctor's advice and the tests of
`config.example.toml` and `docs/reference/config.md` all go by this table.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

__all__ = [
    "APPROVALS",
    "KEYS",
    "TELEGRAM",
    "TOKEN_VARIABLE",
    "KeyKind",
    "KeySpec",
    "accept",
    "known_key",
    "nearest",
    "unknown_keys",
]

TOKEN_VARIABLE = "TAKOPI_TELEGRAM_TOKEN"  # noqa: S105 - the name of a variable, not a secret

KeyKind: TypeAlias = Literal[
    "engine",
    "transport",
    "path",
    "count",
    "seconds",
    "amount",
    "token",
    "chat",
    "ids",
    "url",
    "overflow",
    "backlog",
    "on_stop",
    "who",
    "bool",
    "env",
]

ACCEPTED: dict[str, str] = {
    "engine": 'the id of an engine in quotes, like "codex"',
    "transport": '"telegram"',
    "path": 'an absolute path in quotes, like "/home/ann/work"',
    "count": "a whole number from 1 up",
    "seconds": "a whole number of seconds, 0 for off",
    "amount": "a number above 0, like 2 or 0.5",
    "token": 'the token from @BotFather in quotes, like "123456789:AAF..."',
    "chat": "a whole number other than 0, like 123456789 or -1001234567890",
    "ids": "a list of whole numbers, like [123456789, 987654321]",
    "url": 'an address in quotes, like "http://127.0.0.1:8081"',
    "overflow": '"split", "trim" or "file"',
    "backlog": '"answer", "ask" or "drop"',
    "on_stop": '"detach" or "cancel"',
    "who": '"asker" or "allowed"',
    "bool": "true or false",
    "env": 'a list of variable names, like ["GOPATH", "CARGO_*"]',
}
# Kinds whose values are words, by kind.
CHOICES: dict[str, tuple[str, ...]] = {
    "transport": ("telegram",),
    "overflow": ("split", "trim", "file"),
    "backlog": ("answer", "ask", "drop"),
    "on_stop": ("detach", "cancel"),
    "who": ("asker", "allowed"),
}
MAX_AMOUNT = 1_000_000
ENGINE_ID = re.compile(r"[a-z0-9_]{1,32}")
TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]{20,}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\*?")


class KeySpec(msgspec.Struct, frozen=True, kw_only=True):
    """Describe one key of the configuration.

    Args:
        name: Dotted path; `*` stands for an engine's id.
        kind: What is accepted.
        default: What holds without the key; None where nothing does.
        meaning: One sentence for a person.
        secret: Whether `takopi config` masks it.
    """

    name: str
    kind: KeyKind
    default: Any = None
    meaning: str
    secret: bool = False

    @property
    def accepted(self) -> str:
        """Say which values are accepted."""
        return ACCEPTED[self.kind]


TELEGRAM = "transports.telegram."
APPROVALS = "approvals."
KEYS: tuple[KeySpec, ...] = (
    KeySpec(
        name="default_engine",
        kind="engine",
        meaning="Engine of prompts that name none; without it the first one installed.",
    ),
    KeySpec(
        name="transport",
        kind="transport",
        default="telegram",
        meaning="Chat service that the bot serves.",
    ),
    KeySpec(
        name="work_dir",
        kind="path",
        meaning="Where new sessions start; without it the directory in which takopi is started.",
    ),
    KeySpec(
        name="max_runs",
        kind="count",
        default=8,
        meaning="How many engines may run at once; further prompts wait.",
    ),
    KeySpec(
        name="backlog",
        kind="backlog",
        default="answer",
        meaning="What becomes of prompts that came while takopi was away.",
    ),
    KeySpec(
        name="on_stop",
        kind="on_stop",
        default="detach",
        meaning="Whether a takopi that is told to end leaves its engines running.",
    ),
    KeySpec(
        name="stall_after_s",
        kind="seconds",
        default=300,
        meaning="After so long without output the progress message says that an engine is silent.",
    ),
    KeySpec(
        name="kill_after_s",
        kind="seconds",
        default=0,
        meaning="After so long without output an engine is ended.",
    ),
    KeySpec(
        name="max_run_mb",
        kind="count",
        default=1024,
        meaning="Output that one run may write, in MB; beyond it the run is ended.",
    ),
    KeySpec(
        name="keep_runs_days",
        kind="amount",
        default=7,
        meaning="How many days the directories of runs that are over stay.",
    ),
    KeySpec(
        name="keep_runs_gb",
        kind="amount",
        default=2,
        meaning="How much room they may take, in GB; the oldest go first.",
    ),
    KeySpec(
        name=APPROVALS + "who",
        kind="who",
        default="asker",
        meaning="Who may press a button that decides: who asked, or anybody allowed.",
    ),
    KeySpec(
        name=TELEGRAM + "bot_token",
        kind="token",
        secret=True,
        meaning=f"Token of the bot; the variable {TOKEN_VARIABLE} goes before it.",
    ),
    KeySpec(
        name=TELEGRAM + "chat_id",
        kind="chat",
        meaning="The chat that is served; your own user id for a private chat.",
    ),
    KeySpec(
        name=TELEGRAM + "allowed_chat_ids",
        kind="ids",
        default=(),
        meaning="Further chats that are served.",
    ),
    KeySpec(
        name=TELEGRAM + "allowed_user_ids",
        kind="ids",
        default=(),
        meaning="Exactly the people who may speak; empty means the owner of a private chat_id.",
    ),
    KeySpec(
        name=TELEGRAM + "api_base_url",
        kind="url",
        meaning="A Bot API server of your own in place of Telegram's.",
    ),
    KeySpec(
        name=TELEGRAM + "message_overflow",
        kind="overflow",
        default="split",
        meaning="A long answer comes as several messages, cut short, or as a file.",
    ),
    KeySpec(
        name=TELEGRAM + "show_resume_line",
        kind="bool",
        default=True,
        meaning="Whether an answer ends with the line that resumes its session.",
    ),
    KeySpec(
        name=TELEGRAM + "final_notify",
        kind="bool",
        default=True,
        meaning="A new message that notifies for the answer, or an edit of the progress message.",
    ),
    KeySpec(
        name="env.*.pass",
        kind="env",
        default=(),
        meaning="Further environment variables that the engine gets; a final * matches a prefix.",
    ),
)


def accept(kind: KeyKind, value: Any) -> Any:
    """Return a value in the form `Settings` has it.

    Raises:
        ValueError: It is not accepted.
    """
    number = isinstance(value, int) and not isinstance(value, bool)
    text = value if isinstance(value, str) else ""
    match kind:
        case "bool" if isinstance(value, bool):
            return value
        case "count" if number and value >= 1:
            return value
        case "chat" if number and value != 0:
            return value
        case "engine" if ENGINE_ID.fullmatch(text):
            return value
        case "seconds" if number and value >= 0:
            return value
        case "amount" if (number or isinstance(value, float)) and 0 < value <= MAX_AMOUNT:
            return value
        case _ if text in CHOICES.get(kind, ()):
            return value
        case "token" if TOKEN.fullmatch(text):
            return value
        case "url" if re.fullmatch(r"https?://[^\s/?#]+[^\s?#]*", text):
            return text.rstrip("/")
        case "path" if text and "\0" not in text:
            return _absolute(text)
        case "ids" if isinstance(value, list) and all(type(item) is int for item in value):
            return tuple(value)
        case "env" if isinstance(value, list) and all(_is_variable(item) for item in value):
            return tuple(value)
    raise ValueError(kind)


def _absolute(text: str) -> Path:
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError(text) from error  # ~nobody has no home
    if not path.is_absolute():
        raise ValueError(text)
    return path


def _is_variable(value: Any) -> bool:
    return isinstance(value, str) and VARIABLE.fullmatch(value) is not None


def known_key(name: str) -> KeySpec | None:
    """Return what is known about a dotted key, or None."""
    parts = name.split(".")
    for spec in KEYS:
        wanted = spec.name.split(".")
        if len(wanted) == len(parts) and all(
            w in ("*", p) for w, p in zip(wanted, parts, strict=False)
        ):
            return spec
    return None


def unknown_keys(document: Mapping[str, Any], engines: Iterable[str]) -> tuple[str, ...]:
    """Return dotted keys that nothing reads; the tables of `engines` are their own matter."""
    tables = set(engines)
    found: list[str] = []

    def walk(table: Mapping[str, Any], prefix: str) -> None:
        for key, value in table.items():
            name = prefix + key
            if not prefix and key in tables:
                continue
            if known_key(name) is not None:
                continue
            if isinstance(value, Mapping) and _is_prefix(name):
                walk(value, name + ".")
            else:
                found.append(name)

    walk(document, "")
    return tuple(found)


def _is_prefix(name: str) -> bool:
    parts = name.split(".")
    return any(
        len(spec.name.split(".")) > len(parts)
        and all(w in ("*", p) for w, p in zip(spec.name.split("."), parts, strict=False))
        for spec in KEYS
    )


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` was probably meant to be, or None."""
    candidates = [spec for spec in known if "*" not in spec]
    found = difflib.get_close_matches(name, candidates, n=1, cutoff=0.6)
    if found:
        return found[0]
    # A key in the wrong table: the last part says what was meant.
    last = name.rpartition(".")[2]
    return next((item for item in candidates if item.rpartition(".")[2] == last), None)
