"""pi: its command line, its configuration, its resume lines, what its standard error means."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.errors import ConfigError, PromptRefused, UsageError
from takopi.model import ResumeToken
from takopi.runners.pi import BACKEND, LEVELS, PiRunner, build_runner
from takopi.runners.run_options import EngineRunOptions, apply_run_options
from takopi.turn import TurnRequest
from takopi.turn_context import bind_request

CONFIG = Path("/home/user/.takopi/takopi.toml")
TOKEN = ResumeToken("pi", "01a1fc46-187a-739a-a569-77cfa49bf65e")


def arguments(runner: PiRunner, resume: ResumeToken | None = None) -> list[str]:
    return runner.build_args("a prompt", resume, state=runner.new_state("a prompt", resume))


def test_the_prompt_goes_by_standard_input_as_it_is() -> None:
    """In argv a prompt that begins with @ would be a file."""
    runner = PiRunner()
    assert "a prompt" not in arguments(runner)
    assert runner.stdin_payload("@x\n-y", None, state=runner.new_state("", None)) == b"@x\n-y"


def test_the_first_line_is_no_answer_to_a_question_of_pi() -> None:
    """Asked whether to copy a session of another directory, pi reads an empty line."""
    runner = PiRunner()
    state = runner.new_state("y\nes", TOKEN)
    assert runner.stdin_payload("y\nes", TOKEN, state=state) == b"\ny\nes"


def test_the_plain_command_line() -> None:
    """Without configuration pi chooses provider and model."""
    assert PiRunner().command() == "pi"
    assert arguments(PiRunner()) == ["--print", "--mode", "json"]


def test_everything_configured_is_on_the_command_line() -> None:
    """Each key has an option of its own; the person's own options come first."""
    table = {"model": "m", "provider": "p", "reasoning": "high", "extra_args": ["--no-skills"]}
    assert arguments(build_runner(table, CONFIG), TOKEN) == [
        *("--print", "--mode", "json", "--no-skills"),
        *("--provider", "p", "--model", "m", "--thinking", "high", "--session", TOKEN.value),
    ]


def test_a_turn_may_ask_for_another_model_and_level() -> None:
    """What the turn asks for is stronger than the configuration."""
    runner = PiRunner(model="a", reasoning="low")
    with apply_run_options(EngineRunOptions(model="b", reasoning="off")):
        assert arguments(runner)[-4:] == ["--model", "b", "--thinking", "off"]
    with apply_run_options(EngineRunOptions()):
        assert arguments(runner)[-4:] == ["--model", "a", "--thinking", "low"]


def test_a_level_that_pi_does_not_have_is_refused() -> None:
    """pi itself would warn and go on with another one."""
    with (
        apply_run_options(EngineRunOptions(reasoning="huge")),
        pytest.raises(UsageError, match="use one of off, minimal"),
    ):
        arguments(PiRunner())
    assert PiRunner().capabilities.reasoning_levels == LEVELS


@pytest.mark.parametrize("prompt", ["", "  \n\t "])
def test_an_empty_prompt_is_refused(prompt: str) -> None:
    """pi would end at once, with exit status 0 and without a word."""
    runner = PiRunner()
    with pytest.raises(PromptRefused, match="send some text"):
        runner.start_run(prompt, None, state=runner.new_state(prompt, None))
    runner.start_run("x", None, state=runner.new_state("x", None))


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({"provider": []}, "pi.provider"),
        ({"reasoning": "huge"}, '"xhigh"'),
        ({"extra_args": ["-p"]}, "takopi sets itself"),
        ({"extra_args": ["--no-session"]}, "takopi sets itself"),
        ({"thinking": "high"}, "accepted keys"),
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
    assert BACKEND.id == "pi"
    assert "@earendil-works/pi-coding-agent" in str(BACKEND.install_cmd)


@given(st.uuids(), st.text(max_size=50))
def test_a_resume_line_is_read_back_wherever_it_stands(value: object, around: str) -> None:
    """What format_resume writes, extract_resume reads."""
    runner = PiRunner()
    line = runner.format_resume(ResumeToken("pi", str(value)))
    assert runner.is_resume_line(line)
    assert runner.extract_resume(f"{around}\n{line}\n") == ResumeToken("pi", str(value))


@pytest.mark.parametrize(
    "text",
    [
        "pi --session 01a1fc4",
        "pi --session 01a1fc46-",
        "pi --session /etc/passwd.jsonl",
        f"pi --session {TOKEN.value}x",
        f"now pi --session {TOKEN.value}",
        f"pi --session {TOKEN.value} --tools bash",
        f"api --session {TOKEN.value}",
    ],
)
def test_what_is_no_resume_line_is_none(text: str) -> None:
    """pi would take any beginning of an id and a file as well."""
    assert PiRunner().extract_resume(text) is None
    assert not PiRunner().is_resume_line(text)


def test_the_short_id_of_the_public_takopi_is_read() -> None:
    """Old messages end with it."""
    assert PiRunner().extract_resume("done\n\n`pi --session 01a1fc46`") == ResumeToken(
        "pi", "01a1fc46"
    )


def test_a_short_id_that_means_two_sessions_is_refused(tmp_path: Path, monkeypatch) -> None:
    """pi would take one of them."""
    monkeypatch.setenv("PI_CODING_AGENT_DIR", str(tmp_path))
    folder = tmp_path / "sessions" / "--w--"
    folder.mkdir(parents=True)
    runner, short = PiRunner(), ResumeToken("pi", "01A1FC46")

    def start(cwd: Path | None = Path("/w")) -> None:
        with bind_request(TurnRequest(prompt="hi", resume=short, cwd=cwd)):
            runner.start_run("hi", short, state=runner.new_state("hi", short))

    for number in (1, 2):
        start()
        head = {"type": "session", "id": f"01a1fc46-{number}", "cwd": "/w"}
        (folder / f"{number}.jsonl").write_text(json.dumps(head) + "\n")
    with pytest.raises(PromptRefused, match="several sessions of pi begin with 01A1FC46"):
        start()
    start(None)


def test_a_token_of_another_engine_is_refused() -> None:
    """A resume line never names a session that pi does not have."""
    with pytest.raises(UsageError, match="belongs to codex"):
        PiRunner().format_resume(ResumeToken("codex", TOKEN.value))


OLD_NODE = """\
file:///opt/engines/pi/dist/bundle/cli.js:2
import { createRequire, enableCompileCache } from "node:module";
SyntaxError: The requested module 'node:module' has no export named 'enableCompileCache'
    at ModuleJob._instantiate (node:internal/modules/esm/module_job:213:21)

Node.js v20.20.2
"""


@pytest.mark.parametrize(
    ("stderr", "words"),
    [
        (OLD_NODE, "needs Node.js 22.19 or newer, and the `node` on PATH is v20.20.2"),
        ("/usr/bin/env: 'node': No such file or directory\n", "there is no `node` on PATH"),
        ("env: node: No such file or directory\n", "there is no `node` on PATH"),
        (
            "Session found in different project: /srv/a b\nFork this session? [y/N] ",
            "belongs to another directory: /srv/a b. Continue it there",
        ),
        ("No session found matching 'x'\n", "send the prompt without the resume line".capitalize()),
        ("\x1b[31mNo API key found for openai.\x1b[39m\n", "use /login"),
        ("Error: something else\n", "Error: something else"),
        ("", ""),
    ],
)
def test_standard_error_is_explained(stderr: str, words: str) -> None:
    """Where the cause is known, the person reads what to do."""
    assert words in PiRunner().stderr_message(stderr)
