"""Whoever only looks changes nothing, and sees what stands there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.examples import NOW, SCOPE, letter, now_done, opened, turn
from takopi.bridge.records import LetterGone, LetterPut, MessageBound, SchedulePut, TurnPut
from takopi.core.schedules import ScheduleRecord
from takopi.errors import StoreDamaged, StoreError, UsageError
from takopi.store.reading import JournalHealth, JournalReading, journal_health, open_reading

TURNS = (
    turn("aa1", state="done", run_id="20260101-1"),
    turn("aa2", state="running", run_id="20260102-1"),
    turn("b_%", state="queued"),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name the journal."""
    return tmp_path / "takopi.db"


@pytest.fixture
def reading(path: Path) -> Iterator[JournalReading]:
    """Look into a journal that the bot has open."""
    store = opened(path)
    now_done(store.commit([TurnPut(each) for each in TURNS]))
    now_done(store.commit([MessageBound(7, 5, "aa2", "progress")]))
    found = open_reading(path)
    assert found is not None
    with found:
        yield found
    now_done(store.close())


def names(turns: list[object]) -> list[str]:
    """Name turns."""
    return [found.turn_id for found in turns]


def test_turns_are_listed_newest_first(reading: JournalReading) -> None:
    """As many as are wanted."""
    assert names(reading.turns()) == ["b_%", "aa2", "aa1"]
    assert names(reading.turns(limit=2)) == ["b_%", "aa2"]
    assert names(reading.turns(only_open=True)) == ["b_%", "aa2"]
    assert reading.turns()[1].progress_id == 5


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("aa1", "aa1"),
        ("20260102-1", "aa2"),
        ("b", "b_%"),
        ("b_%", "b_%"),
        ("20260101", "aa1"),
    ],
)
def test_a_turn_is_found_by_what_names_it(reading: JournalReading, name: str, found: str) -> None:
    """Its id, its run's, or the beginning of either."""
    assert reading.turn(name).turn_id == found


@pytest.mark.parametrize("name", ["", "c", "a%", "aa3", "A"])
def test_a_turn_nobody_knows_is_refused(reading: JournalReading, name: str) -> None:
    """With what lists those that there are."""
    with pytest.raises(UsageError, match=r"no turn is called .*`takopi ps --all` lists them"):
        reading.turn(name)


@pytest.mark.parametrize("name", ["a", "aa", "2026"])
def test_what_names_more_than_one_is_refused(reading: JournalReading, name: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(UsageError, match="more than one turn begins with"):
        reading.turn(name)


def test_letters_and_schedules_are_told(reading: JournalReading, path: Path) -> None:
    """How many finals wait, and what is asked at certain times."""
    assert (reading.letters_waiting(), reading.schedules()) == (0, ())
    first, second = (
        ScheduleRecord(
            schedule_id=name, scope=SCOPE, chat_kind="group", person=5, when="1h", prompt="look"
        )
        for name in "ba"
    )
    store = opened(path)
    now_done(store.commit([SchedulePut(first), SchedulePut(second)]))
    now_done(store.commit([LetterPut(letter(number)) for number in (1, 2, 3)]))
    now_done(store.commit([LetterGone(2)]))
    assert (reading.letters_waiting(), reading.schedules()) == (2, (first, second))
    now_done(store.close())


def test_a_whole_name_goes_before_the_beginning_of_another(path: Path) -> None:
    """`aa` is `aa`, also beside `aab`."""
    store = opened(path)
    now_done(store.commit([TurnPut(turn("aab")), TurnPut(turn("aa"))]))
    found = open_reading(path)
    assert found is not None
    with found:
        assert found.turn("aa").turn_id == "aa"
    now_done(store.close())


def test_a_run_of_many_turns_leads_to_the_newest(path: Path) -> None:
    """It is the one that somebody looks for."""
    store = opened(path)
    now_done(store.commit([TurnPut(turn(name, run_id="r")) for name in "abc"]))
    found = open_reading(path)
    assert found is not None
    with found:
        assert found.turn("r").turn_id == "c"
    now_done(store.close())


def test_a_commit_is_seen_at_once(reading: JournalReading, path: Path) -> None:
    """Looking again shows what is written meanwhile."""
    store = opened(path)
    now_done(store.commit([TurnPut(turn("new"))]))
    assert reading.turn("new").seq == 4
    now_done(store.close())


@pytest.mark.parametrize("content", [None, b""])
def test_no_journal_is_none_and_stays_none(path: Path, content: bytes | None) -> None:
    """Looking makes no file."""
    if content is not None:
        path.write_bytes(content)
    assert open_reading(path) is None
    assert journal_health(path) == JournalHealth(exists=False)
    assert [found.name for found in path.parent.iterdir()] == (
        [path.name] if content == b"" else []
    )


def test_a_sound_journal_has_no_fault(path: Path) -> None:
    """While the bot writes, and after."""
    store = opened(path)
    assert journal_health(path) == JournalHealth(exists=True)
    now_done(store.close())
    assert journal_health(path) == JournalHealth(exists=True)


def test_a_damaged_journal_is_told(path: Path) -> None:
    """And it is left as it is: only the bot puts it aside."""
    path.write_bytes(b"damaged" * 1000)
    health = journal_health(path)
    assert health.exists
    assert "is damaged" in health.fault
    with pytest.raises(StoreDamaged):
        open_reading(path)
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_looking_leaves_nothing_behind(path: Path) -> None:
    """Also where no bot runs: the dates of the files say when something was written."""
    store = opened(path)
    now_done(store.commit([TurnPut(turn())]))
    now_done(store.close())
    before = {found.name: found.stat().st_mtime_ns for found in path.parent.iterdir()}
    reading = open_reading(path)
    assert reading is not None
    with reading:
        assert names(reading.turns()) == ["t1"]
    assert journal_health(path).exists
    assert {found.name: found.stat().st_mtime_ns for found in path.parent.iterdir()} == before


def test_what_was_put_aside_is_listed(path: Path) -> None:
    """Until somebody removes it."""
    path.write_bytes(b"damaged" * 1000)
    path.with_name("takopi.db-wal").write_bytes(b"log")
    path.chmod(0o600)
    now_done(opened(path, now=NOW).close())
    (aside,) = journal_health(path).damaged
    assert aside.read_bytes() == b"damaged" * 1000


def test_what_is_no_file_is_told(path: Path) -> None:
    """It is not the disk's fault."""
    path.mkdir(mode=0o700)
    assert "is no file; move it away" in journal_health(path).fault
    with pytest.raises(StoreError, match="is no file"):
        opened(path)
    with pytest.raises(StoreError):
        open_reading(path)
