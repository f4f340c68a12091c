"""Events with fields of a wrong type: each costs itself, and neither the turn nor its answer."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from contract.scripted import ENGINE, HELLO, ToyRunner, line
from contract.stage import Stage, read
from takopi.base_runner import BaseRunner
from takopi.core.progress import advance, start_progress
from takopi.jsonl_fold import replay
from takopi.model import (
    Action,
    ActionEvent,
    CompletedEvent,
    ResumeToken,
    StartedEvent,
    TakopiEvent,
)

S1 = ResumeToken(ENGINE, "s1")


def act(*fields: Any, **more: Any) -> ActionEvent:
    """Make an action whose fields nobody checks."""
    return ActionEvent(ENGINE, Action(*fields), "started", **more)


def start(value: Any, **more: Any) -> StartedEvent:
    """Make a start whose fields nobody checks."""
    return StartedEvent(ENGINE, ResumeToken(ENGINE, value), **more)


NOTHING: Any = None
NUMBER: Any = 5

WRONG = {
    "no event": "hello",
    "no action": ActionEvent(ENGINE, NOTHING, "started"),
    "an id": act(NUMBER, "tool", "t"),
    "a list as id": act([], "tool", "t"),
    "a kind": act("t9", [], "t"),
    "a title": act("t9", "command", NOTHING),
    "a detail": act("t9", "tool", "t", NOTHING),
    "a message": act("t9", "tool", "t", message=NUMBER),
    "a level": act("t9", "tool", "t", level=[]),
    "a session": StartedEvent(ENGINE, NOTHING),
    "a list as session's id": start(["s1"]),
    "a session's title": start("s1", title=NUMBER),
}


class Wrong(ToyRunner):
    """Give an event of the table for the line that names it, and what a hook says otherwise."""

    def translate(self, data: Any, **more: Any) -> list[TakopiEvent]:
        event: Any = WRONG.get(data.get("wrong"))
        return [event] if event is not None else super().translate(data, **more)


def shown(events: list[TakopiEvent]) -> list[str]:
    """Return the kinds of events, and prove that a progress message can be made of them."""
    state = start_progress(ENGINE)
    for event in events:
        state = advance(state, event)
    assert state.ended
    return [event.action.kind if isinstance(event, ActionEvent) else event.type for event in events]


@pytest.mark.parametrize("name", WRONG)
def test_a_field_of_a_wrong_type_costs_its_line(name: str) -> None:
    """As an exception would, and the answer comes."""
    events = replay(Wrong(), [line(wrong=name), *HELLO])
    assert shown(events) == ["warning", "started", "tool", "tool", "completed"]
    assert events[-1] == CompletedEvent(ENGINE, True, "done", S1)
    assert events[0].action.title == (  # type: ignore[union-attr]
        "takopi could not make sense of a line of toy (WrongEvent)"
    )


def test_what_is_wrong_is_named_in_the_detail() -> None:
    """The author of the module needs field and type."""
    (warning, *_) = replay(Wrong(), [line(wrong="a title"), *HELLO])
    assert warning.action.detail == {  # type: ignore[union-attr]
        "error": "action.title is of type NoneType, not str"
    }


@pytest.mark.anyio
@pytest.mark.parametrize("name", WRONG)
async def test_it_costs_a_runner_that_makes_its_events_itself_no_more(
    stage: Stage, name: str
) -> None:
    """The warning names the engine whose module is to be mended."""

    class InProcess(BaseRunner):
        engine = ENGINE

        async def run_impl(
            self, prompt: str, resume: ResumeToken | None
        ) -> AsyncIterator[TakopiEvent]:
            yield start("s1")
            yield WRONG[name]  # type: ignore[misc]
            yield CompletedEvent(ENGINE, True, "done", S1)

    events = await read(stage.open(runner=InProcess()))
    assert shown(events) == ["started", "warning", "completed"]
    assert "the module of the engine toy gave an event that takopi cannot use" in str(
        events[1].action.title  # type: ignore[union-attr]
    )
    assert events[-1] == CompletedEvent(ENGINE, True, "done", S1)


def test_a_final_of_wrong_types_is_mended() -> None:
    """A final that was refused would take the answer with it."""
    wrong: list[tuple[Any, str]] = [(NOTHING, ""), (NUMBER, "5"), (["a"], "['a']")]
    for answer, text in wrong:
        (final,) = replay(_ends(CompletedEvent(ENGINE, True, answer)), [line(end=1)])
        assert final == CompletedEvent(ENGINE, True, text)
    (final,) = replay(_ends(CompletedEvent(ENGINE, False, "", error=NUMBER)), [line(end=1)])
    assert final == CompletedEvent(ENGINE, False, "", error="5")
    for token in (NUMBER, ResumeToken(ENGINE, NOTHING)):
        (final,) = replay(_ends(CompletedEvent(ENGINE, True, "a", token)), [line(end=1)])
        assert final == CompletedEvent(ENGINE, True, "a")


def test_a_hook_for_ends_may_be_wrong_too() -> None:
    """What it says of the end is told all the same."""

    class AtTheEnd(ToyRunner):
        def process_error_events(self, rc: int, **_: Any) -> list[TakopiEvent]:
            failed = CompletedEvent(ENGINE, False, "", error="no credit; top it up")
            return [act("t9", "note", NOTHING), failed]

    events = replay(AtTheEnd(), HELLO[:1], rc=1)
    assert shown(events) == ["started", "warning", "completed"]
    assert events[-1].error == "no credit; top it up"  # type: ignore[union-attr]


def test_a_hook_for_bugs_that_gives_no_events_ends_the_turn_with_a_name() -> None:
    """There is nothing left to ask."""

    class Hopeless(Wrong):
        def translate_error_events(self, **_: Any) -> list[TakopiEvent]:
            return [WRONG["a title"]]  # type: ignore[list-item]

    (final,) = replay(Hopeless(), [line(wrong="a title"), *HELLO])
    assert "the module of the engine toy failed with WrongEvent" in str(
        final.error  # type: ignore[union-attr]
    )


def test_a_plan_with_a_strange_status_is_shown() -> None:
    """What stands in a detail is looked at where it is shown."""
    plan = act("p", "plan", "plan", {"items": [{"text": "x", "status": ["?"]}]})
    assert advance(start_progress(ENGINE), plan).plan[0].status == "pending"


def _ends(final: CompletedEvent) -> ToyRunner:
    class Ending(ToyRunner):
        def translate(self, data: Any, **_: Any) -> list[TakopiEvent]:
            return [final]

    return Ending()
