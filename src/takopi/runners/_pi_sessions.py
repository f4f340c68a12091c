"""Find the sessions in pi's store: `sessions/--<directory>--/<time>_<id>.jsonl`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from takopi.desktop_sessions import DesktopSession
from takopi.runners._session_files import (
    Head,
    directory_of,
    engine_folder,
    moment,
    newest,
    sessions_of,
    title_of,
)

__all__ = ["list_pi_sessions", "pi_directory"]

_ENGINE = "pi"
_ID = re.compile(r"[A-Za-z0-9._-]+")


def list_pi_sessions(cwd: Path, limit: int) -> tuple[DesktopSession, ...]:
    """Return the sessions of a directory, those used last first."""
    sessions = engine_folder("PI_CODING_AGENT_DIR", ".pi/agent") / "sessions"
    files: list[Path] = []
    for directory in dict.fromkeys((cwd, cwd.resolve())):
        name = re.sub(r"[/\\:]", "-", str(directory).lstrip("/\\"))
        files += (sessions / f"--{name}--").glob("*.jsonl")
    return sessions_of(_ENGINE, newest(files), _read_head, cwd, limit)


def pi_directory(session: str) -> Path | None:
    """Return where a session works; None when the store does not know it."""
    if not _ID.fullmatch(session):
        return None
    sessions = engine_folder("PI_CODING_AGENT_DIR", ".pi/agent") / "sessions"
    return directory_of(sessions.glob(f"*/*_{session}.jsonl"), _read_head)


def _read_head(lines: Iterator[dict[str, Any]]) -> Head | None:
    first = next(lines, None)
    if first is None or first.get("type") != "session":
        return None
    session, cwd = first.get("id"), first.get("cwd")
    if not isinstance(session, str) or not isinstance(cwd, str):
        return None
    head = Head(session, cwd, moment(first.get("timestamp")))
    for line in lines:
        message = line.get("message")
        if isinstance(message, dict) and message.get("role") == "user":
            head.title = title_of(message.get("content"))
        if head.title:
            break
    return head
