"""claude: what the rest of its lines becomes, where the recorded streams do not say it."""

from typing import Any

import pytest

from runners.cases import actions, case, events_of, final, started, told
from runners.claude_lines import (
    INIT,
    RESULT,
    SESSION,
    TOKEN,
    only,
    said,
    shown,
    stream,
    system,
    turn,
)

# Usage and answer


def test_usage_has_the_standard_names() -> None:
    """Numbers of different engines can be compared."""
    usage = final(events_of(case("claude", "one_shell"))).usage
    assert usage == {
        "input_tokens": 39173,
        "cached_tokens": 0,
        "cache_creation_input_tokens": 0,
        "output_tokens": 56,
        "num_turns": 2,
        "duration_ms": 200.0,
        "cost_usd": 0.197265,
        "model": "claude-opus-4-8[1m]",
    }


def test_tokens_of_all_turns_of_a_run_are_added_and_cost_is_not() -> None:
    """claude counts tokens for each turn and cost for the whole process."""
    usage = final(events_of(case("claude", "background_agent"))).usage
    assert usage is not None
    assert usage["cost_usd"] == 0.378845
    assert usage["input_tokens"] == 59250


def test_an_empty_result_has_the_last_message_as_answer() -> None:
    """A slash command may say all it has to say before the result."""
    empty = {**RESULT, "result": ""}
    assert final(told("claude", INIT, said({"type": "text", "text": "hi"}), empty)).answer == "hi"
    assert final(told("claude", INIT, empty)).answer == ""


def test_a_result_without_a_start_still_names_its_session() -> None:
    """A line that was lost does not cost the resume line."""
    events = told("claude", RESULT)
    assert started(events).resume == TOKEN
    assert final(told("claude", {**RESULT, "session_id": "-x"})).resume is None


# Reasoning and text


def test_reasoning_without_a_text_ends_when_claude_goes_on() -> None:
    """Newer models do not tell their thoughts; that they think is shown."""
    tokens = system("thinking_tokens", estimated_tokens=1)
    text = {"type": "text", "text": "hi"}
    empty = {"type": "thinking", "thinking": ""}
    hidden = {"type": "redacted_thinking"}
    events = turn(tokens, tokens, said(hidden), said(text), tokens, said(empty), said(empty))
    assert shown(events) == [
        ("started", "thinking", "thinking"),
        ("completed", "thinking", "thinking"),
        ("completed", "message", "hi"),
        ("started", "thinking", "thinking"),
        ("completed", "thinking", "thinking"),
    ]


def test_a_thought_that_comes_at_once_is_shown_with_its_text() -> None:
    """Its first line is the title, without the stars around it."""
    thought = only(turn(said({"type": "thinking", "thinking": "**Plan**\nmore"})))
    assert (thought.phase, thought.action.title) == ("completed", "Plan")
    assert thought.action.detail["text"] == "**Plan**\nmore"


def test_text_as_it_is_written_has_its_place() -> None:
    """Pieces are put together by their offsets, and the whole comes at the end."""
    begin = stream("content_block_start", content_block={"type": "text"})
    pieces = [stream("content_block_delta", delta={"type": "text_delta", "text": t}) for t in "ab"]
    nested = stream("content_block_delta", "t1", delta={"type": "text_delta", "text": "no"})
    other = stream("content_block_delta", delta={"type": "input_json_delta"})
    stray = [{"type": "stream_event"}, stream("content_block_start"), stream("message_stop"), other]
    whole = said({"type": "text", "text": "ab"})
    events = turn(
        *stray, pieces[0], begin, *pieces, nested, whole, said({"type": "text", "text": ""})
    )
    details = [a.action.detail for a in actions(events, "message")]
    assert details == [
        {"offset": 0, "text": "a"},
        {"offset": 1, "text": "b"},
        {"offset": 0, "text": "ab"},
    ]
    assert len({a.action.id for a in actions(events)}) == 1


def test_thoughts_as_they_are_written_end_when_claude_goes_on() -> None:
    """Also when the whole thought does not come."""
    begin = stream("content_block_start", content_block={"type": "thinking"})
    piece = stream("content_block_delta", delta={"type": "thinking_delta", "thinking": "hm"})
    text = stream("content_block_start", content_block={"type": "text"})
    events = turn(piece, begin, begin, piece, text)
    thoughts = actions(events, "thinking")
    assert [a.phase for a in thoughts] == ["updated", "completed"]
    assert thoughts[-1].action.detail == {"offset": 0, "text": "hm"}


