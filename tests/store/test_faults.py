"""What the journal says when the disk, another program or the file stands in its way."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from store.examples import NOW, letter, now_done, opened, received, restored, turn
from takopi.bridge.records import (
    LetterGone,
    LetterPut,
    MessageBound,
    PlacePut,
    TurnPut,
    UpdateHandled,
)
from takopi.core.places import PlaceRecord
from takopi.errors import AccessError, StoreDamaged, StoreError, StoreFull
from takopi.store.connecting import connect
from takopi.store.opening import JournalOptions, open_journal
from takopi.store.schema import SCHEMA
from takopi.store.sqlite_store import SqliteStore
from takopi.store.worker import inline

LONG = "x" * 100_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name the journal."""
    return tmp_path / "takopi.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    """Give a journal whose work is done inline."""
    kept = opened(path)
    yield kept
    now_done(kept.close())


def allow_pages(store: SqliteStore, more: int) -> None:
    """Let SQLite itself refuse to grow the file, as it does on a full disk."""
    (pages,) = store._db.execute("PRAGMA page_count").fetchone()
    store._db.execute(f"PRAGMA max_page_count = {pages + more}")


def another(path: Path) -> "closing[sqlite3.Connection]":
    """Open the file as another program does."""
    return closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False))


def test_every_commit_is_synced(store: SqliteStore) -> None:
    """A write-ahead log, and no commit that is not on the disk."""
    assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)


# No room.


def test_a_full_disk_takes_nothing_by_halves(store: SqliteStore) -> None:
    """What raised did not happen; once there is room, the same works."""
    allow_pages(store, 0)
    changes = [MessageBound(7, 1, "t1", "prompt"), TurnPut(turn(prompt=LONG))]
    with pytest.raises(StoreFull, match=r"takes nothing more.*free some space there"):
        now_done(store.commit(changes))
    assert now_done(store.turn("t1")) is None
    allow_pages(store, 100)
    now_done(store.commit(changes))
    assert now_done(store.turn_of_message(7, 1)) == turn(prompt=LONG, seq=1)


def test_a_full_disk_accepts_no_update(store: SqliteStore) -> None:
    """It is handed out again, and then it is fresh."""
    allow_pages(store, 0)
    with pytest.raises(StoreFull):
        now_done(store.accept([received(1), received(2, text=LONG)], 2, NOW))
    allow_pages(store, 100)
    assert len(now_done(store.accept([received(1)], 2, NOW))) == 1


@pytest.mark.parametrize(
    "changes",
    [
        [TurnPut(turn(prompt=LONG))],
        [TurnPut(turn(prompt=LONG, state="starting"))],
        [TurnPut(turn(prompt=LONG, state="running")), UpdateHandled(1)],
        [LetterPut(letter(1, LONG)), TurnPut(turn("t2"))],
        [LetterPut(letter(1)), PlacePut(PlaceRecord(key="a", topic=LONG))],
    ],
)
def test_nothing_that_begins_uses_the_reserve(
    store: SqliteStore, path: Path, changes: list[Any]
) -> None:
    """It is for what ends."""
    allow_pages(store, 0)
    with pytest.raises(StoreFull):
        now_done(store.commit(changes))
    assert path.with_suffix(".reserve").exists()
    assert not store.short_of_space


@pytest.mark.parametrize(
    "changes",
    [
        [LetterPut(letter(1, LONG))],
        [TurnPut(turn(prompt=LONG, state="delivering"))],
        [TurnPut(turn(prompt=LONG, state="interrupted"))],
        [TurnPut(turn(prompt=LONG, state="running")), LetterGone(1)],
    ],
)
def test_a_final_uses_the_reserve(store: SqliteStore, path: Path, changes: list[Any]) -> None:
    """Once; when even that does not help, it is as with any other change."""
    allow_pages(store, 0)
    for _ in range(2):
        with pytest.raises(StoreFull):
            now_done(store.commit(changes))
        assert not path.with_suffix(".reserve").exists()
        assert store.short_of_space
    now_done(store.prune(NOW))
    assert path.with_suffix(".reserve").exists()
    assert not store.short_of_space


def test_a_nearly_full_disk_starts_nothing(path: Path) -> None:
    """What is left of it is for finals and for what is said."""
    options = JournalOptions(offload=inline, reserve_bytes=10**16)
    store = open_journal(path, rebuild=lambda: (), now=NOW, options=options)
    assert store.short_of_space
    for state in ("queued", "starting"):
        with pytest.raises(StoreFull, match=r"nearly full.*free some space"):
            now_done(store.commit([TurnPut(turn(state=state))]))
    with pytest.raises(StoreFull, match="nearly full"):
        now_done(store.commit([PlacePut(PlaceRecord(key="a"))]))
    now_done(store.commit([TurnPut(turn(state="delivering")), LetterPut(letter(1))]))
    assert len(now_done(store.load()).letters) == 1
    now_done(store.close())


def test_a_turn_starts_as_soon_as_there_is_room_again(store: SqliteStore, path: Path) -> None:
    """Without waiting for the hour."""
    allow_pages(store, 0)
    with pytest.raises(StoreFull):
        now_done(store.commit([LetterPut(letter(1, LONG))]))
    assert store.short_of_space
    allow_pages(store, 100)
    now_done(store.commit([TurnPut(turn())]))
    assert not store.short_of_space
    assert path.with_suffix(".reserve").exists()


# Other programs.


def test_another_program_may_read_meanwhile(store: SqliteStore, path: Path) -> None:
    """It sees what was there when it began."""
    now_done(store.commit([TurnPut(turn("a"))]))
    with another(path) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM turns").fetchone() == (1,)
        now_done(store.commit([TurnPut(turn("b"))]))
        assert reader.execute("SELECT count(*) FROM turns").fetchone() == (1,)
        reader.execute("COMMIT")
        assert reader.execute("SELECT count(*) FROM turns").fetchone() == (2,)


def test_another_program_that_writes_is_named(store: SqliteStore, path: Path) -> None:
    """It is neither damage nor a full disk, and passes."""
    with another(path) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(
            StoreError, match=r"another program .* end it, then try again"
        ) as raised:
            now_done(store.commit([TurnPut(turn())]))
        assert type(raised.value) is StoreError
    now_done(store.commit([TurnPut(turn())]))
    assert now_done(store.turn("t1")) == turn(seq=1)


def commits(store: SqliteStore) -> None:
    """Make a change."""
    now_done(store.commit([TurnPut(turn())]))


def accepts(store: SqliteStore) -> None:
    """Take an update: it is looked for before it is written down."""
    assert len(now_done(store.accept([received(1)], 1, NOW))) == 1


@pytest.mark.parametrize("write", [commits, accepts])
def test_a_commit_waits_for_another_program(
    path: Path, write: Callable[[SqliteStore], None]
) -> None:
    """One that is done soon is not noticed, whatever it wrote."""
    now_done(opened(path).close())
    with another(path) as writer:

        async def release_meanwhile(work: Callable[[], Any], /) -> Any:
            releasing = threading.Timer(0.05, writer.execute, ["COMMIT"])
            releasing.start()
            try:
                return work()
            finally:
                releasing.join()

        store = opened(path, offload=release_meanwhile, busy_s=20)
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO meta VALUES ('theirs', 1)")
        write(store)
        store._offload = inline
        now_done(store.close())


def test_a_journal_that_cannot_be_migrated_now_is_left_alone(path: Path) -> None:
    """The next start tries again."""
    with another(restored(path, SCHEMA - 1)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another program"):
            opened(path)
    store = opened(path)
    assert not store.fresh
    now_done(store.close())


def test_a_held_journal_is_not_taken_for_a_damaged_one(path: Path) -> None:
    """Nothing is put aside because a backup runs."""
    now_done(opened(path).close())
    with another(path) as writer:
        writer.execute("PRAGMA locking_mode = EXCLUSIVE")
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="another program"):
            opened(path)
    assert not list(path.parent.glob("*.damaged*"))


def test_a_journal_of_others_is_refused(path: Path) -> None:
    """With the command that mends it."""
    now_done(opened(path).close())
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(AccessError, match=f"chmod 600 {path}"):
        opened(path)


def test_what_belongs_to_the_journal_is_nobody_elses_business(
    store: SqliteStore, path: Path
) -> None:
    """The log of changes holds the same words as the file."""
    now_done(store.commit([TurnPut(turn())]))
    names = {found.name for found in path.parent.iterdir()}
    assert names == {"takopi.db", "takopi.db-wal", "takopi.db-shm", "takopi.reserve"}
    for found in path.parent.iterdir():
        assert found.stat().st_mode & 0o777 == 0o600, found.name


def test_a_folder_that_is_gone_is_named(path: Path) -> None:
    """It is not made: whoever opens the home makes it."""
    with pytest.raises(StoreError, match=r"cannot be made or moved: No such file.*chown"):
        opened(path.with_name("nowhere") / "takopi.db")


def test_a_file_in_the_place_of_the_folder_is_named(path: Path) -> None:
    """It is in the way of more than the journal."""
    path.write_text("x")
    with pytest.raises(StoreError, match="cannot be made or moved: Not a directory"):
        opened(path / "takopi.db")


def test_a_journal_that_may_not_be_written_is_told(store: SqliteStore) -> None:
    """With the command that makes it the person's own."""
    store._db.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreError, match=r"cannot be written .*chown -R .*writable") as raised:
        now_done(store.commit([TurnPut(turn())]))
    assert type(raised.value) is StoreError


