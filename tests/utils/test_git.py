"""Questions to a real git."""

from pathlib import Path

import pytest

from takopi.utils.git import (
    git_is_worktree,
    git_ok,
    git_run,
    git_stdout,
    resolve_main_worktree_root,
)

WHO = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    path = (tmp_path / "main tree").resolve()
    path.mkdir()
    assert git_ok(["init", "-q", "-b", "main"], cwd=path)
    assert git_ok([*WHO, "commit", "-q", "--allow-empty", "-m", "first"], cwd=path)
    return path


def test_answers_come_without_space_around_them(repo: Path) -> None:
    """None when git did not end well."""
    assert git_stdout(["branch", "--show-current"], cwd=repo) == "main"
    assert git_stdout(["no-such-command"], cwd=repo) is None
    assert not git_ok(["rev-parse", "nothing"], cwd=repo)
    done = git_run(["rev-parse", "nothing"], cwd=repo)
    assert done is not None
    assert done.returncode == 128
    assert "nothing" in done.stderr


def test_git_that_cannot_run_is_none(tmp_path: Path) -> None:
    """No directory, or an argument that no command line can have."""
    assert git_run(["status"], cwd=tmp_path / "gone") is None
    assert git_run(["a\0b"], cwd=tmp_path) is None


def test_the_main_tree_is_found_from_every_tree(repo: Path, tmp_path: Path) -> None:
    """From a folder in it, from a linked tree, and not from outside."""
    (repo / "src").mkdir()
    linked = tmp_path / "linked"
    assert git_ok(["worktree", "add", "-q", str(linked), "-b", "other"], cwd=repo)
    for place in (repo, repo / "src", linked):
        assert resolve_main_worktree_root(place) == repo
    assert resolve_main_worktree_root(tmp_path) is None
    assert git_is_worktree(repo)
    assert git_is_worktree(linked)
    assert not git_is_worktree(repo / "src")
    assert not git_is_worktree(tmp_path)


def test_a_submodule_and_a_bare_repository_are_their_own(repo: Path, tmp_path: Path) -> None:
    """A submodule is not its parent; a bare repository is what its trees belong to."""
    outer = tmp_path / "outer"
    outer.mkdir()
    git_ok(["init", "-q"], cwd=outer)
    add = ["-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repo), "sub"]
    assert git_ok(add, cwd=outer)
    assert resolve_main_worktree_root(outer / "sub") == (outer / "sub").resolve()
    bare = tmp_path / "bare.git"
    assert git_ok(["clone", "-q", "--bare", str(repo), str(bare)], cwd=tmp_path)
    assert resolve_main_worktree_root(bare) == bare.resolve()
    tree = tmp_path / "tree"
    assert git_ok(["worktree", "add", "-q", str(tree), "main"], cwd=bare)
    assert resolve_main_worktree_root(tree) == bare.resolve()


def test_a_hooks_repository_does_not_leak_in(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """takopi may be started from a git hook, which sets GIT_DIR."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert git_is_worktree(repo)
