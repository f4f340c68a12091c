"""opencode: what it prints becomes events, its bad ends become clear texts."""

from typing import Any

import pytest

from runners.streams import actions, final, printed, recorded, session_of
from takopi.model import ResumeToken
from takopi.runners.opencode import OpencodeRunner

RUNNER = OpencodeRunner()
SESSION = "ses_1abc"
USAGE_KEYS = {
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost_usd",
}


def line(kind: str, **part: Any) -> dict[str, Any]:
    return {"type": kind, "sessionID": SESSION, "part": part}


def step(*inside: dict[str, Any], reason: str = "stop") -> list[dict[str, Any]]:
    return [line("step_start"), *inside, line("step_finish", reason=reason)]


def tool(name: str, **state: Any) -> dict[str, Any]:
    return line("tool_use", tool=name, callID="call_1", state={"status": "completed", **state})


def test_a_plain_answer() -> None:
    """Session, the text as it is written, the answer with its usage."""
    events = recorded(RUNNER, "plain")
    assert session_of(events) == "ses_e03bee284ffeyuikOxpZSwKsMB"
    end = final(events)
    assert (end.ok, end.answer) == (True, "Plain answer. [user turns: 1]")
    assert end.usage is not None
    assert set(end.usage) == USAGE_KEYS
    assert (end.usage["input_tokens"], end.usage["output_tokens"]) == (100, 20)
    assert actions(events, "message")[0].action.detail["text"] == end.answer


def test_the_answer_is_the_text_of_the_last_step() -> None:
    """What was said before a tool is shown on the way and is not the answer."""
    events = recorded(RUNNER, "several_tools")
    assert final(events).answer == "all done [user turns: 1]"
    assert next(a.action.detail["text"] for a in actions(events, "message")) == "Looking."
    assert final(events).usage["output_tokens"] == 120  # type: ignore[index]


def test_a_command_has_its_exit_status() -> None:
    """opencode calls a failed command completed; its exit status says otherwise."""
    good, bad = actions(recorded(RUNNER, "several_tools"), "command")
    assert (good.ok, good.action.title, good.action.detail["exit_code"]) == (True, "ls", 0)
    assert (bad.ok, bad.action.title, bad.action.detail["exit_code"]) == (False, "false", 1)
    assert good.action.detail["output"] == "a.txt\nb.txt\n"


def test_file_changes_have_their_paths() -> None:
    """A new file is an addition, an edit an update; a failed edit says why."""
    write, edit = actions(recorded(RUNNER, "file_edit"), "file_change")
    assert write.action.detail["changes"] == [{"path": "b.txt", "kind": "add"}]
    assert edit.action.detail["changes"] == [{"path": "b.txt", "kind": "update"}]
    (failed,) = actions(recorded(RUNNER, "several_tools"), "file_change")
    assert failed.ok is False
    assert "Could not find oldString" in str(failed.message)


def test_writing_over_a_file_is_an_update() -> None:
    """The tool says whether the file was there."""
    written = tool("write", input={"filePath": "a", "content": ""}, metadata={"exists": True})
    (change,) = actions(printed(RUNNER, *step(written)), "file_change")
    assert change.action.detail["changes"] == [{"path": "a", "kind": "update"}]


def test_the_plan_is_one_action_that_changes() -> None:
    """The plan begins once, is updated, and ends with the run."""
    plans = actions(recorded(RUNNER, "agent_and_plans"), "plan")
    assert [p.phase for p in plans] == ["started", "updated", "completed"]
    assert {p.action.id for p in plans} == {"plan"}
    assert plans[0].action.detail["items"] == [
        {"text": "a", "status": "completed"},
        {"text": "b", "status": "in_progress"},
        {"text": "c", "status": "pending"},
    ]
    assert plans[-1].ok is None, "one step was left"


def test_a_plan_with_nothing_left_is_done() -> None:
    """A cancelled step is done with, an unknown status is open."""
    todos = [{"content": "a", "status": "cancelled"}, {"content": "b", "status": "completed"}, 7]
    events = printed(RUNNER, *step(tool("todowrite", input={"todos": todos})))
    assert actions(events, "plan")[-1].ok is True
    odd = [{"content": "a", "status": ["?"]}]
    events = printed(RUNNER, *step(tool("todowrite", input={"todos": odd})))
    assert actions(events, "plan")[-1].action.detail["items"][0]["status"] == "pending"


