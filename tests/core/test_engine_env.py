"""Which environment variables an engine sees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.core.engine_env import engine_environment

BASE = {
    "PATH": "/bin",
    "HOME": "/home/ann",
    "LC_ALL": "C",
    "XDG_CONFIG_HOME": "/x",
    "https_proxy": "http://proxy",
    "SSH_AUTH_SOCK": "/s",
    "CODEX_HOME": "/c",
    "ANTHROPIC_API_KEY": "secret",
    "OPENAI_API_KEY": "secret too",
    "TAKOPI_TELEGRAM_TOKEN": "top secret",
    "GOPATH": "/go",
    "CARGO_HOME": "/cargo",
}


def test_only_what_is_listed_passes() -> None:
    """Common names, the engine's own prefix and declared names pass; keys of others do not."""
    env = engine_environment(BASE, engine="codex", passes=("OPENAI_API_KEY", "CARGO_*"))
    assert env.keys() == {
        "PATH", "HOME", "LC_ALL", "XDG_CONFIG_HOME", "https_proxy", "SSH_AUTH_SOCK", "CODEX_HOME",
        "OPENAI_API_KEY", "CARGO_HOME",
    }  # fmt: skip


def test_what_the_hook_added_or_changed_passes_and_what_it_removed_does_not() -> None:
    """The hook returns the whole environment; the rest still goes through the allow-list."""
    hook = {**BASE, "NO_COLOR": "1", "GOPATH": "/other", "HOME": "/home/ann"}
    del hook["SSH_AUTH_SOCK"]
    env = engine_environment(BASE, engine="toy", hook=hook)
    assert env["NO_COLOR"] == "1"
    assert env["GOPATH"] == "/other"
    assert "SSH_AUTH_SOCK" not in env
    assert "ANTHROPIC_API_KEY" not in env


def test_a_hook_that_returns_only_additions_removes_nothing() -> None:
    """Without PATH it cannot be a whole environment."""
    env = engine_environment(BASE, engine="toy", hook={"NO_COLOR": "1", "HOME": None})
    assert env["PATH"] == "/bin"
    assert env["NO_COLOR"] == "1"


@pytest.mark.parametrize("passes", [("TAKOPI_TELEGRAM_TOKEN",), ("TAKOPI_*",), ("*",), ("T*",)])
def test_nothing_makes_takopis_own_variables_pass(passes: tuple[str, ...]) -> None:
    """Neither a declared name nor the hook hands the bot's token to an engine."""
    hook = {**BASE, "TAKOPI_TELEGRAM_TOKEN": "changed"}
    for given_hook in (None, hook):
        env = engine_environment(BASE, engine="takopi", passes=passes, hook=given_hook)
        assert not [name for name in env if name.startswith("TAKOPI_")]
    if passes == ("*",):
        assert "ANTHROPIC_API_KEY" not in engine_environment(BASE, engine="x", passes=passes)


@given(st.dictionaries(st.sampled_from(sorted(BASE)), st.text(max_size=3)))
def test_without_a_hook_every_value_is_one_of_the_base(base: dict[str, str]) -> None:
    """Nothing is made up, and without a hook the result is a part of the base."""
    env = engine_environment(base, engine="codex", passes=("GOPATH",))
    assert env.items() <= base.items()
