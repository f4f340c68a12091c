"""The kinds of values that a key of the configuration takes, and what is accepted for each."""

import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeAlias

from takopi.core.projects import is_alias
from takopi.core.texts import tr_later
from takopi.locale_files import languages

__all__ = ["ACCEPTED", "CHOICES", "LISTS", "TYPED", "KeyKind", "accept"]

KeyKind: TypeAlias = Literal[
    "engine",
    "transport",
    "alias",
    "language",
    "session_mode",
    "trigger",
    "verbose",
    "topic_scope",
    "path",
    "place",
    "folder",
    "text",
    "branch",
    "words",
    "globs",
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
    "packages",
    "table",
]

ACCEPTED: dict[str, str] = {
    "engine": tr_later('the id of an engine in quotes, like "codex"'),
    "transport": tr_later('"telegram", "terminal", or the id of a transport that a package brings'),
    "alias": tr_later(
        'the alias of a project in quotes: 1 to 32 of a-z, 0-9, "_" and "-", like "shop"'
    ),
    # Each is a file among the locales, and nothing else has to name it.
    "language": ", ".join(f'"{code}"' for code in languages()),
    "session_mode": tr_later('"stateless" or "chat"'),
    "trigger": tr_later('"all" or "mentions"'),
    "verbose": tr_later('"quiet", "normal" or "full"'),
    "topic_scope": tr_later('"auto", "main", "projects" or "all"'),
    "path": tr_later('an absolute path in quotes, like "/home/ann/work"'),
    "place": tr_later('a path in quotes, absolute or below the project, like ".worktrees"'),
    "folder": tr_later('the name of a folder below the project in quotes, like "incoming"'),
    "text": tr_later('a text in quotes that is not empty, like "whisper-1"'),
    "branch": tr_later('the name of a branch in quotes, like "main"'),
    "words": tr_later('a list of texts, like ["whisper", "--file", "{file}"]'),
    "globs": tr_later('a list of patterns, like ["*.sqlite", "private/**"]'),
    "count": tr_later("a whole number from 1 up"),
    "seconds": tr_later("a whole number of seconds, 0 for off"),
    "amount": tr_later("a number above 0, like 2 or 0.5"),
    "token": tr_later('the token from @BotFather in quotes, like "123456789:AAF..."'),
    "chat": tr_later("a whole number other than 0, like 123456789 or -1001234567890"),
    "ids": tr_later("a list of whole numbers, like [123456789, 987654321]"),
    "url": tr_later('an address in quotes, like "http://127.0.0.1:8081"'),
    "overflow": tr_later('"split", "trim" or "file"'),
    "backlog": tr_later('"answer", "ask" or "drop"'),
    "on_stop": tr_later('"detach" or "cancel"'),
    "who": tr_later('"asker" or "allowed"'),
    "bool": tr_later("true or false"),
    "env": tr_later('a list of variable names, like ["GOPATH", "CARGO_*"]'),
    "packages": tr_later('a list of names of packages, like ["takopi-hello"]'),
    "table": tr_later("a table, written as [plugins.hello]"),
}
# Kinds whose values are words, by kind.
CHOICES: dict[str, tuple[str, ...]] = {
    "language": languages(),
    "session_mode": ("stateless", "chat"),
    "trigger": ("all", "mentions"),
    "verbose": ("quiet", "normal", "full"),
    "topic_scope": ("auto", "main", "projects", "all"),
    "overflow": ("split", "trim", "file"),
    "backlog": ("answer", "ask", "drop"),
    "on_stop": ("detach", "cancel"),
    "who": ("asker", "allowed"),
}
# Kinds whose values are lists, and those that are no text: `takopi config set` reads them as TOML.
LISTS: frozenset[str] = frozenset({"ids", "env", "packages", "globs", "words"})
TYPED: frozenset[str] = LISTS | {"bool", "count", "seconds", "amount", "chat", "table"}

MAX_AMOUNT = 1_000_000
ENGINE_ID = re.compile(r"[a-z0-9_]{1,32}")
TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]{20,}")
PACKAGE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\*?")
URL = re.compile(r"https?://[^\s/?#]+[^\s?#]*")
# What git itself refuses in a name, and what could be taken for an option.
NO_BRANCH = re.compile(r"^[-/.]|[\x00-\x20\x7f~^:?*\[\\]|\.\.|//|@\{|/\.|\.lock(?:/|$)|[/.]$|^@$")


def accept(kind: KeyKind, value: Any) -> Any:
    """Return a value in the form `Settings` has it.

    Raises:
        ValueError: It is not accepted.
    """
    if isinstance(value, list):
        return _accept_list(kind, value)
    if isinstance(value, str):
        return _accept_text(kind, value)
    number = isinstance(value, int) and not isinstance(value, bool)
    match kind:
        case "bool" if isinstance(value, bool):
            return value
        case "count" if number and value >= 1:
            return value
        case "chat" if number and value != 0:
            return value
        case "seconds" if number and value >= 0:
            return value
        case "amount" if (number or isinstance(value, float)) and 0 < value <= MAX_AMOUNT:
            return value
        case "table" if isinstance(value, dict):
            return value
    raise ValueError(kind)


def _accept_text(kind: KeyKind, text: str) -> Any:
    match kind:
        case _ if text in CHOICES.get(kind, ()):
            return text
        case "engine" | "transport" if ENGINE_ID.fullmatch(text):
            return text
        case "alias" if is_alias(text):
            return text
        case "text" if _is_text(text):
            return text
        case "branch" if text and not NO_BRANCH.search(text):
            return text
        case "token" if TOKEN.fullmatch(text):
            return text
        case "url" if URL.fullmatch(text):
            return text.rstrip("/")
        case "path" if text and "\0" not in text:
            return _absolute(text)
        case "folder" if _leads_down(text):
            return text
        case "place":
            return text if _leads_down(text) else str(_absolute(text))
    raise ValueError(kind)


# What one item of a list has to be, by kind.
_ITEMS: dict[str, Callable[[Any], object]] = {
    "ids": lambda item: type(item) is int,
    "env": lambda item: isinstance(item, str) and VARIABLE.fullmatch(item),
    "packages": lambda item: isinstance(item, str) and PACKAGE.fullmatch(item),
    "globs": lambda item: isinstance(item, str) and _is_text(item),
    "words": lambda item: isinstance(item, str) and _is_text(item),
}


def _accept_list(kind: KeyKind, items: list[Any]) -> tuple[Any, ...]:
    if kind in LISTS and all(_ITEMS[kind](item) for item in items):
        return tuple(items)
    raise ValueError(kind)


def _is_text(text: str) -> bool:
    return bool(text.strip()) and text.isprintable()


def _absolute(text: str) -> Path:
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError(text) from error  # ~nobody has no home
    if not path.is_absolute() or "\0" in text:
        raise ValueError(text)
    return path


def _leads_down(text: str) -> bool:
    path = PurePosixPath(text)
    straight = path.parts and ".." not in path.parts and not path.is_absolute()
    return bool(straight) and _is_text(text) and not text.startswith("~")
