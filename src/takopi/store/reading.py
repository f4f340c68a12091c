"""The journal for whoever only looks: `takopi ps`, `takopi logs`, `takopi doctor`.

Nothing here changes the file or makes one, and the bot may be writing meanwhile. To see what a bot
wrote that started later, open it again.
"""

import sqlite3
from pathlib import Path
from types import TracebackType

import msgspec

from takopi.bridge.records import TurnRecord
from takopi.core.schedules import ScheduleRecord
from takopi.core.turn_state import ENDS, TRANSITIONS
from takopi.errors import StoreError, UsageError
from takopi.store.connecting import connect_to_read
from takopi.store.examining import is_sound, present_form
from takopi.store.faults import explained
from takopi.store.rows import SELECT_TURN, fetch_schedules, turn_from_row
from takopi.store.schema import version_of

__all__ = ["JournalHealth", "JournalReading", "journal_health", "open_reading"]

_BUSY_S = 5.0
_OPEN = ", ".join(f"'{state}'" for state in TRANSITIONS if state not in ENDS)
_NEWEST = f"{SELECT_TURN} ORDER BY t.seq DESC LIMIT ?"
_NEWEST_OPEN = f"{SELECT_TURN} WHERE t.state IN ({_OPEN}) ORDER BY t.seq DESC LIMIT ?"
_EXACT = f"{SELECT_TURN} WHERE t.turn_id = ?1 OR t.run_id = ?1 ORDER BY t.seq DESC LIMIT 1"
_PREFIX = (
    f"{SELECT_TURN} WHERE substr(t.turn_id, 1, length(?1)) = ?1 "
    "OR substr(t.run_id, 1, length(?1)) = ?1 LIMIT 2"
)


class JournalHealth(msgspec.Struct, frozen=True, kw_only=True):
    """Say how the journal is.

    Args:
        exists: Whether something was ever written down.
        fault: What is wrong and what to do about it; empty when nothing is.
        damaged: Earlier files that were put aside, the oldest first.
    """

    exists: bool
    fault: str = ""
    damaged: tuple[Path, ...] = ()


class JournalReading:
    """Look into the journal; `open_reading` makes one.

    Args:
        path: The file.
        db: A connection that has the present schema.
    """

    def __init__(self, path: Path, db: sqlite3.Connection) -> None:
        self._path = path
        self._db = db

    def __enter__(self) -> "JournalReading":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go."""
        self._db.close()

    def turns(self, limit: int = 50, *, only_open: bool = False) -> list[TurnRecord]:
        """List turns, the newest first.

        Args:
            limit: So many at most.
            only_open: Leave out those that are over.
        """
        with explained(self._path):
            rows = self._db.execute(_NEWEST_OPEN if only_open else _NEWEST, (limit,))
            return [turn_from_row(row) for row in rows]

    def turn(self, name: str) -> TurnRecord:
        """Find a turn by its id, by its run's, or by the beginning of either.

        Raises:
            UsageError: There is none, or more than one begins so.
        """
        with explained(self._path):
            rows = self._db.execute(_EXACT, (name,)).fetchall()
            if not rows and name:
                rows = self._db.execute(_PREFIX, (name,)).fetchall()
        if not rows:
            raise UsageError(f"no turn is called {name!r}; `takopi ps --all` lists them")
        if len(rows) > 1:
            raise UsageError(f"more than one turn begins with {name!r}; give more of its id")
        return turn_from_row(rows[0])

    def letters_waiting(self) -> int:
        """Count the letters that no chat has accepted yet."""
        with explained(self._path):
            return int(self._db.execute("SELECT count(*) FROM letters").fetchone()[0])

    def schedules(self) -> tuple[ScheduleRecord, ...]:
        """List the schedules in the order in which they were made."""
        with explained(self._path):
            return fetch_schedules(self._db)


def open_reading(path: Path) -> JournalReading | None:
    """Open the journal for looking; None when nothing was ever written down.

    Raises:
        StoreError: It cannot be read, is damaged, or a newer takopi wrote it.
    """
    with explained(path):
        if not path.exists():
            return None
        db = connect_to_read(path, _BUSY_S)
        try:
            journal = present_form(db) if version_of(db) else None
        except BaseException:
            db.close()
            raise
        if journal is not db:
            db.close()
        return None if journal is None else JournalReading(path, journal)


def journal_health(path: Path) -> JournalHealth:
    """Look at the whole journal."""
    beside = sorted(path.parent.glob(f"{path.name}.damaged-*"))
    damaged = tuple(found for found in beside if not found.name.endswith(("-wal", "-shm")))
    try:
        return JournalHealth(exists=is_sound(path, _BUSY_S), damaged=damaged)
    except StoreError as error:
        return JournalHealth(exists=True, fault=str(error), damaged=damaged)
