"""The log of a turn's steps: whole while it is short, its end and a number when it is long."""

from pathlib import Path, PurePath

from hypothesis import given
from hypothesis import strategies as st

from core.render.rules import assert_well_formed
from takopi.core.final_view import LOG_UNITS, FinalView, render_final
from takopi.core.richtext import utf16_len
from takopi.core.split import MAX_ENTITIES, MAX_UNITS, count_entities
from takopi.core.tool_log import LEAST_UNITS, MAX_ENTRIES, NO_LOG, ToolLog, advance_log, render_log
from takopi.model import Action, ActionEvent


def step(number: int, phase: str = "completed", *, kind: str = "command", **more) -> ActionEvent:
    """Be what an engine reports of one step."""
    action = Action(f"a{number}", kind, more.pop("title", f"make part{number}"), more)
    ok = True if phase == "completed" else None
    return ActionEvent("codex", action, phase=phase, ok=ok)


def log_of(*events: ActionEvent) -> ToolLog:
    """Fold some events."""
    log = NO_LOG
    for event in events:
        log = advance_log(log, event)
    return log


def shown(log: ToolLog, max_units: int = 2000, max_entities: int = 60) -> str:
    """Write a log."""
    cwd = PurePath("/work")
    return render_log(log, cwd, max_units=max_units, max_entities=max_entities).text


def test_a_step_stands_where_it_began_and_says_how_it_ended() -> None:
    """Events that come twice change nothing."""
    events = [step(1, "started"), step(2), step(1)]
    once = log_of(*events)
    assert shown(once) == "✓ make part1\n✓ make part2"
    assert log_of(*events, *events) == once


def test_what_is_no_step_is_not_in_it() -> None:
    for kind in ("thinking", "message", "plan", "warning", "turn"):
        assert log_of(step(1, kind=kind)) == NO_LOG
    quiet = ActionEvent("codex", Action("a1", "command", "x"), phase="started", level="debug")
    assert log_of(quiet) == NO_LOG


def test_a_long_turn_keeps_the_last_steps_and_counts_the_others() -> None:
    """A step that had to give way while it ran is not counted again when it ends."""
    log = log_of(step(0, "started"), *(step(n) for n in range(1, 3 * MAX_ENTRIES)))
    assert len(log.entries) == MAX_ENTRIES
    assert log.left_out == 2 * MAX_ENTRIES
    assert advance_log(log, step(0)) == log
    text = shown(log)
    assert text.startswith("… 2")
    assert "steps before these\n" in text
    assert text.endswith(f"make part{3 * MAX_ENTRIES - 1}")


def test_the_log_is_one_quote_that_opens_with_its_commands_as_code() -> None:
    text = render_log(log_of(step(1), step(2)), None, max_units=500, max_entities=2)
    kinds = [entity.kind for entity in text.entities]
    assert kinds == ["expandable_blockquote", "code"]
    assert text.entities[0].length == utf16_len(text.text)


def test_without_room_there_is_no_log() -> None:
    log = log_of(step(1))
    assert shown(NO_LOG) == ""
    assert shown(log, LEAST_UNITS - 1) == ""
    assert shown(log, max_entities=0) == ""


# For one to three messages by its entities, and for up to seven by its units: more than is split.
LONG_ANSWERS = st.builds(
    lambda entities, words: "word `c` " * entities + "\n\n" + "plain words " * words,
    st.integers(60, 260),
    st.integers(0, 1_600),
)
TITLES = st.builds(
    lambda some, times: some * times,
    st.lists(st.text(max_size=200), max_size=5),
    st.integers(1, 8),
)


@given(
    answer=st.text(max_size=300) | LONG_ANSWERS,
    titles=TITLES,
    overflow=st.sampled_from(["split", "trim", "file"]),
)
def test_a_final_with_a_log_is_valid_and_loses_nothing_of_the_answer(
    answer, titles, overflow
) -> None:
    events = [step(n, title=title, exit_code=n % 3) for n, title in enumerate(titles)]
    view = FinalView(status="done", engine="codex", elapsed_s=1, answer=answer, notes=("note",))
    with_log = FinalView(
        status="done",
        engine="codex",
        elapsed_s=1,
        answer=answer,
        notes=("note",),
        log=log_of(*events),
        cwd=PurePath("/work"),
    )
    plain, logged = render_final(view, overflow), render_final(with_log, overflow)
    assert len(logged.messages) == len(plain.messages)
    assert (logged.document is None) == (plain.document is None)
    for message in logged.messages:
        assert_well_formed(message.body)
        assert utf16_len(message.body.text) <= MAX_UNITS
        assert count_entities(message.body) <= MAX_ENTITIES
    if titles and answer and len(answer) < 300:
        kinds = [entity.kind for entity in logged.messages[-1].body.entities]
        assert "expandable_blockquote" in kinds


def test_the_log_of_a_split_answer_stands_in_its_last_message() -> None:
    answer = "\n\n".join(f"paragraph {n} " + "word " * 60 for n in range(20))
    view = FinalView(
        status="done", engine="codex", elapsed_s=1, answer=answer, log=log_of(step(1), step(2))
    )
    *before, last = render_final(view).messages
    assert before
    assert "make part2" in last.body.text
    assert not any("make part" in message.body.text for message in before)


def test_the_page_has_the_numbers_of_the_log() -> None:
    page = Path(__file__).parents[3].joinpath("docs/reference/messages.md").read_text("utf-8")
    assert f"at most {LOG_UNITS:,} units" in page
    assert f"with less than {LEAST_UNITS}\nunits" in page
    assert f"more than {MAX_ENTRIES} steps" in page
