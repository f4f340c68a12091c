"""opencode: its command line, its configuration, its resume lines."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.errors import ConfigError, UsageError
from takopi.model import ResumeToken
from takopi.runners.opencode import BACKEND, OpencodeRunner, build_runner
from takopi.runners.run_options import EngineRunOptions, apply_run_options

CONFIG = Path("/home/user/.takopi/takopi.toml")
TOKEN = ResumeToken("opencode", "ses_e03bee284ffeyuikOxpZSwKsMB")


def arguments(runner: OpencodeRunner, resume: ResumeToken | None = None) -> list[str]:
    return runner.build_args("a prompt", resume, state=runner.new_state("a prompt", resume))


def test_the_prompt_goes_by_standard_input_as_it_is() -> None:
    """In argv opencode would wrap it in quotes."""
    runner = OpencodeRunner()
    assert "a prompt" not in arguments(runner)
    state = runner.new_state("", None)
    assert runner.stdin_payload('- "ü"\n/x', None, state=state) == '- "ü"\n/x'.encode()


def test_the_plain_command_line() -> None:
    """Without configuration opencode chooses the model."""
    assert OpencodeRunner().command() == "opencode"
    assert arguments(OpencodeRunner()) == ["run", "--format", "json", "--thinking"]


def test_everything_configured_is_on_the_command_line() -> None:
    """Model, variant and session have options of their own; the person's come first."""
    runner = build_runner(
        {"model": "a/b", "reasoning": "high", "thinking": False, "extra_args": ["--auto"]}, CONFIG
    )
    assert arguments(runner, TOKEN) == [
        *("run", "--format", "json", "--auto"),
        *("--model", "a/b", "--variant", "high", "--session", TOKEN.value),
    ]


def test_a_turn_may_ask_for_another_model_and_level() -> None:
    """What the turn asks for is stronger than the configuration."""
    runner = OpencodeRunner(model="a/b", reasoning="low")
    with apply_run_options(EngineRunOptions(model="c/d", reasoning="max")):
        args = arguments(runner)
    assert args[-4:] == ["--model", "c/d", "--variant", "max"]
    with apply_run_options(EngineRunOptions()):
        assert arguments(runner)[-4:] == ["--model", "a/b", "--variant", "low"]


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({"model": 3}, "opencode.model"),
        ({"model": "--help"}, "opencode.model"),
        ({"thinking": "yes"}, "true or false"),
        ({"extra_args": "--auto"}, "a list of texts"),
        ({"extra_args": ["--format=default"]}, "takopi sets itself"),
        ({"extra_args": ["--"]}, "takopi sets itself"),
        ({"modle": "a/b"}, "did you mean `model`"),
    ],
)
def test_a_wrong_value_names_file_key_and_what_is_accepted(
    table: dict[str, object], named: str
) -> None:
    """A mistake in the configuration is told before anything runs."""
    with pytest.raises(ConfigError) as caught:
        build_runner(table, CONFIG)
    text = str(caught.value)
    assert str(CONFIG) in text
    assert named in text
    assert "ccepted" in text


def test_the_backend_is_named_like_its_module() -> None:
    """The id, the program and the way to install it."""
    assert BACKEND.id == "opencode"
    assert BACKEND.install_cmd == "npm install -g opencode-ai"


@given(st.from_regex(r"ses_[A-Za-z0-9]{1,64}", fullmatch=True), st.text(max_size=50))
def test_a_resume_line_is_read_back_wherever_it_stands(value: str, around: str) -> None:
    """What format_resume writes, extract_resume reads, the last one in a text first."""
    runner = OpencodeRunner()
    line = runner.format_resume(ResumeToken("opencode", value))
    assert runner.is_resume_line(line)
    assert runner.is_resume_line(line.strip("`"))
    found = runner.extract_resume(f"{around}\n{line}\n")
    assert found == ResumeToken("opencode", value)


@pytest.mark.parametrize(
    "text",
    [
        "opencode --session ses_1; rm -rf /",
        "opencode --session --help",
        "opencode --session abc",
        "please run opencode --session ses_1",
        "xopencode --session ses_1",
        "opencode --session ses_" + "a" * 65,
        "pi --session ses_1",
        "",
        None,
    ],
)
def test_what_is_no_resume_line_is_none(text: str | None) -> None:
    """A token is a whole line of strict syntax; anything else is a prompt."""
    runner = OpencodeRunner()
    assert runner.extract_resume(text) is None
    assert text is None or not runner.is_resume_line(text)


def test_the_command_of_a_run_is_a_resume_line_too() -> None:
    """A person may paste what they typed in a terminal."""
    runner = OpencodeRunner()
    assert runner.extract_resume(f"opencode run -s {TOKEN.value}\r\n") == TOKEN


def test_a_token_of_another_engine_is_refused() -> None:
    """A resume line never names a session that opencode does not have."""
    with pytest.raises(UsageError, match="belongs to pi"):
        OpencodeRunner().format_resume(ResumeToken("pi", "ses_1"))
