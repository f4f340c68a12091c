"""The page about moving here names every key and command that the public takopi 0.23.4 has."""

import re
from pathlib import Path

import pytest

from takopi.app.public_state import FILES
from takopi.core.commands import command_names
from takopi.engines import find_engines
from takopi.settings.former import (
    CODEX_MODE,
    FORMER,
    GONE,
    TOPICS_MODE,
    VOICE_KEYS,
    VOICE_SWITCH,
    successor,
)
from takopi.settings.keys import KEYS

PAGE = (
    Path(__file__)
    .parents[2]
    .joinpath("docs/how-to/moving-from-the-public-takopi.md")
    .read_text("utf-8")
)
TELEGRAM = "transports.telegram."


def keys(names: str, prefix: str = "") -> list[str]:
    """List keys that stand in one table."""
    return [prefix + name for name in names.split()]


# Keys that are called the same here; engines' tables are tried with the engines below.
SAME = [
    *keys("watch_config default_engine default_project transport plugins.enabled plugins.*"),
    *keys("path worktrees_dir worktree_base default_engine chat_id", "projects.*."),
    *keys("bot_token chat_id allowed_user_ids message_overflow show_resume_line", TELEGRAM),
    *keys("enabled scope", TELEGRAM + "topics."),
]
OTHER = [
    *keys("bot_token chat_id codex.mode"),
    *keys("session_mode voice_transcription voice_max_bytes", TELEGRAM),
    *keys("model base_url api_key", TELEGRAM + "voice_transcription_"),
    *keys("forward_coalesce_s media_group_debounce_s topics.mode", TELEGRAM),
    *keys("enabled auto_put auto_put_mode uploads_dir", TELEGRAM + "files."),
    *keys("allowed_user_ids deny_globs", TELEGRAM + "files."),
]
ENGINES = {
    "codex": {"extra_args": ["-c", "notify=[]"], "profile": "work"},
    "claude": {
        "model": "opus",
        "allowed_tools": ["Bash"],
        "dangerously_skip_permissions": True,
        "use_api_billing": True,
    },
    "opencode": {"model": "a/b"},
    "pi": {"model": "a", "provider": "b", "extra_args": []},
}
COMMANDS = keys("new ctx agent model reasoning trigger topic file cancel")


def row(key: str) -> tuple[str, str]:
    """Say of a key what the page has to say."""
    if key == VOICE_SWITCH:
        return f"`{key}`", "`[voice]` says how notes are written down"
    if key == CODEX_MODE:
        return f"`{key}`", "each turn is a `codex exec`"
    new = successor(key)
    return f"`{key}`", f"`{new}`" if new else GONE[key]


def rows(heading: str) -> list[tuple[str, str]]:
    """Read the table below a heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"(?m)^\| (`.+?) \| (.+) \|$", section)


def test_every_key_is_there_or_named() -> None:
    """The table is the code's."""
    assert rows("Keys") == [row(key) for key in OTHER]
    assert {*FORMER.values(), *VOICE_KEYS.values(), VOICE_SWITCH, TOPICS_MODE, *GONE} <= {*OTHER}
    known = {spec.name for spec in KEYS}
    assert {*SAME} <= known
    assert not {*OTHER} & known


@pytest.mark.parametrize("engine", ENGINES)
def test_the_tables_of_engines_are_taken(engine: str, tmp_path: Path) -> None:
    """With every key that they had."""
    backend = find_engines(tmp_path).load(engine)
    assert backend.build_runner(ENGINES[engine], tmp_path / "takopi.toml").engine == engine


def test_every_command_and_file_is_named() -> None:
    """Each command is here as well."""
    assert {*COMMANDS} <= {*command_names()}
    told = {word for line, _ in rows("Commands") for word in re.findall(r"/([a-z]+)", line)}
    assert {*COMMANDS} <= told
    assert all(f"`{name}`" in PAGE for name in FILES)
