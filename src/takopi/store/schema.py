"""The tables of the journal, and the steps by which an older file becomes a newer one.

The version stands in `PRAGMA user_version`. A step never changes once it was released: what is
new is a new step, and `tests/fixtures/journal/` gets a dump of the version that it starts from. A
step knows the rows as they were then, so it decodes them with types of its own and not with those
of today.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import msgspec

from takopi.errors import StoreError

__all__ = ["APPLICATION_ID", "SCHEMA", "create", "migrate", "transaction", "version_of"]

# "tako": says that a SQLite file is takopi's journal.
APPLICATION_ID = 0x74616B6F

_FIRST = (
    """CREATE TABLE updates (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        arrived_at REAL NOT NULL,
        batch INTEGER NOT NULL,
        handled INTEGER NOT NULL DEFAULT 0,
        body TEXT NOT NULL)""",
    "CREATE INDEX updates_waiting ON updates (id) WHERE handled = 0",
    "CREATE TABLE seen (key TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID",
    """CREATE TABLE turns (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        turn_id TEXT NOT NULL UNIQUE,
        state TEXT NOT NULL,
        conversation TEXT NOT NULL,
        session_engine TEXT,
        session_value TEXT,
        body TEXT NOT NULL)""",
    "CREATE INDEX turns_by_state ON turns (state)",
    "CREATE INDEX turns_by_conversation ON turns (conversation)",
    """CREATE TABLE messages (
        bound INTEGER PRIMARY KEY,
        chat_id INTEGER NOT NULL,
        message_id INTEGER NOT NULL,
        turn_id TEXT NOT NULL,
        role TEXT NOT NULL,
        UNIQUE (chat_id, message_id))""",
    "CREATE INDEX messages_by_turn ON messages (turn_id, role)",
    "CREATE TABLE letters (letter_id INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL)",
    """CREATE TABLE offers (
        offer_id TEXT PRIMARY KEY,
        turn_id TEXT NOT NULL,
        taken TEXT,
        body TEXT NOT NULL) WITHOUT ROWID""",
    "CREATE INDEX offers_by_turn ON offers (turn_id)",
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID",
    f"PRAGMA application_id = {APPLICATION_ID}",
)


class _FirstTurn(msgspec.Struct, frozen=True):
    run_id: str | None = None
    accepted_at: float = 0.0
    ended_at: float | None = None


def _lay_out(db: sqlite3.Connection) -> None:
    for statement in _FIRST:
        db.execute(statement)


def _find_runs_and_ends(db: sqlite3.Connection) -> None:
    """Let turns be found by their run, and old ones without reading them all."""
    db.execute("ALTER TABLE turns ADD COLUMN run_id TEXT")
    db.execute("ALTER TABLE turns ADD COLUMN over_at REAL")
    decode = msgspec.json.Decoder(_FirstTurn).decode
    over = ("done", "failed", "cancelled", "interrupted")
    for seq, state, body in db.execute("SELECT seq, state, body FROM turns").fetchall():
        turn = decode(body)
        ended = turn.accepted_at if turn.ended_at is None else turn.ended_at
        values = (turn.run_id, ended if state in over else None, seq)
        db.execute("UPDATE turns SET run_id = ?, over_at = ? WHERE seq = ?", values)
    db.execute("CREATE INDEX turns_by_run ON turns (run_id) WHERE run_id IS NOT NULL")
    db.execute("CREATE INDEX turns_over ON turns (over_at) WHERE over_at IS NOT NULL")


class _SecondScope(msgspec.Struct, frozen=True):
    transport: str
    chat_id: int
    thread_id: int | None = None


class _SecondTurn(msgspec.Struct, frozen=True):
    scope: _SecondScope
    engine: str
    accepted_at: float = 0.0


_THIRD = (
    # `seq` comes before `accepted_at`, so that the newest turns come first without sorting, and
    # what was accepted too early is passed over without a look at the row.
    """CREATE INDEX turns_by_place ON turns
        (chat_id, transport, thread_id, engine, project, branch, seq, accepted_at)""",
    "CREATE INDEX turns_by_context ON turns (project, branch, engine, seq, accepted_at)",
    "CREATE INDEX turns_by_engine ON turns (engine, seq, accepted_at)",
    "CREATE INDEX turns_by_time ON turns (accepted_at)",
    """CREATE TABLE usage (
        turn_id TEXT PRIMARY KEY,
        ended_at REAL NOT NULL,
        engine TEXT NOT NULL,
        project TEXT,
        chat_id INTEGER NOT NULL,
        body TEXT NOT NULL) WITHOUT ROWID""",
    "CREATE INDEX usage_by_end ON usage (ended_at)",
    """CREATE TABLE places (
        key TEXT PRIMARY KEY,
        gone INTEGER NOT NULL,
        gone_since REAL,
        body TEXT NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE schedules (
        number INTEGER PRIMARY KEY,
        schedule_id TEXT NOT NULL UNIQUE,
        body TEXT NOT NULL)""",
)


def _find_places_and_costs(db: sqlite3.Connection) -> None:
    """Let the newest turns of a place be found, and what turns cost; hold places and schedules."""
    for column in ("transport TEXT", "chat_id INTEGER", "thread_id INTEGER", "engine TEXT"):
        db.execute(f"ALTER TABLE turns ADD COLUMN {column}")
    for column in ("project TEXT", "branch TEXT", "accepted_at REAL"):
        db.execute(f"ALTER TABLE turns ADD COLUMN {column}")
    decode = msgspec.json.Decoder(_SecondTurn).decode
    for seq, body in db.execute("SELECT seq, body FROM turns").fetchall():
        turn = decode(body)
        place = turn.scope.transport, turn.scope.chat_id, turn.scope.thread_id
        db.execute(
            "UPDATE turns SET transport = ?, chat_id = ?, thread_id = ?, engine = ?, "
            "accepted_at = ? WHERE seq = ?",
            (*place, turn.engine, turn.accepted_at, seq),
        )
    for statement in _THIRD:
        db.execute(statement)


_STEPS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _lay_out,
    _find_runs_and_ends,
    _find_places_and_costs,
)
SCHEMA = len(_STEPS)


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Make everything in the block happen, or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # SQLite ends it itself on some errors
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
        raise


def version_of(db: sqlite3.Connection) -> int:
    """Return the schema version of a file; 0 when it has no tables yet.

    Raises:
        StoreError: A newer takopi wrote it.
        sqlite3.DatabaseError: It is no SQLite file, or another program's.
    """
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    owner = db.execute("PRAGMA application_id").fetchone()[0]
    if not tables and not version:
        return 0
    if owner != APPLICATION_ID or version < 1 or not tables:
        raise sqlite3.DatabaseError("it is not a journal of takopi")
    if version > SCHEMA:
        raise StoreError(
            f"a newer takopi wrote the journal (schema {version}; this one knows {SCHEMA}); "
            "start that one, or set TAKOPI_HOME to another folder; nothing was changed"
        )
    return version


def create(db: sqlite3.Connection) -> None:
    """Make the tables in an empty file; whoever calls holds the transaction."""
    for step in _STEPS:
        step(db)
    db.execute(f"PRAGMA user_version = {SCHEMA}")


def migrate(db: sqlite3.Connection) -> None:
    """Bring a journal to the present schema, each step in a transaction of its own."""
    for number in range(version_of(db), SCHEMA):
        with transaction(db):
            _STEPS[number](db)
            db.execute(f"PRAGMA user_version = {number + 1}")
