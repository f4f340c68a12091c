"""Find the sessions in codex's store: `sessions/YYYY/MM/DD/rollout-<time>-<id>.jsonl`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from takopi.desktop_sessions import DesktopSession
from takopi.runners._session_files import (
    MOST_FILES,
    Head,
    directory_of,
    engine_folder,
    moment,
    newest,
    sessions_of,
    title_of,
)

__all__ = ["codex_directory", "list_codex_sessions"]

_ENGINE = "codex"
_ID = re.compile(r"[A-Za-z0-9-]+")
# What codex itself puts in front of the first prompt, in the name of the person.
_NOISE = ("<", "# AGENTS.md instructions", "Codex could not read the local image")


def list_codex_sessions(cwd: Path, limit: int) -> tuple[DesktopSession, ...]:
    """Return the sessions of a directory, those used last first."""
    folder = engine_folder("CODEX_HOME", ".codex") / "sessions"
    files: list[Path] = []
    for day in _days(folder):
        files += day.glob("rollout-*.jsonl")
        if len(files) >= MOST_FILES:
            break
    return sessions_of(_ENGINE, newest(files), _read_head, cwd, limit)


def codex_directory(session: str) -> Path | None:
    """Return where a session works; None when the store does not know it."""
    if not _ID.fullmatch(session):
        return None
    folder = engine_folder("CODEX_HOME", ".codex") / "sessions"
    return directory_of(folder.glob(f"*/*/*/rollout-*-{session}.jsonl"), _read_head)


def _days(folder: Path) -> Iterator[Path]:
    """Yield the folders of days, the last day first."""
    for year in _numbered(folder):
        for month in _numbered(year):
            yield from _numbered(month)


def _numbered(folder: Path) -> list[Path]:
    try:
        inside = [path for path in folder.iterdir() if path.name.isdigit()]
    except OSError:
        return []
    return sorted(inside, key=lambda path: path.name, reverse=True)


def _read_head(lines: Iterator[dict[str, Any]]) -> Head | None:
    meta = next(lines, None)
    about = _payload(meta) if meta and meta.get("type") == "session_meta" else {}
    session, cwd = about.get("id"), about.get("cwd")
    if not isinstance(session, str) or not isinstance(cwd, str):
        return None
    if isinstance(about.get("source"), dict):
        return None  # a sub-agent's own
    head = Head(session, cwd, moment(about.get("timestamp")))
    for line in lines:
        head.title = _title(line)
        if head.title:
            break
    return head


def _title(line: dict[str, Any]) -> str:
    payload = _payload(line)
    kind = payload.get("type")
    if kind == "user_message":  # before codex 0.150 or so
        return title_of(payload.get("message"), _NOISE)
    if kind == "item_completed":
        item = payload.get("item")
        is_prompt = isinstance(item, dict) and item.get("type") == "UserMessage"
        return title_of(item.get("content")) if is_prompt and isinstance(item, dict) else ""
    if kind == "message" and payload.get("role") == "user":
        return title_of(payload.get("content"), _NOISE)
    return ""


def _payload(line: dict[str, Any]) -> dict[str, Any]:
    payload = line.get("payload")
    return payload if isinstance(payload, dict) else {}
