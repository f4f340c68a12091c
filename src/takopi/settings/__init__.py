"""What a person configured, read from one TOML file and checked against `KEYS`."""

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import structs

from takopi.core.os_remedies import remedy
from takopi.core.texts import tr
from takopi.errors import AccessError, ConfigError
from takopi.settings.checking import check_value, look_up
from takopi.settings.former import FORMER
from takopi.settings.keys import (
    APPROVALS,
    BUDGET,
    FILES,
    KEYS,
    PLUGINS,
    TELEGRAM,
    TOKEN_VARIABLE,
    TOPICS,
    VOICE,
    accept,
)
from takopi.settings.projects import read_projects, refuse_engine_aliases
from takopi.settings.values import (
    ApprovalsSettings,
    Backlog,
    BudgetSettings,
    FilesSettings,
    MessageOverflow,
    OnStop,
    PluginsSettings,
    SessionMode,
    Settings,
    TelegramSettings,
    TopicScope,
    TopicsSettings,
    Trigger,
    Verbosity,
    VoiceSettings,
    WhoDecides,
    written_as,
    wrong_value,
)

__all__ = [
    "CONFIG_NAME",
    "ApprovalsSettings",
    "Backlog",
    "BudgetSettings",
    "FilesSettings",
    "MessageOverflow",
    "OnStop",
    "PluginsSettings",
    "SessionMode",
    "Settings",
    "TelegramSettings",
    "TopicScope",
    "TopicsSettings",
    "Trigger",
    "Verbosity",
    "VoiceSettings",
    "WhoDecides",
    "bad_toml",
    "check_private",
    "check_value",
    "home_directory",
    "load_settings",
    "parse_settings",
    "refuse_engine_aliases",
]

CONFIG_NAME = "takopi.toml"


def home_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """Return takopi's folder: `TAKOPI_HOME`, or `.takopi` in the home directory."""
    chosen = environment.get("TAKOPI_HOME")
    return Path(chosen).expanduser().absolute() if chosen else Path.home() / ".takopi"


