"""pi: what it prints becomes events, its bad ends become clear texts."""

from typing import Any

import pytest

from runners.streams import actions, final, printed, recorded, session_of
from takopi.core.progress import advance, start_progress
from takopi.model import ResumeToken
from takopi.runners.pi import PiRunner

RUNNER = PiRunner()
SESSION = "01a1fc46-187a-739a-a569-77cfa49bf65e"
HEAD = {"type": "session", "id": SESSION, "cwd": "/home/user/project"}
SETTLED = {"type": "agent_settled"}


def said(text: str, stop: str = "stop", **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": [{"type": "text", "text": text}], "stopReason": stop}
    return {"type": "message_end", "message": message | more}


def piece(kind: str, index: int = 0, **more: Any) -> dict[str, Any]:
    event = {"type": kind, "contentIndex": index, **more}
    return {"type": "message_update", "assistantMessageEvent": event}


def begun() -> dict[str, Any]:
    return {"type": "message_start", "message": {"role": "assistant", "content": []}}


@pytest.mark.parametrize("case", ["plain", "v0_87_plain"])
def test_a_plain_answer(case: str) -> None:
    """Both versions of pi: session, text as it is written, answer, usage."""
    events = recorded(RUNNER, case)
    assert len(session_of(events) or "") == 36
    end = final(events)
    assert end.ok is True
    assert end.answer.startswith("Plain answer.")
    assert end.usage is not None
    assert end.usage["model"] == "fake-model"
    assert end.usage["input_tokens"] > 0


def test_pieces_of_text_have_offsets_that_make_the_whole() -> None:
    """A reducer that keeps what it was told has the answer at every moment."""
    state = start_progress("pi")
    events = recorded(RUNNER, "v0_87_unicode")
    for event in events:
        state = advance(state, event)
    assert state.partial_answer == final(events).answer
    assert "\u2028" in state.partial_answer


def test_cost_and_tokens_are_summed_over_all_messages() -> None:
    """A turn of five model calls costs what the five cost."""
    usage = final(recorded(RUNNER, "v0_87_tools")).usage
    assert usage is not None
    assert usage["cost_usd"] > 0.005
    assert usage["input_tokens"] > 5000


def test_tools_begin_and_end() -> None:
    """A command has its exit status, a change its path and difference, thinking its words."""
    events = recorded(RUNNER, "v0_87_tools")
    command = actions(events, "command")
    assert command[0].phase == "started"
    assert command[-1].phase == "completed"
    assert (command[-1].ok, command[-1].action.detail["exit_code"]) == (False, 3)
    assert command[-1].message is None, "the exit status says it"
    changes = [a for a in actions(events, "file_change") if a.phase == "completed"]
    assert [c.action.detail["changes"][0]["kind"] for c in changes] == ["add", "update"]
    assert "two" in changes[-1].action.detail["diff"]
    assert actions(events, "thinking")[-1].action.detail["text"] == "first look"
    assert len({a.action.id for a in actions(events) if a.phase == "started"}) == len(
        [a for a in actions(events) if a.phase == "started"]
    )


def test_parallel_commands_keep_apart() -> None:
    """Each has its own id, output and end."""
    ends = [a for a in actions(recorded(RUNNER, "v0_87_parallel"), "command") if a.ok]
    assert [e.action.detail["output"] for e in ends] == ["one\n", "two\n"]


def test_a_failed_edit_says_why() -> None:
    """A tool that is no command has its error as message."""
    events = recorded(RUNNER, "several_tools")
    failed = [a for a in actions(events, "file_change") if a.ok is False]
    assert "Could not find the exact text" in str(failed[0].message)


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("error400", "400: fake error 400"),
        ("v0_87_error400", "400: fake model error 400"),
        ("error500", "500: fake error 500"),
        ("v0_87_dropped", "terminated"),
        ("invalid_resume", "pi does not know this session"),
        ("v0_87_no_such_session", "pi does not know this session"),
        ("kill_kill_tool", "was ended by SIGKILL"),
        ("kill_term_text", "failed with exit status 143"),
    ],
)
def test_a_bad_end_says_why(case: str, words: str) -> None:
    """pi's exit status is 0 when the model failed; the last message tells."""
    end = final(recorded(RUNNER, case))
    assert end.ok is False
    assert words in str(end.error)


