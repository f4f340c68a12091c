"""A file whose making was cut off: its change is taken back, and the journal opens."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from store.examples import now_done, opened, turn
from takopi.bridge.records import TurnPut
from takopi.store.reading import journal_health


def cut_off(path: Path) -> None:
    """Leave what a kill leaves while SQLite still writes without a log of changes.

    The cache is too small for the change, so that half of it stands in the file already.
    """
    whole = path.with_name("whole.db")
    with closing(sqlite3.connect(whole, isolation_level=None)) as db:
        db.execute("PRAGMA cache_size = 1")
        db.execute("CREATE TABLE first (text)")
        db.execute("BEGIN")
        db.execute("CREATE TABLE second (text)")
        for _ in range(50):
            db.execute("INSERT INTO second VALUES (?)", ("x" * 2000,))
        for part in ("", "-journal"):
            copy = path.with_name(path.name + part)
            shutil.copy(whole.with_name(whole.name + part), copy)
            copy.chmod(0o600)
        db.execute("ROLLBACK")
    whole.unlink()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a journal that was cut off."""
    path = tmp_path / "takopi.db"
    cut_off(path)
    return path


def test_a_reader_says_who_takes_the_change_back(path: Path) -> None:
    """It cannot do that itself, and nothing is wrong with the permissions."""
    before = path.read_bytes()
    health = journal_health(path)
    assert "holds a change that was cut off; start takopi, which takes it back" in health.fault
    assert path.read_bytes() == before


def test_a_bot_takes_the_change_back_and_goes_on(path: Path) -> None:
    """The file has no journal yet: one is made in it, and keeps what it is given."""
    store = opened(path)
    now_done(store.commit([TurnPut(turn("t1"))]))
    now_done(store.close())
    store = opened(path)
    state = now_done(store.load())
    now_done(store.close())
    assert [found.turn_id for found in state.turns] == ["t1"]
    assert not path.with_name("takopi.db-journal").exists()


def test_what_belongs_to_a_damaged_file_goes_with_it(path: Path) -> None:
    """A new file must not be given the changes that were cut off in the old one."""
    path.write_bytes(b"no database at all" * 1000)
    store = opened(path, [turn("t1")])
    state = now_done(store.load())
    now_done(store.close())
    assert [found.turn_id for found in state.turns] == ["t1"]
    assert state.damage
    assert not path.with_name("takopi.db-journal").exists()


def test_the_log_of_an_empty_file_is_put_aside_with_it(path: Path) -> None:
    """Nothing is thrown away, also where a change was cut off."""
    path.write_bytes(b"")
    log = path.with_name("takopi.db-wal")
    log.write_bytes(b"what was written down")
    now_done(opened(path).close())
    (kept,) = path.parent.glob("takopi.db.damaged-*-wal")
    assert kept.read_bytes() == b"what was written down"
