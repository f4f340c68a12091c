"""Read what the public takopi 0.22 and 0.23 kept beside its configuration.

The files are only read, never changed, so what is not understood survives where it is, and is
named. The three have one shape: a table whose keys are places ("chat"; "chat:thread"; in the file
of sessions "chat:chat", or "chat:person" in groups) and whose values say what holds there. It
stands beside the version of the shape and, with the sessions, the directory in which they live.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from takopi.model import ResumeToken

__all__ = ["PublicPlace", "PublicScope", "PublicState", "parse_state", "read_public_state"]

PREFERENCES = "telegram_chat_prefs_state.json"
TOPICS = "telegram_topics_state.json"
SESSIONS = "telegram_chat_sessions_state.json"
FILES = (PREFERENCES, TOPICS, SESSIONS)

_VERSION = 1
# Under which the places stand, and what stands beside it.
_INNER = {PREFERENCES: "chats", TOPICS: "threads", SESSIONS: "chats"}
_BESIDE = frozenset({"version", "cwd"})
_PLACE = re.compile(r"(?P<chat>-?\d+)(?::(?P<rest>\d+|chat))?")
_MAX_CHARS = 500

T = TypeVar("T")


class PublicPlace(msgspec.Struct, frozen=True):
    """Name where something holds.

    Args:
        chat_id: The chat.
        thread_id: Its topic; None for the whole chat.
        person_id: Whose it is, in a group whose people have sessions of their own.
    """

    chat_id: int
    thread_id: int | None = None
    person_id: int | None = None


class PublicScope(msgspec.Struct, frozen=True, kw_only=True):
    """Say what holds at a place; what was not set is empty.

    Args:
        place: Where.
        project: Alias, as it was written.
        branch: Of the project.
        engine: The engine of prompts that name none.
        trigger: "all" or "mentions".
        models: Model by engine.
        reasoning: Reasoning level by engine.
        sessions: The last session of each engine.
        directory: In which the sessions live; None where it was not kept.
        title: Of the topic.
    """

    place: PublicPlace
    project: str | None = None
    branch: str | None = None
    engine: str | None = None
    trigger: str | None = None
    models: Mapping[str, str] = {}
    reasoning: Mapping[str, str] = {}
    sessions: tuple[ResumeToken, ...] = ()
    directory: str | None = None
    title: str | None = None


class PublicState(msgspec.Struct, frozen=True):
    """Be everything that was kept.

    Args:
        scopes: One for each place and file.
        unread: What is not understood, one line each; it stays in its file.
    """

    scopes: tuple[PublicScope, ...] = ()
    unread: tuple[str, ...] = ()


def read_public_state(folder: Path) -> PublicState:
    """Read the files of a folder; those that are not there are empty."""
    scopes: list[PublicScope] = []
    unread: list[str] = []
    for name in FILES:
        try:
            document = msgspec.json.decode((folder / name).read_bytes())
        except FileNotFoundError:
            continue
        except OSError as error:
            unread.append(f"{name}: it cannot be read: {error.strerror}")
            continue
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            unread.append(f"{name}: it is no JSON: {error}")
            continue
        state = parse_state(name, document)
        scopes += state.scopes
        unread += state.unread
    return PublicState(tuple(scopes), tuple(unread))


def parse_state(name: str, document: Any) -> PublicState:
    """Read one file.

    Args:
        name: The file's, which decides what the second half of a place is.
        document: Its JSON.
    """
    scopes: list[PublicScope] = []
    unread: list[str] = []
    if not isinstance(document, Mapping):
        return PublicState(unread=(f"{name}: it is no object",))
    directory, inner = _text(document.get("cwd")), _INNER[name]
    unread += [f"{name}: {key}" for key in document if key not in _BESIDE and key != inner]
    if document.get("version") != _VERSION:
        unread.append(f"{name}: version {document.get('version')}, read as {_VERSION}")
    places = document.get(inner)
    if not isinstance(places, Mapping):
        unread.append(f"{name}: it has no table `{inner}`")
        places = {}
    for key, entry in places.items():
        place = _place(key, persons=name == SESSIONS)
        if place is None or not isinstance(entry, Mapping):
            unread.append(f"{name}: {key}")
            continue
        fields = _Fields(entry)
        sessions = fields.take("sessions", _sessions) or ()
        scope = fields.scope(place, sessions, directory if sessions else None)
        unread += [f"{name}: {key}: {left}" for left in fields.left()]
        if scope != PublicScope(place=place):
            scopes.append(scope)
    return PublicState(tuple(scopes), tuple(unread))


def _place(key: str, *, persons: bool) -> PublicPlace | None:
    found = _PLACE.fullmatch(key)
    if found is None:
        return None
    chat, rest = int(found["chat"]), found["rest"]
    number = int(rest) if rest and rest != "chat" else None
    return PublicPlace(chat, None, number) if persons else PublicPlace(chat, number)


class _Fields:
    """Take fields out of an entry, and know which were not understood."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self._entry = entry
        self._understood: set[str] = set()

    def take(self, key: str, read: Callable[[Any], T | None]) -> T | None:
        """Return a field as `read` understands it; null says nothing, and is understood."""
        value = self._entry.get(key)
        found = None if value is None else read(value)
        if found is not None or value is None:
            self._understood.add(key)
        return found

    def scope(
        self, place: PublicPlace, sessions: tuple[ResumeToken, ...], directory: str | None
    ) -> PublicScope:
        """Read everything but the sessions."""
        context = self.take("context", _context) or {}
        overrides = self.take("engine_overrides", _overrides) or {}
        return PublicScope(
            place=place,
            project=context.get("project") or self.take("context_project", _text),
            branch=context.get("branch") or self.take("context_branch", _text),
            engine=self.take("default_engine", _engine),
            trigger=self.take("trigger_mode", _trigger),
            models={e: one["model"] for e, one in overrides.items() if "model" in one},
            reasoning={e: one["reasoning"] for e, one in overrides.items() if "reasoning" in one},
            sessions=sessions,
            directory=directory,
            title=self.take("topic_title", _text),
        )

    def left(self) -> list[str]:
        """Name the fields that were not understood."""
        return [key for key in self._entry if key not in self._understood]


