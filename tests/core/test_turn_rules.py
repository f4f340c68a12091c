"""The rules of a turn hold whatever a runner says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.turn_rules import TurnRules
from takopi.errors import EngineError, SessionMismatch
from takopi.model import (
    Action,
    ActionEvent,
    CompletedEvent,
    ResumeToken,
    StartedEvent,
    TakopiEvent,
)

ONE, TWO = ResumeToken("toy", "one"), ResumeToken("toy", "two")
FOREIGN = ResumeToken("other", "one")


def started(token: ResumeToken = ONE) -> StartedEvent:
    return StartedEvent("toy", token)


def done(resume: ResumeToken | None = None, **more: object) -> CompletedEvent:
    return CompletedEvent(**{"engine": "toy", "ok": True, "answer": "a", "resume": resume} | more)


def failed(resume: ResumeToken | None = None, error: str | None = "why") -> CompletedEvent:
    return done(resume, ok=False, answer="", error=error)


def act(action_id: str, phase: str) -> ActionEvent:
    return ActionEvent("toy", Action(action_id, "tool", "t"), phase)  # type: ignore[arg-type]


def admit(*events: TakopiEvent, asked: ResumeToken | None = None) -> list[TakopiEvent]:
    """Return what the rules make of the events."""
    rules, out = TurnRules("toy", asked), []
    for event in events:
        rules.admit(event, out)
    return out


def test_the_session_is_reported_once() -> None:
    """claude repeats its init line; the person sees one start."""
    assert admit(started(), started(), done()) == [started(), done(ONE)]


def test_the_first_of_two_results_wins() -> None:
    """What follows the final is dropped."""
    assert admit(started(), done(), failed(), act("a", "started")) == [started(), done(ONE)]


def test_another_session_than_asked_for_is_an_error() -> None:
    """codex starts a new thread for an unknown name: that must not pass as the old one."""
    with pytest.raises(SessionMismatch, match="session two, not in one"):
        admit(started(TWO), asked=ONE)


def test_a_session_that_changes_midway_is_an_error() -> None:
    """A second id is as wrong as a wrong first one; nobody is said to have asked for the first."""
    told = "toy went from session one to two within one turn; .*: ask again, and report this"
    with pytest.raises(SessionMismatch, match=told):
        admit(started(ONE), started(TWO))
    with pytest.raises(SessionMismatch, match="session two, not in one as asked"):
        admit(started(ONE), started(TWO), asked=ONE)


@pytest.mark.parametrize("event", [started(FOREIGN), StartedEvent("other", ONE)])
def test_a_session_of_another_engine_is_an_error(event: StartedEvent) -> None:
    """The text names both engines and whom to tell."""
    with pytest.raises(EngineError, match="runner of toy reported a session of other"):
        admit(event)


def test_a_result_that_names_another_session_is_an_error() -> None:
    """An answer from elsewhere is not taken over."""
    with pytest.raises(SessionMismatch):
        admit(started(ONE), done(TWO))


def test_an_engine_may_name_its_session_at_the_end_only() -> None:
    """Then the start is reported just before the final."""
    assert admit(done(ONE)) == [started(), done(ONE)]
    assert admit(failed(ONE)) == [started(), failed(ONE)]


def test_an_engine_that_names_no_session_continued_the_one_it_was_given() -> None:
    """A good end without an id belongs to the session that was asked for."""
    assert admit(done(), asked=ONE) == [started(), done(ONE)]


@pytest.mark.parametrize("value", ["x;rm -rf ~", "-x", "a b", "", "x" * 501, "a\nb"])
def test_a_session_that_cannot_be_typed_counts_as_not_reported(value: str) -> None:
    """It would stand in the resume line, and the next turn would fail with takopi's own words."""
    wrong = ResumeToken("toy", value)
    for events in ([started(wrong), started(wrong), done()], [done(wrong)], [failed(wrong)]):
        warning, final = admit(*events)
        assert isinstance(warning, ActionEvent)
        assert warning.action.kind == "warning"
        assert f"toy reported the session {value[:80]!r}, which cannot" in warning.action.title
        assert final == (done() if final.ok else failed())  # type: ignore[union-attr]
    assert admit(started(), failed(wrong)) == [started(), failed(ONE)]
    with pytest.raises(SessionMismatch):
        admit(started(wrong), asked=ONE)


