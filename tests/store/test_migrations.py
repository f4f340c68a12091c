"""A journal of every earlier schema becomes one of today, with all that stood in it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from store.examples import (
    NOW,
    SCOPE,
    a_day,
    letter,
    now_done,
    offer,
    opened,
    pressed,
    received,
    restored,
    turn,
)
from takopi.bridge.ports import TurnFilter
from takopi.bridge.records import (
    AcceptedUpdate,
    JournalState,
    LetterGone,
    LetterPut,
    MessageBound,
    OfferPut,
    OfferTaken,
    UpdateHandled,
)
from takopi.store.reading import open_reading
from takopi.store.schema import SCHEMA, create, migrate
from takopi.store.sqlite_store import SqliteStore

EARLIER = range(1, SCHEMA)

NAMES = "SELECT type, name, tbl_name FROM sqlite_master ORDER BY 1, 2"
COLUMNS = "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c ORDER BY 1, 2"


def live(store: SqliteStore) -> None:
    """Write down what stands in each dump."""
    for changes in a_day():
        now_done(store.commit(changes))
    now_done(store.commit([OfferPut(offer("o2")), LetterPut(letter(3))]))
    now_done(store.commit([OfferTaken("o2", "again"), LetterGone(3)]))
    first, _ = now_done(store.accept([received(1), pressed(2, "p")], 2, NOW))
    now_done(store.commit([UpdateHandled(first.id)]))


def said(store: SqliteStore) -> list[object]:
    """Ask for everything that stands in a dump."""
    said: list[object] = [now_done(store.load()), now_done(store.newest())]
    said += [now_done(store.turn(name)) for name in ("t1", "t2", "t3")]
    said += [now_done(store.turn_of_message(7, number)) for number in (1, 2, 4)]
    said += [now_done(store.offer(name)) for name in ("o1", "o2")]
    return said


@pytest.mark.parametrize("version", EARLIER)
def test_an_earlier_journal_says_what_it_said(tmp_path: Path, version: int) -> None:
    """The same as one that was written today."""
    today = opened(tmp_path / "today.db")
    live(today)
    store = opened(restored(tmp_path / "takopi.db", version))
    assert not store.fresh
    assert said(store) == said(today)
    questions = (
        TurnFilter(scope=SCOPE),
        TurnFilter(engine="codex"),
        TurnFilter(accepted_since=NOW),
    )
    for wanted, names in zip(
        questions, (["t3", "t2", "t1"], ["t3", "t2", "t1"], ["t1"]), strict=True
    ):
        for journal in (store, today):
            assert [t.turn_id for t in now_done(journal.newest_turns(wanted, 9))] == names
    state = now_done(store.load())
    assert isinstance(state, JournalState)
    assert [found.turn_id for found in state.turns] == ["t1", "t2"]
    assert state.updates == (AcceptedUpdate(id=2, update=pressed(2, "p"), arrived_at=NOW, batch=1),)
    assert state.next_letter_id == 4
    for journal in (store, today):
        assert now_done(journal.accept([received(1), received(9)], 9, NOW))[0].id == 3
        now_done(journal.prune(NOW + 90 * 86400))
        assert now_done(journal.turn("t3")) is None, "its end was found"
        now_done(journal.close())


@pytest.mark.parametrize("version", EARLIER)
def test_the_ways_to_a_schema_lead_to_the_same_tables(tmp_path: Path, version: int) -> None:
    """Made today or brought there step by step."""
    now_done(opened(restored(tmp_path / "takopi.db", version)).close())
    with (
        closing(sqlite3.connect(tmp_path / "takopi.db")) as old,
        closing(sqlite3.connect(":memory:")) as new,
    ):
        create(new)
        assert old.execute("PRAGMA user_version").fetchone() == (SCHEMA,)
        for question in (NAMES, COLUMNS):
            assert old.execute(question).fetchall() == new.execute(question).fetchall()
        assert old.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("version", EARLIER)
def test_whoever_only_reads_migrates_nothing(tmp_path: Path, version: int) -> None:
    """`takopi ps` of a new takopi understands the journal of the old bot that still runs."""
    path = restored(tmp_path / "takopi.db", version)
    before = path.read_bytes()
    reading = open_reading(path)
    assert reading is not None
    with reading:
        assert [found.turn_id for found in reading.turns()] == ["t3", "t2", "t1"]
        assert reading.turn("r3").turn_id == "t3"
    assert path.read_bytes() == before


def test_a_step_is_made_wholly_or_not_at_all(tmp_path: Path) -> None:
    """Columns that were added go again with the rows that could not be filled."""
    with closing(sqlite3.connect(restored(tmp_path / "x.db", 1), isolation_level=None)) as db:
        db.execute("UPDATE turns SET body = '[]' WHERE turn_id = 't3'")
        before = db.execute(COLUMNS).fetchall()
        with pytest.raises(msgspec.ValidationError):
            migrate(db)
        assert db.execute(COLUMNS).fetchall() == before
        assert db.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_row_that_no_step_understands_is_damage(tmp_path: Path) -> None:
    """The old file is kept as it was."""
    path = restored(tmp_path / "takopi.db", 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE turns SET body = '[]' WHERE turn_id = 't3'")
    before = path.read_bytes()
    store = opened(path)
    assert "a row cannot be read" not in now_done(store.load()).damage
    assert "Expected `object`, got `array`" in now_done(store.load()).damage
    (aside,) = path.parent.glob("*.damaged-*Z")
    assert aside.read_bytes() == before
    now_done(store.close())


def test_what_an_earlier_takopi_wrote_is_read_by_its_names(tmp_path: Path) -> None:
    """A field that this takopi does not know is passed over, one it misses has its default."""
    path = restored(tmp_path / "takopi.db", 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(
            "UPDATE turns SET body = json_set(json_remove(body, '$.note'), '$.mood', 'calm')"
        )
    store = opened(path)
    assert now_done(store.turn("t2")) == replace(
        turn("t2", prompt="two", conversation="c1", messages=(3,)), seq=2
    )
    now_done(store.commit([MessageBound(7, 3, "t2", "prompt")]))
    now_done(store.close())
