"""The files of a run, read by whoever comes later."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from takopi.process.run_directory import RunDirectory, SessionNote, new_run_id
from takopi.run_host import RunSpec

moments = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001
    datetime(2126, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5))]),
)


@given(moments, moments)
def test_ids_sort_as_their_moments(one: datetime, two: datetime) -> None:
    """The order of ids is the order of time, in every time zone; two are never equal."""
    first, second = new_run_id(one), new_run_id(two)
    assert first != second
    if abs(one - two) >= timedelta(microseconds=1):
        assert (first < second) == (one < two)


def _made(path: Path, **more: object) -> RunDirectory:
    directory = RunDirectory(path / "run")
    directory.create(RunSpec(engine="e", argv=("a",), cwd=path, env={"KEY": "v"}, **more), "/bin/a")
    return directory


def test_a_claim_is_taken_once(tmp_path: Path) -> None:
    """Of two who take it one gets it."""
    directory = _made(tmp_path)
    assert directory.take_claim()
    assert not directory.take_claim()


def test_names_of_variables_are_noted_without_values(tmp_path: Path) -> None:
    """run.json says which variables the engine had."""
    assert _made(tmp_path).plan()["env"] == ["KEY", "PWD", "TAKOPI_RUN_ID"]


def test_the_input_of_a_pipe_ends_though_nobody_is_there_to_end_it(tmp_path: Path) -> None:
    """takopi may be gone before the engine has read what it was given."""
    directory = _made(tmp_path, stdin=b"hi\n", piped=True)
    records = [json.loads(line) for line in directory.stdin_records.read_text().split("\n") if line]
    assert records == [{"offset": 0, "data": "hi\n"}, {"eof": True}]
    assert directory.plan()["two_way"] is True
    assert not (directory.path / "stdin").exists()


def test_the_first_input_of_a_two_way_run_is_a_record(tmp_path: Path) -> None:
    """There is no stdin file then."""
    directory = _made(tmp_path, stdin=b"hi\n", two_way=True)
    assert json.loads(directory.stdin_records.read_text()) == {"offset": 0, "data": "hi\n"}
    assert not (directory.path / "stdin").exists()


def test_a_session_is_noted_and_read(tmp_path: Path) -> None:
    """What cannot be read is not known."""
    directory = _made(tmp_path)
    assert directory.session() is None
    note = SessionNote("e", "ü-1", str(tmp_path))
    directory.write_session(note)
    assert directory.session() == note
    (directory.path / "session.json").write_text('{"engine": 1}')
    assert directory.session() is None


def test_the_facts_are_read_again_until_they_are_whole(tmp_path: Path) -> None:
    """A reader that came before the engine started learns its pid later."""
    directory = _made(tmp_path)
    assert directory.process_facts().holder is None
    path = directory.path / "process.json"
    path.write_text('{"holder_pid": 1, "holder_start": "2", "pid": null}')
    assert directory.process_facts().holder_pid == 1
    assert directory.process_facts().engine is None
    path.write_text('{"holder_pid": 1, "holder_start": "2", "pid": 3, "start": "4"}')
    assert directory.process_facts().pid == 3
    path.unlink()
    assert directory.process_facts().pid == 3


def test_a_run_json_that_is_no_object_is_empty(tmp_path: Path) -> None:
    """Damage gives no exception."""
    directory = _made(tmp_path)
    (directory.path / "run.json").write_text("[]")
    assert directory.plan() == {}
