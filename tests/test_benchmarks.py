"""Every benchmark still runs; how fast is judged by hand, never by a test."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(autouse=True)
def from_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `benchmarks` importable, here and in the processes that it starts."""
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PATH", "/usr/local/bin:/usr/bin:/bin")
    for name in [name for name in os.environ if name.startswith("COVERAGE")]:
        monkeypatch.delenv(name)  # the processes measured here run as they do outside of tests


SMALL = {
    "startup": {"rounds": 1},
    "translation": {"rounds": 1, "copies": 1},
    "long_stream": {"megabytes": 2},
    "rendering": {"rounds": 5},
    "bot": {"rounds": 1, "prompts": 1, "warm_up": False},
    "many_runs": {"runs": 3},
    "journal": {"rounds": 5, "megabytes": 1},
    "durability": {"prompts": 3},
}


def test_the_list_is_whole() -> None:
    """A new benchmark is smoke-tested, too."""
    from benchmarks.__main__ import NAMES

    assert set(SMALL) == set(NAMES)


# It takes as long as all the others together, and what it measures other tests start as well.
SLOW = {"bot"}


@pytest.mark.long
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.full) if name in SLOW else name for name in SMALL],
)
def test_a_benchmark_measures_something(name: str) -> None:
    """In its smallest form a benchmark gives figures that fit into the table."""
    import importlib

    from benchmarks.figure import table

    figures = importlib.import_module(f"benchmarks.{name}").measure(**SMALL[name])
    assert figures
    assert all(figure.value >= 0 for figure in figures)
    assert all(figure.name in table(figures) for figure in figures)
    assert "benchmarks" in sys.modules
