"""Which run directories are deleted."""

from hypothesis import given
from hypothesis import strategies as st

from takopi.core.run_keeping import Keeping, StoredRun, runs_to_delete

DAY = 86_400.0
NOW = 1_000 * DAY
GB = 1_000_000_000

RUNS = st.lists(
    st.tuples(st.floats(NOW - 20 * DAY, NOW + DAY), st.integers(0, GB), st.booleans()),
    max_size=20,
).map(lambda rows: [StoredRun(f"run {number}", *row) for number, row in enumerate(rows)])


def run(name: str, days: float, size: int = 0, *, free: bool = True) -> StoredRun:
    return StoredRun(name, NOW - days * DAY, size, free)


def test_old_runs_go_and_new_ones_stay() -> None:
    """The number of days decides, and a run that is needed stays however old it is."""
    runs = [run("new", 6.9), run("old", 7.1), run("needed", 30, free=False), run("older", 9)]
    assert runs_to_delete(runs, Keeping(), NOW) == ["older", "old"]
    assert runs_to_delete(runs, Keeping(days=8), NOW) == ["older"]


def test_of_too_much_the_oldest_go() -> None:
    """Only as many as it takes; what is needed counts but stays."""
    runs = [
        run("a", 5, GB),
        run("b", 4, GB, free=False),
        run("c", 3, GB // 2),
        run("d", 2, GB // 2),
    ]
    assert runs_to_delete(runs, Keeping(), NOW) == ["a"]
    assert runs_to_delete(runs, Keeping(gb=1), NOW) == ["a", "c", "d"]
    assert runs_to_delete(runs, Keeping(gb=3), NOW) == []


def test_a_run_that_is_just_being_made_stays() -> None:
    """However little may be kept."""
    fresh = StoredRun("fresh", NOW - 30, GB, free=True)
    assert runs_to_delete([fresh], Keeping(days=0, gb=0), NOW) == []


@given(RUNS, st.floats(0, 20), st.floats(0, 5))
def test_the_laws_of_keeping(runs: list[StoredRun], days: float, gb: float) -> None:
    """What is needed stays, what goes has a reason, and a younger one never goes for an older."""
    keeping = Keeping(days, gb)
    doomed = runs_to_delete(runs, keeping, NOW)
    gone = {name: place for place, name in enumerate(doomed)}
    left = [run for run in runs if run.run_id not in gone]
    assert all(run.free for run in runs if run.run_id in gone)
    assert not [run for run in left if run.free and NOW - run.changed_at > max(days * DAY, 60)]
    deletable = [run for run in left if run.free and NOW - run.changed_at > 60]
    if sum(run.size for run in left) > gb * GB:
        assert not deletable
    times = [run.changed_at for name in doomed for run in runs if run.run_id == name]
    assert times == sorted(times)
