"""Which changes are refused when the disk is nearly full, and which are worth the last room."""

import pytest
from msgspec.structs import replace

from takopi.bridge.records import (
    Change,
    LetterGone,
    PlacePut,
    ScheduleGone,
    SchedulePut,
    TurnPut,
    TurnRecord,
    UpdateHandled,
)
from takopi.core.chat import Scope
from takopi.core.places import PlaceRecord
from takopi.core.schedules import ScheduleRecord
from takopi.core.turn_state import TRANSITIONS
from takopi.store.writing import may_use_reserve, starts_something

TURN = TurnRecord(turn_id="t", scope=Scope("memory", 1), engine="codex")
PLACE = PlacePut(PlaceRecord(key="memory:1"))
SCHEDULE = SchedulePut(
    ScheduleRecord(
        schedule_id="a", scope=TURN.scope, chat_kind="private", person=1, when="1h", prompt="x"
    )
)


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


@pytest.mark.parametrize("wish", [PLACE, SCHEDULE], ids=["place", "schedule"])
def test_wishes_get_nothing_of_the_last_room(wish: Change) -> None:
    """A person can say them again; what answers them is no final either."""
    assert starts_something([wish])
    assert starts_something([UpdateHandled(1), wish])
    assert not may_use_reserve([UpdateHandled(1), wish])


@pytest.mark.parametrize(
    "final",
    [
        LetterGone(1),
        *(TurnPut(replace(TURN, state=state)) for state in ("delivering", "done", "interrupted")),
    ],
    ids=repr,
)
@pytest.mark.parametrize("wish", [PLACE, SCHEDULE], ids=["place", "schedule"])
def test_a_final_takes_the_wish_along_that_is_written_down_with_it(
    wish: Change, final: Change
) -> None:
    """It must never be lost, or sent twice, for what comes beside it."""
    assert not starts_something([wish, final])
    assert may_use_reserve([wish, final])


def test_what_is_taken_away_needs_no_room() -> None:
    """A schedule can be ended on a full disk."""
    assert not starts_something([ScheduleGone("a"), UpdateHandled(1)])
