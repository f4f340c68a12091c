"""The doctor says of each thing that the configuration names whether it is there."""

import subprocess
from pathlib import Path
from typing import Any

from takopi.app.settings_checks import check_named
from takopi.settings import parse_settings


def told(document: dict[str, Any], engines: tuple[str, ...] = ("codex",)) -> list[tuple[str, ...]]:
    settings = parse_settings(document, Path("takopi.toml"), {})
    checks = check_named(settings, engines, {"PATH": "/usr/bin:/bin"})
    return [(check.subject, check.state, check.text) for check in checks]


def test_projects_are_looked_at(tmp_path: Path) -> None:
    """A repository, a directory below one, one without git, one that is gone."""
    shop = tmp_path / "shop"
    (shop / "web").mkdir(parents=True)
    subprocess.run(["git", "init", "-q"], cwd=shop, check=True)
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "file").write_text("")
    found = told(
        {
            "projects": {
                "shop": {"path": str(shop)},
                "web": {"path": str(shop / "web"), "default_engine": "nosuch"},
                "plain": {"path": str(plain), "worktrees_dir": "file"},
                "gone": {"path": str(tmp_path / "gone")},
            },
            "voice": {"base_url": "http://127.0.0.1:1"},
        }
    )
    assert found == [
        ("project shop", "ok", str(shop)),
        (
            "project web",
            "note",
            f"{shop / 'web'} lies in the repository {shop}; branches are those of the whole "
            "repository",
        ),
        ("project web", "wrong", 'there is no engine "nosuch"; there are: codex'),
        ("project plain", "note", f"{plain} is no git repository, so it has no branches"),
        (
            "project plain",
            "wrong",
            f"no worktree can be made in {plain / 'file'}; set another "
            "projects.plain.worktrees_dir",
        ),
        (
            "project gone",
            "wrong",
            f"{tmp_path / 'gone'} is not a directory; mend its path, or take it out with `takopi "
            "config unset projects.gone`",
        ),
        ("voice", "ok", "voice notes are written down"),
    ]


def test_a_project_that_is_called_like_an_engine_is_told(tmp_path: Path) -> None:
    """The bot would not start."""
    found = told({"projects": {"codex": {"path": str(tmp_path)}}})
    assert found[0][:2] == ("projects", "wrong")


def test_voice_is_looked_at(tmp_path: Path) -> None:
    """A program that is missing, a folder that is; nothing at all is a note."""
    assert told({})[0][:2] == ("voice", "note")
    voice = {"command": ["no-such-whisper", "{file}"], "model_dir": str(tmp_path / "no")}
    assert told({"voice": voice}) == [
        (
            "voice",
            "wrong",
            "the program `no-such-whisper` of voice.command is not on PATH; install it",
        ),
        ("voice", "wrong", f"voice.model_dir is {tmp_path / 'no'}, which is not a directory"),
    ]
    assert told({"voice": {"command": ["sh"], "model_dir": str(tmp_path)}})[0][1] == "ok"


def test_plug_ins_that_are_not_installed_are_told() -> None:
    """Their tables, and packages that are named; installed ones are no news."""
    plugins = {"enabled": ["takopi-nosuch", "msgspec"], "nosuch": {}, "codex": {}}
    assert told({"plugins": plugins})[1:] == [
        ("plug-in", "warning", "[plugins.nosuch] is for a plug-in that is not installed"),
        (
            "plug-in",
            "warning",
            "the package `takopi-nosuch` of plugins.enabled is not installed",
        ),
    ]
