"""Rewrite a configuration of the public takopi 0.22 or 0.23, and name what has no counterpart.

Nothing is dropped silently: a key is rewritten and told, or it stays where it is and is told.
"""

import os
from collections.abc import Callable, Collection, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import msgspec
import tomlkit
from tomlkit.items import Table

from takopi.app.config_edit import get_value, set_values, unset_value
from takopi.app.projects import alias_of
from takopi.core.access import access_policy
from takopi.engines import EngineCatalogue
from takopi.errors import ConfigError, PluginError, TakopiError
from takopi.settings import parse_settings
from takopi.settings.former import (
    CODEX_MODE,
    FORMER,
    TOPICS_MODE,
    TOPICS_MODES,
    VOICE_KEYS,
    VOICE_SWITCH,
    former_key_told,
)
from takopi.settings.keys import unknown_keys
from takopi.settings.projects import alias_fault

__all__ = ["MigrationReport", "keep_copy", "migrate_document"]

# Where the public takopi sent voice notes when nothing else was said.
VOICE_URL = "https://api.openai.com/v1"
VOICE_MODEL = "gpt-4o-mini-transcribe"
TOPICS_SCOPE = "transports.telegram.topics.scope"
# Keys with another default: that of the public takopi as TOML, and what holds here.
DEFAULTS = (
    ("files.enabled", "false", "files go between chat and project"),
    ("transports.telegram.message_overflow", '"trim"', "a long answer comes in several messages"),
)
# Keys that it also read from variables, their parts between double underscores.
VARIABLES = "TAKOPI__"


class MigrationReport(msgspec.Struct, frozen=True):
    """Say what was rewritten, and what a person has to look at.

    Args:
        changes: One line each.
        left: What stays as it is, and why; one line each.
    """

    changes: tuple[str, ...]
    left: tuple[str, ...]


