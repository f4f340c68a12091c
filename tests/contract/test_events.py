"""The event factory, as engine authors use it."""

import pytest

from takopi.errors import EngineError, SessionMismatch
from takopi.events import EventFactory
from takopi.model import Action, ActionEvent, CompletedEvent, ResumeToken, StartedEvent

TOKEN = ResumeToken("toy", "s1")


def test_the_started_session_is_remembered_and_used_at_the_end() -> None:
    """`completed` needs no token once `started` was called."""
    factory = EventFactory("toy")
    assert factory.resume is None
    assert factory.started(TOKEN, title="t", meta={"m": 1}) == StartedEvent(
        "toy", TOKEN, "t", {"m": 1}
    )
    assert factory.resume == TOKEN
    assert factory.completed_ok(answer="a", usage={"u": 1}) == CompletedEvent(
        "toy", True, "a", TOKEN, None, {"u": 1}
    )
    assert factory.completed_error(error="e") == CompletedEvent("toy", False, "", TOKEN, "e")
    other = ResumeToken("toy", "s2")
    assert factory.completed(ok=True, answer="a", resume=other).resume == other


def test_a_token_of_another_engine_is_refused() -> None:
    """The text names both engines."""
    with pytest.raises(EngineError, match="toy cannot start a session of codex"):
        EventFactory("toy").started(ResumeToken("codex", "s1"))


def test_a_second_session_is_refused_and_the_same_one_is_not() -> None:
    """Repeating the session is what engines do; changing it is an error."""
    factory = EventFactory("toy")
    factory.started(TOKEN)
    assert factory.started(ResumeToken("toy", "s1")).resume == TOKEN
    with pytest.raises(SessionMismatch, match="toy went from session s1 to s2 within one turn"):
        factory.started(ResumeToken("toy", "s2"))


def test_actions_carry_what_was_said_of_them() -> None:
    """Every phase has its short form, and `action` is the long one."""
    factory = EventFactory("toy")
    plain = Action("1", "tool", "look", {})
    named = {"action_id": "1", "kind": "tool", "title": "look"}
    assert factory.action_started(**named) == ActionEvent("toy", plain, "started")
    assert factory.action_updated(**named) == ActionEvent("toy", plain, "updated")
    assert factory.action_completed(**named, ok=None) == ActionEvent("toy", plain, "completed")
    full = factory.action_completed(
        **named, ok=False, detail={"d": 1}, message="m", level="warning"
    )
    assert full == ActionEvent(
        "toy", Action("1", "tool", "look", {"d": 1}), "completed", False, "m", "warning"
    )
    assert full == factory.action(
        phase="completed", **named, detail={"d": 1}, ok=False, message="m", level="warning"
    )
    with pytest.raises(TypeError):
        factory.action(phase="completed", **named, colour="red")


def test_details_are_not_shared_between_actions() -> None:
    """An engine that fills a detail afterwards changes one action only."""
    factory = EventFactory("toy")
    named = {"kind": "tool", "title": "look"}
    first = factory.action_started(action_id="1", **named)
    first.action.detail["x"] = 1
    assert factory.action_started(action_id="2", **named).action.detail == {}
