"""codex: what its lines become, where the recorded streams do not say it."""

import pytest

from runners.cases import actions, case, events_of, final, started, told
from takopi.jsonl_fold import JsonlFold
from takopi.model import ResumeToken, TakopiEvent
from takopi.runners._codex_errors import readable, stderr_text
from takopi.runners._codex_events import inner_command
from takopi.runners.codex import CodexRunner
from takopi.turn import TurnRequest

SESSION = "01a1fc42-bad0-7db3-a6b5-191279486cb0"
TOKEN = ResumeToken("codex", SESSION)
START = {"type": "thread.started", "thread_id": SESSION}
END = {"type": "turn.completed", "usage": {"input_tokens": 3}}


def turn(
    *lines: dict[str, object] | str, rc: int | None = 0, stderr: str = ""
) -> list[TakopiEvent]:
    """Replay a turn of a known session with these lines in it."""
    return told("codex", START, *lines, rc=rc, stderr=stderr)


def item(phase: str, **fields: object) -> dict[str, object]:
    """Make the line of an item."""
    return {"type": f"item.{phase}", "item": {"id": "item_0", **fields}}


# What a line means


def test_usage_has_the_standard_names() -> None:
    """Numbers of different engines can be compared."""
    recorded = case("codex", "reasoning")
    assert final(events_of(recorded)).usage == {
        "input_tokens": 6637,
        "cached_tokens": 0,
        "output_tokens": 18,
        "reasoning_tokens": 7,
        "of_session": True,
    }
    usage = {"input_tokens": 5, "cached_input_tokens": 4, "cache_write_input_tokens": 2}
    fold = JsonlFold(CodexRunner(model="gpt-6"), TurnRequest(prompt=""))
    (end,) = fold.feed(b'{"type":"turn.completed","usage":{"cache_write_input_tokens":2}}\n')
    assert end.usage["cache_write_input_tokens"] == 2
    assert end.usage["model"] == "gpt-6"
    assert final(turn({"type": "turn.completed", "usage": usage})).usage["input_tokens"] == 5
    assert final(turn({"type": "turn.completed"})).usage is None


def test_output_is_whole() -> None:
    """Renderers shorten, runners never do."""
    (command,) = actions(events_of(case("codex", "long_output")), "command")[1:]
    assert command.action.detail["output"] == "x" * 200_000
    answer = final(events_of(case("codex", "big_answer"))).answer
    assert len(answer) > 200_000


def test_an_id_that_stands_twice_is_one_id() -> None:
    """A web search has two keys `id`; start and end must agree."""
    begin, end = actions(events_of(case("codex", "web_search")), "web_search")
    assert begin.action.id == end.action.id == "ws_8b5df37c8ea4478998272330"


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({"query": "", "action": {"type": "open_page", "url": "https://x.org"}}, "https://x.org"),
        ({"query": "", "action": {"type": "find_in_page", "pattern": "abc"}}, "abc"),
        ({"query": "", "action": {"type": "search", "query": "q"}}, "q"),
        ({"query": "", "action": None}, "the web"),
    ],
)
def test_a_web_search_says_what_it_looks_at(fields: dict[str, object], title: str) -> None:
    """Opening a page and searching in it are web searches too."""
    (search,) = actions(turn(item("completed", type="web_search", **fields), END))
    assert search.action.title == title


def test_a_failed_mcp_call_says_why_and_what_to_do() -> None:
    """A run cannot ask, and codex's own words do not say what helps."""
    line = item(
        "completed",
        type="mcp_tool_call",
        server="echo",
        tool="echo",
        arguments={"text": "hi"},
        error={"message": "MCP tool call requires approval, but approval policy is never"},
        status="failed",
    )
    (call,) = actions(turn(line, END))
    assert call.ok is False
    assert "default_tools_approval_mode" in str(call.message)


def test_sub_agents_and_waiting_for_them_are_shown() -> None:
    """What a sub-agent does is not in the stream, so at least its task is."""
    lines = [
        item("completed", type="collab_tool_call", tool="spawn_agent", prompt="Look\nat it"),
        item("completed", type="collab_tool_call", tool="wait", receiver_thread_ids=["a", "b"]),
        item("completed", type="collab_tool_call", tool="close_agent", agents_states={"a": {}}),
        item("completed", type="collab_tool_call", tool="", status="failed"),
    ]
    found = actions(turn(*lines, END), "subagent")
    assert [a.action.title for a in found] == ["Look", "wait for 2", "close agent", "sub-agent"]
    assert [a.ok for a in found] == [True, True, True, False]


