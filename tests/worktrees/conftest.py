"""Real repositories, each with a person of its own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from takopi.core.projects import Project


class Repo:
    """Make a repository and look into it, with plain git."""

    def __init__(self, path: Path, *options: str) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main", *options)

    def git(self, *args: str, cwd: Path | None = None, stdin: str = "") -> str:
        done = subprocess.run(
            ["git", *args], cwd=cwd or self.path, input=stdin, capture_output=True, text=True
        )
        assert done.returncode == 0, (args, done.stderr)
        return done.stdout.strip()

    def write(self, name: str, text: str = "text\n") -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def commit(self, name: str = "a.txt", text: str = "one\n") -> str:
        self.write(name, text)
        self.git("add", "--", name)
        self.git("commit", "--quiet", "--no-verify", "-m", f"add {name}")
        return self.git("rev-parse", "HEAD")

    def hook(self, name: str, script: str) -> None:
        file = self.path / ".git" / "hooks" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    def status(self, cwd: Path | None = None) -> list[str]:
        out = subprocess.run(
            ["git", "status", "--porcelain"], cwd=cwd or self.path, capture_output=True, text=True
        )
        return out.stdout.splitlines()

    @property
    def project(self) -> Project:
        return Project("app", self.path)


@pytest.fixture(autouse=True)
def person(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give git a home, in which a person is known."""
    home = tmp_path_factory.mktemp("person")
    (home / ".gitconfig").write_text(
        '[user]\n\tname = Ann\n\temail = ann@example.org\n[protocol "file"]\n\tallow = always\n'
    )
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.delenv("EMAIL", raising=False)
    return home


@pytest.fixture
def repo(tmp_path: Path, with_one_commit: Path) -> Repo:
    """Make a repository with one commit."""
    return copy_of(with_one_commit, tmp_path / "app")


def copy_of(original: Path, path: Path) -> Repo:
    """Copy a repository, which is far cheaper than the five processes that make one."""
    shutil.copytree(original, path)
    found = object.__new__(Repo)
    found.path = path
    return found


_made: list[Path] = []


@pytest.fixture
def with_one_commit(tmp_path_factory: pytest.TempPathFactory, person: Path) -> Path:
    """Make what the others are copied from, once: by then there is a person who may commit."""
    if not _made:
        found = Repo(tmp_path_factory.mktemp("original") / "app")
        found.commit()
        _made.append(found.path)
    return _made[0]


@pytest.fixture
def empty(tmp_path: Path) -> Repo:
    """Make a repository without a commit."""
    return Repo(tmp_path / "empty")


@pytest.fixture
def origin(repo: Repo) -> Repo:
    """Give the repository a remote, which is a bare directory beside it."""
    bare = repo.path.parent / "origin.git"
    repo.git("clone", "--quiet", "--bare", str(repo.path), str(bare))
    repo.git("remote", "add", "origin", str(bare))
    repo.git("fetch", "--quiet", "origin")
    return repo