def test_what_was_said_before_the_failure_is_kept() -> None:
    """Half an answer is better than none."""
    assert final(recorded(RUNNER, "v0_87_dropped")).answer == "partial text"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ('401: {"error":{"message":"bad key"}}', "401: bad key\nLog in"),
        ("403: forbidden", "403: forbidden\nLog in"),
        ('500: {"other":1}', '500: {"other":1}'),
        ("500: {broken", "500: {broken"),
        ("", "pi does not say why"),
    ],
)
def test_a_provider_s_words_are_taken_out_of_their_wrapping(message: str, words: str) -> None:
    """The person reads a sentence, not JSON."""
    end = final(printed(RUNNER, HEAD, said("", "error", errorMessage=message), SETTLED))
    assert words in str(end.error)


def test_an_aborted_turn_is_an_error() -> None:
    """Whoever aborted it, it has no answer."""
    events = printed(RUNNER, HEAD, said("half", "aborted"), SETTLED)
    assert (final(events).ok, final(events).answer) == (False, "half")
    assert "aborted" in str(final(events).error)
    events = printed(RUNNER, HEAD, said("", "aborted", errorMessage="Why"), SETTLED)
    assert final(events).error == "Why"


def test_retries_are_one_warning_that_changes_and_ends() -> None:
    """The warning stands while pi tries, and is gone when the model answers."""
    retries = actions(recorded(RUNNER, "error500"), "warning")
    assert [r.phase for r in retries] == ["started", "updated", "updated", "completed"]
    assert retries[1].message == "attempt 2 of 3 in 4 s"
    assert retries[-1].ok is False
    for case in ("error_once", "v0_87_error_once"):
        events = recorded(RUNNER, case)
        assert actions(events, "warning")[-1].ok is True
        assert final(events).ok is True


def test_the_end_of_a_retry_that_nobody_saw_begin_is_nothing() -> None:
    """An event without its beginning costs nothing."""
    end = {"type": "auto_retry_end", "success": True}
    assert actions(printed(RUNNER, HEAD, end, said("x"), SETTLED)) == actions(
        printed(RUNNER, HEAD, said("x"), SETTLED)
    )


def test_a_retry_that_ends_well_by_its_own_event() -> None:
    """The event is enough, should no message come before it."""
    start = {"type": "auto_retry_start", "attempt": 1, "maxAttempts": 3, "delayMs": 2000}
    end = {"type": "auto_retry_end", "success": True, "attempt": 1}
    warnings = actions(printed(RUNNER, HEAD, start, end, said("x"), SETTLED), "warning")
    assert "pi does not say why" in warnings[0].action.title
    assert warnings[-1].ok is True


def test_summing_up_is_shown() -> None:
    """A long silence has a reason that a person can see."""
    events = printed(
        RUNNER,
        HEAD,
        {"type": "compaction_start", "reason": "threshold"},
        {
            "type": "summarization_retry_scheduled",
            "attempt": 1,
            "delayMs": 500,
            "errorMessage": "E",
        },
        {"type": "compaction_end", "reason": "threshold", "aborted": False},
        {"type": "compaction_start", "reason": "overflow"},
        {"type": "compaction_end", "reason": "overflow", "errorMessage": "too long"},
        said("x"),
        SETTLED,
    )
    notes = actions(events, "note")
    assert [(n.phase, n.ok) for n in notes] == [
        ("started", None),
        ("completed", True),
        ("started", None),
        ("completed", False),
    ]
    assert "in 0.5 s: E" in actions(events, "warning")[0].action.title


def test_a_message_without_pieces_is_shown_whole() -> None:
    """`message_end` alone is enough."""
    blocks = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a"}, {"type": "x"}]
    message = {"role": "assistant", "content": blocks, "stopReason": "stop"}
    events = printed(RUNNER, HEAD, begun(), {"type": "message_end", "message": message}, SETTLED)
    assert [a.action.kind for a in actions(events)] == ["thinking", "message"]
    assert final(events).answer == "a"


def test_the_whole_message_counts_not_its_pieces() -> None:
    """A piece that was lost is made good by the end."""
    events = printed(
        RUNNER,
        HEAD,
        begun(),
        piece("text_start"),
        piece("text_delta", delta="hel"),
        piece("toolcall_delta", 1, delta="{}"),
        piece("text_other"),
        {"type": "message_update"},
        said("hello"),
        SETTLED,
    )
    assert final(events).answer == "hello"
    assert actions(events, "message")[-1].action.detail == {"offset": 0, "text": "hello"}


def test_an_empty_block_is_no_action() -> None:
    """Nothing said is nothing shown."""
    events = printed(RUNNER, HEAD, begun(), piece("text_end", content=""), said(""), SETTLED)
    assert actions(events) == []
    assert final(events).ok is True


def test_text_as_plain_string_is_text() -> None:
    """A message may hold its text without blocks."""
    events = printed(RUNNER, HEAD, said("", content="plain"), SETTLED)
    assert final(events).answer == "plain"


