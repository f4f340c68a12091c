"""How each engine is told what a turn asks for: what is the engine's own, and easily got wrong."""

import base64
import json
from pathlib import Path

import pytest

from fakes.pictures import write_png
from takopi.core.usage import Usage, read_usage
from takopi.errors import UsageError
from takopi.jsonl_fold import JsonlFold
from takopi.runners._pictures import read_picture
from takopi.runners.claude import MAX_PICTURE_BYTES, MAX_PICTURES_BYTES, ClaudeRunner
from takopi.runners.codex import CodexRunner
from takopi.runners.opencode import OpencodeRunner
from takopi.runners.pi import PiRunner
from takopi.turn import TurnRequest
from takopi.turn_context import bind_request

AnyRunner = ClaudeRunner | CodexRunner | OpencodeRunner | PiRunner


def arguments(runner: AnyRunner, **asked: object) -> list[str]:
    """Give the arguments of a turn that asks for something."""
    with bind_request(TurnRequest(prompt="hi", **asked)):  # type: ignore[arg-type]
        return runner.build_args("hi", None, state=runner.new_state("hi", None))


def allowed(runner: ClaudeRunner, mode: str) -> list[str]:
    """Give the tools that claude may use without permission in a mode."""
    args = arguments(runner, permission_mode=mode)
    if "--allowedTools" not in args:
        return []
    return args[args.index("--allowedTools") + 1 : args.index("--permission-mode")]


def test_claude_gets_pictures_as_a_message_by_a_pipe(tmp_path: Path) -> None:
    """The prompt names them too, so that the agent can work with the file."""
    picture = write_png(tmp_path / "red.png")
    runner, asked = ClaudeRunner(), TurnRequest(prompt="/tmp/x?", attachments=(picture,))
    with bind_request(asked):
        line = runner.stdin_payload("/tmp/x?", None, state=runner.new_state("", None))
        args = runner.build_args("", None, state=runner.new_state("", None))
        assert runner.pipes_stdin()
    assert args[args.index("--input-format") + 1] == "stream-json"
    assert line.endswith(b"\n")
    image, text = json.loads(line)["message"]["content"]
    assert base64.b64decode(image["source"]["data"]) == picture.read_bytes()
    assert image["source"]["media_type"] == "image/png"
    assert text == {"type": "text", "text": f" /tmp/x?\n\nAttached file: {picture}"}
    assert not runner.pipes_stdin()


def test_claude_is_told_the_path_of_a_picture_that_it_cannot_take(tmp_path: Path) -> None:
    """One that is too large, or that is gone when the turn starts."""
    runner, large = ClaudeRunner(), write_png(tmp_path / "large.png")
    with large.open("ab") as file:
        file.truncate(MAX_PICTURE_BYTES + 1)
    assert not runner.takes_file(large)
    assert read_picture(large, MAX_PICTURE_BYTES) is None
    assert not runner.takes_file(tmp_path / "gone.png")
    with bind_request(TurnRequest(prompt="hi", attachments=(tmp_path / "gone.png",))):
        line = runner.stdin_payload("hi", None, state=runner.new_state("", None))
    (text,) = json.loads(line)["message"]["content"]
    assert text["text"].endswith("gone.png")


def test_claude_gets_as_many_pictures_as_a_request_takes(tmp_path: Path) -> None:
    """An album may be larger; all of it is named."""
    album = [write_png(tmp_path / f"{number}.png") for number in range(5)]
    for path in album:
        with path.open("ab") as file:
            file.truncate(MAX_PICTURE_BYTES)
    with bind_request(TurnRequest(prompt="", attachments=tuple(album))):
        line = ClaudeRunner().stdin_payload("", None, state=ClaudeRunner().new_state("", None))
    *images, text = json.loads(line)["message"]["content"]
    assert len(images) == MAX_PICTURES_BYTES // MAX_PICTURE_BYTES == 3
    assert all(str(path) in text["text"] for path in album)


