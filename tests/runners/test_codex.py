"""codex: its command line, its environment, its configuration, its resume lines."""

import os
from pathlib import Path

import pytest

from runners.cases import CONFIG_PATH, final
from takopi.errors import ConfigError, UsageError
from takopi.model import ResumeToken
from takopi.runner import open_turn
from takopi.runners.codex import BACKEND, CodexRunner, build_runner
from takopi.runners.run_options import EngineRunOptions, apply_run_options
from takopi.turn import TurnRequest
from takopi.turn_context import bind_request

SESSION = "01a1fc42-bad0-7db3-a6b5-191279486cb0"
TOKEN = ResumeToken("codex", SESSION)


def arguments(runner: CodexRunner, resume: ResumeToken | None = None) -> list[str]:
    """Return the command line of a turn."""
    return runner.build_args("hi", resume, state=None)


# What is started


def test_a_plain_turn_reads_its_prompt_from_standard_input() -> None:
    """The prompt is no argument, and the sandbox is the default one."""
    wanted = ["exec", "--json", "--skip-git-repo-check", "-s", "workspace-write", "-"]
    assert arguments(CodexRunner()) == wanted


def test_options_stand_before_resume() -> None:
    """codex refuses some of them behind it."""
    runner = CodexRunner("gpt-6", "high", "work", "read-only", ("--search", "-c", "a=1"))
    args = arguments(runner, TOKEN)
    assert args[args.index("-s") + 1] == "read-only"
    assert args[args.index("-m") + 1] == "gpt-6"
    assert args[args.index("-p") + 1] == "work"
    assert 'model_reasoning_effort="high"' in args
    assert args[-6:] == ["--search", "-c", "a=1", "resume", SESSION, "-"]


def test_a_turn_may_ask_for_model_reasoning_and_sandbox() -> None:
    """What the person asks for in the chat goes before the configuration."""
    runner = CodexRunner("gpt-6", "high")
    request = TurnRequest(prompt="", permission_mode="read-only", cwd=Path("/home/user/project"))
    options = EngineRunOptions(model="gpt-7", reasoning="low")
    with bind_request(request), apply_run_options(options):
        args = arguments(runner)
        meta = runner.new_state("", None).meta
    assert args[4:9] == ["read-only", "-m", "gpt-7", "-c", 'model_reasoning_effort="low"']
    assert meta == {"model": "gpt-7", "cwd": "/home/user/project", "permission_mode": "read-only"}


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (TurnRequest(prompt="", reasoning="much"), "reasoning level 'much'"),
        (TurnRequest(prompt="", permission_mode="yolo"), "permission mode 'yolo'"),
        (TurnRequest(prompt="", model="--oss"), "'--oss'"),
    ],
)
def test_a_turn_that_asks_for_what_codex_lacks_is_refused(
    request_: TurnRequest, words: str
) -> None:
    """The text names what can be asked for."""
    with bind_request(request_), pytest.raises(UsageError, match=words):
        arguments(CodexRunner())


def test_variables_of_another_codex_session_do_not_reach_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """takopi may itself have been started by an agent."""
    monkeypatch.setenv("CODEX_THREAD_ID", "x")
    monkeypatch.setenv("CODEX_HOME", "/home/user/.codex")
    env = CodexRunner().env(state=None)
    assert "CODEX_THREAD_ID" not in env
    assert env["CODEX_HOME"] == "/home/user/.codex"
    assert env["PATH"] == os.environ["PATH"]


def test_the_program_is_the_native_one_behind_npms_wrapper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL on the wrapper would leave codex running; without a wrapper the name is enough."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert CodexRunner().command() == "codex"
    (tmp_path / "codex").write_text("#!/bin/sh\n")
    (tmp_path / "codex").chmod(0o755)
    assert CodexRunner().command() == "codex"


def test_codex_says_which_reasoning_levels_it_has() -> None:
    """The chat offers them."""
    assert "xhigh" in CodexRunner().capabilities.reasoning_levels


# The configuration


def test_every_key_of_the_table_is_read() -> None:
    """The table's keys are those of docs/reference/engines.md."""
    table = {
        "model": "gpt-6",
        "reasoning": "xhigh",
        "profile": "work",
        "sandbox": "danger-full-access",
        "extra_args": ["--search"],
        "keep_background": True,
    }
    runner = build_runner(table, CONFIG_PATH)
    assert runner == CodexRunner("gpt-6", "xhigh", "work", "danger-full-access", ("--search",))
    assert BACKEND.build_runner({}, CONFIG_PATH) == CodexRunner()


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"sandbox": "none"}, "`codex.sandbox` is 'none'; accepted is one of \"read-only\""),
        ({"reasoning": 3}, "`codex.reasoning` is 3; accepted is one of"),
        ({"model": "-x"}, "does not begin with"),
        ({"extra_args": ["--json"]}, "which takopi sets itself"),
        ({"extra_args": ["--sandbox=read-only"]}, "which takopi sets itself"),
        ({"sandboxx": "read-only"}, "did you mean `sandbox`?"),
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


# Resume lines


def test_only_an_id_is_a_session() -> None:
    """Given a name that it does not know, codex would silently start a new session."""
    runner = CodexRunner()
    assert runner.extract_resume(f"`codex exec resume {SESSION}`") == TOKEN
    assert runner.extract_resume("codex resume nosuchname") is None
    assert runner.extract_resume("`codex resume --last`") is None
    other = SESSION.replace("01a1", "02a1")
    both = f"`codex resume {SESSION}`\n`codex resume {other}`"
    assert runner.extract_resume(both) == ResumeToken("codex", other)


@pytest.mark.anyio
async def test_an_unsafe_session_never_reaches_the_command_line() -> None:
    """A token that looks like an option ends the turn before anything starts."""
    request = TurnRequest(prompt="x", resume=ResumeToken("codex", "--last"))
    events = [event async for event in open_turn(CodexRunner(), request)]
    assert not final(events).ok
    assert "--last" in str(final(events).error)
