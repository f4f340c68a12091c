"""Find the sessions in claude's store: `projects/<directory>/<id>.jsonl`."""

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

__all__ = ["claude_directory", "list_claude_sessions"]

_ENGINE = "claude"
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# A longer name is cut there, and claude adds a hash of the whole.
_NAME_CHARS = 200
_NOISE = ("<command-", "<local-command", "<system-reminder", "Caveat: ", "[Request interrupted")


def list_claude_sessions(cwd: Path, limit: int) -> tuple[DesktopSession, ...]:
    """Return the sessions of a directory, those used last first."""
    projects = engine_folder("CLAUDE_CONFIG_DIR", ".claude") / "projects"
    files: list[Path] = []
    for directory in dict.fromkeys((cwd, cwd.resolve())):
        for folder in _folders(projects, directory):
            files += [path for path in folder.glob("*.jsonl") if _ID.fullmatch(path.stem)]
    return sessions_of(_ENGINE, newest(files), _read_head, cwd, limit)


def claude_directory(session: str) -> Path | None:
    """Return where a session works; None when the store does not know it."""
    if not _ID.fullmatch(session):
        return None
    projects = engine_folder("CLAUDE_CONFIG_DIR", ".claude") / "projects"
    return directory_of(projects.glob(f"*/{session}.jsonl"), _read_head)


def _folders(projects: Path, directory: Path) -> list[Path]:
    """Find the folder of a directory; other directories may share its name, so files tell more."""
    name = re.sub(r"[^A-Za-z0-9]", "-", str(directory))
    if len(name) <= _NAME_CHARS:
        return [projects / name]
    return list(projects.glob(f"{name[:_NAME_CHARS]}-*"))


def _read_head(lines: Iterator[dict[str, Any]]) -> Head | None:
    head = Head()
    for line in lines:
        if line.get("isSidechain") is True:
            return None  # a sub-agent's own
        if not head.session and isinstance(line.get("sessionId"), str):
            head.session = line["sessionId"]
        head.started_at = head.started_at or moment(line.get("timestamp"))
        if not head.cwd and isinstance(line.get("cwd"), str):
            head.cwd = line["cwd"]
        message = line.get("message")
        if line.get("type") == "user" and not line.get("isMeta") and isinstance(message, dict):
            head.title = title_of(message.get("content"), _NOISE)
        if head.title and head.cwd and head.session:
            break
    return head
