"""Read `[projects.<alias>]`, and refuse names that already mean something else in the chat."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from takopi.core.commands import command_names
from takopi.core.projects import Project, Projects, is_alias
from takopi.core.texts import tr
from takopi.errors import ConfigError
from takopi.plugin_ids import RESERVED_CHAT_WORDS
from takopi.settings.checking import check_value
from takopi.settings.key_table import KEYS, PROJECT
from takopi.settings.values import written_as, wrong_value

__all__ = ["alias_fault", "read_projects", "refuse_engine_aliases"]

_FIELDS = tuple(spec.name.removeprefix(PROJECT) for spec in KEYS if spec.name.startswith(PROJECT))


def alias_fault(alias: str, engines: Collection[str] = ()) -> str | None:
    """Return why a project cannot have an alias; None when it can.

    Args:
        alias: What it would be called.
        engines: Ids of engines, which directives name in the same way.
    """
    if not is_alias(alias):
        return tr("it takes 1 to 32 of a-z, 0-9, `_` and `-`, and begins with a letter or digit")
    if alias in engines:
        return tr("`/{alias}` is an engine", alias=alias)
    if alias in command_names() or alias in RESERVED_CHAT_WORDS:
        return tr("it is a word of takopi itself")
    return None


def read_projects(document: Mapping[str, Any], path: Path) -> Projects:
    """Return the projects of a configuration.

    Args:
        document: The whole file.
        path: Where it lies, for the texts of errors.

    Raises:
        ConfigError: An alias or a value is not accepted, or two projects share a chat.
    """
    tables = document.get("projects", {})
    if not isinstance(tables, Mapping):
        raise wrong_value(path, "projects", tables, tr("tables, written as [projects.shop]"))
    projects = Projects(tuple(_read(alias, tables[alias], path) for alias in tables))
    _refuse_shared_chats(projects, path)
    default = document.get("default_project")
    if default is not None and default not in projects.aliases:
        known = ", ".join(f'"{alias}"' for alias in projects.aliases)
        accepted = (
            tr("the alias of a project: {known}; `takopi init` adds one", known=known)
            if known
            else tr("nothing, as there is no project; `takopi init` adds one")
        )
        raise wrong_value(path, "default_project", default, accepted)
    return projects


def refuse_engine_aliases(projects: Projects, engines: Iterable[str], path: Path) -> None:
    """Refuse a project that is called like an engine; engines are known later than the file.

    Raises:
        ConfigError: There is one.
    """
    for alias in projects.aliases:
        if alias in engines:
            raise _refused(alias, tr("`/{alias}` is an engine", alias=alias), path)


def _read(alias: str, table: Any, path: Path) -> Project:
    name = f"projects.{alias}"
    fault = alias_fault(alias)
    if fault is not None:
        raise _refused(alias, fault, path)
    if not isinstance(table, Mapping):
        raise wrong_value(path, name, table, written_as(name))
    given = {key: check_value(f"{name}.{key}", table[key], path) for key in _FIELDS if key in table}
    if "path" not in given:
        raise ConfigError(
            tr('{path}: {name} has no path; add `path = "/home/ann/{alias}"` below [{name}], or '
               "run `takopi init {alias}` in its directory", path=path, name=name, alias=alias)
        )  # fmt: skip
    return Project(alias=alias, **given)


def _refused(alias: str, fault: str, path: Path) -> ConfigError:
    return ConfigError(
        tr('{path}: a project cannot be called "{alias}": {fault}; rename [projects.{alias}]',
           path=path, alias=alias, fault=fault)
    )  # fmt: skip


def _refuse_shared_chats(projects: Projects, path: Path) -> None:
    owners: dict[int, str] = {}
    for project in projects.all:
        if project.chat_id is None:
            continue
        other = owners.setdefault(project.chat_id, project.alias)
        if other != project.alias:
            raise ConfigError(
                tr("{path}: projects.{one} and projects.{other} have the same chat_id {chat}; a "
                   "chat is bound to one project, so take one of the two out", path=path,
                   one=other, other=project.alias, chat=project.chat_id)
            )  # fmt: skip
