"""The set-up's questions about places, one by one."""

import subprocess
from pathlib import Path

import pytest

from fakes.scripted_asker import ScriptedAsker
from takopi.app.setup_place import ask_project
from takopi.core.projects import Projects


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a directory in it; one stands in the repository."""
    path = tmp_path / "shop"
    (path / "src").mkdir(parents=True)
    subprocess.run(["git", "init", "-q"], cwd=path, check=True)
    monkeypatch.chdir(path)
    return path


@pytest.mark.parametrize(
    ("work_dir", "answer", "keys"),
    [
        ("shop", "register", {"projects.shop.path", "default_project"}),
        ("shop/src", "register", {"projects.shop.path"}),
        (".", "register", {"projects.shop.path"}),
        ("shop", "not now", set()),
    ],
)
def test_where_sessions_start_is_the_default_project(shop, work_dir, answer, keys) -> None:
    """Only where it is the very directory: otherwise prompts would run elsewhere than was said."""
    asker = ScriptedAsker({"Register": [answer]})
    answers = ask_project(asker, shop.parent / work_dir, Projects(), ())
    assert set(answers) == keys
    assert answers.get("default_project", "shop") == "shop"
