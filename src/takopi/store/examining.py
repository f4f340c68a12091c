"""Whether a file is a journal that can be relied on; looking changes nothing in it."""

import sqlite3
import stat
from contextlib import closing
from functools import cache
from pathlib import Path

from takopi.errors import StoreError
from takopi.store.connecting import connect_to_read
from takopi.store.faults import explained
from takopi.store.rows import fetch_state
from takopi.store.schema import SCHEMA, create, migrate, version_of

__all__ = ["is_sound", "present_form"]

_NAMES = "SELECT type, name FROM sqlite_master"


def is_sound(path: Path, busy_s: float) -> bool:
    """Tell whether there is a journal; False when nothing was ever written down.

    Everything is looked at, each time: 100 MB take 60 ms of a processor, and what a bot needs of
    its journal stays far below that.

    Raises:
        StoreDamaged: It cannot be relied on; the cause says why.
        StoreError: A newer takopi wrote it, or it cannot be read now.
    """
    with explained(path):
        if _size(path) == 0:
            # SQLite would throw the log of an empty file away, so it must not come near it.
            if _size(path.with_name(f"{path.name}-wal")):
                raise sqlite3.DatabaseError("the file is gone, its log of changes is not")
            return False
        with closing(connect_to_read(path, busy_s)) as db:
            if not version_of(db):
                return False
            found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise sqlite3.DatabaseError(" ".join(found.split()))
            with closing(present_form(db)) as journal:
                _expect_all_tables(journal)
                fetch_state(journal)
    return True


def present_form(db: sqlite3.Connection) -> sqlite3.Connection:
    """Return a connection that has the present schema: the same, or one to a migrated copy.

    Raises:
        StoreError: A newer takopi wrote it.
    """
    if version_of(db) == SCHEMA:
        return db
    copy = sqlite3.connect(":memory:", isolation_level=None)
    try:
        db.backup(copy)
        migrate(copy)
    except BaseException:
        copy.close()
        raise
    return copy


def _expect_all_tables(journal: sqlite3.Connection) -> None:
    missing = _all_tables() - set(journal.execute(_NAMES))
    if missing:
        kind, name = min(missing)
        raise sqlite3.DatabaseError(f"the {kind} {name} is missing")


@cache
def _all_tables() -> frozenset[tuple[str, str]]:
    """List kind and name of all that a journal of the present schema has."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as pattern:
        create(pattern)
        return frozenset(pattern.execute(_NAMES))


def _size(path: Path) -> int:
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0
    if not stat.S_ISREG(status.st_mode):
        raise StoreError(f"{path} is no file; move it away, then start takopi again")
    return status.st_size