def test_what_sqlite_refuses_for_another_reason_is_told(store: SqliteStore) -> None:
    """It is neither the disk's fault nor damage."""
    store._db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 5000)
    with pytest.raises(StoreError, match=r"did not take it .*too big") as raised:
        now_done(store.commit([TurnPut(turn()), TurnPut(turn("t2", prompt=LONG))]))
    assert type(raised.value) is StoreError
    assert now_done(store.turn("t1")) is None


def test_a_file_system_without_shared_memory_is_refused() -> None:
    """Readers and the bot could not see each other's changes there."""
    with pytest.raises(StoreError, match="set TAKOPI_HOME to a folder on a local disk"):
        connect(Path(":memory:"), 1.0)


# The file itself.


def test_damage_that_is_met_while_writing_is_told(store: SqliteStore, path: Path) -> None:
    """Nothing may rest on that file any more."""
    for number in range(50):
        now_done(store.commit([TurnPut(turn(f"t{number}", prompt="x" * 2000))]))
    store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    store._db.execute("PRAGMA shrink_memory")
    for attempt in (store.commit([TurnPut(turn("t7", note="n"))]), store.load()):
        with pytest.raises(StoreDamaged, match=r"is damaged .* start takopi again"):
            now_done(attempt)


def test_tables_that_are_not_ours_are_damage(store: SqliteStore) -> None:
    """The statements are right, so the file is not."""
    store._db.execute("DROP TABLE letters")
    with pytest.raises(StoreDamaged, match="no such table: letters"):
        now_done(store.commit([LetterPut(letter(1))]))