@pytest.mark.parametrize(
    ("mode", "tools"),
    [
        ("plan", ["Read"]),
        ("ask", ["Read", "Bash(git *)"]),
        ("default", ["Read", "Bash(git *)"]),
        ("dontAsk", ["Read", "Bash(git *)"]),
        ("edit", ["Bash", "Read", "Edit", "Write", "Bash(git *)"]),
        ("full", ["Bash", "Read", "Edit", "Write", "Bash(git *)"]),
    ],
)
def test_claude_may_not_do_by_name_what_the_mode_forbids(mode: str, tools: list[str]) -> None:
    """A tool that is allowed by name works in every mode of claude, in `plan` as well."""
    runner = ClaudeRunner(allowed_tools=("Bash", "Read", "Edit", "Write", "Bash(git *)"))
    assert allowed(runner, mode) == tools
    assert "--allowedTools" not in arguments(
        ClaudeRunner(allowed_tools=("Bash",)), permission_mode="plan"
    )


def test_codex_is_told_the_path_of_a_picture_with_a_comma(tmp_path: Path) -> None:
    """codex takes a comma for the end of a path."""
    runner = CodexRunner()
    assert runner.takes_file(write_png(tmp_path / "a.png"))
    assert not runner.takes_file(write_png(tmp_path / "a,b.png"))


def test_codex_reports_the_sandbox_of_a_neutral_mode() -> None:
    """The session's meta has codex's own word."""
    for mode, sandbox in {"plan": "read-only", "default": "read-only", "x": "x"}.items():
        with bind_request(TurnRequest(prompt="", permission_mode=mode)):
            assert CodexRunner().new_state("", None).meta["permission_mode"] == sandbox
    assert arguments(CodexRunner(), permission_mode="edit")[4] == "workspace-write"


def test_opencode_gets_the_permissions_of_a_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over what the person's own variable says, which stays otherwise."""
    runner = OpencodeRunner()

    def permission(mode: str | None) -> object:
        with bind_request(TurnRequest(prompt="", permission_mode=mode)):
            env = runner.env(state=None)
        return None if env is None else json.loads(env["OPENCODE_PERMISSION"])

    for broken in ("{", "[]"):
        monkeypatch.setenv("OPENCODE_PERMISSION", broken)
        assert permission("plan") == {"edit": "deny", "bash": "deny"}
    monkeypatch.setenv("OPENCODE_PERMISSION", '{"edit": "ask", "webfetch": "deny"}')
    assert permission("edit") == {"edit": "allow", "webfetch": "deny"}
    assert permission(None) is permission("ask") is permission("full") is None
    assert "--agent=plan" in arguments(runner, permission_mode="plan")
    assert "--auto" in arguments(runner, permission_mode="full")
    twice = OpencodeRunner(extra_args=("--auto",))
    assert arguments(twice, permission_mode="auto").count("--auto") == 1


def test_opencode_refuses_what_it_would_ignore_or_fail_on() -> None:
    """It says of an unknown model only that its log has more."""
    with pytest.raises(UsageError, match="opencode models"):
        arguments(OpencodeRunner(), model="gpt-5")
    with pytest.raises(UsageError, match="usually one of none, minimal"):
        arguments(OpencodeRunner(), reasoning="very much")
    assert "--variant" in arguments(OpencodeRunner(), reasoning="own-variant")


def test_opencode_usage_names_the_model_that_was_asked_for() -> None:
    """Its output does not; reasoning and cache are counted in."""
    tokens = {"input": 5, "output": 7, "reasoning": 3, "cache": {"read": 11, "write": 2}}
    line = {
        "type": "step_finish",
        "sessionID": "ses_1",
        "part": {"reason": "stop", "tokens": tokens, "cost": 0.5},
    }
    fold = JsonlFold(OpencodeRunner(), TurnRequest(prompt="", model="a/b"))
    fold.feed(json.dumps(line).encode() + b"\n")
    fold.finish(0)
    assert fold.rules.completed is not None
    usage = read_usage(fold.rules.completed.usage)
    assert (usage.input_tokens, usage.cached_tokens) == (18, 11)
    assert (usage.output_tokens, usage.reasoning_tokens) == (10, 3)
    assert (usage.cost_usd, usage.model) == (0.5, "a/b")


