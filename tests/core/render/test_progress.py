"""Laws and examples of the fold from events to what a person sees."""

import math
import sys
import time
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.render.events import ENGINE, STREAMS, TOKEN, after, begun, done, event
from takopi.core.progress import (
    MAX_SHOWN,
    SESSION_WAIT,
    PlanItem,
    ProgressState,
    ShownChange,
    ShownWarning,
    StreamedText,
    advance,
    start_progress,
)
from takopi.model import Action, ActionEvent, ActionKind, CompletedEvent, StartedEvent, TakopiEvent

KNOWN = get_args(ActionKind)

pytestmark = pytest.mark.timeout(1_800)


def on_the_wire(action: Action) -> bool:
    """Tell whether JSON gives back what it is given."""
    return action.kind in KNOWN and finite(action.detail)


def finite(value: object) -> bool:
    """Tell whether no number in a value is infinite or none."""
    if isinstance(value, dict):
        return all(finite(part) for part in value.values())
    if isinstance(value, list | tuple):
        return all(finite(part) for part in value)
    return not isinstance(value, float) or math.isfinite(value)


@given(STREAMS)
def test_a_replay_shows_what_was_shown_live(stream: list[TakopiEvent]) -> None:
    """The same events give the same state, also when they were written down in between."""
    assert after(*stream) == after(*stream)
    # The wire knows today's kinds only, and has no word for numbers that are none.
    kept = [one for one in stream if not isinstance(one, ActionEvent) or on_the_wire(one.action)]
    written = msgspec.json.encode(kept)
    read = msgspec.json.decode(written, type=list[TakopiEvent])
    assert after(*read).recent == after(*kept).recent


@given(STREAMS)
def test_an_event_that_comes_twice_changes_nothing(stream: list[TakopiEvent]) -> None:
    """Each event may be folded again right away."""
    state = start_progress(ENGINE)
    for one in stream:
        state = advance(state, one)
        assert advance(state, one) == state


@given(st.text(max_size=120), st.lists(st.integers(0, 120), max_size=8))
def test_a_message_may_arrive_in_any_pieces(text: str, cuts: list[int]) -> None:
    """However the deltas are cut, the state is the same, and the whole text is kept."""
    whole = after(event("message", "m", text=text, offset=0))
    places = sorted({0, *(min(cut, len(text)) for cut in cuts)})
    pieces = [
        event("message", "m", phase="updated", text=text[start:end], offset=start)
        for start, end in zip(places, [*places[1:], len(text)], strict=True)
    ]
    assert after(*pieces) == whole
    assert after(*pieces, *pieces) == whole
    assert whole.partial_answer == text


@given(STREAMS)
def test_what_is_shown_is_bounded_and_in_order(stream: list[TakopiEvent]) -> None:
    """At most five actions, each once, in order of first appearance."""
    state = after(*stream)
    ids = [action.id for action in state.recent]
    assert len(ids) <= MAX_SHOWN
    assert len(set(ids)) == len(ids)
    places = [state.known.index(id_) for id_ in ids]
    assert places == sorted(places)


def test_steps_count_what_the_agent_did() -> None:
    """Notes, telemetry, messages, thoughts, plans and turns are no steps; each id counts once."""
    kinds = ["command", "tool", "file_change", "web_search", "subagent"]
    others = ["note", "telemetry", "message", "thinking", "turn", "plan", "warning", "ask", "new"]
    stream = [begun(kind, kind=kind) for kind in (*kinds, *others)]
    stream += [done(kind, kind=kind) for kind in (*kinds, *others)]
    assert after(*stream).steps == len(kinds)


def test_the_last_five_are_shown_and_updated_in_place() -> None:
    """A newer action pushes out the oldest; news of a shown one changes it where it stands."""
    state = after(*(done(f"c{n}") for n in range(7)), begun("c7"), begun("c8"), done("c7"))
    assert [action.id for action in state.recent] == ["c4", "c5", "c6", "c7", "c8"]
    assert [action.phase for action in state.recent[-2:]] == ["completed", "started"]
    assert state.steps == 9


