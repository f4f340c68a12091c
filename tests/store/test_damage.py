"""A journal that cannot be relied on is put aside, never removed, and never silently empty."""

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from store.damaged import ASIDE, REBUILT, written
from store.examples import now_done, opened, turn
from takopi.bridge.records import JournalState, TurnPut, TurnRecord
from takopi.errors import StoreError
from takopi.store.reading import journal_health
from takopi.store.schema import SCHEMA


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name the journal."""
    return tmp_path / "takopi.db"


def cut_off(path: Path) -> None:
    """Leave a journal as a crash does: what came last stands in the log of changes alone."""
    written(path)
    store = opened(path)
    now_done(store.commit([TurnPut(turn("t4"))]))
    parts = {name: path.with_name(name).read_bytes() for name in ("takopi.db", "takopi.db-wal")}
    now_done(store.close())
    for name, content in parts.items():
        path.with_name(name).write_bytes(content)
        path.with_name(name).chmod(0o600)


def contents(path: Path) -> dict[str, bytes]:
    """Return the file and its log, by the end of their names; an empty log is none."""
    files = {part: path.with_name(path.name + part) for part in ("", "-wal")}
    found = {part: file.read_bytes() for part, file in files.items() if file.exists()}
    return {part: content for part, content in found.items() if content or not part}


def no_page(path: Path) -> None:
    """Write over the head of the file."""
    with path.open("r+b") as file:
        file.write(b"no database at all")


def no_pages(path: Path) -> None:
    """Write over everything but the head."""
    with path.open("r+b") as file:
        file.seek(200)
        file.write(b"\xff" * (path.stat().st_size - 200))


def half(path: Path) -> None:
    """Lose the end of the file."""
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def nothing(path: Path) -> None:
    """Lose everything but the name."""
    path.write_bytes(b"")


def some_bytes(path: Path) -> None:
    """Be something else, shorter than a page."""
    path.write_bytes(b"hello")


def by_hand(*statements: str) -> Callable[[Path], None]:
    """Change the file with SQLite's own tool."""

    def change(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            for statement in statements:
                db.execute(statement)

    change.__name__ = statements[-1]
    return change


def no_text(path: Path) -> None:
    """Put a byte that is no text where SQLite quotes it in its complaint."""
    content = path.read_bytes()
    assert b"CREATE INDEX offers_by_turn" in content
    path.write_bytes(content.replace(b"CREATE INDEX offers", b"CREATE INDE\x80 offers"))


def page_of(name: str) -> Callable[[Path], None]:
    """Write over the page of a table or index that a start does not read."""

    def change(path: Path) -> None:
        with closing(sqlite3.connect(path)) as db:
            question = "SELECT rootpage FROM sqlite_master WHERE name = ?"
            (page,) = db.execute(question, (name,)).fetchone()
        with path.open("r+b") as file:
            file.seek((page - 1) * 4096)
            file.write(b"\xff" * 4096)

    change.__name__ = f"page of {name}"
    return change


DAMAGES = [
    no_page,
    no_pages,
    half,
    nothing,
    some_bytes,
    no_text,
    page_of("offers"),
    page_of("turns_by_run"),
    by_hand("DROP TABLE letters"),
    by_hand("DROP TABLE seen"),
    by_hand("DROP INDEX turns_over"),
    by_hand("UPDATE turns SET body = '{'"),
    by_hand("UPDATE turns SET body = CAST(x'ff' AS TEXT)"),
    by_hand("UPDATE letters SET body = x'00'"),
    by_hand("PRAGMA user_version = 0"),
    by_hand("PRAGMA application_id = 7"),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_journal_is_put_aside_and_rebuilt(
    path: Path, damage: Callable[[Path], None]
) -> None:
    """The old file keeps each of its bytes; the chat is told; the turns of the runs are there."""
    written(path)
    damage(path)
    before = contents(path)
    store = opened(path, REBUILT)
    assert store.fresh
    assert contents(path.with_name(ASIDE)) == before
    state = now_done(store.load())
    assert [found.turn_id for found in state.turns] == ["t1"]
    assert state.letters == state.updates == ()
    assert now_done(store.turn("t0")) == replace(REBUILT[1], seq=2)
    for message in (1, 2, 3):
        assert now_done(store.turn_of_message(7, message)) == replace(REBUILT[0], seq=1)
    assert state.damage.startswith("The journal could not be used (")
    assert f"the old file is kept as {path.with_name(ASIDE)}" in state.damage
    assert "2 turns could be rebuilt" in state.damage
    assert state.damage.endswith("send again what gets no answer.")
    assert "\n" not in state.damage
    assert path.stat().st_mode & 0o777 == 0o600
    now_done(store.close())


def test_the_chat_is_told_until_it_knows(path: Path) -> None:
    """A crash between the damage and the message about it loses neither."""
    written(path)
    no_page(path)
    now_done(opened(path, REBUILT[:1]).close())
    store = opened(path)
    assert not store.fresh
    assert "1 turn could be rebuilt" in now_done(store.load()).damage
    now_done(store.damage_told())
    assert now_done(store.load()).damage == ""
    now_done(store.close())


def test_the_runs_are_read_before_anything_is_touched(path: Path) -> None:
    """The date of the last write tells which runs ended when nobody could write that down."""
    written(path)
    half(path)
    before = {found.name: found.stat().st_mtime_ns for found in path.parent.iterdir()}
    seen: list[object] = []

    class Watching:
        """Be rebuilt turns that look around when they are asked for."""

        def __iter__(self) -> Iterator[TurnRecord]:
            seen.append({found.name: found.stat().st_mtime_ns for found in path.parent.iterdir()})
            return iter(REBUILT)

    now_done(opened(path, Watching()).close())
    assert seen == [before]


def test_the_log_of_changes_goes_with_the_file(path: Path) -> None:
    """Looking at the damage does not touch it: what it holds may still be mended by hand."""
    cut_off(path)
    no_pages(path)
    before = contents(path)
    assert before["-wal"]
    now_done(opened(path).close())
    assert contents(path.with_name(ASIDE)) == before


@pytest.mark.parametrize("left", [b"", None])
def test_a_log_without_its_file_is_damage(path: Path, left: bytes | None) -> None:
    """SQLite would throw it away."""
    cut_off(path)
    path.unlink()
    if left is not None:
        path.write_bytes(left)
        path.chmod(0o600)
    before = contents(path)
    assert before["-wal"]
    store = opened(path)
    assert store.fresh
    assert "its log of changes is not" in now_done(store.load()).damage
    assert contents(path.with_name(ASIDE)) == before
    now_done(store.close())


def test_an_older_damage_is_not_overwritten(path: Path) -> None:
    """Two within a second are kept side by side."""
    for number in range(3):
        written(path)
        path.write_bytes(b"damaged %d" % number)
        now_done(opened(path).close())
        path.unlink()
    found = {name.name: name.read_bytes() for name in path.parent.glob("*.damaged*")}
    assert found == {
        ASIDE: b"damaged 0",
        f"{ASIDE}.2": b"damaged 1",
        f"{ASIDE}.3": b"damaged 2",
    }
    health = journal_health(path)
    assert [name.name for name in health.damaged] == sorted(found)
    assert not health.exists


def test_a_new_home_is_no_damage(path: Path) -> None:
    """Nothing is told where nothing was lost."""
    store = opened(path)
    assert store.fresh
    assert now_done(store.load()) == JournalState()
    now_done(store.commit([TurnPut(turn())]))
    now_done(store.close())
    store = opened(path, REBUILT)
    assert not store.fresh
    assert now_done(store.load()) == JournalState(turns=(turn(seq=1),))
    now_done(store.close())
    assert sorted(found.name for found in path.parent.iterdir()) == ["takopi.db", "takopi.reserve"]


@pytest.mark.parametrize("statements", [(), ("PRAGMA journal_mode = WAL",)])
def test_a_start_that_a_crash_cut_short_is_no_damage(
    path: Path, statements: tuple[str, ...]
) -> None:
    """Where there never was a run, an empty file is what a first start left."""
    path.write_bytes(b"")
    path.chmod(0o600)
    by_hand("SELECT 1", *statements)(path)
    store = opened(path)
    assert store.fresh
    assert now_done(store.load()) == JournalState()
    now_done(store.close())


def test_a_journal_that_is_gone_beside_runs_is_told(path: Path) -> None:
    """There is nothing to put aside, but the runs are known again."""
    store = opened(path, REBUILT)
    assert store.fresh
    state = now_done(store.load())
    assert len(state.turns) == 1
    assert "it was gone" in state.damage
    assert "no old file was found" in state.damage
    now_done(store.close())


def test_nothing_is_moved_when_the_runs_cannot_be_read(path: Path) -> None:
    """The next start finds everything as it was."""
    written(path)
    no_page(path)
    before = contents(path)

    class Broken:
        """Be rebuilt turns that cannot be read."""

        def __iter__(self) -> Iterator[TurnRecord]:
            raise OSError("no descriptors")

    with pytest.raises(OSError, match="no descriptors"):
        opened(path, Broken())
    assert contents(path) == before


def test_a_newer_journal_is_refused_and_left_alone(path: Path) -> None:
    """An older takopi must not throw away what a newer one wrote."""
    written(path)
    by_hand(f"PRAGMA user_version = {SCHEMA + 1}")(path)
    before = contents(path)
    with pytest.raises(StoreError, match=r"newer takopi .* nothing was changed") as raised:
        opened(path, REBUILT)
    assert type(raised.value) is StoreError
    assert contents(path) == before
    assert [found.name for found in path.parent.glob("*damaged*")] == []
    assert "newer takopi" in journal_health(path).fault


def test_a_rebuilding_that_fails_is_begun_anew(path: Path) -> None:
    """There is no half of a journal: the tables and the turns come in one transaction."""
    with pytest.raises(OverflowError):
        opened(path, [*REBUILT, turn("t9", messages=(2**80,))])
    store = opened(path, REBUILT)
    assert store.fresh
    state = now_done(store.load())
    assert [found.turn_id for found in state.turns] == ["t1"]
    assert "it was empty" in state.damage
    now_done(store.close())


@pytest.mark.parametrize("seed", range(8))
def test_garbage_behind_the_log_is_normal(path: Path, seed: int) -> None:
    """A power cut leaves what was never synced."""
    cut_off(path)
    log = path.with_name("takopi.db-wal")
    with log.open("ab") as file:
        file.write(random.Random(seed).randbytes(1 + 5000 * seed))
    store = opened(path)
    assert not store.fresh
    assert [found.turn_id for found in now_done(store.load()).turns] == ["t1", "t2", "t4"]
    now_done(store.close())