def _text(value: Any) -> str | None:
    if (
        isinstance(value, str)
        and value.strip()
        and value.isprintable()
        and len(value) <= _MAX_CHARS
    ):
        return value
    return None


def _engine(value: Any) -> str | None:
    word = _text(value)
    return word and word.strip().lower()


def _trigger(value: Any) -> str | None:
    word = value.strip().lower() if isinstance(value, str) else None
    return word if word in ("all", "mentions") else None


def _table(value: Any, names: tuple[str, ...]) -> dict[str, str] | None:
    """Read a table of these names and no others, each a text or null."""
    if not isinstance(value, Mapping) or not set(value) <= set(names):
        return None
    texts = {key: _text(item) for key, item in value.items() if item is not None}
    return None if None in texts.values() else {key: text for key, text in texts.items() if text}


def _context(value: Any) -> dict[str, str] | None:
    return _table(value, ("project", "branch"))


def _overrides(value: Any) -> dict[str, dict[str, str]] | None:
    if not isinstance(value, Mapping):
        return None
    tables = {_engine(e): _table(one, ("model", "reasoning")) for e, one in value.items()}
    if None in tables or None in tables.values():
        return None
    return {engine: one for engine, one in tables.items() if engine and one}


def _sessions(value: Any) -> tuple[ResumeToken, ...] | None:
    if not isinstance(value, Mapping):
        return None
    tokens = []
    for engine, one in value.items():
        resume = _text(one.get("resume")) if isinstance(one, Mapping) else None
        name = _engine(engine)
        if resume is None or resume.startswith("-") or name is None:
            return None
        tokens.append(ResumeToken(name, resume))
    return tuple(tokens)
