"""claude: its command line, its environment, its configuration, its resume lines."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.cases import CONFIG_PATH, case, events_of, final
from takopi.errors import ConfigError, UsageError
from takopi.model import ResumeToken
from takopi.runners._claude_errors import stderr_text
from takopi.runners.claude import BACKEND, DEFAULT_TOOLS, ClaudeRunner, build_runner
from takopi.runners.run_options import EngineRunOptions, apply_run_options
from takopi.turn import TurnRequest
from takopi.turn_context import bind_request

SESSION = "23da8fe7-3510-45ef-817d-4e2329e18443"
TOKEN = ResumeToken("claude", SESSION)
PLAIN = ["-p", "--output-format", "stream-json", "--input-format", "text", "--verbose"]


def arguments(runner: ClaudeRunner, resume: ResumeToken | None = None) -> list[str]:
    """Return the command line of a turn."""
    return runner.build_args("hi", resume, state=None)


def test_a_plain_turn_has_the_default_permissions() -> None:
    """The list of tools is ended by the next option."""
    assert arguments(ClaudeRunner()) == [
        *PLAIN,
        "--allowedTools",
        *DEFAULT_TOOLS,
        "--permission-mode",
        "acceptEdits",
    ]


def test_everything_that_can_be_configured_reaches_claude() -> None:
    """Options of the person's own come last, so that they win."""
    runner = ClaudeRunner("opus", "max", (), "plan", extra_args=("--add-dir", "/srv"))
    assert arguments(runner, TOKEN) == [
        *PLAIN,
        *("--resume", SESSION, "--model", "opus", "--effort", "max"),
        *("--permission-mode", "plan", "--add-dir", "/srv"),
    ]


def test_skipping_permissions_replaces_the_permission_mode() -> None:
    """Unless the turn asks for a mode, which then is the narrower wish."""
    runner = ClaudeRunner(dangerously_skip_permissions=True)
    assert arguments(runner)[-1] == "--dangerously-skip-permissions"
    with bind_request(TurnRequest(prompt="", permission_mode="plan")):
        assert arguments(runner)[-2:] == ["--permission-mode", "plan"]


def test_a_turn_may_ask_for_model_and_reasoning() -> None:
    """What the person asks for in the chat goes before the configuration."""
    with apply_run_options(EngineRunOptions(model="haiku", reasoning="low")):
        args = arguments(ClaudeRunner("opus", "max"))
    assert args[6:10] == ["--model", "haiku", "--effort", "low"]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (TurnRequest(prompt="", reasoning="ultra"), "reasoning level 'ultra'"),
        (TurnRequest(prompt="", permission_mode="yolo"), "permission mode 'yolo'"),
        (TurnRequest(prompt="", model="-x"), "'-x'"),
    ],
)
def test_a_turn_that_asks_for_what_claude_lacks_is_refused(
    request_: TurnRequest, words: str
) -> None:
    """claude would only warn on standard error, where nobody sees it."""
    with bind_request(request_), pytest.raises(UsageError, match=words):
        arguments(ClaudeRunner())


def test_claude_says_which_reasoning_levels_it_has() -> None:
    """The chat offers them."""
    assert ClaudeRunner().capabilities.reasoning_levels[-1] == "max"


