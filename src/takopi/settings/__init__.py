"""What a person configured, read from one TOML file and checked against `KEYS`."""

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from takopi.core.os_remedies import remedy
from takopi.errors import AccessError, ConfigError
from takopi.settings.keys import APPROVALS, KEYS, TELEGRAM, TOKEN_VARIABLE, accept, known_key

__all__ = [
    "CONFIG_NAME",
    "ApprovalsSettings",
    "Backlog",
    "MessageOverflow",
    "OnStop",
    "Settings",
    "TelegramSettings",
    "WhoDecides",
    "bad_toml",
    "check_private",
    "check_value",
    "home_directory",
    "load_settings",
    "parse_settings",
]

CONFIG_NAME = "takopi.toml"

MessageOverflow: TypeAlias = Literal["split", "trim", "file"]
Backlog: TypeAlias = Literal["answer", "ask", "drop"]
OnStop: TypeAlias = Literal["detach", "cancel"]
WhoDecides: TypeAlias = Literal["asker", "allowed"]


class TelegramSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Hold `[transports.telegram]`; the fields are described in `KEYS`."""

    bot_token: str | None = None
    chat_id: int | None = None
    allowed_chat_ids: tuple[int, ...] = ()
    allowed_user_ids: tuple[int, ...] = ()
    api_base_url: str | None = None
    message_overflow: MessageOverflow = "split"
    show_resume_line: bool = True
    final_notify: bool = True


class ApprovalsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Hold `[approvals]`; the fields are described in `KEYS`."""

    who: WhoDecides = "asker"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Hold one configuration file; the fields are described in `KEYS`.

    Args:
        path: The file, whether it exists or not.
        exists: Whether it does.
        env_pass: `[env.<id>] pass` by engine.
        document: The whole file as plain values; an engine's own table stands in it.
    """

    path: Path
    exists: bool = True
    default_engine: str | None = None
    transport: str = "telegram"
    work_dir: Path | None = None
    max_runs: int = 8
    backlog: Backlog = "answer"
    on_stop: OnStop = "detach"
    stall_after_s: int = 300
    kill_after_s: int = 0
    max_run_mb: int = 1024
    keep_runs_days: float = 7
    keep_runs_gb: float = 2
    approvals: ApprovalsSettings = ApprovalsSettings()
    telegram: TelegramSettings = TelegramSettings()
    env_pass: Mapping[str, tuple[str, ...]] = {}
    document: Mapping[str, Any] = {}

    def engine_table(self, engine: str) -> dict[str, Any]:
        """Return the table of an engine, empty when there is none.

        Raises:
            ConfigError: The key is there but is no table.
        """
        table = self.document.get(engine, {})
        if not isinstance(table, Mapping):
            raise _wrong(self.path, engine, table, f"a table, written as [{engine}]")
        return dict(table)


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
            f"{path} cannot be read: {error.strerror}; {remedy(error.errno, path)}"
        ) from error
    try:
        document = tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise bad_toml(path, error) from error
    return parse_settings(document, path, environment)


def bad_toml(path: Path, error: tomllib.TOMLDecodeError) -> ConfigError:
    """Make the error for a file that is not TOML, with the line and column of the mistake."""
    return ConfigError(f"{path} is not valid TOML: {_toml_place(error)}")


def _toml_place(error: tomllib.TOMLDecodeError) -> str:
    found = re.match(r"(.*) \(at line (\d+), column (\d+)\)$", str(error), re.DOTALL)
    if found:
        return f"line {found[2]}, column {found[3]}: {found[1]}"
    return f"at the end of the file: {str(error).removesuffix(' (at end of document)')}"


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
        value = _look_up(document, spec.name, path)
        if value is not None:
            values[spec.name] = check_value(spec.name, value, path)
    token = environment.get(TOKEN_VARIABLE)
    if token:
        values[TELEGRAM + "bot_token"] = _token_of_environment(token)
    telegram = _taken_out(values, TELEGRAM)
    approvals = _taken_out(values, APPROVALS)
    return Settings(
        path=path,
        exists=exists,
        telegram=TelegramSettings(**telegram),
        approvals=ApprovalsSettings(**approvals),
        env_pass=_env_pass(document, path),
        document=document,
        **values,
    )


def _taken_out(values: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Take the keys of one table out of all values, and name them as in that table."""
    names = [name for name in values if name.startswith(prefix)]
    return {name.removeprefix(prefix): values.pop(name) for name in names}


def _token_of_environment(token: str) -> str:
    try:
        return str(accept("token", token))
    except ValueError:
        raise ConfigError(
            f"the variable {TOKEN_VARIABLE} does not hold a bot token; accepted: the token from "
            "@BotFather, like 123456789:AAF..."
        ) from None


def _look_up(document: Mapping[str, Any], name: str, path: Path) -> Any:
    value: Any = document
    parts = name.split(".")
    for index, part in enumerate(parts):
        if not isinstance(value, Mapping):
            table = ".".join(parts[:index])
            raise _wrong(path, table, value, f"a table, written as [{table}]")
        value = value.get(part)
        if value is None:
            return None
    return value


def _env_pass(document: Mapping[str, Any], path: Path) -> dict[str, tuple[str, ...]]:
    tables = _look_up(document, "env", path) or {}
    if not isinstance(tables, Mapping):
        raise _wrong(path, "env", tables, "tables, written as [env.codex]")
    passes: dict[str, tuple[str, ...]] = {}
    for engine in tables:
        if not isinstance(tables[engine], Mapping):
            raise _wrong(path, f"env.{engine}", tables[engine], f"a table, as [env.{engine}]")
        value = tables[engine].get("pass")
        if value is not None:
            passes[engine] = check_value(f"env.{engine}.pass", value, path)
    return passes


def check_value(name: str, value: Any, path: Path) -> Any:
    """Return the value of a known key in the form `Settings` has it.

    Raises:
        ConfigError: It is not accepted.
    """
    spec = known_key(name)
    if spec is None:
        return value
    try:
        return accept(spec.kind, value)
    except ValueError:
        shown = "a value that is not shown here" if spec.secret else None
        raise _wrong(path, name, value, spec.accepted, shown=shown) from None


def _wrong(
    path: Path, key: str, found: Any, accepted: str, *, shown: str | None = None
) -> ConfigError:
    return ConfigError(f"{path}: {key} is {shown or _as_toml(found)}; accepted: {accepted}")


def _as_toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + (value if len(value) <= 60 else value[:57] + "...") + '"'
    if isinstance(value, Mapping):
        return "a table"
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def check_private(path: Path, status: os.stat_result) -> None:
    """Refuse a file or folder that others can read or write.

    Raises:
        AccessError: With the command that mends it.
    """
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        mode = "700" if stat.S_ISDIR(status.st_mode) else "600"
        raise AccessError(
            f"{path} is open to other users (mode {stat.S_IMODE(status.st_mode):04o}); "
            f"close it with `chmod {mode} {path}`"
        )