def load_settings(path: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read a configuration file; one that does not exist gives the defaults.

    Raises:
        ConfigError: It cannot be read, or a value in it is not accepted.
        AccessError: Others may read it.
    """
    try:
        with path.open("rb") as file:
            check_private(path, os.fstat(file.fileno()))
            raw = file.read()
    except FileNotFoundError:
        return parse_settings({}, path, environment, exists=False)
    except OSError as error:
        raise ConfigError(
            tr("{path} cannot be read: {why}; {remedy}",
               path=path, why=error.strerror, remedy=remedy(error.errno, path))
        ) from error  # fmt: skip
    try:
        document = tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(
            tr("{path} is not UTF-8 (byte {number}); save it as UTF-8",
               path=path, number=error.start)
        ) from error  # fmt: skip
    except tomllib.TOMLDecodeError as error:
        raise bad_toml(path, error) from error
    return parse_settings(document, path, environment)


def bad_toml(path: Path, error: tomllib.TOMLDecodeError) -> ConfigError:
    """Make the error for a file that is not TOML, with the line and column of the mistake."""
    return ConfigError(tr("{path} is not valid TOML: {where}", path=path, where=_toml_place(error)))


def _toml_place(error: tomllib.TOMLDecodeError) -> str:
    found = re.match(r"(.*) \(at line (\d+), column (\d+)\)$", str(error), re.DOTALL)
    if found:
        return tr(
            "line {line}, column {column}: {why}", line=found[2], column=found[3], why=found[1]
        )
    why = str(error).removesuffix(" (at end of document)")
    return tr("at the end of the file: {why}", why=why)


def parse_settings(
    document: Mapping[str, Any],
    path: Path,
    environment: Mapping[str, str] = os.environ,
    *,
    exists: bool = True,
) -> Settings:
    """Check the values of a configuration and return them.

    Raises:
        ConfigError: A value is not accepted; the text names file, key, value and what is.
    """
    values: dict[str, Any] = {}
    for spec in KEYS:
        if "*" in spec.name:
            continue
        value, written = look_up(document, spec.name, path), spec.name
        if value is None and spec.name in FORMER:
            written = FORMER[spec.name]
            value = look_up(document, written, path)
        if value is not None:
            values[spec.name] = check_value(spec.name, value, path, written=written)
    token = environment.get(TOKEN_VARIABLE)
    if token:
        values[TELEGRAM + "bot_token"] = _token_of_environment(token)
    _check_plugin_tables(document, path)
    topics = TopicsSettings(**_taken_out(values, TOPICS))
    return Settings(
        path=path,
        exists=exists,
        telegram=TelegramSettings(topics=topics, **_taken_out(values, TELEGRAM)),
        foreign_chat=_foreign_chat(document, values.get("transport", "telegram"), path),
        approvals=ApprovalsSettings(**_taken_out(values, APPROVALS)),
        files=FilesSettings(**_taken_out(values, FILES)),
        voice=VoiceSettings(**_taken_out(values, VOICE)),
        budget=BudgetSettings(**_taken_out(values, BUDGET)),
        plugins=PluginsSettings(**_taken_out(values, PLUGINS)),
        projects=read_projects(document, path),
        env_pass=_env_pass(document, path),
        document=document,
        **values,
    )


def _taken_out(values: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Take the keys of one table out of all values, and name them as in that table."""
    names = [name for name in values if name.startswith(prefix)]
    return {name.removeprefix(prefix): values.pop(name) for name in names}


def _check_plugin_tables(document: Mapping[str, Any], path: Path) -> None:
    for plugin, table in (document.get("plugins") or {}).items():
        check_value(f"{PLUGINS}{plugin}", table, path)


# What Telegram alone has.
_NOT_FOREIGN = frozenset({"bot_token", "api_base_url", "topics"})


def _foreign_chat(
    document: Mapping[str, Any], transport: str, path: Path
) -> TelegramSettings | None:
    """Read from another transport's table what holds for every chat service."""
    if transport == "telegram":
        return None
    table = look_up(document, f"transports.{transport}", path) or {}
    if not isinstance(table, Mapping):
        name = f"transports.{transport}"
        raise wrong_value(path, name, table, written_as(name))
    names = [name for name in structs.asdict(TelegramSettings()) if name not in _NOT_FOREIGN]
    return TelegramSettings(**{
        name: check_value(
            TELEGRAM + name, table[name], path, written=f"transports.{transport}.{name}"
        )
        for name in names
        if name in table
    })  # fmt: skip


def _token_of_environment(token: str) -> str:
    try:
        return str(accept("token", token))
    except ValueError:
        raise ConfigError(
            tr("the variable {name} does not hold a bot token; accepted: the token from "
               "@BotFather, like 123456789:AAF...", name=TOKEN_VARIABLE)
        ) from None  # fmt: skip


def _env_pass(document: Mapping[str, Any], path: Path) -> dict[str, tuple[str, ...]]:
    tables = look_up(document, "env", path) or {}
    if not isinstance(tables, Mapping):
        raise wrong_value(path, "env", tables, tr("tables, written as [env.codex]"))
    passes: dict[str, tuple[str, ...]] = {}
    for engine in tables:
        if not isinstance(tables[engine], Mapping):
            raise wrong_value(path, f"env.{engine}", tables[engine], written_as(f"env.{engine}"))
        value = tables[engine].get("pass")
        if value is not None:
            passes[engine] = check_value(f"env.{engine}.pass", value, path)
    return passes


def check_private(path: Path, status: os.stat_result) -> None:
    """Refuse a file or folder that others can read or write.

    Raises:
        AccessError: With the command that mends it.
    """
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        mode = "700" if stat.S_ISDIR(status.st_mode) else "600"
        raise AccessError(
            tr("{path} is open to other users (mode {now}); close it with `chmod {mode} {path}`",
               path=path, now=f"{stat.S_IMODE(status.st_mode):04o}", mode=mode)
        )  # fmt: skip
