"""Find the sessions in opencode's store, a SQLite file; before 1.2 or so a JSON file a session."""

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from takopi.desktop_sessions import DesktopSession
from takopi.model import ResumeToken
from takopi.runners._session_files import (
    HEAD_BYTES,
    MOST_FILES,
    Head,
    directory_of,
    engine_folder,
    newest,
    same_directory,
    title_of,
)

__all__ = ["list_opencode_sessions", "opencode_directory"]

_ENGINE = "opencode"
_ID = re.compile(r"ses_[A-Za-z0-9]{1,64}")
_BUSY_S = 1.0
# The name of a session to which the model has given none yet.
_NAMELESS = re.compile(r"(?:New|Child) session - \d{4}-")

_SESSIONS = """
SELECT id, directory, title, time_created FROM session
WHERE directory IN (?, ?) AND parent_id IS NULL AND time_archived IS NULL
ORDER BY time_updated DESC LIMIT ?
"""
_DIRECTORY = "SELECT directory FROM session WHERE id = ?"
_FIRST_WORDS = """
SELECT substr(json_extract(data, '$.text'), 1, 1000) FROM part
WHERE session_id = ? AND json_valid(data) AND json_extract(data, '$.type') = 'text'
AND json_extract(data, '$.synthetic') IS NULL ORDER BY time_created, id LIMIT 1
"""


def list_opencode_sessions(cwd: Path, limit: int) -> tuple[DesktopSession, ...]:
    """Return the sessions of a directory, those used last first."""
    folder, store = _store()
    if store.is_file():
        return _from_store(store, cwd, limit)
    return tuple(_from_files(folder / "storage" / "session", cwd))[:limit]


def opencode_directory(session: str) -> Path | None:
    """Return where a session works; None when the store does not know it."""
    if not _ID.fullmatch(session):
        return None
    folder, store = _store()
    if not store.is_file():
        return directory_of(folder.glob(f"storage/session/*/{session}.json"), _read_file)
    try:
        with closing(_opened(store)) as db:
            row = db.execute(_DIRECTORY, (session,)).fetchone()
    except sqlite3.Error:  # as for the list
        return None
    found = row is not None and isinstance(row[0], str) and Path(row[0])
    return found if found and found.is_absolute() else None


def _store() -> tuple[Path, Path]:
    folder = engine_folder("XDG_DATA_HOME", ".local/share") / "opencode"
    return folder, folder / (os.environ.get("OPENCODE_DB") or "opencode.db")


def _opened(store: Path) -> sqlite3.Connection:
    # Reading a file that has no log beside it would make one, unless it is said not to change.
    logged = store.with_name(f"{store.name}-wal").exists()
    address = f"{store.absolute().as_uri()}?{'mode=ro' if logged else 'immutable=1'}"
    return sqlite3.connect(address, uri=True, timeout=_BUSY_S)


def _read_file(lines: Iterator[dict[str, Any]]) -> Head | None:
    about = next(lines, {})
    cwd = about.get("directory")
    return Head(cwd=cwd) if isinstance(cwd, str) else None


def _from_store(store: Path, cwd: Path, limit: int) -> tuple[DesktopSession, ...]:
    try:
        with closing(_opened(store)) as db:
            rows = db.execute(_SESSIONS, (str(cwd), str(cwd.resolve()), limit)).fetchall()
            found = [_session(*row) for row in rows]
            return tuple(_named(db, one) for one in found if one is not None)
    except sqlite3.Error:  # another version, damaged, or busy for long
        return ()


def _named(db: sqlite3.Connection, session: DesktopSession) -> DesktopSession:
    if session.title and not _NAMELESS.match(session.title):
        return session
    row = db.execute(_FIRST_WORDS, (session.token.value,)).fetchone()
    return msgspec.structs.replace(session, title=title_of(row[0]) if row else "")


def _from_files(folder: Path, cwd: Path) -> Iterator[DesktopSession]:
    for path in newest(folder.glob("*/ses_*.json"), MOST_FILES):
        try:
            with path.open("rb") as file:
                about = _object(file.read(HEAD_BYTES))
        except OSError:
            continue
        times = about.get("time")
        created = times.get("created") if isinstance(times, dict) else None
        session = _session(about.get("id"), about.get("directory"), about.get("title"), created)
        if session is None or about.get("parentID") or not same_directory(session.cwd, cwd):
            continue
        yield session


def _session(value: object, cwd: object, title: object, created: object) -> DesktopSession | None:
    if not isinstance(value, str) or not _ID.fullmatch(value) or not isinstance(cwd, str):
        return None
    started_at = created / 1000 if isinstance(created, int | float) else 0.0
    return DesktopSession(ResumeToken(_ENGINE, value), started_at, title_of(title), Path(cwd))


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
