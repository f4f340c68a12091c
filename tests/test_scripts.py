"""What a clone is started with goes on working when the clone is moved, copied or linked to."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
SAYS_WHO = '#!/bin/sh\nprintf "%s\\n" "$0" "$@"\n'


def bootstrap_of(project: Path) -> ModuleType:
    """Load the script that makes the environment of one clone."""
    path = project / "scripts" / "bootstrap.py"
    spec = importlib.util.spec_from_file_location("bootstrap", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def clone_at(project: Path) -> Path:
    """Copy what decides about the environment, and beside it programs that say who was started."""
    for name in ("scripts", "requirements"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", project)
    programs = project / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("takopi", "python"):
        (programs / name).write_text(SAYS_WHO)
        (programs / name).chmod(0o755)
    bootstrap = bootstrap_of(project)
    for profile in ("run", "test"):
        stamp = project / ".venv" / f".takopi-{profile}"
        stamp.write_text(bootstrap.stamp_of(profile))
    return project


def started(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script with the Python of the tests."""
    return subprocess.run(
        words,
        env={**os.environ, "TAKOPI_PYTHON": sys.executable, **environment},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def environment_at(directory: Path) -> Path:
    """Make a virtual environment that has a pip, as far as a look at it tells."""
    venv.create(directory, symlinks=True)
    (site,) = directory.glob("lib/python3*/site-packages")
    (site / "pip.py").touch()
    return directory


def test_an_environment_stays_where_it_was_made(tmp_path: Path) -> None:
    """The second start of a clone has nothing to do."""
    kept = environment_at(tmp_path / "a clone" / ".venv")
    bootstrap = bootstrap_of(ROOT)
    assert bootstrap.make(kept) == kept / "bin" / "python"
    assert list(kept.glob("lib/python3*/site-packages/pip.py"))


def test_an_environment_from_elsewhere_is_known(tmp_path: Path) -> None:
    """One that was moved starts nothing any more, and one that was copied runs the original."""
    made = environment_at(tmp_path / "old" / ".venv")
    bootstrap = bootstrap_of(ROOT)
    shutil.copytree(tmp_path / "old", tmp_path / "copy", symlinks=True)
    (tmp_path / "old").rename(tmp_path / "new")
    assert not bootstrap.made_here(tmp_path / "copy" / ".venv")
    assert not bootstrap.made_here(tmp_path / "new" / ".venv")
    (tmp_path / "new").rename(tmp_path / "old")
    assert bootstrap.made_here(made)


@pytest.mark.long
def test_an_environment_from_elsewhere_is_made_anew(tmp_path: Path) -> None:
    """Nothing of it stays, as each script in it names the old place."""
    environment_at(tmp_path / "old")
    (tmp_path / "old").rename(tmp_path / "new")
    (tmp_path / "new" / "bin" / "takopi").write_text(f"#!{tmp_path}/old/bin/python\n")
    python = bootstrap_of(ROOT).make(tmp_path / "new")
    assert python == tmp_path / "new" / "bin" / "python"
    assert not (tmp_path / "new" / "bin" / "takopi").exists()
    assert str(python) in (tmp_path / "new" / "bin" / "pip").read_text()


def test_what_is_installed_is_stale_in_another_place(tmp_path: Path) -> None:
    """A clone that was moved or copied prepares its environment again, and so it starts."""
    clone_at(tmp_path / "old")
    (tmp_path / "old").rename(tmp_path / "new")
    stamp = (tmp_path / "new" / ".venv" / ".takopi-run").read_text()
    assert bootstrap_of(tmp_path / "new").stamp_of("run") != stamp


@pytest.mark.parametrize("target", ["absolute", "relative", "link"])
def test_a_link_on_the_path_starts_the_clone(tmp_path: Path, target: str) -> None:
    """A link to scripts/run is how many people put a clone on their PATH."""
    project = clone_at(tmp_path / "a clone")
    link = tmp_path / "my bin" / "takopi"
    link.parent.mkdir()
    script = project / "scripts" / "run"
    if target == "link":
        (tmp_path / "between").symlink_to(script)
        link.symlink_to("../between")
    else:
        link.symlink_to(script if target == "absolute" else "../a clone/scripts/run")
    answer = started(link, "doctor", "a b")
    assert answer.stderr == ""
    assert answer.stdout.splitlines() == [f"{project}/.venv/bin/takopi", "doctor", "a b"]


def test_links_to_the_other_scripts_lead_there_too(tmp_path: Path) -> None:
    """The tests and the engines belong to the clone, wherever the link stands."""
    project = clone_at(tmp_path / "clone")
    for name in ("test", "engines"):
        (tmp_path / name).symlink_to(f"clone/scripts/{name}")
    answer = started(tmp_path / "test", "-k", "splitter", TAKOPI_NO_ENGINES="1")
    assert answer.stderr == ""
    assert answer.stdout.splitlines() == [
        f"{project}/.venv/bin/python", "-m", "pytest", "-k", "splitter"
    ]  # fmt: skip
    answer = started(tmp_path / "engines", "nothing", TAKOPI_ENGINES_DIR="")
    assert "nothing is none of codex" in answer.stderr
    assert (project / ".engines").is_dir()


def test_versions_hold_for_what_builds_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip builds takopi in an environment that a constraint on its command line does not reach."""
    monkeypatch.setenv("PIP_CONSTRAINT", "https://company.example/versions.txt")
    monkeypatch.delenv("PIP_BUILD_CONSTRAINT", raising=False)
    python, told = tmp_path / "python", tmp_path / "told"
    python.write_text(f'#!/bin/sh\nenv >"{told}"\n')
    python.chmod(0o755)
    project = clone_at(tmp_path / "a clone")
    bootstrap_of(project).pip(python, "install", "x")
    address = f"{tmp_path.as_uri()}/a%20clone/requirements/lock.txt"
    lines = told.read_text().splitlines()
    assert f"PIP_CONSTRAINT=https://company.example/versions.txt {address}" in lines
    assert f"PIP_BUILD_CONSTRAINT={address}" in lines
    bootstrap_of(project).pip(python, "install", "x", versions=None)
    assert address not in told.read_text()


def test_the_tools_that_build_are_locked() -> None:
    """A machine that is set up next year builds with what built today."""
    lines = (ROOT / "requirements" / "lock.txt").read_text("utf-8").splitlines()
    locked = {line.split("==")[0] for line in lines}
    for tool in bootstrap_of(ROOT).build_tools():
        assert re.split(r"[<>=~]", tool)[0] in locked


def test_a_source_package_holds_every_folder() -> None:
    """Its scripts run as those of a clone do."""
    found = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packed = found["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    names = started("git", "-C", ROOT, "ls-files", "-z").stdout.split("\0")
    assert {name.split("/")[0] for name in names if "/" in name} <= set(packed)
