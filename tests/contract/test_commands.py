"""Command plug-ins: found by entry points, loaded on demand."""

from dataclasses import fields
from pathlib import Path

import pytest

from takopi.commands import (
    CommandContext,
    CommandResult,
    RunRequest,
    RunResult,
    get_command,
    list_command_ids,
)
from takopi.errors import PluginError

SOURCE = """
class Hello:
    id = "{id}"
    description = "says hello"

    async def handle(self, ctx):
        return None

BACKEND = Hello()
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def install(site: Path, entry: str, source: str, dist: str) -> None:
    """Install a package that brings one command."""
    name, _, target = entry.partition(" = ")
    (site / f"{target.partition(':')[0]}.py").write_text(source.replace("{id}", name))
    info = site / f"{dist}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[takopi.command_backends]\n{entry}\n")


def test_commands_are_listed_and_loaded(site: Path) -> None:
    """By id; a list of packages limits which may."""
    install(site, "hello_cmd = cmdplug_hello:BACKEND", SOURCE, "hellopack")
    install(site, "Not-An-Id = cmdplug_bad:BACKEND", SOURCE, "badpack")
    assert list_command_ids() == ["hello_cmd"]
    assert list_command_ids(allowlist=["HelloPack"]) == ["hello_cmd"]
    assert list_command_ids(allowlist=["other"]) == []
    command = get_command("hello_cmd")
    assert command is not None
    assert command.description == "says hello"
    assert get_command("hello_cmd", allowlist=[], required=False) is None


def test_a_command_that_cannot_be_used_says_why(site: Path) -> None:
    """Missing, failing, or no command at all."""
    install(site, "fails = cmdplug_fails:BACKEND", "raise SystemExit(1)", "failpack")
    install(site, "wrong = cmdplug_wrong:BACKEND", "BACKEND = 1", "wrongpack")
    with pytest.raises(PluginError, match="no package brings the command `nope`"):
        get_command("nope")
    with pytest.raises(PluginError, match="failed to load with SystemExit"):
        get_command("fails")
    with pytest.raises(PluginError, match="is no CommandBackend with the id `wrong`"):
        get_command("wrong")


def test_the_values_have_the_public_fields() -> None:
    """Plug-ins read and build them by name."""
    assert [f.name for f in fields(CommandContext)] == [
        "command", "text", "args_text", "args", "message", "reply_to", "reply_text",
        "config_path", "plugin_config", "runtime", "executor",
    ]  # fmt: skip
    assert CommandResult("hi") == CommandResult(text="hi", notify=True, reply_to=None)
    assert RunRequest("do") == RunRequest(prompt="do", engine=None, context=None)
    assert RunResult("codex", None).message is None