def test_what_still_runs_stays_on_screen() -> None:
    """A long command is not pushed out by short ones that have ended."""
    state = after(begun("long"), *(done(f"c{n}") for n in range(20)))
    assert [action.id for action in state.recent] == ["long", "c16", "c17", "c18", "c19"]


def test_an_action_that_had_to_give_way_comes_back_with_news() -> None:
    """Of many at once the oldest gives way, and returns to its place once there is room."""
    crowd = [begun(f"c{n}") for n in range(7)]
    assert [action.id for action in after(*crowd).recent] == ["c2", "c3", "c4", "c5", "c6"]
    state = after(*crowd, done("c3"), done("c4"), event("command", "c1", "ls", "updated"))
    assert [action.id for action in state.recent] == ["c1", "c2", "c4", "c5", "c6"]
    assert after(*crowd, done("c0")).recent == after(*crowd).recent
    assert state.steps == 7


def test_the_newest_is_shown_beside_five_that_run() -> None:
    """Even when all places are taken by running actions."""
    state = after(*(begun(f"c{n}") for n in range(5)), done("new"))
    assert [action.id for action in state.recent] == ["c1", "c2", "c3", "c4", "new"]


def test_an_update_without_a_title_keeps_the_old_one() -> None:
    """What an event leaves out stays as it was."""
    change = event("file_change", "f", "a.py", changes=[{"path": "a.py", "kind": "add"}])
    state = after(change, event("file_change", "f", "", "completed", ok=True))
    (shown,) = state.recent
    assert shown.title == "a.py"
    assert shown.changes == (ShownChange("a.py", "+"),)
    state = after(begun("c"), event("command", "c", "", "updated", exit_code=3), done("c", ""))
    assert (state.recent[0].title, state.recent[0].exit_code) == ("ls", 0)
    assert after(done("c", exit_code=2), event("command", "c")).recent[0].exit_code == 2


def test_file_changes_are_read_from_any_engine() -> None:
    """Kinds have several names, lists may be long, entries may be odd."""
    kinds = ["add", "create", "update", "modify", "delete", "remove", None]
    changes = [{"path": f"f{n}", "kind": kind} for n, kind in enumerate(kinds)]
    state = after(event("file_change", "f", changes=[*changes, "odd", {}, {"path": "last"}]))
    (shown,) = state.recent
    assert "".join(change.mark for change in shown.changes) == "++~~--~"
    assert shown.more_changes == 3


def test_the_plan_is_the_latest() -> None:
    """Items keep their order; an unknown status is pending, an odd item is shown as text."""
    items = [{"text": "a", "status": "completed"}, {"text": "b", "status": "?"}, "c"]
    assert after(
        event("plan", "p", items=[{"text": "old"}]), event("plan", "p", items=items)
    ).plan == (
        PlanItem("a", "completed"),
        PlanItem("b", "pending"),
        PlanItem("c", "pending"),
    )
    assert after(event("plan", "p", items=items), event("plan", "p", items=None)).plan == ()


def test_warnings_are_updated_in_place_and_go_when_all_is_well() -> None:
    """A retry counts up in one line; a good end takes it away."""
    first = event("warning", "w", "retry 1", level="warning")
    second = event("warning", "w", "retry 2", "updated", message="in 3 s")
    assert after(first, second).warnings == (ShownWarning("w", "retry 2: in 3 s"),)
    assert after(first, second, event("warning", "w", "ok", "completed", ok=True)).warnings == ()
    many = [event("warning", f"w{n}", f"no {n}") for n in range(9)]
    assert [warning.text for warning in after(*many).warnings] == ["no 6", "no 7", "no 8"]
    assert after(event("note", "n", "", level="error", message="bad")).warnings[0].text == "bad"


def test_what_is_for_debugging_is_not_shown() -> None:
    """Telemetry, turns and debug notes leave no trace."""
    stream = [event("telemetry", "t"), event("turn", "u"), event("note", "n", "x", level="debug")]
    assert after(*stream) == start_progress(ENGINE)