def test_a_long_text_in_pieces_has_a_short_title() -> None:
    """A title is made of the beginning, so that a long text costs no more than its length."""
    begin = stream("content_block_start", content_block={"type": "text"})
    piece = stream("content_block_delta", delta={"type": "text_delta", "text": "\n" + "x" * 300})
    events = turn(begin, *[piece] * 20)
    assert all(len(a.action.title) <= 301 for a in actions(events))
    assert sum(len(a.action.detail["text"]) for a in actions(events)) == 20 * 301


# What claude says of itself


@pytest.mark.parametrize(
    ("line", "kind", "title"),
    [
        (system("informational", content="heads up", level="info"), "note", "heads up"),
        (system("informational", content="careful", level="warning"), "warning", "careful"),
        (system("notification", text="look"), "note", "look"),
        (system("model_fallback", content="now haiku"), "warning", "now haiku"),
        (system("model_refusal_fallback"), "warning", "model_refusal_fallback"),
        (system("brand_new"), "note", "claude sent system/brand_new"),
        (system(""), "note", "claude sent system/(none)"),
        ({"type": "brand_new"}, "note", "claude sent brand_new"),
        ({"type": ""}, "note", "claude sent a line without a type"),
        (said({"type": "hologram"}), "note", "claude sent a block of type hologram"),
        (system("permission_denied", tool_name="Bash", message="no"), "warning", "use Bash in"),
        (system("permission_denied"), "warning", "use a tool in"),
        (
            {"type": "rate_limit_event", "rate_limit_info": {"status": "rejected"}},
            "warning",
            "reached",
        ),
        (
            {
                "type": "rate_limit_event",
                "rate_limit_info": {
                    "status": "allowed_warning",
                    "rateLimitType": "five_hour",
                    "utilization": 0.9,
                },
            },
            "warning",
            "the account's five hour limit is nearly reached (90% used)",
        ),
    ],
)
def test_what_is_news_is_shown_once(line: dict[str, Any], kind: str, title: str) -> None:
    """A line of a kind that nobody knows is named, too."""
    action = only(turn(line))
    assert action.action.kind == kind
    assert title in action.action.title
    again = actions(turn(line, line))
    assert len(again) == (
        2 if line.get("content") or line.get("text") or "fallback" in str(line) else 1
    )


@pytest.mark.parametrize(
    "line",
    [
        system("hook_started"),
        system("session_state_changed"),
        system("status", status="requesting"),
        {"type": "tool_progress"},
        {"type": "rate_limit_event", "rate_limit_info": {"status": "allowed"}},
        {"type": "rate_limit_event"},
        {"type": "assistant"},
        {"type": "user", "message": "text"},
        {"type": "user", "message": {"content": "a prompt"}},
        {"type": "user", "message": {"content": [{"type": "text", "text": "a prompt"}]}},
    ],
)
def test_what_is_no_news_is_not_shown(line: dict[str, Any]) -> None:
    """The screen is for what the agent does."""
    assert actions(turn(line)) == []


def test_a_message_that_is_a_bare_text_is_one() -> None:
    """The API allows both forms."""
    events = turn({"type": "assistant", "message": {"content": "hi"}})
    assert shown(events) == [("completed", "message", "hi")]


def test_servers_that_do_not_work_are_warnings() -> None:
    """claude starts without them and says nothing else about it."""
    servers = [
        {"name": "a", "status": "connected"},
        {"name": "b", "status": "failed"},
        {"name": "c", "status": "needs-auth"},
    ]
    events = told("claude", {**INIT, "mcp_servers": servers}, INIT, RESULT)
    titles = [a.action.title for a in actions(events)]
    assert titles == [
        "MCP server b did not start: its tools are missing",
        "MCP server c needs a login: use `/mcp` in claude",
    ]