def test_an_answer_that_was_cut_is_marked() -> None:
    """The model's limit ended it."""
    events = printed(RUNNER, HEAD, said("some", "length"), SETTLED)
    assert final(events).ok is True
    assert "output limit" in actions(events, "warning")[0].action.title


def test_an_empty_last_message_leaves_the_last_thing_said() -> None:
    """A model may say its answer before its last tool."""
    events = printed(RUNNER, HEAD, said("here", "toolUse"), said(""), SETTLED)
    assert final(events).answer == "here"


def test_a_run_that_ends_without_its_last_event_is_judged_by_its_last_message() -> None:
    """The answer is whole; that pi failed afterwards is a warning."""
    events = printed(RUNNER, HEAD, said("whole"))
    assert (final(events).ok, final(events).answer) == (True, "whole")
    events = printed(RUNNER, HEAD, said("whole"), rc=-15)
    assert final(events).ok is True
    assert "was ended by SIGTERM after its answer" in actions(events, "warning")[0].action.title


@pytest.mark.parametrize("lines", [(), (HEAD,), (HEAD, said("x", "toolUse")), (HEAD, said("", ""))])
def test_a_run_without_an_answer_is_an_error(lines: tuple[dict[str, Any], ...]) -> None:
    """Exit status 0 proves nothing."""
    assert "ended without a result" in str(final(printed(RUNNER, *lines)).error)


def test_a_message_without_a_reason_counts_when_it_says_something() -> None:
    """A field that a later version leaves out costs nothing."""
    assert final(printed(RUNNER, HEAD, said("x", ""), SETTLED)).ok is True


@pytest.mark.parametrize("asked", ["01a1fc47", SESSION[:12], SESSION[:-1]])
def test_another_session_than_asked_for_is_an_error(asked: str) -> None:
    """pi continues what begins with the id; takopi wants exactly the one."""
    events = printed(RUNNER, HEAD, said("x"), SETTLED, resume=ResumeToken("pi", asked))
    assert final(events).ok is False
    assert SESSION in str(final(events).error)


def test_a_short_id_of_the_public_takopi_becomes_the_whole_one() -> None:
    """The next turn asks for that."""
    events = printed(RUNNER, HEAD, said("x"), SETTLED, resume=ResumeToken("pi", SESSION[:8]))
    assert session_of(events) == SESSION
    assert (final(events).ok, final(events).resume) == (True, ResumeToken("pi", SESSION))


def test_an_id_that_is_none_starts_no_session() -> None:
    """An id that could not be resumed must not become a resume line."""
    odd = {"type": "session", "id": "-rf /"}
    assert session_of(printed(RUNNER, odd, said("x"), SETTLED)) is None


def test_a_second_head_changes_nothing() -> None:
    """There is one session in a run."""
    assert session_of(printed(RUNNER, HEAD, HEAD, said("x"), SETTLED)) == SESSION


def test_an_unknown_event_is_noted_once() -> None:
    """What a later version prints is no failure."""
    new = {"type": "new_thing"}
    (note,) = actions(printed(RUNNER, HEAD, new, new, said("x"), SETTLED), "note")
    assert (note.level, "new_thing" in note.action.title) == ("debug", True)


def test_a_tool_whose_start_was_lost_is_shown_when_it_ends() -> None:
    """Missing fields and missing events cost only themselves."""
    update = {"type": "tool_execution_update", "toolCallId": "c", "toolName": "ls"}
    end = {"type": "tool_execution_end", "isError": True, "result": {"content": "bad"}}
    other = {"type": "tool_execution_other", "toolCallId": "d"}
    events = printed(RUNNER, HEAD, update, end, other, said("x"), SETTLED)
    tools = actions(events, "tool")
    assert [(t.phase, t.action.title) for t in tools] == [("updated", "ls"), ("completed", "tool")]
    assert tools[-1].message == "bad"


def test_a_command_that_was_stopped_has_no_exit_status() -> None:
    """A time-out is told in pi's words."""
    start = {"type": "tool_execution_start", "toolCallId": "c", "toolName": "bash"}
    start["args"] = {"command": "sleep 9"}  # type: ignore[assignment]
    text = [{"type": "text", "text": "Command timed out after 1 seconds"}]
    end = {**start, "type": "tool_execution_end", "isError": True, "result": {"content": text}}
    command = actions(printed(RUNNER, HEAD, start, end, said("x"), SETTLED), "command")[-1]
    assert "exit_code" not in command.action.detail
    assert "timed out" in str(command.message)
