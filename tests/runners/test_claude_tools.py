"""claude: what tools, agents, background work and to-do lists become."""

from typing import Any

import pytest

from runners.cases import actions, final, told
from runners.claude_lines import (
    INIT,
    RESULT,
    only,
    result,
    said,
    shown,
    system,
    turn,
    use,
)

# Tools


@pytest.mark.parametrize(
    ("block", "kind", "title"),
    [
        (use("Bash", command="ls"), "command", "ls"),
        (use("Bash"), "command", "Bash"),
        (use("Edit", file_path="/a/b"), "file_change", "/a/b"),
        (use("NotebookEdit", notebook_path="/n.ipynb"), "file_change", "/n.ipynb"),
        (use("Write"), "file_change", "Write"),
        (use("Grep", pattern="x.*y", path="/a"), "tool", "grep: x.*y"),
        (use("Glob"), "tool", "glob"),
        (use("WebFetch", url="https://x.org", prompt="p"), "web_search", "https://x.org"),
        (use("Task", prompt="Look\naround"), "subagent", "Look"),
        (use("Skill"), "tool", "skill"),
        (use("AskUserQuestion", questions=[]), "tool", "question"),
        (use("mcp__srv__do_it", a=1), "tool", "srv.do_it"),
        (use("mcp__srv", a=1), "tool", "mcp__srv"),
        (use("TaskStop", task_id="x", description="the server"), "tool", "TaskStop: the server"),
        (use("ReportFindings"), "tool", "ReportFindings"),
        (use("LS", path="/a"), "tool", "ls: /a"),
        ({"type": "tool_use", "id": "t1", "name": "", "input": 7}, "tool", "tool"),
        ({"type": "server_tool_use", "id": "t1", "name": "web"}, "tool", "web"),
    ],
)
def test_every_tool_has_a_kind_and_a_title(block: dict[str, Any], kind: str, title: str) -> None:
    """Also those that nobody knows yet."""
    action = only(turn(said(block)))
    assert (action.action.kind, action.action.title) == (kind, title)


def test_a_write_over_a_file_is_an_update() -> None:
    """Only the result says whether the file was there before."""
    events = turn(said(use("Write", file_path="/a")), result("ok", extra={"type": "update"}))
    kinds = [a.action.detail["changes"][0]["kind"] for a in actions(events)]
    assert kinds == ["add", "update"]


def test_results_may_have_any_form() -> None:
    """A text, blocks, pictures, nothing: the words in them are the output."""
    blocks = [{"type": "text", "text": "a"}, "b", {"type": "image"}, {"x": 1}, 7]
    events = turn(said(use("mcp__s__t")), result(blocks))
    assert actions(events)[-1].action.detail["output"] == "a\nb\n[image]"
    events = turn(said(use("mcp__s__t")), result(None))
    assert "output" not in actions(events)[-1].action.detail
    assert actions(events)[-1].ok


def test_an_interrupted_command_is_no_success() -> None:
    """It has no exit code."""
    events = turn(said(use("Bash", command="x")), result("so far", extra={"interrupted": True}))
    end = actions(events)[-1]
    assert (end.ok, end.message) == (False, "interrupted")
    assert "exit_code" not in end.action.detail


def test_a_failure_without_a_word_is_still_one() -> None:
    """The person sees at least that it failed."""
    for name in ("Bash", "Read"):
        end = actions(turn(said(use(name)), result("", is_error=True)))[-1]
        assert (end.ok, end.message) == (False, "failed")


def test_a_result_without_a_call_is_shown() -> None:
    """The line with the call was lost; what came out of it is not."""
    action = only(turn(result("the output")))
    assert action.action.detail["output"] == "the output"


def test_tools_that_the_api_runs_itself_end_within_the_message() -> None:
    """Their result is a block of the model's message."""
    block = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []}
    events = turn(said({"type": "server_tool_use", "id": "s1", "name": "web_search"}), said(block))
    assert [a.phase for a in actions(events)] == ["started", "completed"]


# Sub-agents and background work


def test_a_sub_agents_words_are_news_of_it_and_not_of_the_session() -> None:
    """The answer is the session's own; a sub-agent's to-do list and thoughts stay its own."""
    events = turn(
        said(use("Agent", description="look")),
        said({"type": "text", "text": "Found\nit"}, parent="t1"),
        said({"type": "thinking", "thinking": "hm"}, parent="t1"),
        said(use("TodoWrite", "t2", todos=[]), parent="t1"),
        result("ok", "t2"),
        said({"type": "text", "text": "lost"}, parent="unknown"),
        said(use("Read", "t3", file_path="/a"), parent="t1"),
    )
    assert shown(events) == [
        ("started", "subagent", "look"),
        ("updated", "subagent", "look"),
        ("started", "tool", "read: /a"),
    ]
    assert actions(events)[1].message == "Found"
    assert actions(events)[2].action.detail["parent"] == "t1"


def test_a_sub_agents_failed_request_is_no_error_of_the_session() -> None:
    """The session goes on; its own words decide."""
    events = turn(said({"type": "text", "text": "API Error"}, parent="t1", error="server_error"))
    assert final(events).ok


def background(call_id: str = "t1") -> list[dict[str, Any]]:
    """Make the lines of a command that is sent to the background."""
    return [
        said(use("Bash", call_id, command=f"serve {call_id}")),
        system("task_started", task_id=f"b-{call_id}", tool_use_id=call_id),
        result("started", call_id, extra={"backgroundTaskId": f"b-{call_id}"}),
    ]


