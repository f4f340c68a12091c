"""`takopi init`: a directory becomes a project, once, and nothing else in the file changes."""

import stat
import subprocess
import tomllib
from pathlib import Path

import pytest

from takopi.app.projects import alias_of
from takopi.settings import load_settings
from takopi.settings.projects import alias_fault

WRITTEN = """\
# mine
[projects.old]  # the first
path = "/srv/old"

[codex]
model = "x"  # slow
"""


@pytest.fixture
def config(takopi_home: Path) -> Path:
    path = takopi_home / "takopi.toml"
    path.write_text(WRITTEN)
    path.chmod(0o600)
    return path


def repository(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=path, check=True)
    return path


def test_a_repository_becomes_a_project(inside, config, tmp_path) -> None:
    """From any directory in it; comments, order and other tables stay."""
    shop = repository(tmp_path / "My Shop!")
    (shop / "src").mkdir()
    done = inside("init", cwd=shop / "src")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"my-shop: {shop}\n")
    assert "In the chat: /my-shop " in done.stdout
    new = f'[projects.my-shop]\npath = "{shop}"\n\n'
    assert config.read_text() == WRITTEN.replace("[codex]", new + "[codex]")
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert [one.alias for one in load_settings(config, {}).projects.all] == ["old", "my-shop"]
    again = inside("init", "--default", cwd=shop)
    assert "(registered already)" in again.stdout
    assert "Prompts that name no project go there." in again.stdout
    assert load_settings(config, {}).default_project == "my-shop"
    assert "# mine" in config.read_text()
    assert "# slow" in config.read_text()


def test_a_worktree_stands_for_its_repository(inside, takopi_home, tmp_path) -> None:
    """Its directory goes away one day; the project does not."""
    shop = repository(tmp_path / "shop")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], cwd=shop, check=True)
    subprocess.run(
        [*git, "worktree", "add", "-q", "-b", "feat", str(tmp_path / "tree")], cwd=shop, check=True
    )
    assert inside("init", "boutique", cwd=tmp_path / "tree").returncode == 0
    found = tomllib.loads((takopi_home / "takopi.toml").read_text())
    assert found == {"projects": {"boutique": {"path": str(shop)}}}


def test_a_directory_without_git_is_said_to_be_one(inside, tmp_path) -> None:
    """It works, and the person knows what does not."""
    notes = tmp_path / "notes"
    notes.mkdir()
    done = inside("init", cwd=notes)
    assert done.returncode == 0
    assert f"{notes} is no git repository: prompts work there, branches do not" in done.stderr


@pytest.mark.parametrize(
    ("alias", "told"),
    [
        ("old", "the project `old` is /srv/old already; choose another name"),
        ("cancel", 'a project cannot be called "cancel": it is a word of takopi itself'),
        ("codex", 'a project cannot be called "codex": `/codex` is an engine'),
        ("A B", 'a project cannot be called "A B": it takes 1 to 32 of a-z'),
    ],
)
def test_an_alias_that_cannot_be_is_told(inside, config, tmp_path, alias, told) -> None:
    """Nothing is written then."""
    done = inside("init", alias, cwd=repository(tmp_path / "shop"))
    assert done.returncode == 2
    assert told in done.stderr
    assert config.read_text() == WRITTEN


def test_a_project_has_one_name(inside, tmp_path) -> None:
    """Sessions belong to a name, so a second one would split them."""
    shop = repository(tmp_path / "shop")
    assert inside("init", cwd=shop).returncode == 0
    done = inside("init", "store", cwd=shop)
    assert done.returncode == 2
    assert "`takopi config unset projects.shop`" in done.stderr
    assert inside("config", "unset", "projects.shop").returncode == 0
    assert inside("init", "store", cwd=shop).returncode == 0


@pytest.mark.parametrize(
    ("name", "alias"),
    [
        ("Shop", "shop"),
        ("été & hiver", "ete-hiver"),
        ("takopi", "takopi"),
        ("status", "status-project"),
        ("codex", "codex-project"),
        ("東京", "my-project"),
        ("_private_", "private"),
        ("x" * 40, "x" * 32),
        ("", "my-project"),
    ],
)
def test_a_directory_lends_its_name(name: str, alias: str) -> None:
    """As near as an alias can be."""
    assert alias_of(name, ["codex"]) == alias
    assert alias_fault(alias, ["codex"]) is None
