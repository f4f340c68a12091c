"""What takopi makes of important recorded runs, line by line, as it was read and agreed to."""

import pytest

from runners.cases import case, engines, events_of
from runners.golden import expectations, lines_of

CHOSEN = [(engine, name) for engine in engines() for name in expectations(engine)]


@pytest.mark.parametrize(("engine", "name"), CHOSEN)
def test_a_recorded_run_gives_the_events_agreed_to(engine: str, name: str) -> None:
    """The mapping of an engine's output is a promise; golden.py says how to change it."""
    assert lines_of(events_of(case(engine, name))) == expectations(engine)[name]
