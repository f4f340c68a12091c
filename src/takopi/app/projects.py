"""Register a directory as a project."""

import re
import unicodedata
from collections.abc import Collection
from pathlib import Path, PurePath

import msgspec

from takopi.app.config_edit import edit_document, set_values
from takopi.core.projects import Projects
from takopi.errors import UsageError
from takopi.settings.projects import alias_fault, read_projects
from takopi.utils.git import resolve_main_worktree_root

__all__ = ["Registered", "alias_of", "register_project"]

MAX_ALIAS_CHARS = 32
# What makes a word that takopi uses itself, or an engine's id, a name of its own.
OWN = "-project"


class Registered(msgspec.Struct, frozen=True):
    """Say what was registered.

    Args:
        alias: How directives name it.
        path: The directory.
        repository: Whether it is one of git.
        new: Whether it was written now.
    """

    alias: str
    path: Path
    repository: bool
    new: bool


def register_project(
    config: Path,
    directory: Path,
    alias: str | None,
    engines: Collection[str],
    *,
    default: bool = False,
) -> Registered:
    """Write `[projects.<alias>]` for a directory, or for the repository that it lies in.

    Args:
        config: The configuration file.
        directory: Absolute; in a worktree the main one is taken.
        alias: None makes one of the directory's name.
        engines: Ids that no project may have.
        default: Whether it becomes the default project.

    Raises:
        UsageError: The alias cannot be, or is another directory's.
        ConfigError: The file cannot be read or written, or is wrong.
    """
    root = resolve_main_worktree_root(directory)
    path = root or directory.resolve()
    with edit_document(config) as document:
        projects = read_projects(document.unwrap(), config)
        known = next((one.alias for one in projects.all if one.path == path), None)
        chosen = alias or known or alias_of(path.name, engines)
        _check(chosen, path, projects, known, engines)
        if known is None:
            set_values(document, {f"projects.{chosen}.path": str(path)})
        if default:
            set_values(document, {"default_project": chosen})
    return Registered(chosen, path, root is not None, known is None)


def alias_of(name: str, engines: Collection[str] = ()) -> str:
    """Make an alias of a directory's name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    alias = re.sub(r"[^a-z0-9_-]+", "-", plain).strip("-_")[:MAX_ALIAS_CHARS].rstrip("-_")
    if not alias:
        return "my" + OWN
    if alias_fault(alias, engines) is not None:
        return alias[: MAX_ALIAS_CHARS - len(OWN)] + OWN
    return alias


def _check(
    alias: str, path: PurePath, projects: Projects, known: str | None, engines: Collection[str]
) -> None:
    fault = alias_fault(alias, engines)
    if fault is not None:
        raise UsageError(f'a project cannot be called "{alias}": {fault}; choose another name')
    if known not in (None, alias):
        raise UsageError(
            f"{path} is the project `{known}` already; to rename it, first take that one out with "
            f"`takopi config unset projects.{known}`"
        )
    other = projects.find(alias)
    if other is not None and other.path != path:
        raise UsageError(
            f"the project `{alias}` is {other.path} already; choose another name with "
            f"`takopi init NAME`, or take that one out with `takopi config unset projects.{alias}`"
        )