def test_a_sub_agent_and_a_fetch_and_a_tool_that_is_not_there() -> None:
    """Each kind of tool is shown as what it is."""
    events = recorded(RUNNER, "agent_and_plans")
    (agent,) = actions(events, "subagent")
    assert (agent.action.title, agent.ok) == ("fake sub-agent", True)
    assert agent.action.detail["session"].startswith("ses_")
    (fetch,) = actions(events, "web_search")
    assert (fetch.ok, fetch.action.title) == (False, "http://127.0.0.1:8080/")
    (strange,) = actions(events, "tool")
    assert (strange.ok, strange.action.title) == (False, "no such tool: nosuch")


def test_reasoning_is_thinking() -> None:
    """Reasoning is shown, and is not the answer."""
    events = recorded(RUNNER, "thinking")
    assert actions(events, "thinking")[0].action.detail["text"] == "I am pondering the question."
    assert final(events).answer == "thought [user turns: 1]"


def test_a_refused_permission_names_the_setting() -> None:
    """opencode stops with exit status 0; the person is told which setting to change."""
    end = final(recorded(RUNNER, "permission_ask"))
    assert end.ok is False
    assert "opencode refused `echo hi`" in str(end.error)
    assert "Set `permission.bash` to `allow` in opencode.json" in str(end.error)
    assert "--auto" in str(end.error)


def test_the_setting_is_that_which_opencode_asked_for() -> None:
    """Reading a file outside of the project asks for another permission than reading."""
    events = recorded(RUNNER, "external_directory")
    assert "`permission.external_directory`" in str(final(events).error)
    assert actions(events, "tool")[0].message == "refused by opencode's permission settings"


def test_a_refused_permission_is_told_without_standard_error_too() -> None:
    """After a restart only the output may be left."""
    refusal = "The user rejected permission to use this specific tool call."
    refused = tool("bash", status="error", error=refusal, input={"command": "ls"})
    end = final(printed(RUNNER, *step(refused, reason="tool-calls"), rc=None))
    assert "`permission` table of opencode.json" in str(end.error)


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("error400", ["fake error 400 (HTTP 400)"]),
        ("error401", ["fake error 401 (HTTP 401)", "opencode auth login"]),
        ("bad_model", ["Unexpected server error", "`opencode models`"]),
        ("invalid_resume", ["Session not found", "without the resume line"]),
        ("kill_kill_tool", ["was ended by SIGKILL"]),
        ("kill_term_text", ["was ended by SIGTERM"]),
    ],
)
def test_a_bad_end_says_why_and_what_to_do(case: str, words: list[str]) -> None:
    """The reason of the failure is in the error, with a hint where the cause is known."""
    end = final(recorded(RUNNER, case))
    assert end.ok is False
    for word in words:
        assert word in str(end.error)


def test_a_failed_run_keeps_its_session() -> None:
    """The person can go on where it stopped."""
    assert final(recorded(RUNNER, "error400")).resume == ResumeToken(
        "opencode", "ses_e03bd9bbcfferX15E7WmSKR9nT"
    )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"name": "ProviderAuthError", "data": {"message": "no key"}}, "opencode auth login"),
        ({"name": "SomethingError"}, "SomethingError"),
        ({}, "opencode reported an error"),
        (None, "opencode reported an error"),
    ],
)
def test_an_error_event_is_told_whatever_it_holds(error: object, words: str) -> None:
    """Fields that are missing cost nothing but themselves."""
    failed = {"type": "error", "sessionID": SESSION, "error": error}
    end = final(printed(RUNNER, failed, rc=1))
    assert words in str(end.error)


def test_an_error_that_was_overcome_is_no_failure() -> None:
    """A step after the error shows that opencode went on."""
    failed = {"type": "error", "sessionID": SESSION, "error": {"name": "E"}}
    end = final(printed(RUNNER, failed, *step(line("text", text="answer"))))
    assert (end.ok, end.answer) == (True, "answer")


