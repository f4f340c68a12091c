"""The steps of the set-up about directories: where sessions start, and the first project."""

from collections.abc import Collection
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import Any

from takopi.app.asking import Asker
from takopi.app.home import current_directory, is_directory
from takopi.app.projects import alias_of
from takopi.core.onboarding import Choice, free_alias, offered_directories
from takopi.core.projects import Projects
from takopi.settings.keys import accept
from takopi.settings.projects import alias_fault
from takopi.utils.git import resolve_main_worktree_root

__all__ = ["ask_project", "ask_work_dir", "repositories_near"]

MAX_LOOKED_AT = 500
MAX_NEAR = 4


def repositories_near(directory: Path) -> list[Path]:
    """Return the git repository around a directory, then those right below it."""
    found = [place for place in (directory, *directory.parents) if _is_repository(place)][:1]
    try:
        below = sorted(islice(directory.iterdir(), MAX_LOOKED_AT))
    except OSError:
        below = []
    return found + [place for place in below if _is_repository(place)][:MAX_NEAR]


def _is_repository(directory: Path) -> bool:
    try:
        return (directory / ".git").exists()
    except OSError:
        return False


def ask_work_dir(asker: Asker, present: Path | None) -> Path:
    """Ask for the directory in which new sessions start.

    Args:
        present: The one that is configured.
    """
    asker.say("New sessions start in this directory. Agents may read and change what is in it.")
    current = current_directory()
    offered = offered_directories(current, present, repositories_near(current))
    choices = [Choice(_short(Path(place.path)), place.note) for place in offered]
    chosen = asker.choose("Which directory?", [*choices, Choice("another one")])
    if chosen < len(offered):
        path = Path(offered[chosen].path)
        if is_directory(path):
            return path
        asker.say(f"{path} is not a directory", "bad")
    while True:
        answer = asker.ask("Directory", str(current))
        try:
            typed: Path = accept("path", answer)
        except ValueError:
            asker.say("give the whole path, beginning with / or ~", "bad")
            continue
        if is_directory(typed):
            return typed
        make = f"mkdir -p {quote(str(typed))}"
        asker.say(f"{typed} is not a directory; make it first, with `{make}`", "bad")


def _short(path: Path) -> str:
    home = Path.home()
    inside = path != home and path.is_relative_to(home)
    return f"~/{path.relative_to(home)}" if inside else str(path)


def ask_project(
    asker: Asker, work_dir: Path, projects: Projects, engines: Collection[str]
) -> dict[str, Any]:
    """Offer to register the repository at hand, and return the keys of it.

    Where sessions start in it, it is the default project too: otherwise its branches could be
    named only together with its name, in the very directory that all prompts run in.

    Args:
        projects: Those that are configured.
        engines: Ids that mean engines already.
    """
    near = [place for start in (current_directory(), work_dir) for place in _around(start)]
    root = next(iter(near), None)
    if root is None:
        asker.say("There is no git repository here. `takopi init` in one registers it later.")
        return {}
    known = next((one.alias for one in projects.all if one.path == root), None)
    if known is not None:
        asker.say(f"{root} is the project {known} already", "good")
        return {}
    alias = free_alias(alias_of(root.name, engines), projects.aliases)
    asker.say(
        f"{root} is a git repository. As a project it has a name: /{alias} before a prompt means "
        "it, from everywhere, and @branch a branch of it."
    )
    choices = (Choice(f"register it as {alias}"), Choice("under another name"), Choice("not now"))
    chosen = asker.choose("Register it?", choices)
    if chosen == 1:
        alias = _ask_alias(asker, alias, projects, engines)
    if chosen == 2:
        return {}
    default = {"default_project": alias} if root == work_dir.resolve() else {}
    return {f"projects.{alias}.path": str(root)} | default


def _around(directory: Path) -> list[Path]:
    if not any(_is_repository(place) for place in (directory, *directory.parents)):
        return []
    # The main one, when this is one of its worktrees.
    root = resolve_main_worktree_root(directory)
    return [] if root is None else [root]


def _ask_alias(asker: Asker, alias: str, projects: Projects, engines: Collection[str]) -> str:
    while True:
        answer = asker.ask("Name", alias).lower()
        fault = alias_fault(answer, engines)
        if fault is None and projects.find(answer) is not None:
            fault = "another project has it"
        if fault is None:
            return answer
        asker.say(f"it cannot be called {answer}: {fault}", "bad")
