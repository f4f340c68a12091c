"""The journal as a file finds turns and costs without reading all of them."""

from itertools import product
from pathlib import Path
from typing import Any

import pytest

from store.examples import NOW, SCOPE, now_done, opened, session, turn
from takopi.bridge.ports import TurnFilter
from takopi.bridge.records import PlacePut, TurnPut
from takopi.context import RunContext
from takopi.core.places import PlaceRecord
from takopi.store.rows import numbers_of
from takopi.store.sqlite_store import SqliteStore

FILTERS = [
    TurnFilter(scope=scope, chat_id=chat_id, engine=engine, context=context, accepted_since=since)
    for scope, chat_id, engine, context, since in product(
        [None, SCOPE],
        [None, 7],
        [None, "codex"],
        [None, RunContext("p"), RunContext()],
        [None, NOW],
    )
]


@pytest.fixture
def kept(tmp_path: Path) -> SqliteStore:
    """Give an empty journal."""
    return opened(tmp_path / "takopi.db")


def plan(store: SqliteStore, question: str, values: list[Any]) -> list[str]:
    """Return the steps by which SQLite answers."""
    return [row[3] for row in store._db.execute(f"EXPLAIN QUERY PLAN {question}", values)]


def test_no_question_reads_a_turn_that_is_not_meant(kept: SqliteStore) -> None:
    """Whatever is asked, an index gives the numbers; where nothing is, they come unsorted."""
    for wanted in FILTERS:
        (first, *others) = plan(kept, *numbers_of(wanted))
        if wanted == TurnFilter():
            assert (first, others) == ("SCAN t", [])
        else:
            assert first.startswith("SEARCH t USING COVERING INDEX turns_by_"), wanted
    now_done(kept.close())


@pytest.mark.parametrize("context", [RunContext("p", "x"), RunContext()])
def test_the_session_of_a_place_needs_no_sorting(kept: SqliteStore, context: RunContext) -> None:
    """It is asked for before each prompt."""
    wanted = TurnFilter(scope=SCOPE, engine="codex", context=context, accepted_since=NOW)
    (step,) = plan(kept, *numbers_of(wanted))
    assert "turns_by_place" in step
    assert step.count("=?") == 6
    now_done(kept.close())


@pytest.mark.parametrize("with_session", [False, True])
def test_only_as_many_rows_are_read_as_are_wanted(kept: SqliteStore, with_session: bool) -> None:
    """However many there are."""
    known = {"session": session()} if with_session else {}
    now_done(kept.commit([TurnPut(turn(f"t{number}", **known)) for number in range(50)]))
    seen: list[str] = []
    kept._db.set_trace_callback(seen.append)
    wanted = TurnFilter(scope=SCOPE, with_session=with_session)
    assert len(now_done(kept.newest_turns(wanted, 3))) == 3
    kept._db.set_trace_callback(None)
    asked = [question for question in seen if "t.body" in question]
    assert len(asked) == 3
    steps = plan(kept, asked[0], [])
    assert "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)" in steps
    assert not any(step.startswith("SCAN") for step in steps)
    now_done(kept.close())


def test_costs_are_found_by_their_time(kept: SqliteStore) -> None:
    """Turns are not looked at."""
    seen: list[str] = []
    kept._db.set_trace_callback(seen.append)
    assert now_done(kept.usage_since(NOW)) == ()
    kept._db.set_trace_callback(None)
    (question,) = seen
    assert plan(kept, question, []) == ["SEARCH usage USING INDEX usage_by_end (ended_at>?)"]
    now_done(kept.close())


def test_old_costs_go_in_pieces_too(kept: SqliteStore) -> None:
    """A year of them is not forgotten in one transaction, also when the turns went before."""
    end = {"state": "done", "ended_at": NOW, "usage": {}}
    now_done(kept.commit([TurnPut(turn(f"t{number}", **end)) for number in range(450)]))
    now_done(kept.prune(NOW + 100 * 86400.0))
    assert len(now_done(kept.usage_since(0))) == 450
    now_done(kept.prune(NOW + 500 * 86400.0))
    assert now_done(kept.usage_since(0)) == ()
    assert kept._db.execute("SELECT count(*) FROM usage").fetchone() == (0,)
    now_done(kept.close())


def test_halves_of_surrogate_pairs_are_replaced_wherever_they_stand(kept: SqliteStore) -> None:
    """A branch may be called by bytes that are no text; it is found by the same name."""
    half = "x\udcff"
    context = RunContext(half, half)
    strange = turn("a", project=half, branch=half, note=half, state="done", usage={half: half})
    place = PlaceRecord(key=half, project=half)
    now_done(kept.commit([TurnPut(strange), PlacePut(place), PlacePut(place)]))
    (found,) = now_done(kept.newest_turns(TurnFilter(context=context), 5))
    assert (found.project, found.branch, found.note) == ("x\ufffd", "x\ufffd", "x\ufffd")
    (row,) = now_done(kept.usage_since(0))
    assert (row.project, row.usage) == ("x\ufffd", {"x\ufffd": "x\ufffd"})
    (kept_place,) = now_done(kept.load()).places
    assert (kept_place.key, kept_place.project) == ("x\ufffd", "x\ufffd")
    now_done(kept.close())


class Odd:
    """Be something that an engine of a plug-in counts in."""

    def __str__(self) -> str:
        return "odd"


def test_what_is_no_json_is_written_down_as_text(kept: SqliteStore) -> None:
    """The end of a turn never fails for what its engine says about it."""
    usage: Any = {"a": Odd(), "b": float("nan"), "c": 10**30, (1, 2): [{None: "x\ud800"}]}
    now_done(kept.commit([TurnPut(turn("a", state="done", usage=usage))]))
    found = now_done(kept.turn("a"))
    assert found is not None
    expected = {"a": "odd", "b": None, "c": 10**30, "(1, 2)": [{"None": "x\ufffd"}]}
    assert found.usage == expected
    assert now_done(kept.usage_since(0))[0].usage == expected
    now_done(kept.close())