def test_exit_status_0_without_an_end_of_the_step_is_an_answer_with_a_warning() -> None:
    """opencode exits without waiting for its output to be read, so the last line may be lost."""
    events = printed(RUNNER, line("step_start"), line("text", text="half"))
    assert (final(events).ok, final(events).answer) == (True, "half")
    assert "may be cut" in actions(events, "warning")[0].action.title


@pytest.mark.parametrize(
    ("reason", "words"), [("length", "output limit"), ("content-filter", "content-filter")]
)
def test_an_answer_that_was_cut_is_marked(reason: str, words: str) -> None:
    """The model stopped for another reason than being done."""
    events = printed(RUNNER, *step(line("text", text="some"), reason=reason))
    assert final(events).ok is True
    assert words in actions(events, "warning")[0].action.title


def test_a_failure_after_the_answer_does_not_cost_the_answer() -> None:
    """An exit status after the last step is worth a warning."""
    events = printed(RUNNER, *step(line("text", text="all of it")), rc=3)
    assert (final(events).ok, final(events).answer) == (True, "all of it")
    assert (
        "failed with exit status 3 after its answer" in actions(events, "warning")[0].action.title
    )


def test_an_empty_last_step_leaves_the_last_thing_said() -> None:
    """A model may say its answer before its last tool."""
    said = step(line("text", text="here it is"), tool("bash", input={"command": "ls"}))
    said[-1]["part"]["reason"] = "tool-calls"
    assert final(printed(RUNNER, *said, *step())).answer == "here it is"


def test_nothing_at_all_is_an_error() -> None:
    """No output and exit status 0 is no answer."""
    assert "ended without a result" in str(final(printed(RUNNER)).error)
    cut = printed(RUNNER, line("step_start"), line("text", text=""))
    assert "ended without a result" in str(final(cut).error)
    assert "failed with exit status 7 without a result" in str(final(printed(RUNNER, rc=7)).error)
    assert "signal 77" in str(final(printed(RUNNER, rc=-77)).error)


def test_a_run_that_stops_after_a_tool_has_no_answer() -> None:
    """The person is told how to go on."""
    stopped = step(tool("bash", input={"command": "ls"}), reason="tool-calls")
    assert "send `continue`" in str(final(printed(RUNNER, *stopped)).error)


def test_another_session_than_asked_for_is_an_error() -> None:
    """The answer of a strange session is not taken over."""
    events = printed(RUNNER, *step(), resume=ResumeToken("opencode", "ses_other"))
    assert "ses_1abc" in str(final(events).error)
    assert final(events).resume == ResumeToken("opencode", "ses_other")


def test_lines_of_another_session_are_left_out() -> None:
    """A sub-agent's words are not the answer."""
    strange = {"type": "text", "sessionID": "ses_child", "part": {"text": "not this"}}
    events = printed(RUNNER, *step(line("text", text="this"), strange))
    assert final(events).answer == "this"


def test_an_id_that_is_none_starts_no_session() -> None:
    """An id that could not be resumed must not become a resume line."""
    odd = {"type": "text", "sessionID": "a b", "part": {"text": "hello"}}
    events = printed(RUNNER, odd)
    assert session_of(events) is None
    assert final(events).answer == "hello"


def test_an_unknown_event_is_noted_once() -> None:
    """What a later version prints is no failure."""
    events = printed(RUNNER, line("new_thing"), line("new_thing"), *step(line("text", text="x")))
    (note,) = actions(events, "note")
    assert (note.level, "new_thing" in note.action.title) == ("debug", True)
    assert final(events).ok is True


def test_what_has_no_id_gets_one() -> None:
    """Actions need ids, whatever the engine leaves out."""
    bare = {"type": "tool_use", "sessionID": SESSION, "part": {}}
    events = printed(RUNNER, bare, bare, line("reasoning", text="r"), line("reasoning", text=""))
    ids = [a.action.id for a in actions(events, "tool")]
    assert len(set(ids)) == 2
    assert len(actions(events, "thinking")) == 1