class _Migration:
    """Rewrite one document step by step."""

    def __init__(self, document: tomlkit.TOMLDocument, config: Path) -> None:
        self.document = document
        self.config = config
        self.changes: list[str] = []
        self.left: list[str] = []

    def move(self, old: str, new: str) -> None:
        """Give a value its new name; its comment on the same line goes with it."""
        if get_value(self.document, old) is None:
            return
        if _is_set(self.document, new):
            self.left.append(
                f"{old}: {new} is set too, and counts; `takopi config unset {old}` takes the old "
                "one out"
            )
            return
        set_values(self.document, {new: _item(self.document, old)})
        self._take_out(old)
        self.changes.append(f"{old} is {new} now")

    def voice(self) -> None:
        """Turn the switch and its keys into `[voice]`."""
        switch = get_value(self.document, VOICE_SWITCH)
        if switch is False and not any(_is_set(self.document, old) for old in VOICE_KEYS.values()):
            self._take_out(VOICE_SWITCH)
            self.changes.append(f"{VOICE_SWITCH} is gone: without [voice] it is off")
        if switch is not True:
            return  # to rewrite the others would switch it on
        self._take_out(VOICE_SWITCH)
        self.changes.append(f"{VOICE_SWITCH} is gone: with [voice] it is on")
        for new, old in VOICE_KEYS.items():
            self.move(old, new)
        for new, default in (("voice.base_url", VOICE_URL), ("voice.model", VOICE_MODEL)):
            if not _is_set(self.document, new):
                set_values(self.document, {new: default})
                self.changes.append(f'{new} = "{default}", which was its default')
        if not _is_set(self.document, "voice.api_key"):
            self.left.append(
                "voice.api_key: OPENAI_API_KEY is not read for it; `takopi config set "
                "voice.api_key -` takes it from standard input"
            )

    def topics(self) -> None:
        """Turn the older word for the chats with topics into the newer one."""
        scope = TOPICS_MODES.get(str(get_value(self.document, TOPICS_MODE)))
        if scope is None:
            return  # there is none, or nobody knows what it means: it is named with the rest
        self._take_out(TOPICS_MODE)
        if not _is_set(self.document, TOPICS_SCOPE):
            set_values(self.document, {TOPICS_SCOPE: scope})
        self.changes.append(f'{TOPICS_MODE} is gone: {TOPICS_SCOPE} = "{scope}" says it')

    def values(self) -> None:
        """Write values as they are taken here: numbers without quotes, engines in small letters."""
        document: Any = self.document
        projects = document.get("projects")
        named = projects.items() if isinstance(projects, Mapping) else ()
        tables = [("", document), *((f"projects.{alias}.", table) for alias, table in named)]
        if _is_set(document, "transports.telegram"):
            tables.append(("transports.telegram.", document["transports"]["telegram"]))
        for label, table in tables:
            if isinstance(table, MutableMapping):
                self._rewrite(label, table, "chat_id", _as_number)
                self._rewrite(label, table, "default_engine", lambda text: text.strip().lower())

    def _rewrite(
        self, label: str, table: MutableMapping[str, Any], key: str, change: Callable[[str], Any]
    ) -> None:
        value = table.get(key)
        if not isinstance(value, str) or change(value) == value:
            return
        table[key] = change(value)
        self.changes.append(f"{label}{key} = {tomlkit.item(change(value)).as_string()}")

    def defaults(self) -> None:
        """Name what was not set, and is something else here; in a file that was of the other."""
        if not self.changes:
            return
        goes_on = get_value(self.document, "session_mode") == "chat"
        if get_value(self.document, "transports.telegram.topics.enabled") is True and not goes_on:
            self.left.append(
                "session_mode: sessions of topics went on by themselves; `takopi config set "
                "session_mode chat` does that here, outside of topics too"
            )
        for name, before, now in DEFAULTS:
            if not _is_set(self.document, name):
                self.left.append(f"{name} is not set: {now}; `{name} = {before}` is as before")

    def environment(self, names: Collection[str]) -> None:
        """Name the variables that the public takopi read, and this one does not."""
        for variable in sorted(name for name in names if name.upper().startswith(VARIABLES)):
            key = variable[len(VARIABLES) :].replace("__", ".").lower()
            self.left.append(
                f"{variable}: no variable sets a key here; `takopi config set {key} -` reads it "
                "from standard input"
            )

    def projects(self, engines: tuple[str, ...]) -> None:
        """Give projects aliases that can be, and paths that are whole."""
        tables: Any = self.document.get("projects")
        if not isinstance(tables, MutableMapping):
            return
        for alias in list(tables):
            self._absolute(alias)
            if alias_fault(alias, engines) is None:
                continue
            new = alias_of(alias, engines)
            if new in tables:
                self.left.append(f"projects.{alias}: it cannot be called so, and {new} is taken")
                continue
            tables[new] = tables.pop(alias)
            self.changes.append(f"projects.{alias} is projects.{new} now")
            if self.document.get("default_project") == alias:
                self.document["default_project"] = new
                self.changes.append(f'default_project = "{new}"')
        default = self.document.get("default_project")
        if isinstance(default, str) and default not in tables and default.lower() in tables:
            self.document["default_project"] = default.lower()
            self.changes.append(f'default_project = "{default.lower()}"')

    def _absolute(self, alias: str) -> None:
        table = _item(self.document, "projects")[alias]
        path = table.get("path") if isinstance(table, Mapping) else None
        if isinstance(path, str) and path and not path.startswith(("/", "~")):
            whole = os.path.normpath(self.config.parent / path)
            table["path"] = whole
            self.changes.append(f'projects.{alias}.path = "{whole}", beginning with /')
        trees = table.get("worktrees_dir") if isinstance(table, Mapping) else None
        if isinstance(trees, str) and ".." in Path(trees).parts and not trees.startswith("~"):
            whole = os.path.normpath(Path(str(table.get("path"))).expanduser() / trees)
            table["worktrees_dir"] = whole
            self.changes.append(f'projects.{alias}.worktrees_dir = "{whole}", without ..')

    def engines(self, catalogue: EngineCatalogue) -> None:
        """Name what an engine's module does not take; `codex.mode` would keep the bot from it."""
        if _is_set(self.document, CODEX_MODE):
            self._take_out(CODEX_MODE)
            self.changes.append(f"{CODEX_MODE} is gone: each turn is a `codex exec`")
        for engine in catalogue.ids:
            table = self.document.unwrap().get(engine)
            if not isinstance(table, dict):
                continue
            table.pop("keep_background", None)
            try:
                catalogue.load(engine).build_runner(table, self.config)
            except (ConfigError, PluginError) as error:
                self.left.append(str(error).removeprefix(f"{self.config}: "))

    def rest(self, catalogue: EngineCatalogue) -> None:
        """Name what nothing reads, and what would still be refused."""
        plain = self.document.unwrap()
        for key in unknown_keys(plain, catalogue.ids):
            switched_off = key in (*VOICE_KEYS.values(), VOICE_SWITCH)
            off = f"`{key}` was switched off, and [voice] would switch it on: set it there"
            told = off if switched_off else former_key_told(key)
            if key not in FORMER.values():  # told already
                self.left.append(told or f"nothing reads the key `{key}`")
        try:
            settings = parse_settings(plain, self.config, {})
            if settings.telegram.chat_id is not None:
                access_policy(
                    chat_id=settings.telegram.chat_id,
                    allowed_chat_ids=settings.served_chat_ids,
                    allowed_user_ids=settings.telegram.allowed_user_ids,
                )
        except TakopiError as error:
            self.left.append(f"not yet right: {str(error).removeprefix(f'{self.config}: ')}")

    def _take_out(self, name: str) -> None:
        unset_value(self.document, name)
        table = name.rpartition(".")[0]
        found: Any = _item(self.document, table) if table else None
        if isinstance(found, Table) and not found and not found.as_string().strip():
            unset_value(self.document, table)