def test_a_declined_command_is_no_success() -> None:
    """It has no exit code, so the status decides."""
    line = item("completed", type="command_execution", command="rm x", status="declined")
    (command,) = actions(turn(line, END))
    assert (command.ok, command.message) == (False, "declined")
    running = item("updated", type="command_execution", command="", aggregated_output="so far")
    (command,) = actions(turn(running, END))
    assert command.action.detail["output"] == "so far"
    assert command.action.title == "command"


def test_items_that_nobody_knows_are_notes() -> None:
    """codex gains item types; the person sees that something happened."""
    lines = [
        item("started", type="image_generation", message="a cat"),
        item("completed", type="image_generation", message="a cat"),
        {"type": "item.completed", "item": {"type": ""}},
        {"type": "item.completed"},
    ]
    found = actions(turn(*lines, END))
    assert [a.action.kind for a in found] == ["note"] * 4
    assert found[1].action.title == "image generation: a cat"
    assert found[1].ok
    assert found[2].action.id == "item"


def test_lines_that_nobody_knows_are_named_once() -> None:
    """A new kind of line, sent a thousand times, is one note."""
    lines = [{"type": "thread.renamed", "message": "x"}] * 3 + [{"type": ""}]
    titles = [a.action.title for a in actions(turn(*lines, END))]
    assert titles == ["codex sent thread.renamed: x", "codex sent (none)"]


def test_empty_messages_are_left_out() -> None:
    """A message without a text neither is shown nor becomes the answer."""
    lines = [
        item("completed", type="agent_message", text="The answer"),
        {"type": "item.completed", "item": {"id": "item_1", "type": "agent_message", "text": ""}},
        {"type": "item.completed", "item": {"id": "item_2", "type": "reasoning", "text": ""}},
    ]
    events = turn(*lines, END)
    assert final(events).answer == "The answer"
    assert len(actions(events)) == 1


def test_a_message_in_progress_is_shown_and_is_not_the_answer() -> None:
    """Only what is complete counts."""
    events = turn(item("updated", type="agent_message", text="The ans"), END)
    assert actions(events)[0].phase == "updated"
    assert final(events).answer == ""


def test_two_plans_are_one_action() -> None:
    """A run has one plan, whatever ids codex gives its lists."""
    first = item("started", type="todo_list", items=[{"text": "a", "completed": False}])
    second = {
        "type": "item.started",
        "item": {"id": "item_9", "type": "todo_list", "items": [{"text": "b", "completed": True}]},
    }
    plans = actions(turn(first, second, END), "plan")
    assert [p.phase for p in plans] == ["started", "updated", "completed"]
    assert {p.action.id for p in plans} == {"plan"}
    assert plans[-1].action.detail["items"] == [{"text": "b", "status": "completed"}]


# What goes wrong


def test_an_error_that_codex_survives_is_a_warning() -> None:
    """Only `turn.failed` says that an error was the last word."""
    lines = [
        {"type": "error", "message": "first"},
        {"type": "error", "message": "second"},
        item("completed", type="agent_message", text="done"),
        {"type": "error", "message": "third"},
        END,
    ]
    events = turn(*lines)
    warnings = [a.action.title for a in actions(events, "warning")]
    assert warnings == ["first", "second", "third"]
    assert final(events).ok


def test_an_error_without_a_turn_that_failed_is_the_reason() -> None:
    """The process may end before it says more."""
    end = final(turn({"type": "error", "message": '{"error":{"message":"no luck"}}'}, rc=1))
    assert "no luck" in str(end.error)
    end = final(turn({"type": "error", "message": ""}, {"type": "turn.failed"}))
    assert end.error == "codex reported an error without a text"
    end = final(turn({"type": "turn.failed", "error": {"message": ""}}))
    assert end.error == "codex ended the turn without saying why"


def test_a_second_series_of_reconnects_is_an_action_of_its_own() -> None:
    """The first one ended when codex went on."""
    again = {"type": "error", "message": "Reconnecting... 1/5"}
    events = turn(again, again, item("completed", type="agent_message", text="x"), again, END)
    shown = [(a.action.id, a.phase, a.ok) for a in actions(events, "warning")]
    assert shown == [
        ("retry.1", "started", None),
        ("retry.1", "completed", True),
        ("retry.2", "started", None),
        ("retry.2", "completed", True),
    ]


