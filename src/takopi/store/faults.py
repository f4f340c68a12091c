"""What SQLite's errors mean for whoever wanted to write something down."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from takopi.core.texts import tr
from takopi.errors import StoreDamaged, StoreError, StoreFull

__all__ = ["explained"]

# Faults of the disk under the file; a quota or a limit on file sizes comes as one of these, too.
_NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
# The statements are ours and right; when SQLite does not understand one, the tables are not.
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
_DAMAGED_EXTENDED = {sqlite3.SQLITE_IOERR_CORRUPTFS, sqlite3.SQLITE_IOERR_DATA}
_HELD = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
# A reader cannot take back what a writer left half done.
_UNFINISHED = {sqlite3.SQLITE_READONLY_ROLLBACK, sqlite3.SQLITE_READONLY_RECOVERY}
_FORBIDDEN = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what goes wrong in the block into errors that say what to do.

    Args:
        path: The journal.

    Raises:
        StoreError: One of its leaves.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _explain(error, path) from error
    except msgspec.DecodeError as error:
        raise _damaged(path, f"a row cannot be read: {error}") from error
    except UnicodeDecodeError as error:  # SQLite's complaint quotes the bytes that are wrong
        raise _damaged(path, "a name in it is no text") from error


def _explain(error: sqlite3.Error, path: Path) -> StoreError:
    extended = getattr(error, "sqlite_errorcode", None)
    if extended is None:
        # Python's own complaints: a closed connection, or text in the file that is none.
        if isinstance(error, sqlite3.ProgrammingError):
            return StoreError(tr("the journal {path} was closed; start takopi again", path=path))
        return _damaged(path, str(error))
    code = extended & 0xFF
    if code in _DAMAGED or extended in _DAMAGED_EXTENDED:
        return _damaged(path, str(error))
    if code in _NO_ROOM:
        return StoreFull(
            tr(
                "the disk takes nothing more for the journal {path} ({why}); free some space "
                "there, and see that the disk does not fail",
                path=path,
                why=error,
            )
        )
    if code in _HELD:
        return StoreError(
            tr(
                "another program keeps the journal {path} to itself ({why}); end it, then try "
                "again",
                path=path,
                why=error,
            )
        )
    if extended in _UNFINISHED:
        return StoreError(
            tr(
                "the journal {path} holds a change that was cut off; start takopi, which takes it "
                "back",
                path=path,
            )
        )
    if code in _FORBIDDEN:
        return StoreError(
            tr(
                "the journal {path} cannot be written ({why}); make it and its folder yours with "
                "`chown -R $(id -u) {folder}`, and see that the file system is writable",
                path=path,
                why=error,
                folder=path.parent,
            )
        )
    return StoreError(
        tr("the journal {path} did not take it ({why}); please report this", path=path, why=error)
    )


def _damaged(path: Path, why: str) -> StoreDamaged:
    return StoreDamaged(
        tr(
            "the journal {path} is damaged ({why}); start takopi again: it puts the file aside and "
            "rebuilds what it can from the run directories",
            path=path,
            why=why,
        )
    )
