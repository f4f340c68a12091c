"""The doctor's look at what the configuration names: projects, voice, plug-ins."""

import os
import shutil
from collections.abc import Collection, Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from takopi.app.checks import Check
from takopi.app.home import is_directory
from takopi.commands import list_command_ids
from takopi.core.projects import Project
from takopi.errors import ConfigError
from takopi.plugin_entry_points import entry_points_of
from takopi.settings import Settings, refuse_engine_aliases
from takopi.utils.git import resolve_main_worktree_root

__all__ = ["check_named"]

TRANSPORTS = "takopi.transport_backends"


def check_named(
    settings: Settings, engines: Collection[str], environment: Mapping[str, str]
) -> list[Check]:
    """Say whether what the configuration names is there.

    Args:
        settings: What was read.
        engines: Ids of the engines that are known.
        environment: Decides where programs are found.
    """
    checks = []
    try:
        refuse_engine_aliases(settings.projects, engines, settings.path)
    except ConfigError as error:
        checks.append(Check("projects", "wrong", str(error)))
    for project in settings.projects.all:
        checks += _check_project(project, engines)
    return checks + _check_voice(settings, environment) + _check_plugins(settings, engines)


def _check_project(project: Project, engines: Collection[str]) -> list[Check]:
    subject, path = f"project {project.alias}", Path(project.path)
    if not is_directory(path):
        text = f"{path} is not a directory; mend its path, or take it out with `takopi config unset"
        return [Check(subject, "wrong", f"{text} projects.{project.alias}`")]
    root = resolve_main_worktree_root(path)
    if root is None:
        checks = [Check(subject, "note", f"{path} is no git repository, so it has no branches")]
    elif root.resolve() != path.resolve():
        text = f"{path} lies in the repository {root}; branches are those of the whole repository"
        checks = [Check(subject, "note", text)]
    else:
        checks = [Check(subject, "ok", str(path))]
    if project.default_engine is not None and project.default_engine not in engines:
        text = f'there is no engine "{project.default_engine}"; there are: {", ".join(engines)}'
        checks.append(Check(subject, "wrong", text))
    trees = Path(project.worktrees)
    nearest = next((one for one in (trees, *trees.parents) if one.exists()), trees)
    if not is_directory(nearest) or not os.access(nearest, os.W_OK | os.X_OK):
        text = f"no worktree can be made in {trees}; set another projects.{project.alias}"
        checks.append(Check(subject, "wrong", f"{text}.worktrees_dir"))
    return checks


def _check_voice(settings: Settings, environment: Mapping[str, str]) -> list[Check]:
    voice = settings.voice
    checks = []
    if voice.command and shutil.which(voice.command[0], path=environment.get("PATH")) is None:
        text = f"the program `{voice.command[0]}` of voice.command is not on PATH; install it"
        checks.append(Check("voice", "wrong", text))
    if voice.model_dir is not None and not is_directory(voice.model_dir):
        text = f"voice.model_dir is {voice.model_dir}, which is not a directory"
        checks.append(Check("voice", "wrong", text))
    if not (voice.command or voice.model_dir or voice.base_url):
        text = "voice notes are not written down; [voice] says how they would be"
        checks.append(Check("voice", "note", text))
    return checks or [Check("voice", "ok", "voice notes are written down")]


def _check_plugins(settings: Settings, engines: Collection[str]) -> list[Check]:
    known = {*engines, *list_command_ids(), *(one.name for one in entry_points_of(TRANSPORTS))}
    checks = []
    for plugin in settings.document.get("plugins", {}):
        if plugin != "enabled" and plugin not in known:
            text = f"[plugins.{plugin}] is for a plug-in that is not installed"
            checks.append(Check("plug-in", "warning", text))
    transports = {"telegram", "terminal", *(one.name for one in entry_points_of(TRANSPORTS))}
    for transport in settings.document.get("transports", {}):
        if transport not in transports:
            text = f"[transports.{transport}] is for a transport that is not installed"
            checks.append(Check("plug-in", "warning", text))
    for package in settings.plugins.enabled:
        try:
            distribution(package)
        except PackageNotFoundError:
            text = f"the package `{package}` of plugins.enabled is not installed"
            checks.append(Check("plug-in", "warning", text))
    return checks
