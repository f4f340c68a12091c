"""How the journal's file is opened."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from takopi.errors import StoreError

__all__ = ["connect", "connect_to_read", "make_file", "roll_back", "sync_folder"]


def connect(path: Path, busy_s: float) -> sqlite3.Connection:
    """Open the journal's file for writing.

    Args:
        path: The file; it exists.
        busy_s: How long to wait for another program that holds the file.

    Raises:
        StoreError: The file system cannot hold a journal.
        sqlite3.Error: SQLite refuses the file.
    """
    db = sqlite3.connect(path, timeout=busy_s, isolation_level=None, check_same_thread=False)
    try:
        _prepare(db)
        if not db.execute("PRAGMA page_count").fetchone()[0]:
            db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # too late once there is a page
        if db.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
            raise StoreError(
                f"the file system of {path} cannot hold a journal, as it shares no memory between "
                "programs; set TAKOPI_HOME to a folder on a local disk"
            )
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA fullfsync = ON")  # macOS: fsync alone does not reach the disk
        db.execute("PRAGMA checkpoint_fullfsync = ON")
        db.execute(f"PRAGMA journal_size_limit = {8 * 1024 * 1024}")
    except BaseException:
        db.close()
        raise
    return db


def connect_to_read(path: Path, busy_s: float) -> sqlite3.Connection:
    """Open the journal's file without a way to change it; no file is made, and none is touched.

    While nobody has it open, what is read is the file as it is now: a bot that starts later is not
    followed. SQLite would otherwise leave an empty log of changes (`-wal`) behind, whose date says
    that somebody wrote something then.

    Raises:
        sqlite3.Error: SQLite refuses the file.
    """
    beside = (path.with_name(path.name + part) for part in ("-wal", "-journal"))
    still = "" if any(file.exists() for file in beside) else "&immutable=1"
    uri = f"{path.absolute().as_uri()}?mode=ro{still}"
    db = sqlite3.connect(uri, uri=True, timeout=busy_s, isolation_level=None)
    _prepare(db)
    return db


def roll_back(path: Path, busy_s: float) -> None:
    """Take back a change that was cut off before the file had its log of changes.

    Only whoever may write can do that: until then the file cannot even be looked at. A file gets
    into that state when takopi is killed in the moment in which it makes the file. An empty one is
    left alone: SQLite would throw its log of changes away.

    Raises:
        sqlite3.Error: SQLite refuses the file.
    """
    cut_off = path.with_name(path.name + "-journal").exists()
    if cut_off and path.exists() and path.stat().st_size:
        with closing(sqlite3.connect(path, timeout=busy_s, isolation_level=None)) as db:
            _prepare(db)
            db.execute("PRAGMA user_version").fetchone()


def _prepare(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA trusted_schema = OFF")
    db.execute("PRAGMA cell_size_check = ON")
    db.execute("PRAGMA temp_store = MEMORY")


def make_file(path: Path) -> None:
    """Make an empty file that is nobody else's business, unless one is there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Let names that were made or changed in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
