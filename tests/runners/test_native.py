"""The native program is found where npm puts it, and only there."""

from pathlib import Path

import pytest

from takopi.runners import _native
from takopi.runners._native import claude_binary, codex_binary


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the name of this machine in npm's words, the same on every machine."""
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("sys.platform", "linux")
    assert _native.platform.machine() == "x86_64"
    return "linux-x64"


def write(path: Path) -> Path:
    """Make an executable file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def link(path: Path, target: Path) -> Path:
    """Make a link the way npm makes them in node_modules/.bin."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    return path


@pytest.mark.parametrize(
    "place",
    [
        "@openai/codex-{machine}/vendor/x86_64-unknown-linux-musl/bin/codex",
        "@openai/codex/node_modules/@openai/codex-{machine}/vendor/a/bin/codex",
        "@openai/codex/vendor/x86_64-unknown-linux-musl/bin/codex",
    ],
)
def test_codex_is_found_beside_and_inside_the_wrapper(
    tmp_path: Path, machine: str, place: str
) -> None:
    """Package managers put the package of this machine in different places."""
    wrapper = write(tmp_path / "@openai/codex/bin/codex.js")
    found = link(tmp_path / ".bin/codex", wrapper)
    (tmp_path / "@openai/codex/vendor/0/bin/codex").mkdir(parents=True)
    assert codex_binary(found) is None, "a folder is no program"
    native = write(tmp_path / place.format(machine=machine))
    assert codex_binary(found) == native


def test_codex_that_is_no_wrapper_is_left_alone(tmp_path: Path, machine: str) -> None:
    """A program of Homebrew or of a release is the native one already."""
    assert machine
    assert codex_binary(write(tmp_path / "codex")) is None
    assert codex_binary(tmp_path / "missing") is None
    link(tmp_path / "a", tmp_path / "b")
    link(tmp_path / "b", tmp_path / "a")
    assert codex_binary(tmp_path / "a") is None


def test_claude_is_found_also_when_npm_ran_no_scripts(tmp_path: Path, machine: str) -> None:
    """Its install script is what puts the program in place of the wrapper."""
    scope = tmp_path / "@anthropic-ai"
    found = link(tmp_path / ".bin/claude", write(scope / "claude-code/bin/claude.exe"))
    assert claude_binary(found) is None
    musl = write(scope / f"claude-code-{machine}-musl/claude")
    assert claude_binary(found) == musl
    native = write(scope / f"claude-code-{machine}/claude")
    assert claude_binary(found) == native


def test_claude_that_is_not_from_npm_is_left_alone(tmp_path: Path, machine: str) -> None:
    """claude's own installer puts the program itself on the PATH."""
    assert machine
    assert claude_binary(write(tmp_path / "versions/2.1.197")) is None
    assert claude_binary(tmp_path / "missing") is None