def test_the_name_is_the_program_unless_npm_installed_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """claude's own installer puts the program itself on the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ClaudeRunner().command() == "claude"


# The prompt


@pytest.mark.parametrize(
    "prompt",
    ["/etc/hosts what is it?", "/home/ann/x.py", "/", "// comment", "/a.b", "/1", "/ x"],
)
def test_a_path_is_no_command_of_claude(prompt: str) -> None:
    """claude looks at the first character; a space before it makes the difference."""
    assert ClaudeRunner().stdin_payload(prompt, None, state=None) == f" {prompt}".encode()


@pytest.mark.parametrize(
    "prompt",
    [
        "/compact",
        "/cost\n",
        "/mcp__srv__do now",
        "/plugin:do-it x",
        "/café x",
        "hello /etc",
        " /x",
        "!x",
        "",
    ],
)
def test_a_command_of_claude_and_a_plain_prompt_go_as_they_are(prompt: str) -> None:
    """`//compact` in the chat arrives here as `/compact`, on purpose."""
    assert ClaudeRunner().stdin_payload(prompt, None, state=None) == prompt.encode()


@pytest.mark.timeout(600)
@given(prompt=st.text())
def test_a_prompt_is_never_changed_but_by_a_space(prompt: str) -> None:
    """What the person wrote is what the model gets."""
    sent = ClaudeRunner().stdin_payload(prompt, None, state=None).decode()
    assert sent in (prompt, f" {prompt}")


# The environment


def test_the_key_pays_only_when_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A login is not silently replaced by a key that lies around."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-fake")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:8080")
    monkeypatch.setenv("CLAUDECODE", "1")
    env = ClaudeRunner().env(state=None)
    assert "ANTHROPIC_API_KEY" not in env
    assert env["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:8080"
    assert env["PATH"] == os.environ["PATH"]
    paying = ClaudeRunner(use_api_billing=True).env(state=None)
    assert paying["ANTHROPIC_API_KEY"] == "sk-ant-fake"
    assert "CLAUDECODE" not in env
    assert "CLAUDECODE" not in paying
    assert "ANTHROPIC_*" in BACKEND.env_pass


# The configuration


def test_every_key_of_the_table_is_read() -> None:
    """The table's keys are those of docs/reference/engines.md."""
    table = {
        "model": "opus",
        "reasoning": "high",
        "allowed_tools": ["Bash(git *)", "Read"],
        "permission_mode": "dontAsk",
        "dangerously_skip_permissions": True,
        "use_api_billing": True,
        "extra_args": ["--add-dir", "/srv"],
        "keep_background": False,
    }
    tools, extra = ("Bash(git *)", "Read"), ("--add-dir", "/srv")
    wanted = ClaudeRunner("opus", "high", tools, "dontAsk", True, True, extra)
    assert build_runner(table, CONFIG_PATH) == wanted
    assert BACKEND.build_runner({}, CONFIG_PATH) == ClaudeRunner()
    assert build_runner({"allowed_tools": []}, CONFIG_PATH).allowed_tools == ()


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"permission_mode": "acceptedits"}, 'accepted is one of "acceptEdits"'),
        ({"reasoning": "ultra"}, "`claude.reasoning` is 'ultra'"),
        ({"allowed_tools": "Bash"}, "a list of texts"),
        ({"allowed_tools": ["-x"]}, 'none of which begins with "-"'),
        ({"use_api_billing": "yes"}, "true or false"),
        ({"extra_args": ["--resume", "x"]}, "which takopi sets itself"),
        ({"allowed_tool": ["Bash"]}, "did you mean `allowed_tools`?"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_accepted(
    table: dict[str, object], words: str
) -> None:
    """The person learns file, key, what was found and what is accepted."""
    with pytest.raises(ConfigError) as error:
        build_runner(table, CONFIG_PATH)
    assert str(CONFIG_PATH) in str(error.value)
    assert words in str(error.value)


# Resume lines and bad ends


def test_resume_lines_in_claudes_own_words_are_understood() -> None:
    """A person may copy the line from claude's own screen."""
    runner = ClaudeRunner()
    for text in (
        f"claude --resume {SESSION}",
        f"claude -r {SESSION}",
        f"`claude --resume={SESSION}`",
    ):
        assert runner.extract_resume(text) == TOKEN
    assert runner.extract_resume("claude --resume my-title") is None
    assert runner.extract_resume(f"claude --resume {SESSION} --model x") is None


def test_a_session_of_another_directory_is_explained() -> None:
    """claude's own words do not say that directories have sessions of their own."""
    end = final(events_of(case("claude", "resumed_other_cwd")))
    assert "it keeps those of each directory apart" in str(end.error)
    assert end.resume == TOKEN


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("root_refused", "as another user"),
        ("bad_flag", "extra_args"),
        ("bad_permission_mode", "extra_args"),
        ("session_id_in_use", "already in use"),
        ("empty_prompt", "Input must be provided"),
    ],
)
def test_the_reason_on_standard_error_is_in_the_error(name: str, advice: str) -> None:
    """Nothing was printed on standard output, so this is all there is."""
    assert advice in str(final(events_of(case("claude", name))).error)


def test_the_words_error_are_left_out() -> None:
    """The person sees already that it is one."""
    assert stderr_text("Error: no luck\n") == "no luck"
