"""Both journals say the same after all changes, however often the file is reopened."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

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
    session,
    turn,
)
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.records import (
    Change,
    LetterGone,
    LetterPut,
    MessageBound,
    OfferPut,
    OfferTaken,
    TurnPut,
    UpdateHandled,
)
from takopi.core.turn_state import TRANSITIONS
from takopi.errors import OfferClosed

DAY = 86400.0

TURNS = st.sampled_from(["t1", "t2", "t3", "t4"])
NUMBERS = st.integers(1, 5)
CONVERSATIONS = st.sampled_from(["", "c1", "c2"])
SESSIONS = st.none() | st.builds(session, st.sampled_from(["s1", "s2"]))
MOMENTS = st.none() | st.floats(NOW, NOW + 100 * DAY)
ROLES = st.sampled_from(["prompt", "progress", "final", "answer"])
OFFERS = st.sampled_from(["o1", "o2"])
CHOICES = st.none() | st.sampled_from(["continue", "again"])

PUT_TURN = st.builds(
    turn,
    TURNS,
    state=st.sampled_from(sorted(TRANSITIONS)),
    conversation=CONVERSATIONS,
    session=SESSIONS,
    prompt=st.text(max_size=5),
    run_id=st.none() | st.text(max_size=3),
    accepted_at=st.floats(NOW, NOW + DAY),
    ended_at=MOMENTS,
    progress_id=st.none() | NUMBERS,
    seq=NUMBERS,
)
CHANGE: st.SearchStrategy[Change] = st.one_of(
    st.builds(TurnPut, PUT_TURN),
    st.builds(MessageBound, st.sampled_from([7, 8]), NUMBERS, TURNS, ROLES),
    st.builds(LetterPut, st.builds(letter, NUMBERS, st.text(max_size=5))),
    st.builds(LetterPut, st.builds(document, NUMBERS)),
    st.builds(LetterGone, NUMBERS),
    st.builds(OfferPut, st.builds(offer, OFFERS, turn_id=TURNS, taken=CHOICES)),
    st.builds(OfferTaken, OFFERS, st.sampled_from(["continue", "again"])),
    st.builds(UpdateHandled, NUMBERS),
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

    @rule(changes=st.lists(CHANGE, max_size=4))
    def commit(self, changes: list[Change]) -> None:
        """Make some changes."""
        self.both("commit", changes)

    @rule(updates=st.lists(UPDATE, max_size=3), newest=st.none() | NUMBERS)
    def accept(self, updates: list[Any], newest: int | None) -> None:
        """Take an answer of the service."""
        self.both("accept", updates, newest, self.moment)

    @rule(seconds=st.floats(0, 60 * DAY))
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
        self.both("turn_of_message", 8, 1)
        self.both("offer", "o1")
        self.both("offer", "o2")

    def teardown(self) -> None:
        """Leave nothing behind."""
        now_done(self.file.close())
        self.folder.cleanup()


@pytest.mark.timeout(300)
class TestTwoJournals(TwoJournals.TestCase):
    """Both journals are one."""

    settings = settings(
        stateful_step_count=15, max_examples=min(1000, settings.default.max_examples)
    )
