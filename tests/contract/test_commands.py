"""Command plug-ins: found by entry points, loaded on demand."""

from dataclasses import fields
from pathlib import Path

import pytest

from takopi.commands import (
    CommandContext,
    CommandResult,
    RunRequest,
    RunResult,
    find_commands,
    get_command,
    list_command_ids,
)
from takopi.engines import find_engines
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


@pytest.mark.parametrize("panic", ["Panic", "KeyboardInterrupt"])
def test_what_is_no_exception_is_a_problem_too(site: Path, panic: str) -> None:
    """But for Ctrl-C, which is no fault of the package."""
    source = f"class Panic(BaseException): pass\nraise {panic}('poisoned')\n"
    install(site, f"bad = cmdplug_{panic.lower()}:BACKEND", source, "panicpack")
    if panic == "Panic":
        (problem,) = find_commands().load_problems()
        assert "failed to load with Panic: poisoned; mend or remove it" in problem.message
    else:
        with pytest.raises(KeyboardInterrupt):
            find_commands().load_problems()


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


def test_ids_that_mean_something_else_are_refused(site: Path) -> None:
    """With the reason, and beside those that can be used; nothing is imported for that."""
    raising = "raise RuntimeError('imported')"
    install(site, "hello = cmdplug_one:BACKEND", raising, "a-pack")
    install(site, "codex = cmdplug_two:BACKEND", raising, "b-pack")
    install(site, "status = cmdplug_three:BACKEND", raising, "c-pack")
    install(site, "other = cmdplug_four:BACKEND", raising, "d_pack")
    (site / "e_pack-1.0.dist-info").mkdir()
    (site / "e_pack-1.0.dist-info" / "METADATA").write_text("Name: e-pack\nVersion: 1.0\n")
    (site / "e_pack-1.0.dist-info" / "entry_points.txt").write_text(
        "[takopi.command_backends]\nhello = cmdplug_zero:BACKEND\n"
    )
    found = find_commands(
        taken={"codex": "an engine"}, enabled=["A_Pack", "b.pack", "c-pack", "e-pack"]
    )
    assert found.ids == ("hello",)
    assert found.package("hello") == "a-pack"
    assert [problem.id for problem in found.left_out] == ["other"]
    told = {problem.id: problem.told for problem in found.problems}
    assert "`codex` is an engine already; rename one of the two" in told["codex"]
    assert "`status` is a name that takopi itself uses" in told["status"]
    assert "two plug-ins have the id `hello`" in told["hello"]
    (failed,) = [p for p in found.load_problems() if p not in found.problems]
    assert failed.told.startswith("command hello (entry point hello = cmdplug_one:BACKEND of a-pa")
    assert found.known("hello") is None
    assert found.working() == ()


def test_engines_of_packages_are_limited_as_well(site: Path, tmp_path: Path) -> None:
    """By the names of their packages; those of takopi itself are always there."""
    (site / "an_engine-1.0.dist-info").mkdir()
    (site / "an_engine-1.0.dist-info" / "METADATA").write_text("Name: an-engine\nVersion: 1.0\n")
    (site / "an_engine-1.0.dist-info" / "entry_points.txt").write_text(
        "[takopi.engine_backends]\nparakeet = nowhere:BACKEND\n"
    )
    home = tmp_path / "home"
    assert "parakeet" in find_engines(home).ids
    assert "parakeet" in find_engines(home, ["An.Engine"]).ids
    limited = find_engines(home, ["other"]).ids
    assert "parakeet" not in limited
    assert "codex" in limited
