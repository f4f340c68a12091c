"""Which changes are refused when the disk is nearly full: those that begin work."""

import pytest
from msgspec.structs import replace

from takopi.bridge.records import TurnPut, TurnRecord, UpdateHandled
from takopi.core.chat import Scope
from takopi.core.turn_state import TRANSITIONS
from takopi.store.writing import starts_something

TURN = TurnRecord(turn_id="t", scope=Scope("memory", 1), engine="codex")


@pytest.mark.parametrize("state", list(TRANSITIONS))
def test_a_turn_that_waits_or_starts_begins_work(state: str) -> None:
    """What runs already, or is over, only has to be told."""
    put = TurnPut(replace(TURN, state=state))
    assert starts_something([UpdateHandled(1), put]) == (state in ("queued", "starting"))


@pytest.mark.parametrize("state", ["queued", "starting"])
def test_a_wish_to_cancel_begins_nothing(state: str) -> None:
    """Cancelling works also when nothing may be started."""
    put = TurnPut(replace(TURN, state=state, cancelled=True))
    assert not starts_something([put, UpdateHandled(1)])
