"""Projects and worktrees as the bridge sees them, with real git; and disks that do not answer."""

import subprocess
import threading
from pathlib import Path

import anyio
import pytest

from takopi.app.disks import Disks
from takopi.app.workspaces import ProjectWorkspaces
from takopi.context import RunContext
from takopi.core.projects import Project, Projects
from takopi.core.working_trees import Kept, Removed
from takopi.errors import ConfigError, GitRefused, NotARepository, WorkDirMissing, WorkDirSilent
from takopi.worktrees.worktrees import Worktrees

pytestmark = pytest.mark.anyio

SHOP = RunContext("shop")
DEV = RunContext("shop", "dev")


def git(cwd: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=cwd, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "person"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\n\tname = Ann\n\temail = ann@example.org\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    found = tmp_path / "shop"
    found.mkdir()
    git(found, "init", "--quiet", "--initial-branch=main")
    (found / "a.txt").write_text("one\n")
    git(found, "add", "a.txt")
    git(found, "commit", "--quiet", "-m", "one")
    return found


@pytest.fixture
def spaces(root: Path) -> ProjectWorkspaces:
    projects = Projects((Project("shop", root), Project("lost", root / "lost")))
    work = root.parent / "work"
    work.mkdir()
    return ProjectWorkspaces(projects, work, Worktrees())


async def test_a_branch_goes_from_its_first_prompt_to_its_removal(spaces, root) -> None:
    """Made, found, looked at, committed in, put back, listed, removed with what was in it."""
    assert await spaces.find(DEV) is None
    tree = await spaces.directory(DEV)
    assert await spaces.find(DEV) == tree == spaces.tree_of(tree / "src")
    assert await spaces.context_of(tree) == DEV
    before = await spaces.snapshot(tree)
    (tree / "a.txt").write_text("two\n")
    commit = await spaces.commit(tree, "two")
    assert git(tree, "log", "-1", "--format=%H %s") == f"{commit} two"
    (tree / "b.txt").write_text("new\n")
    assert [file.path for file in (await spaces.look(tree)).files] == ["b.txt"]
    on_branch = await spaces.look(tree, DEV)
    assert [(file.path, file.added, file.removed) for file in on_branch.files] == [
        ("a.txt", 1, 1), ("b.txt", 1, 0),
    ]  # fmt: skip
    assert await spaces.changes_since(tree, before) == on_branch
    reverted = await spaces.revert(tree)
    assert (reverted.files, (tree / "b.txt").exists()) == (("b.txt",), False)
    assert [one.branch for one in await spaces.trees("shop")] == ["main", "dev"]
    kept = await spaces.remove(DEV)
    assert isinstance(kept, Kept)
    assert kept.changes.commits == 1
    assert isinstance(await spaces.remove(DEV, force=True), Removed)
    assert not tree.exists()
    assert git(root, "log", "-1", "--format=%s", "dev") == "two"


async def test_what_belongs_to_no_project_runs_in_work_dir(spaces, root) -> None:
    """Which is in no repository here, so there is nothing to look at."""
    work = await spaces.directory(RunContext())
    assert (work, await spaces.context_of(work)) == (root.parent / "work", RunContext())
    assert await spaces.find(RunContext()) == work == spaces.tree_of(work)
    assert await spaces.snapshot(work) is None
    with pytest.raises(NotARepository):
        await spaces.look(work)
    assert await spaces.find(SHOP) == root == spaces.tree_of(root / "src")
    assert await spaces.context_of(root) == SHOP


async def test_what_is_gone_or_unknown_is_told(spaces, root) -> None:
    with pytest.raises(ConfigError, match="the project old is not in the configuration any more"):
        await spaces.directory(RunContext("old"))
    with pytest.raises(WorkDirMissing):
        await spaces.directory(RunContext("lost"))
    with pytest.raises(WorkDirMissing):
        await spaces.look(root / "gone")
    with pytest.raises(GitRefused, match="name one: @branch"):
        await spaces.remove(SHOP)


async def test_two_commits_of_one_repository_wait_for_each_other(spaces, root) -> None:
    """Both are made, although git itself would refuse the second while the first runs."""
    tree = await spaces.directory(DEV)
    hook = root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f'#!/bin/sh\nmkdir "{root}/../held" && sleep 0.1 && rmdir "{root}/../held"\n')
    hook.chmod(0o755)
    for folder in (root, tree):
        (folder / "new.txt").write_text("x")
    async with anyio.create_task_group() as group:
        group.start_soon(spaces.commit, root, "one more")
        group.start_soon(spaces.commit, tree, "another")
    assert git(root, "log", "-1", "--format=%s") == "one more"
    assert git(tree, "log", "-1", "--format=%s") == "another"


async def test_a_disk_that_does_not_answer_is_told_and_not_asked_again(tmp_path) -> None:
    """Until it answers; other directories are not held up."""
    back, asked = threading.Event(), []

    def is_there(path: Path) -> bool:
        asked.append(path)
        return path != tmp_path or back.wait(20)

    disks = Disks(is_there, patience_s=0.05)
    try:
        for _ in range(3):
            with pytest.raises(WorkDirSilent, match="does not answer; look whether"):
                await disks.has(tmp_path)
        assert asked == [tmp_path]
        assert await disks.has(tmp_path / "other")
    finally:
        back.set()
    with anyio.fail_after(10):
        while True:
            try:
                assert await disks.has(tmp_path)
                break
            except WorkDirSilent:
                await anyio.sleep(0.01)


async def test_nothing_looks_at_a_silent_disk(spaces, root) -> None:
    """Neither git nor a thread of takopi's own: every way in asks first."""
    back = threading.Event()
    disks = Disks(lambda path: back.wait(20), patience_s=0.02)
    silent = ProjectWorkspaces(Projects((Project("shop", root),)), root, Worktrees(), disks)
    try:
        for call in (
            lambda: silent.directory(DEV),
            lambda: silent.directory(RunContext()),
            lambda: silent.find(DEV),
            lambda: silent.has(root),
            lambda: silent.trees("shop"),
            lambda: silent.remove(DEV),
            lambda: silent.look(root),
            lambda: silent.changes_since(root, "x"),
            lambda: silent.snapshot(root),
            lambda: silent.commit(root, "x"),
            lambda: silent.revert(root),
        ):
            with pytest.raises(WorkDirSilent):
                await call()
    finally:
        back.set()