def migrate_document(
    document: tomlkit.TOMLDocument,
    config: Path,
    catalogue: EngineCatalogue,
    variables: Collection[str] = (),
) -> MigrationReport:
    """Rewrite a document in place.

    Args:
        document: What the file says.
        config: The file; relative paths of projects are relative to its folder.
        catalogue: The engines, which say what their tables take.
        variables: Names of the environment's.
    """
    migration = _Migration(document, config)
    for new, old in FORMER.items():
        migration.move(old, new)
    migration.voice()
    migration.topics()
    migration.values()
    migration.projects(catalogue.ids)
    migration.engines(catalogue)
    migration.rest(catalogue)
    migration.defaults()
    migration.environment(variables)
    return MigrationReport(tuple(migration.changes), tuple(migration.left))


def keep_copy(config: Path) -> Path:
    """Copy the file beside itself, closed to others, under a name that is free.

    Raises:
        ConfigError: The copy cannot be made.
    """
    number = 1
    while True:
        ending = "before-migration" if number == 1 else f"before-migration-{number}"
        copy = config.with_name(f"{config.name}.{ending}")
        try:
            descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            number += 1
            continue
        except OSError as error:
            raise ConfigError(
                f"{copy} cannot be made: {error.strerror}; mend that first"
            ) from error
        with os.fdopen(descriptor, "wb") as file:
            file.write(config.read_bytes())
        return copy


def _item(document: tomlkit.TOMLDocument, name: str) -> Any:
    value: Any = document
    for part in name.split("."):
        value = value[part]
    return value


def _as_number(text: str) -> int | str:
    try:
        return int(text.strip())
    except ValueError:
        return text


def _is_set(document: Mapping[str, Any], name: str) -> bool:
    value: Any = document
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value is not None
