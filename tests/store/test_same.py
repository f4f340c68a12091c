"""Both journals say the same after all changes, however often the file is reopened."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from store.drawn import (
    BRANCHES,
    DAY,
    IDS,
    NUMBERS,
    PLACES,
    PROJECTS,
    SCHEDULE_IDS,
    SCHEDULES,
    SCOPES,
    TURNS,
)
from store.examples import (
    NOW,
    document,
    edited,
    letter,
    now_done,
    offer,
    opened,
    pressed,
    received,
    scratch,
)
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.ports import TurnFilter
from takopi.bridge.records import (
    Change,
    LetterGone,
    LetterPut,
    MessageBound,
    OfferPut,
    OfferTaken,
    PlacePut,
    ScheduleGone,
    SchedulePut,
    TurnPut,
    UpdateHandled,
)
from takopi.context import RunContext
from takopi.errors import OfferClosed

ROLES = st.sampled_from(["prompt", "progress", "final", "answer"])
OFFERS = st.sampled_from(["o1", "o2"])
CHOICES = st.none() | st.sampled_from(["continue", "again"])

CHANGE: st.SearchStrategy[Change] = st.one_of(
    *[st.builds(TurnPut, TURNS)] * 3,  # most of what is asked for is in turns
    st.builds(MessageBound, st.sampled_from([7, -8]), NUMBERS, IDS, ROLES),
    st.builds(LetterPut, st.builds(letter, NUMBERS, st.text(max_size=5))),
    st.builds(LetterPut, st.builds(document, NUMBERS)),
    st.builds(LetterGone, NUMBERS),
    st.builds(OfferPut, st.builds(offer, OFFERS, turn_id=IDS, taken=CHOICES)),
    st.builds(OfferTaken, OFFERS, st.sampled_from(["continue", "again"])),
    st.builds(UpdateHandled, NUMBERS),
    st.builds(PlacePut, PLACES),
    st.builds(SchedulePut, SCHEDULES),
    st.builds(ScheduleGone, SCHEDULE_IDS),
)
CONTEXTS = st.builds(RunContext, PROJECTS, BRANCHES)
SINCE = st.floats(NOW, NOW + DAY)
# Mostly one wish: hardly any turn is there that fits several.
FILTER = st.one_of(
    st.builds(TurnFilter, scope=SCOPES),
    st.builds(TurnFilter, chat_id=st.sampled_from([7, -8])),
    st.builds(TurnFilter, engine=st.sampled_from(["codex", "pi"])),
    st.builds(TurnFilter, context=CONTEXTS),
    st.builds(TurnFilter, accepted_since=SINCE),
    st.builds(TurnFilter, with_session=st.booleans()),
    st.builds(
        TurnFilter,
        scope=st.none() | SCOPES,
        chat_id=st.sampled_from([None, 7, -8]),
        engine=st.sampled_from([None, "codex", "pi"]),
        context=st.none() | CONTEXTS,
        accepted_since=st.none() | SINCE,
        with_session=st.booleans(),
    ),
)
UPDATE = st.one_of(
    st.builds(received, NUMBERS, NUMBERS),
    st.builds(edited, NUMBERS, NUMBERS, st.sampled_from([1.0, 2.0])),
    st.builds(pressed, NUMBERS, st.sampled_from(["p", "q"])),
)


class TwoJournals(RuleBasedStateMachine):
    """Do the same to both, and look at both."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = scratch()
        self.path = Path(self.folder.name) / "takopi.db"
        self.file = opened(self.path)
        self.memory = MemoryStore()
        self.moment = NOW

    def both(self, name: str, *values: Any) -> None:
        """Call both and compare what they say."""
        assert self.said(self.file, name, *values) == self.said(self.memory, name, *values)

    @staticmethod
    def said(store: Any, name: str, *values: Any) -> Any:
        """Return what a call returned, or that it came too late."""
        try:
            return now_done(getattr(store, name)(*values))
        except OfferClosed:
            return "closed"

    @rule(
        changes=st.lists(CHANGE, max_size=4),
        wanted=FILTER,
        limit=st.integers(-1, 5),
        days=st.floats(0, 500),
    )
    def commit(self, changes: list[Change], wanted: TurnFilter, limit: int, days: float) -> None:
        """Make some changes, then ask for the newest of some turns, and what was spent since."""
        self.both("commit", changes)
        self.both("newest_turns", wanted, limit)
        self.both("usage_since", NOW + days * DAY)

    @rule(updates=st.lists(UPDATE, max_size=3), newest=st.none() | NUMBERS)
    def accept(self, updates: list[Any], newest: int | None) -> None:
        """Take an answer of the service."""
        self.both("accept", updates, newest, self.moment)

    @rule(seconds=st.floats(0, 200 * DAY))
    def prune(self, seconds: float) -> None:
        """Let time pass and forget what is too old."""
        self.moment += seconds
        self.both("prune", self.moment)

    @rule()
    def reopen(self) -> None:
        """Close the file and open it again."""
        now_done(self.file.close())
        self.file = opened(self.path)
        assert not self.file.fresh

    @invariant()
    def both_say_the_same(self) -> None:
        """Whatever is asked."""
        self.both("load")
        for name in ("t1", "t2", "t3", "t4"):
            self.both("turn", name)
        for number in range(1, 6):
            self.both("turn_of_message", 7, number)
        self.both("turn_of_message", -8, 1)
        self.both("offer", "o1")
        self.both("offer", "o2")
        self.both("newest_turns", TurnFilter(), 5)
        self.both("usage_since", 0.0)

    def teardown(self) -> None:
        """Leave nothing behind."""
        now_done(self.file.close())
        self.folder.cleanup()


@pytest.mark.timeout(300)
class TestTwoJournals(TwoJournals.TestCase):
    """Both journals are one."""

    settings = settings(
        stateful_step_count=15 if settings.default.max_examples > 1000 else 10,
        max_examples=min(1000, settings.default.max_examples),
    )