def test_pi_keeps_only_the_tools_of_a_mode() -> None:
    """It has no permissions, and cannot ask."""
    assert arguments(PiRunner(), permission_mode="plan")[-2:] == ["--tools", "read,grep,find,ls"]
    assert arguments(PiRunner(), permission_mode="edit")[-1] == "read,grep,find,ls,edit,write"
    assert arguments(PiRunner(), permission_mode="full") == arguments(PiRunner())
    with pytest.raises(UsageError, match="use one of plan, edit, full"):
        arguments(PiRunner(), permission_mode="ask")


def test_pi_gets_pictures_after_its_options(tmp_path: Path) -> None:
    """What follows the two dashes is a message or a file."""
    picture = write_png(tmp_path / "a.png")
    args = arguments(PiRunner(model="m"), attachments=(picture,))
    assert args[-2:] == ["--", f"@{picture}"]


def usage_of(runner: AnyRunner, line: dict[str, object]) -> Usage:
    """Give the usage of a run that prints one line and ends."""
    fold = JsonlFold(runner, TurnRequest(prompt=""))
    fold.feed(json.dumps(line).encode() + b"\n")
    fold.finish(0)
    assert fold.rules.completed is not None
    return read_usage(fold.rules.completed.usage)


def test_what_comes_out_of_a_cache_was_read_too() -> None:
    """claude and pi count it beside the input; sums of engines must mean the same."""
    counts = {"input_tokens": 5, "cache_read_input_tokens": 11, "cache_creation_input_tokens": 2}
    result = {"type": "result", "subtype": "success", "result": "x", "usage": counts}
    claude = usage_of(ClaudeRunner(), {**result, "session_id": "s1"})
    assert (claude.input_tokens, claude.cached_tokens) == (18, 11)
    numbers = {"input": 5, "cacheRead": 11, "cacheWrite": 2, "output": 7, "reasoning": 3}
    message = {"role": "assistant", "content": "x", "stopReason": "stop", "usage": numbers}
    pi = usage_of(PiRunner(), {"type": "message_end", "message": message})
    assert (pi.input_tokens, pi.cached_tokens) == (18, 11)
    assert (pi.output_tokens, pi.reasoning_tokens) == (7, 3)


# Models, as the programs list them

CODEX_SAYS = {
    "models": [
        {"slug": "gpt-6", "visibility": "list"},
        {"slug": "hidden", "visibility": "hide"},
        {"slug": "old"},
    ]
}
PI_SAYS = """\
provider  model       context  max-out
openai    gpt-5       200K     8.2K
fake      a/model     200K     8.2K

"""


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("runner", "says", "models"),
    [
        (CodexRunner(), json.dumps(CODEX_SAYS), ("gpt-6", "old")),
        (CodexRunner(), "error: unrecognized subcommand 'debug'", ()),
        (
            OpencodeRunner(),
            "openai/gpt-5\nsome words\na/b/c:free\n",
            ("openai/gpt-5", "a/b/c:free"),
        ),
        (PiRunner(), PI_SAYS, ("openai/gpt-5", "fake/a/model")),
        (PiRunner(), "No models available. Use /login\n", ()),
        (ClaudeRunner(), "", ("fable", "opus", "sonnet", "haiku")),
    ],
)
async def test_models_are_listed_as_the_program_says(
    runner: AnyRunner,
    says: str,
    models: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In the form in which a turn asks for one; words that are none are left out."""
    (tmp_path / "said").write_text(says)
    program = tmp_path / runner.engine
    program.write_text(f'#!/bin/sh\ncat "{tmp_path}/said"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert await runner.list_models() == models
