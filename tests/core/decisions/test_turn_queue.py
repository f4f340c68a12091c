"""Which turn may start."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from takopi.core.turn_queue import Hold, QueuePlace, TurnQueue
from takopi.model import ResumeToken


def session(name: str) -> ResumeToken:
    """Make a session."""
    return ResumeToken("codex", name)


def start_next(queue: TurnQueue) -> str | None:
    """Take the turn that may start now, the first in order."""
    turn = queue.next()
    if turn is not None:
        queue.start(turn)
    return turn


def test_turns_of_one_session_go_one_after_the_other() -> None:
    """The second starts when the first has ended, in the order of arrival."""
    queue = TurnQueue(8)
    for turn in ("a", "b", "c"):
        queue.add(turn, turn, session("s"))
    assert [start_next(queue), start_next(queue)] == ["a", None]
    assert queue.place("c") == QueuePlace("session", 2, 1)
    queue.end("b")
    assert queue.place("c") == QueuePlace("session", 1)
    queue.end("a")
    assert start_next(queue) == "c"
    assert queue.place("c") is None


def test_a_reply_to_a_new_conversation_waits_for_it() -> None:
    """Until the session is known the conversation is the lane; then both names lead to it."""
    queue = TurnQueue(8)
    queue.add("a", "a", None)
    assert start_next(queue) == "a"
    queue.add("b", "a", None)
    assert start_next(queue) is None
    assert queue.session_of("b") is None
    queue.report("a", session("s"))
    queue.add("c", "c", session("s"))
    assert (queue.session_of("b"), queue.place("c")) == (session("s"), QueuePlace("session", 2, 1))
    queue.end("a")
    assert start_next(queue) == "b"


def test_the_limit_holds_and_the_rest_know_why_they_wait() -> None:
    """Lanes that could start wait in the order of arrival."""
    queue = TurnQueue(2)
    for turn in ("a", "b", "c", "d"):
        queue.add(turn, turn, None)
    assert [start_next(queue) for _ in range(3)] == ["a", "b", None]
    assert (queue.place("c"), queue.place("d")) == (
        QueuePlace("limit", 0),
        QueuePlace("limit", 1, 1),
    )
    queue.end("b")
    assert start_next(queue) == "c"


def test_two_lanes_that_turn_out_to_be_one_session_are_joined() -> None:
    """An engine may report a session for which others wait already."""
    queue = TurnQueue(1)
    queue.add("a", "a", None)
    assert start_next(queue) == "a"
    queue.add("b", "b", session("s"))
    queue.add("c", "a", None)
    queue.report("a", session("s"))
    assert queue.place("c") == QueuePlace("session", 2, 1)
    queue.end("a")
    assert start_next(queue) == "b"
    assert queue.active("a")
    queue.end("b")
    queue.end("c")
    assert not queue.active("a")
    assert not queue.active("b")


def test_running_turns_of_joined_lanes_hold_the_lane_until_all_have_ended() -> None:
    """Nothing starts beside either of them."""
    queue = TurnQueue(8)
    queue.add("a", "a", None)
    queue.add("b", "b", session("s"))
    assert {start_next(queue), start_next(queue)} == {"a", "b"}
    queue.report("a", session("s"))
    queue.add("c", "a", None)
    queue.end("b")
    assert start_next(queue) is None
    queue.end("a")
    assert start_next(queue) == "c"


def test_ending_twice_or_what_is_not_known_changes_nothing() -> None:
    """The queue is forgiving where two ways lead to an end."""
    queue = TurnQueue(0)
    queue.add("a", "a", None)
    assert start_next(queue) == "a"
    queue.end("a")
    queue.end("a")
    queue.report("a", session("s"))
    assert queue.session_of("a") is None
    assert queue.place("a") is None


def test_a_turn_that_is_gathered_keeps_its_place_and_holds_up_its_lane_only() -> None:
    """Order is kept in its session; others start, and it needs no room among them."""
    queue = TurnQueue(1)
    queue.add("a", "a", session("s"))
    queue.hold("a", "gathering")
    queue.add("b", "b", session("s"))
    queue.add("c", "c", None)
    assert queue.place("a") == QueuePlace("gathering", 0)
    assert queue.place("b") == QueuePlace("session", 1, 1)
    assert start_next(queue) == "c"
    assert start_next(queue) is None
    queue.end("c")
    assert start_next(queue) is None
    queue.hold("a", None)
    assert start_next(queue) == "a"


def test_a_turn_that_waits_for_a_person_is_passed_by() -> None:
    """Newer prompts of its session do not wait for the decision; let go, it is the oldest."""
    queue = TurnQueue(8)
    for turn in ("a", "b", "c"):
        queue.add(turn, turn, session("s"))
    queue.hold("a", "person")
    assert queue.place("a") == QueuePlace("person", 0)
    assert queue.place("b") == QueuePlace("limit", 0)
    assert start_next(queue) == "b"
    assert queue.place("c") == QueuePlace("session", 1)
    queue.hold("a", None)
    assert queue.place("c") == QueuePlace("session", 2, 1)
    queue.end("b")
    assert start_next(queue) == "a"


def test_a_lane_of_held_turns_starts_nothing() -> None:
    """Nobody in it may start, and nobody else waits for that."""
    queue = TurnQueue(1)
    queue.add("a", "a", None)
    queue.hold("a", "person")
    assert start_next(queue) is None
    queue.add("b", "b", None)
    assert queue.place("b") == QueuePlace("limit", 0)
    assert start_next(queue) == "b"
    queue.end("a")
    assert queue.place("a") is None


def test_what_does_not_wait_cannot_be_held() -> None:
    """A turn that runs, or that nobody knows, is left alone."""
    queue = TurnQueue(1)
    queue.add("a", "a", None)
    assert start_next(queue) == "a"
    queue.hold("a", "gathering")
    queue.hold("x", "gathering")
    assert queue.place("a") is None
    queue.end("a")
    queue.add("a", "a", None)
    assert start_next(queue) == "a"


def test_turns_that_run_already_are_taken_in_beyond_the_limit() -> None:
    """They hold their lanes at once; nothing starts before there is room again."""
    queue = TurnQueue(1)
    queue.adopt("a", "a", session("s"))
    queue.adopt("b", "b", None)
    queue.add("c", "c", session("s"))
    queue.add("d", "b", None)
    queue.add("e", "e", None)
    assert queue.place("c") == QueuePlace("session", 1)
    assert start_next(queue) is None
    queue.end("a")
    assert start_next(queue) is None
    queue.end("b")
    assert start_next(queue) == "c"


def filled(*sessions: str | None) -> TurnQueue:
    """Make a queue with a turn for each session: a, b, c and so on."""
    queue = TurnQueue(1)
    for turn, known in zip("abcdefgh", sessions, strict=False):
        queue.add(turn, turn, session(known) if known else None)
    return queue


def promote(queue: TurnQueue, turn: str, before: str | None = None) -> dict[str, int]:
    """Let a turn come before others."""
    ranks = queue.promote(turn, before)
    for other, rank in ranks.items():
        queue.rank(other, rank)
    return ranks


def test_a_promoted_turn_is_next_in_its_session_and_among_all() -> None:
    queue = filled("s", "s", "s", None)
    assert promote(queue, "c") == {"c": -3, "a": -2, "b": -1}
    assert queue.waiting() == ["c", "a", "b", "d"]
    assert queue.place("a") == QueuePlace("session", 1, 1)
    promote(queue, "d", "a")
    assert queue.waiting() == ["c", "d", "a", "b"]
    queue.add("e", "e", None)
    assert queue.waiting()[-1] == "e"
    assert [start_next(queue), queue.end("c"), start_next(queue)] == ["c", None, "d"]


def test_promoting_changes_no_more_ranks_than_it_must_and_nothing_by_itself() -> None:
    queue = filled(None, None, None, None)
    assert queue.promote("b") == {"b": -2, "a": -1}
    assert queue.waiting() == ["a", "b", "c", "d"]
    for turn, before in (("a", None), ("a", "a"), ("b", "c"), ("x", None), ("b", "x")):
        assert queue.promote(turn, before) == {}
    queue.rank("x", -1)
    start_next(queue)
    assert queue.promote("a") == {}
    assert queue.promote("b", "a") == {}


@given(st.lists(st.tuples(st.integers(0, 7), st.none() | st.integers(0, 7)), max_size=12))
def test_the_order_is_what_was_asked_for_and_outlives_a_restart(moves) -> None:
    """Each move changes the place of one turn; what is written down gives the same order again."""
    queue, names = filled(*[None] * 8), list("abcdefgh")
    ranks = dict.fromkeys(names, 0)
    model = list(names)
    for turn, before in moves:
        first = None if before is None else names[before]
        ranks |= promote(queue, names[turn], first)
        if first != names[turn]:
            model.remove(names[turn])
            model.insert(0 if first is None else model.index(first), names[turn])
        assert queue.waiting() == model
    again = TurnQueue(1)
    for name in names:
        again.add(name, name, None, ranks[name])
    assert again.waiting() == model
    assert max(ranks.values()) <= 0


class Turns(RuleBasedStateMachine):
    """Let turns arrive, start, report, be held and end in any order."""

    @initialize(limit=st.integers(1, 4))
    def begin(self, limit: int) -> None:
        self.limit = limit
        self.queue = TurnQueue(limit)
        self.waiting: list[str] = []
        self.running: dict[str, ResumeToken | None] = {}
        self.conversation: dict[str, str] = {}
        self.asked: dict[str, ResumeToken | None] = {}
        self.held: dict[str, Hold] = {}
        self.adopted = 0
        self.count = 0

    @rule(known=st.none() | st.integers(0, 3))
    def arrives(self, known: int | None) -> None:
        self._add(None, session(f"s{known}") if known is not None else None)

    @precondition(lambda self: self.conversation)
    @rule(data=st.data())
    def replies(self, data: st.DataObject) -> None:
        turn = data.draw(st.sampled_from(sorted(self.conversation)))
        self._add(self.conversation[turn], None)

    @rule()
    def runs_already(self) -> None:
        self.count += 1
        turn = f"t{self.count:03d}"
        self.queue.adopt(turn, turn, None)
        self.conversation[turn], self.asked[turn] = turn, None
        self.running[turn] = None
        self.adopted += 1

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), why=st.sampled_from(["gathering", "person", None]))
    def is_held(self, data: st.DataObject, why: Hold | None) -> None:
        turn = data.draw(st.sampled_from(self.waiting))
        self.queue.hold(turn, why)
        if why is None:
            self.held.pop(turn, None)
        else:
            self.held[turn] = why

    @precondition(lambda self: len(self.waiting) > 1)
    @rule(data=st.data())
    def is_promoted(self, data: st.DataObject) -> None:
        turn, before = data.draw(st.permutations(self.waiting))[:2]
        promote(self.queue, turn, before)
        self.waiting.remove(turn)
        self.waiting.insert(self.waiting.index(before), turn)

    def _add(self, conversation: str | None, asked: ResumeToken | None) -> None:
        self.count += 1
        turn = f"t{self.count:03d}"
        self.queue.add(turn, conversation or turn, asked)
        self.conversation[turn] = conversation or turn
        self.asked[turn] = asked
        self.waiting.append(turn)

    @rule()
    def starts(self) -> None:
        turn = start_next(self.queue)
        if turn is None:
            return
        assert turn in self.waiting
        assert turn not in self.held
        token = self.asked[turn] or self.queue.session_of(turn)
        assert token is None or token not in self.running.values()
        mine = self.conversation[turn]
        assert all(self.conversation[other] != mine for other in self.running)
        for earlier in self.waiting[: self.waiting.index(turn)]:
            if self.held.get(earlier) == "person":
                continue
            assert self.conversation[earlier] != mine, "a later turn of a conversation overtook"
            same = self.asked[earlier] is not None and self.asked[earlier] == self.asked[turn]
            assert not same, "a later turn of a session overtook"
        self.waiting.remove(turn)
        self.running[turn] = token

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def reports(self, data: st.DataObject) -> None:
        turn = data.draw(st.sampled_from(sorted(self.running)))
        if self.running[turn] is None:
            self.running[turn] = session(f"new-{turn}")
            self.queue.report(turn, session(f"new-{turn}"))

    @precondition(lambda self: self.running or self.waiting)
    @rule(data=st.data())
    def ends(self, data: st.DataObject) -> None:
        turn = data.draw(st.sampled_from([*sorted(self.running), *self.waiting]))
        self.queue.end(turn)
        self.running.pop(turn, None)
        self.held.pop(turn, None)
        if turn in self.waiting:
            self.waiting.remove(turn)

    @invariant()
    def places_are_told(self) -> None:
        if not hasattr(self, "queue"):
            return
        assert len(self.running) <= self.limit + self.adopted
        assert all(self.queue.place(turn) is not None for turn in self.waiting)
        assert all(self.queue.place(turn) is None for turn in self.running)

    def teardown(self) -> None:
        """Nothing waits for ever: when running turns end, every waiting one starts."""
        for turn in getattr(self, "held", {}):
            self.queue.hold(turn, None)
        while getattr(self, "waiting", []) or getattr(self, "running", {}):
            while (turn := start_next(self.queue)) is not None:
                self.waiting.remove(turn)
                self.running[turn] = None
            assert self.running, "turns wait and nothing runs"
            turn = next(iter(self.running))
            del self.running[turn]
            self.queue.end(turn)


class TestTurns(Turns.TestCase):  # type: ignore[misc]
    """Run the machine."""

    pytestmark = pytest.mark.timeout(600)


TestTurns.settings = settings(
    max_examples=min(settings().max_examples, 2_000), stateful_step_count=25
)