def test_a_failure_never_turns_into_a_mismatch() -> None:
    """claude makes up an id for an unknown session; the reason is what counts."""
    assert admit(failed(TWO), asked=ONE) == [failed(ONE)]
    assert admit(started(), failed(TWO)) == [started(), failed(ONE)]
    assert admit(failed(FOREIGN)) == [failed(None)]


def test_a_failure_always_has_a_reason_and_a_success_none() -> None:
    """An empty error would be an empty message."""
    assert admit(failed(error=None))[-1].error == "toy reported a failure without a reason"
    assert admit(done(error="left over"))[-1].error is None


def test_an_id_that_starts_again_gets_a_number() -> None:
    """Models count their calls anew; two commands must not become one."""
    events = [
        act("call_1", "started"), act("call_1", "updated"), act("call_1", "completed"),
        act("call_1", "completed"), act("call_1", "started"), act("call_1", "completed"),
        act("call_1", "started"), act("other", "started"),
    ]  # fmt: skip
    out = admit(*events)
    assert [e.action.id for e in out] == [  # type: ignore[union-attr]
        "call_1", "call_1", "call_1", "call_1", "call_1#2", "call_1#2", "call_1#3", "other",
    ]  # fmt: skip


def test_a_value_that_is_no_event_is_refused() -> None:
    """A module's bug is named instead of travelling on."""
    with pytest.raises(TypeError, match="may not yield str"):
        admit("hello")  # type: ignore[arg-type]


def test_a_check_of_the_runner_decides_about_starts() -> None:
    """An engine may map the session it reports to another, and hide the event."""

    def check(event: StartedEvent, **_: object) -> tuple[ResumeToken | None, bool]:
        return TWO, event.resume == ONE

    rules, out = TurnRules("toy", None, check), []
    rules.admit(started(TWO), out)
    assert out == []
    rules.admit(started(ONE), out)
    rules.admit(done(), out)
    assert out == [started(TWO), done(TWO)]


def test_fail_ends_a_turn_once() -> None:
    """A failure after the end changes nothing."""
    rules, out = TurnRules("toy", ONE), []
    rules.fail("why", out, "so far")
    rules.fail("again", out)
    assert out == [done(ONE, ok=False, answer="so far", error="why")]


EVENTS = st.one_of(
    st.sampled_from([started(ONE), started(TWO), started(FOREIGN)]),
    st.builds(
        done,
        st.sampled_from([None, ONE, TWO]),
        ok=st.booleans(),
        error=st.sampled_from([None, "e"]),
    ),
    st.builds(
        act, st.sampled_from(["a", "b"]), st.sampled_from(["started", "updated", "completed"])
    ),
)


@given(st.lists(EVENTS), st.sampled_from([None, ONE]))
def test_no_order_of_events_breaks_a_rule(
    events: list[TakopiEvent], asked: ResumeToken | None
) -> None:
    """One start, one end and last, one session, no id that starts twice after it completed."""
    rules, out = TurnRules("toy", asked), []
    try:
        for event in events:
            rules.admit(event, out)
        rules.fail("no result", out)
    except EngineError as error:
        rules.fail(str(error), out)
    starts = [e for e in out if isinstance(e, StartedEvent)]
    ends = [e for e in out if isinstance(e, CompletedEvent)]
    assert len(starts) <= 1
    assert len(ends) == 1
    assert out[-1] is ends[0]
    assert (ends[0].error is None) == ends[0].ok
    if starts:
        assert ends[0].resume == starts[0].resume == (asked or starts[0].resume)
    closed: set[str] = set()
    for event in out:
        if isinstance(event, ActionEvent):
            assert event.phase != "started" or event.action.id not in closed
            if event.phase == "completed":
                closed.add(event.action.id)
