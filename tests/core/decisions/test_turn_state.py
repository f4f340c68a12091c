"""The way of a turn."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.turn_state import (
    ENDS,
    OUTCOMES,
    TRANSITIONS,
    IllegalTransition,
    TurnWay,
    state_diagram,
)

pytestmark = pytest.mark.timeout(300)

STEPS = st.sampled_from(["start", "run", "delivered", *sorted(ENDS)])


def take(way: TurnWay, step: str) -> None:
    """Take one step."""
    if step in ("start", "run", "delivered"):
        getattr(way, step)()
    else:
        way.conclude(step)  # type: ignore[arg-type]


@given(steps=st.lists(STEPS, max_size=12))
def test_a_turn_goes_only_where_the_table_leads(steps: list[str]) -> None:
    """An illegal step raises and changes nothing; there is one outcome at most."""
    way = TurnWay()
    outcomes = []
    for step in steps:
        before, outcome = way.state, way.outcome
        try:
            take(way, step)
        except IllegalTransition:
            assert (way.state, way.outcome) == (before, outcome)
            continue
        assert way.state in TRANSITIONS[before]
        if way.outcome != outcome:
            outcomes.append(way.outcome)
            assert way.outcome in OUTCOMES[before]
    assert len(outcomes) <= 1
    assert way.concluded == bool(outcomes)
    if way.state in ENDS:
        assert way.state == way.outcome


@given(outcome=st.sampled_from(sorted(ENDS)))
def test_a_turn_that_ran_can_end_in_every_way(outcome: str) -> None:
    """Start, run, one final, delivered."""
    way = TurnWay()
    way.start()
    way.run()
    way.conclude(outcome)  # type: ignore[arg-type]
    assert way.delivered() == outcome == way.state


@given(steps=st.lists(STEPS, max_size=6), more=st.lists(STEPS, max_size=6))
def test_a_turn_that_is_taken_up_again_goes_on_where_it_was(
    steps: list[str], more: list[str]
) -> None:
    """State and outcome are all that has to be remembered."""
    way = TurnWay()
    for step in steps:
        with suppress(IllegalTransition):
            take(way, step)
    again = TurnWay(way.state, way.outcome)
    for step in more:
        for one in (way, again):
            with suppress(IllegalTransition):
                take(one, step)
        assert (again.state, again.outcome) == (way.state, way.outcome)


def test_a_turn_that_never_ran_cannot_be_done() -> None:
    """There is nothing it could have done."""
    way = TurnWay()
    with pytest.raises(IllegalTransition, match="a turn that is queued cannot become done"):
        way.conclude("done")


def test_the_table_names_every_state_and_its_ends_lead_nowhere() -> None:
    """Every way comes to an end, and no end goes on."""
    for state, following in TRANSITIONS.items():
        assert following <= set(TRANSITIONS)
        assert (not following) == (state in ENDS)


def test_the_diagram_is_drawn_from_the_table() -> None:
    """Every transition is one line."""
    diagram = state_diagram()
    assert diagram.startswith("stateDiagram-v2\n    [*] --> queued\n    queued --> starting\n")
    for state, following in TRANSITIONS.items():
        for target in following:
            assert f"    {state} --> {target}\n" in diagram
    assert diagram.count("-->") == 1 + sum(map(len, TRANSITIONS.values())) + len(ENDS)
