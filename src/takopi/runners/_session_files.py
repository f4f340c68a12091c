"""Read the heads of the files in which engines keep their sessions, a file a session.

The files are the engines' own and may be anything: half written, of another version, huge, a
folder. What cannot be read is skipped. Nothing is written, and the work is bounded: the newest
files only, and of each only its beginning.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from takopi.desktop_sessions import DesktopSession
from takopi.errors import UsageError
from takopi.model import ResumeToken
from takopi.resume_tokens import check_token

__all__ = [
    "Head",
    "directory_of",
    "engine_folder",
    "moment",
    "newest",
    "same_directory",
    "sessions_of",
    "title_of",
]

MOST_FILES = 400
HEAD_BYTES = 256 * 1024
_TITLE_CHARS = 120

_decode = msgspec.json.Decoder().decode


@dataclass
class Head:
    """Be what the beginning of a file tells about its session.

    Args:
        session: The session's id.
        cwd: Its directory.
        started_at: Unix seconds; 0 while unknown.
        title: Its first words.
    """

    session: str = ""
    cwd: str = ""
    started_at: float = 0.0
    title: str = ""


def engine_folder(variable: str, default: str) -> Path:
    """Return an engine's folder: what a variable says, or the usual one below the home."""
    named = os.environ.get(variable)
    return Path(named).expanduser() if named else Path.home() / default


def sessions_of(
    engine: str,
    files: Iterable[Path],
    read_head: Callable[[Iterator[dict[str, Any]]], Head | None],
    cwd: Path,
    limit: int,
) -> tuple[DesktopSession, ...]:
    """Return the sessions of a directory, those used last first.

    Args:
        engine: Id of the engine.
        files: Its files, those used last first.
        read_head: Reads the lines of a file as far as it needs; None for what is no session.
        cwd: The directory.
        limit: How many at most.
    """
    found: list[DesktopSession] = []
    for path in files:
        if len(found) >= limit:
            break
        session = _session(engine, path, read_head)
        if session is not None and same_directory(session.cwd, cwd):
            found.append(session)
    return tuple(found)


def directory_of(
    files: Iterable[Path], read_head: Callable[[Iterator[dict[str, Any]]], Head | None]
) -> Path | None:
    """Return where a session works; None when no file of it tells.

    Args:
        files: Its files.
        read_head: Reads the lines of one, as for `sessions_of`.
    """
    for path in newest(files):
        try:
            head = read_head(_lines(path))
        except (OSError, ValueError):
            continue
        if head is not None and Path(head.cwd).is_absolute():
            return Path(head.cwd)
    return None


def _session(
    engine: str, path: Path, read_head: Callable[[Iterator[dict[str, Any]]], Head | None]
) -> DesktopSession | None:
    try:
        head = read_head(_lines(path))
        if head is None or not head.session or not head.cwd:
            return None
        token = ResumeToken(engine, head.session)
        check_token(engine, token)
        started_at = head.started_at or path.stat().st_mtime
    except (OSError, UsageError, ValueError):
        return None
    return DesktopSession(token, started_at, head.title, Path(head.cwd))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects at the beginning of a file."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    for line in head.split(b"\n"):  # the last one may be cut, and is no JSON then
        try:
            value = _decode(line)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            continue
        if isinstance(value, dict):
            yield value


def newest(files: Iterable[Path], most: int = MOST_FILES) -> list[Path]:
    """Return files with those used last first; what is gone meanwhile is left out."""
    dated: list[tuple[float, Path]] = []
    for path in files:
        try:
            dated.append((path.stat().st_mtime, path))
        except OSError:
            continue
    return [path for _, path in sorted(dated, reverse=True)[:most]]


def same_directory(one: Path, other: Path) -> bool:
    """Say whether two paths name one directory; engines write down where links lead."""
    return one == other or os.path.realpath(one) == os.path.realpath(other)


def moment(text: object) -> float:
    """Read a moment as engines write it, like 2026-11-21T17:08:14.600Z; 0 for anything else."""
    if not isinstance(text, str):
        return 0.0
    try:
        read = datetime.fromisoformat(text)
        return read.timestamp() if read.tzinfo else 0.0
    except (ValueError, OverflowError):
        return 0.0


def title_of(content: object, noise: tuple[str, ...] = ()) -> str:
    """Return the person's first words on one line; empty when there are none.

    Args:
        content: A text, or blocks of which some hold text.
        noise: Beginnings of texts that the engine wrote, not the person.
    """
    blocks = [{"text": content}] if isinstance(content, str) else content
    for block in blocks if isinstance(blocks, list) else ():
        text = block.get("text") if isinstance(block, dict) else None
        if not isinstance(text, str):
            continue
        line = " ".join(text[: 4 * _TITLE_CHARS].split())
        if line and not line.startswith(noise):
            return line if len(line) <= _TITLE_CHARS else line[: _TITLE_CHARS - 1] + "…"
    return ""