def test_compacting_is_shown_in_each_of_its_forms() -> None:
    """It may begin with a status or be told when it is over; it may fail, and come again."""
    begin = system("status", status="compacting")
    failed = system("status", compact_result="failed", compact_error="too short")
    boundary = system("compact_boundary")
    events = turn(begin, begin, failed, boundary, begin, boundary, boundary)
    notes = [(a.action.id, a.phase, a.ok, a.message) for a in actions(events)]
    assert notes == [
        ("compact.1", "started", None, None),
        ("compact.1", "completed", False, "too short"),
        ("compact.2", "started", None, None),
        ("compact.2", "completed", True, None),
    ]
    assert [a.action.id for a in actions(turn(boundary))] == ["compact.1"]
    assert actions(turn(system("status", compact_result="failed")))[0].message == "failed"


def test_a_retry_says_what_is_known() -> None:
    """No status means no connection; a strange delay is left out."""
    retry = system("api_retry", attempt=1, max_retries=3, error_status=None, retry_delay_ms=1e300)
    title = "no connection to the API; try 1 of 3"
    assert shown(told("claude", INIT, retry)) == [("started", "warning", title)]


# Bad ends


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"subtype": "error_max_turns"}, "claude stopped at its limit of turns"),
        ({"subtype": "error_during_execution", "errors": ["[ede_diagnostic] x"]}, "in the middle"),
        ({"subtype": "error_new", "is_error": True}, "without a reason (error_new)"),
        ({"subtype": "", "is_error": True}, "without a reason (no subtype)"),
        ({"subtype": "error_during_execution", "errors": ["a", "b"]}, "a\nb"),
        ({"is_error": True, "result": "Prompt is too long"}, "`//compact`"),
        ({"is_error": True, "result": "Credit balance is too low"}, "use_api_billing"),
        ({"is_error": True, "result": "API Error: 529 overloaded"}, "try again later"),
        ({"subtype": "error_during_execution", "terminal_reason": "aborted_tools"}, "interrupted"),
    ],
)
def test_every_bad_result_has_a_reason(fields: dict[str, Any], error: str) -> None:
    """Also one that gives none itself."""
    end = final(told("claude", INIT, {**RESULT, "result": "", **fields}, rc=1))
    assert not end.ok
    assert error in str(end.error)


def test_a_failed_request_is_the_reason_when_the_result_is_missing() -> None:
    """claude said it in a message of its own."""
    line = said({"type": "text", "text": "API Error: 500"}, error="server_error")
    end = final(told("claude", INIT, line, rc=1))
    assert str(end.error).startswith("API Error: 500")
    assert "exit status 1" in str(end.error)
    assert end.answer == ""


def test_a_result_that_was_cut_is_good_only_when_the_process_is() -> None:
    """The beginning of the line says whether it was an error."""
    cut = '{"type":"result","subtype":"success","is_error":false,"result":"The who'
    text = said({"type": "text", "text": "The whole answer"})
    end = final(told("claude", INIT, text, cut))
    assert (end.ok, end.answer) == (True, "The whole answer")
    assert not final(told("claude", INIT, text, cut, rc=1)).ok
    assert not final(told("claude", INIT, text, cut.replace("false", "true"))).ok
    assert not final(told("claude", INIT, text, '{"type":"assistant","mess')).ok


def test_denials_that_only_the_result_tells_are_shown() -> None:
    """A warning names tool, mode and settings, once for each tool."""
    denials = [{"tool_name": "Bash"}, {"tool_name": "Bash"}, {"tool_name": ""}]
    events = told("claude", INIT, {**RESULT, "permission_denials": denials})
    titles = [a.action.title for a in actions(events)]
    assert len(titles) == 2
    assert titles[0] == (
        "claude was not allowed to use Bash in permission mode default; "
        "see `allowed_tools` and `permission_mode` of `[claude]`"
    )


@pytest.mark.parametrize("session", ["", "-x", "a b"])
def test_a_session_without_a_usable_id_is_said(session: str) -> None:
    """An id ends up on a command line, so it must look like one."""
    events = told("claude", {**INIT, "session_id": session}, {**RESULT, "session_id": ""})
    assert "usable id" in actions(events)[0].action.title


def test_a_second_session_in_one_run_is_refused() -> None:
    """Nobody could say which one the answer is from."""
    events = told("claude", INIT, {**INIT, "session_id": SESSION.replace("2", "3")}, RESULT)
    assert not final(events).ok
    assert final(events).resume == TOKEN