def test_a_row_that_cannot_be_read_is_damage(store: SqliteStore) -> None:
    """Which no check of SQLite's finds."""
    now_done(store.commit([TurnPut(turn())]))
    store._db.execute("UPDATE turns SET body = '{'")
    with pytest.raises(StoreDamaged, match="a row cannot be read"):
        now_done(store.turn("t1"))


def test_text_that_is_none_is_damage(store: SqliteStore) -> None:
    """Python says so, not SQLite."""
    now_done(store.commit([TurnPut(turn())]))
    store._db.execute("UPDATE turns SET body = CAST(x'fffe' AS TEXT)")
    with pytest.raises(StoreDamaged, match="UTF-8"):
        now_done(store.turn("t1"))


def test_a_change_that_cannot_be_written_down_leaves_no_half(store: SqliteStore) -> None:
    """Whatever the mistake was, the next transaction is a clean one."""
    with pytest.raises(OverflowError):
        now_done(store.commit([TurnPut(turn()), MessageBound(7, 2**80, "t1", "final")]))
    assert now_done(store.turn("t1")) is None
    now_done(store.commit([TurnPut(turn("t2"))]))
    assert now_done(store.turn("t2")) == turn("t2", seq=1)


def test_half_of_a_surrogate_pair_is_replaced(store: SqliteStore) -> None:
    """A record that could never be written down would be tried for ever."""
    half = "a\ud83d\udc19b\udcffc"
    whole = "a🐙b\ufffdc"
    now_done(store.commit([TurnPut(turn(cwd=half)), LetterPut(letter(1, half))]))
    now_done(store.accept([received(1, text=half)], 1, NOW))
    state = now_done(store.load())
    assert state.turns == (turn(cwd=whole, seq=1),)
    assert state.letters == (letter(1, whole),)
    assert [item.update for item in state.updates] == [received(1, text=whole)]
    document = replace(letter(2), body=None, offered=("\udcff",))
    now_done(store.commit([LetterPut(document)]))
    assert now_done(store.load()).letters[1].offered == ("\ufffd",)
