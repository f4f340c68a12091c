"""What a progress message calls the state of its turn."""

from typing import get_args

import pytest
from msgspec.structs import replace

from bridge.turn_stage import SCOPE
from fakes.clock import VirtualClock
from takopi.bridge.records import TurnRecord
from takopi.bridge.turn import Turn
from takopi.bridge.turn_messages import state_label
from takopi.core.turn_state import TurnEnd

RECORD = TurnRecord(turn_id="t", scope=SCOPE, engine="codex")
LABELS = {"queued": "starting", "starting": "starting", "running": "working"}


@pytest.mark.parametrize(("state", "label"), LABELS.items())
def test_a_turn_starts_until_its_engine_says_something(state, label) -> None:
    """Then it works."""
    assert state_label(Turn.of(replace(RECORD, state=state), VirtualClock())) == label


@pytest.mark.parametrize("outcome", get_args(TurnEnd))
def test_a_turn_whose_answer_is_under_way_is_not_starting_again(outcome) -> None:
    """An edit that was due when the answer came still says what is so."""
    record = replace(RECORD, state="delivering", outcome=outcome)
    assert state_label(Turn.of(record, VirtualClock())) == "working"