def test_a_background_command_that_fails_says_so() -> None:
    """Its exit code stands in claude's summary; it may be known by its task alone."""
    note = system("task_notification", task_id="b-t1", status="failed", summary="(exit code 3)")
    events = told("claude", INIT, *background(), note, RESULT)
    end = actions(events)[-1]
    assert (end.phase, end.ok, end.message) == ("completed", False, "failed")
    assert end.action.detail["exit_code"] == 3


def test_progress_of_a_task_is_news_of_its_call() -> None:
    """A task that nobody knows, or that says nothing, is none."""
    lines = [
        *background(),
        system("task_progress", task_id="b-t1", summary="half done"),
        system("task_progress", task_id="b-t1"),
        system("task_progress", task_id="other", last_tool_name="Bash"),
        system("task_started", task_id="x"),
        system("task_notification", task_id="other", status="completed"),
    ]
    events = told("claude", INIT, *lines, RESULT)
    assert [a.message for a in actions(events)] == [None, "in the background", "half done"]


def test_the_final_waits_for_the_turn_that_a_background_task_starts() -> None:
    """The second result is part of the answer, and it is the last."""
    done = system("task_notification", task_id="b-t1", tool_use_id="t1", status="completed")
    again = {**RESULT, "result": "it ended"}
    events = told("claude", INIT, *background(), RESULT, done, INIT, again)
    assert final(events).answer == "done\n\nit ended"
    failed = {**RESULT, "is_error": True, "result": "API Error: 500"}
    end = final(told("claude", INIT, *background(), RESULT, done, INIT, failed))
    assert not end.ok
    assert end.answer == "done"


def test_the_final_comes_when_claude_ended_its_background_tasks() -> None:
    """All that it ended is named, as the answer may say that it runs."""
    stop = [
        system("task_notification", tool_use_id=call, status="stopped") for call in ("t1", "t2")
    ]
    lines = [*background("t1"), *background("t2"), RESULT]
    events = told("claude", INIT, *lines, *stop)
    assert final(events).answer.endswith(
        "(claude ended 2 background tasks: `serve t1`, `serve t2`)"
    )
    assert final(told("claude", INIT, *lines, stop[0])).ok, "claude ended before it said all"


def test_a_held_answer_is_given_out_when_claude_dies() -> None:
    """Also with what it wrote after it."""
    lines = [INIT, *background(), RESULT]
    assert final(told("claude", *lines, rc=-9)).answer == "done"
    more = said({"type": "text", "text": "and then"})
    end = final(told("claude", *lines, INIT, more, rc=1))
    assert end.answer == "done\n\nand then"
    assert end.ok


# To-do lists


def test_a_task_that_could_not_be_made_leaves_the_plan() -> None:
    """Its call showed it already."""
    events = turn(
        said(use("TaskCreate", "c1", subject="a")),
        said(use("TaskCreate", "c2", subject="b")),
        result("Task #1 created successfully: a", "c1"),
        result("no", "c2", is_error=True),
        said(use("TaskUpdate", "u1", taskId="1", status="in_progress")),
        result("ok", "u1"),
        said(use("TaskUpdate", "u2", taskId="1", status="completed")),
        result("no", "u2", is_error=True),
        said(use("TaskUpdate", "u3")),
        result("ok", "u3"),
    )
    plans = actions(events, "plan")
    assert plans[-1].action.detail["items"] == [{"text": "a", "status": "in_progress"}]
    assert [p.phase for p in plans] == ["started", "updated", "updated", "updated", "completed"]


def test_tasks_of_an_earlier_turn_are_known_once_the_list_is_read() -> None:
    """A resumed session works on tasks that this run did not see being made."""
    tasks = [{"id": "4", "subject": "old", "status": "completed"}, 7]
    events = turn(
        said(use("TaskUpdate", "u1", taskId="4", status="in_progress")),
        result("ok", "u1"),
        said(use("TaskUpdate", "u2", taskId="5", subject="new")),
        result("ok", "u2"),
        said(use("TaskList", "l1")),
        result("...", "l1", extra={"tasks": tasks}),
        said(use("TaskList", "l2")),
        result("...", "l2", extra={"tasks": tasks}),
        said(use("TaskUpdate", "u3", taskId="9", status="deleted")),
        result("ok", "u3"),
        said(use("TodoRead", "r1")),
        result("...", "r1"),
    )
    plans = [p.action.detail["items"] for p in actions(events, "plan")]
    assert plans[0] == [{"text": "task 4", "status": "in_progress"}]
    assert plans[1][1] == {"text": "new", "status": "pending"}
    assert plans[2] == [{"text": "old", "status": "completed"}]
    assert len(plans) == 4, "the rest changed nothing but the end"


def test_a_list_without_sense_is_an_empty_one() -> None:
    """Wrong types cost their item, not the turn."""
    todos = [{"content": "a", "status": 7}, "x"]
    events = turn(said(use("TodoWrite", todos=todos)), said(use("TaskCreate", "c", subject=7)))
    assert actions(events)[0].action.detail["items"] == [{"text": "a", "status": "pending"}]
    created = turn(
        said(use("TaskCreate", "c", subject="s")), result("made", "c", extra={"task": 7})
    )
    assert actions(created)[-1].action.detail["items"] == [{"text": "s", "status": "pending"}]