def test_what_was_written_of_the_answer_is_kept_when_codex_dies() -> None:
    """Nothing that the person could read is lost."""
    line = item("completed", type="agent_message", text="half")
    assert final(turn(line, rc=-9)).answer == "half"
    assert final(turn(line, rc=0)).answer == "half"
    assert not final(turn(line, rc=0)).ok


@pytest.mark.parametrize("thread_id", ["", "-x", "a b", "x" * 200])
def test_a_session_without_a_usable_id_is_said(thread_id: str) -> None:
    """An id ends up on a command line, so it must look like one."""
    events = told("codex", {"type": "thread.started", "thread_id": thread_id}, END)
    assert "usable id" in actions(events)[0].action.title


def test_a_second_session_in_one_run_is_refused() -> None:
    """Nobody could say which one the answer is from."""
    events = turn({**START, "thread_id": SESSION.replace("0", "1")}, END)
    assert not final(events).ok
    assert final(events).resume == TOKEN
    assert started(events).resume == TOKEN


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ('{"error": {"message": "no"}}', "no"),
        ('400: {"error": "{\\"message\\": \\"deep\\"}"}', "400: deep"),
        ('{"detail": "Unauthorized"}', "Unauthorized"),
        ('{"a": 1}', '{"a": 1}'),
        ("{not json", "{not json"),
        ("{" * 3000, "{" * 3000),
        ('{"error": {"error": {"error": {"error": {"error": {"error": 1}}}}}}',) * 2,
        ('{"error":' * 4 + '"{\\"error\\":1}"' + "}" * 4, '{"error":1}'),
        ("a {} {} {}", "a {} {} {}"),
        ("plain", "plain"),
    ],
)
def test_errors_are_taken_out_of_the_json_around_them(said: str, wanted: str) -> None:
    """A person reads words, not what a server wrapped them in."""
    assert readable(said) == wanted


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("Error: No prompt provided: 401 Unauthorized", "codex login"),
        ("Missing environment variable: `MY_KEY`", 'pass = ["MY_KEY"]'),
        ("You've hit your usage limit", "try again later"),
        ("error sending request for url", "network"),
        ("Error loading config.toml: bad", "config.toml"),
    ],
)
def test_known_causes_come_with_advice(words: str, advice: str) -> None:
    """The text says what to do next."""
    assert advice in stderr_text(words)


def test_noise_on_standard_error_is_left_out() -> None:
    """codex warns and logs even when all is well."""
    noise = case("codex", "killed_in_tool_sigint").stderr
    assert stderr_text(noise) == ""
    assert stderr_text(case("codex", "bad_config").stderr).startswith("Model provider `nope`")
    logged = "2026-11-21T08:05:16.9Z ERROR codex_core::tools: error=no luck\n"
    assert stderr_text(logged * 3) == "no luck"
    assert stderr_text(logged + "said\n") == "said"
    assert len(stderr_text("x" * 5000)) == 1200


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        ("/bin/bash -lc 'echo hi; pwd'", "echo hi; pwd"),
        ("/bin/bash -lc ls", "ls"),
        ("/usr/bin/zsh -lc 'ls'", "ls"),
        ("sh -c ls", "ls"),
        (
            '/bin/bash -lc "echo \\"a\\" \\$HOME \\`b\\` \\\\n it\'s"',
            'echo "a" $HOME `b` \\n it\'s',
        ),
        ("/bin/bash -lc 'it'\"'\"'s'", "it's"),
        ("/bin/bash -lc 'a' b", "/bin/bash -lc 'a' b"),
        ("/bin/bash -lc 'cut", "/bin/bash -lc 'cut"),
        ("/bin/bash -lc ", "/bin/bash -lc "),
        ("ls -la", "ls -la"),
        ("/bin/bash -lc '" + "x'\"'\"'" * 9000 + "'", "'" + "x'\"'\"'" * 9000 + "'"),
    ],
)
def test_the_shell_around_a_command_is_left_out(command: str, wanted: str) -> None:
    """The person wants to read what runs."""
    assert inner_command(command) == wanted
