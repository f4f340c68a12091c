"""The words at the start of a message that say who is asked, and where.

That is `/engine`, `/project` and `@branch`, in any order.
"""

import re

import msgspec
from msgspec.structs import replace

from takopi.core.branches import check_branch
from takopi.core.commands import nearest_names
from takopi.core.decisions import (
    BadBranch,
    Command,
    ContextTwice,
    EngineConflict,
    RouteTable,
    UnknownCommand,
)
from takopi.model import EngineId

__all__ = ["Opening", "read_opening"]

_DIRECTIVE = re.compile(r"(?P<mark>/(?=\w[^\s/]*(?:\s|\Z))|@)(?P<word>\S+)(?P<space>\s+|\Z)")
_ESCAPED = re.compile(r"//(?=\w)")


class Opening(msgspec.Struct, frozen=True):
    """Be the directives of a message, and the text behind them.

    Args:
        engine: Who is asked.
        project: The name of a project that is known.
        branch: A branch.
        rest: The text.
    """

    engine: EngineId | None = None
    project: str | None = None
    branch: str | None = None
    rest: str = ""


def read_opening(
    text: str, table: RouteTable
) -> Opening | Command | UnknownCommand | EngineConflict | ContextTwice | BadBranch:
    """Read the words at the start: one command alone, or what says who and where.

    Args:
        text: The message, without space around it.
        table: What is known here.
    """
    projects = {alias.lower(): alias for alias in table.projects}
    found = Opening(rest=text)
    while match := _DIRECTIVE.match(found.rest):
        word, rest = match["word"], found.rest[match.end() :]
        lowered = word.lower()
        if match["mark"] == "@":
            if not projects:
                break
            if found.branch not in (None, word):
                return ContextTwice(f"@{found.branch}", f"@{word}")
            wrong = check_branch(word)
            if wrong is not None:
                return BadBranch(word, wrong)
            found = replace(found, branch=word, rest=rest)
        elif lowered in table.engines:
            if found.engine not in (None, lowered):
                return EngineConflict(lowered, found.engine or "", in_session=False)
            found = replace(found, engine=lowered, rest=rest)
        elif lowered in projects:
            alias = projects[lowered]
            if found.project not in (None, alias):
                return ContextTwice(f"/{found.project}", f"/{alias}")
            found = replace(found, project=alias, rest=rest)
        elif lowered in table.commands and found == Opening(rest=text):
            return Command(lowered, rest.strip())
        else:
            # Also a command behind a directive: it stands alone or is not one.
            names = (*table.commands, *table.engines, *table.projects)
            return UnknownCommand(word, nearest_names(word, names))
        if "\n" in match["space"]:
            break  # directives stand on the first line
    rest = found.rest
    return replace(found, rest=rest[1:] if _ESCAPED.match(rest) else rest)
