"""Sessions that were started without takopi, as the engines' own stores know them.

A runner that can list them has `list_sessions`; a runner without it lists nothing. Listing reads
the engine's files: it writes nothing, starts nothing, and is bounded however large the store is.
The same holds for `session_directory`, which says where one of them works.
"""

from pathlib import Path
from typing import Any

import msgspec

from takopi.model import ResumeToken

__all__ = ["DesktopSession", "desktop_directory", "list_desktop_sessions"]


class DesktopSession(msgspec.Struct, frozen=True):
    """Be one session of an engine's own store.

    Args:
        token: Names it; continuing works as for any other session.
        started_at: Unix seconds.
        title: Its first words on one line, or the name that the engine gave it; may be empty.
        cwd: Absolute directory in which it works.
    """

    token: ResumeToken
    started_at: float
    title: str
    cwd: Path


async def list_desktop_sessions(
    runner: Any, cwd: Path, limit: int = 20
) -> tuple[DesktopSession, ...]:
    """List the sessions of a directory, those used last first; nothing where a runner cannot.

    Args:
        runner: Any runner; code of its module may raise anything.
        cwd: Absolute directory.
        limit: How many at most.
    """
    listing = getattr(runner, "list_sessions", None)
    if listing is None or limit < 1:
        return ()
    found: tuple[DesktopSession, ...] = await listing(cwd, limit)
    return tuple(found)[:limit]


async def desktop_directory(runner: Any, token: ResumeToken) -> Path | None:
    """Return the directory in which a session works, as the engine's own store says.

    Args:
        runner: Any runner; code of its module may raise anything.
        token: The session; takopi has never run it.

    Returns:
        None when the store, or the runner, does not tell.
    """
    looking = getattr(runner, "session_directory", None)
    if looking is None:
        return None
    found: Path | None = await looking(token.value)
    return found