def test_thinking_ends_when_an_action_starts() -> None:
    """The focus tells what is being written."""
    thought = event("thinking", "t", text="hm", offset=0)
    assert after(thought).focus == "thinking"
    assert after(thought, event("note", "n", "x")).focus == "thinking"
    assert after(thought, begun("c")).focus == "nothing"
    assert after(thought, event("message", "m", text="so", offset=0)).focus == "message"
    assert after(thought).thinking == StreamedText("t", "hm")


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([event("message", "m", text="a"), event("message", "m", text="ab")], "ab"),
        ([event("message", "m", "title")], "title"),
        ([event("message", "m", text="a", offset=0), event("message", "m")], "a"),
        ([event("message", "m", text="b", offset=2)], "  b"),
        ([event("message", "m", text="b", offset=10**12)], ""),
        ([event("message", "m", text="a", offset=-1)], "a"),
        ([event("message", "m", text="a"), event("message", "n", text="b")], "b"),
        ([], ""),
    ],
)
def test_text_may_come_without_offsets_or_with_gaps(pieces: list[TakopiEvent], text: str) -> None:
    """Runners that do not stream say it all at once, or in the title; a gap loses nothing."""
    assert after(*pieces).partial_answer == text


def test_the_session_and_the_end_are_kept() -> None:
    """The session is known from its first event on."""
    state = after(StartedEvent(ENGINE, TOKEN, title="Fix\nit"))
    assert (state.resume, state.title, state.ended) == (TOKEN, "Fix it", False)
    state = advance(state, CompletedEvent(ENGINE, True, "answer"))
    assert (state.resume, state.ended) == (TOKEN, True)
    assert after(CompletedEvent(ENGINE, True, "", resume=TOKEN)).resume == TOKEN


def _deep_size(value: object) -> int:
    size = sys.getsizeof(value)
    if isinstance(value, tuple):
        return size + sum(map(_deep_size, value))
    if isinstance(value, msgspec.Struct):
        return size + sum(_deep_size(getattr(value, name)) for name in value.__struct_fields__)
    return size


def test_ten_thousand_actions_leave_a_small_state() -> None:
    """Size and cost do not grow with the turn, whatever the engine puts into an event."""
    sizes, state = [], start_progress(ENGINE)
    title, output = "x" * 5_000, "y" * 100_000
    for n in range(10_000):
        state = advance(state, event("command", f"id-{n:06}", title, output=output))
        state = advance(state, done(f"id-{n:06}", title))
        if n in (999, 9_999):
            sizes.append(_deep_size(state))
    assert sizes[1] <= sizes[0] + 100
    assert sizes[1] < 64_000
    assert state.steps == 10_000


def test_an_event_behind_a_thousand_others_costs_little() -> None:
    """One advance takes far less than a millisecond of CPU (the best of many: shared machines)."""
    state: ProgressState = after(*(begun(f"c{n}") for n in range(1_000)))
    best = 1.0
    for n in range(200):
        started = time.process_time()
        advance(state, begun(f"new{n}"))
        best = min(best, time.process_time() - started)
    assert best < 0.001


def test_an_open_ask_is_known_also_when_it_had_to_leave_the_screen() -> None:
    """The agent waits for a person until every ask has come to its end."""
    others = [event("command", f"c{n}", "make") for n in range(MAX_SHOWN + 1)]
    asked = [event("ask", "q1", "May I?"), event("ask", "q2", "And this?"), *others]
    assert not after(*others).waits_for_others
    assert after(*asked).waits_for_others
    answered = [event("ask", "q1", "May I?", "completed"), event("ask", "q2", "x", "updated")]
    assert after(*asked, *answered).waits_for_others
    assert not after(*asked, *answered, event("ask", "q2", "x", "completed")).waits_for_others


def test_a_turn_that_waits_for_its_session_is_not_stuck() -> None:
    """Another takopi of the user holds it; silence is no fault of the engine then."""
    waiting = event("note", SESSION_WAIT, "waits for another takopi", "started")
    assert after(waiting).waits_for_others
    assert not after(waiting, event("note", SESSION_WAIT, "x", "completed")).waits_for_others
