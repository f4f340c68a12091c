"""A directory for each branch."""

import os
import shutil
from typing import TYPE_CHECKING

import anyio
import pytest
from msgspec.structs import replace

from takopi.core.projects import Project
from takopi.errors import BranchRefused, GitRefused, NotARepository, WorkDirMissing
from takopi.worktrees.git import GitProgram
from takopi.worktrees.worktrees import Worktrees

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

TREES = Worktrees()


async def test_no_branch_is_the_projects_directory(repo, tmp_path) -> None:
    """Also where there is no git at all."""
    assert await TREES.directory(repo.project, None) == repo.path
    assert await TREES.directory(Project("plain", tmp_path), None) == tmp_path


async def test_the_branch_that_is_checked_out_is_the_projects_directory(repo, empty) -> None:
    """Nobody wants a second copy of what lies there; a first commit is not needed for that."""
    assert await TREES.directory(repo.project, "main") == repo.path
    assert await TREES.directory(empty.project, "main") == empty.path
    assert repo.status() == []


async def test_a_new_branch_gets_a_worktree_out_of_sight(repo) -> None:
    """It begins at HEAD, the status says nothing of it, and asked again it is found."""
    path = await TREES.directory(repo.project, "feature/login")
    assert path == repo.path / ".worktrees" / "feature+login"
    assert (path / "a.txt").read_text() == "one\n"
    assert repo.git("branch", "--show-current", cwd=path) == "feature/login"
    assert repo.status() == []
    assert not (repo.path / ".gitignore").exists()
    assert await TREES.directory(repo.project, "feature/login") == path
    await TREES.directory(repo.project, "other")
    excluded = (repo.path / ".git" / "info" / "exclude").read_text().splitlines()
    assert excluded.count("/.worktrees/") == 1


async def test_a_branch_that_exists_is_checked_out(repo) -> None:
    """A tag of the same name does not mislead."""
    repo.git("branch", "work")
    repo.commit("b.txt")
    repo.git("tag", "work")
    path = await TREES.directory(repo.project, "work")
    assert not (path / "b.txt").exists()
    assert repo.git("symbolic-ref", "HEAD", cwd=path) == "refs/heads/work"


async def test_a_branch_of_the_remote_is_followed(origin) -> None:
    """The branch of the person's other computer goes on here."""
    origin.git("branch", "theirs")
    origin.git("push", "--quiet", "origin", "theirs")
    origin.git("branch", "-D", "theirs")
    path = await TREES.directory(origin.project, "theirs")
    assert origin.git("rev-parse", "--abbrev-ref", "theirs@{upstream}") == "origin/theirs"
    assert (path / "a.txt").exists()


async def test_a_new_branch_begins_where_the_configuration_says(origin) -> None:
    """`worktree_base` is a branch here or on the remote; the remote's default is next."""
    origin.git("checkout", "--quiet", "-b", "develop")
    origin.commit("dev.txt")
    origin.git("push", "--quiet", "origin", "develop")
    origin.git("checkout", "--quiet", "main")
    origin.git("branch", "-D", "develop")
    based = replace(origin.project, worktree_base="develop")
    assert (await TREES.directory(based, "one") / "dev.txt").exists()
    origin.git("remote", "set-head", "origin", "main")
    origin.commit("ahead.txt")
    path = await TREES.directory(origin.project, "two")
    assert not (path / "ahead.txt").exists()
    assert "two" not in origin.git("config", "--list")
    for base in ("nowhere", "--force", "a\0b"):
        with pytest.raises(GitRefused, match="worktree_base"):
            await TREES.directory(replace(origin.project, worktree_base=base), "three")


async def test_a_worktree_is_found_wherever_it_is(repo, tmp_path) -> None:
    """One that the person made themselves is used, with an end of line in its name too."""
    repo.git("worktree", "add", "--quiet", "-b", "mine", str(tmp_path / "my\ntree"))
    assert await TREES.directory(repo.project, "mine") == tmp_path / "my\ntree"


async def test_a_folder_that_was_deleted_by_hand_comes_back(repo, tmp_path) -> None:
    """Only the registration of this one goes; one that is missing elsewhere stays registered."""
    repo.git("worktree", "add", "--quiet", "-b", "away", str(tmp_path / "away"))
    path = await TREES.directory(repo.project, "work")
    shutil.rmtree(path)
    shutil.rmtree(tmp_path / "away")
    assert await TREES.directory(repo.project, "work") == path
    assert (path / "a.txt").exists()
    assert "branch refs/heads/away" in repo.git("worktree", "list", "--porcelain")


async def test_a_worktree_without_its_link_is_repaired_with_what_is_in_it(repo) -> None:
    """A lost `.git` file costs no work."""
    path = await TREES.directory(repo.project, "work")
    (path / "new.txt").write_text("precious")
    (path / ".git").unlink()
    assert await TREES.directory(repo.project, "work") == path
    assert (path / "new.txt").read_text() == "precious"
    assert repo.git("branch", "--show-current", cwd=path) == "work"


async def test_a_missing_worktree_that_is_locked_stays_registered(repo, tmp_path) -> None:
    """Its disk may just not be there."""
    repo.git("worktree", "add", "--quiet", "--lock", "-b", "usb", str(tmp_path / "usb"))
    shutil.rmtree(tmp_path / "usb")
    with pytest.raises(GitRefused, match="git worktree unlock"):
        await TREES.directory(repo.project, "usb")


async def test_a_worktree_that_is_being_made_is_not_used(repo, tmp_path) -> None:
    """git locks a worktree while it makes it; one that stays so was never finished."""
    args = ("worktree", "add", "--quiet", "--lock", "--reason", "initializing", "-b", "half")
    repo.git(*args, str(tmp_path / "half"))
    with pytest.raises(GitRefused, match="not made to its end"):
        await TREES.directory(repo.project, "half")


async def test_what_lies_in_the_way_stays(repo) -> None:
    """A folder of that name, with files or a link to nothing, is left and another one taken."""
    trees = repo.path / ".worktrees"
    (trees / "work").mkdir(parents=True)
    (trees / "work" / "notes").write_text("mine")
    (trees / "work~2").symlink_to("nowhere")
    (trees / "work~3").mkdir()
    assert await TREES.directory(repo.project, "work") == trees / "work~3"
    assert (trees / "work" / "notes").read_text() == "mine"


async def test_a_project_in_a_folder_of_a_large_repository(repo) -> None:
    """The branch's directory is the same folder; missing there, it is said."""
    repo.commit("libs/one/b.txt")
    project = Project("one", repo.path / "libs" / "one")
    path = await TREES.directory(project, "work")
    assert path == repo.path / "libs/one/.worktrees/work/libs/one"
    assert await TREES.directory(project, "main") == project.path
    assert repo.status() == []
    repo.git("branch", "old", "HEAD~1")
    with pytest.raises(WorkDirMissing):
        await TREES.directory(project, "old")


async def test_a_bare_repository_has_worktrees(tmp_path, repo) -> None:
    """There is no main working tree, so every branch gets one."""
    bare = tmp_path / "bare.git"
    repo.git("clone", "--quiet", "--bare", str(repo.path), str(bare))
    project = Project("bare", bare)
    path = await TREES.directory(project, "main")
    assert path == bare / ".worktrees" / "main"
    assert [one.branch for one in await TREES.list(project)] == ["main"]


async def test_a_submodule_is_a_project_too(repo, tmp_path) -> None:
    """git names another directory as its main tree; its branch is still found there."""
    repo.git("clone", "--quiet", str(repo.path), str(tmp_path / "sub"))
    repo.git("submodule", "--quiet", "add", str(tmp_path / "sub"), "sub")
    project = Project("sub", repo.path / "sub")
    assert await TREES.directory(project, "main") == project.path
    path = await TREES.directory(project, "work")
    assert path == project.path / ".worktrees" / "work"
    assert (path / "a.txt").exists()


async def test_a_detached_head_is_no_branch(repo) -> None:
    """What is checked out by its id leaves the branch free for a worktree."""
    repo.git("checkout", "--quiet", "--detach")
    path = await TREES.directory(repo.project, "main")
    assert path == repo.path / ".worktrees" / "main"
    listed = await TREES.list(repo.project)
    assert [(one.branch, one.main) for one in listed] == [(None, True), ("main", False)]


@pytest.mark.parametrize("branch", ["--force", "-b", "../../evil", "a..b", "", "x\ny", "a\u202eb"])
async def test_a_name_that_is_no_branch_reaches_no_git(repo, branch) -> None:
    """Options, paths and hidden letters are refused before anything is made."""
    with pytest.raises(BranchRefused, match="name another one") as caught:
        await TREES.directory(repo.project, branch)
    assert str(caught.value).isprintable()
    with pytest.raises(BranchRefused):
        await TREES.remove(repo.project, branch)
    assert not (repo.path / ".worktrees").exists()


@pytest.mark.parametrize(
    "folder", ["", ".", "..", "../trees", "a/../..", ".git", ".git/trees", "x\0y", "a.txt", "link"]
)
async def test_worktrees_do_not_leave_the_project(repo, tmp_path, folder) -> None:
    """Neither by what is written nor by a link; nothing is made outside."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (repo.path / "link").symlink_to(outside)
    with pytest.raises(GitRefused, match="worktrees_dir"):
        await TREES.directory(replace(repo.project, worktrees_dir=folder), "work")
    assert list(outside.iterdir()) == []


async def test_a_link_below_the_project_is_not_followed_outside(repo, tmp_path) -> None:
    """A linked parent that leads out is refused before a folder is made behind it."""
    (tmp_path / "outside").mkdir()
    (repo.path / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(GitRefused, match="a link leads"):
        await TREES.directory(replace(repo.project, worktrees_dir="link/deep/trees"), "work")
    assert list((tmp_path / "outside").iterdir()) == []


async def test_the_person_may_choose_any_absolute_folder(repo, tmp_path) -> None:
    """What stands in the configuration is their choice."""
    project = replace(repo.project, worktrees_dir=str(tmp_path / "trees"))
    assert await TREES.directory(project, "work") == tmp_path / "trees" / "work"
    with pytest.raises(GitRefused, match="own folder"):
        await TREES.directory(replace(project, worktrees_dir=str(repo.path)), "more")


async def test_what_cannot_be_is_said(repo, empty, tmp_path) -> None:
    """No repository, no directory, no commit, a branch in the way of another."""
    (tmp_path / "plain").mkdir()
    plain = Project("plain", tmp_path / "plain")
    with pytest.raises(NotARepository, match="git init"):
        await TREES.directory(plain, "work")
    with pytest.raises(NotARepository, match="git init"):
        await TREES.list(plain)
    with pytest.raises(WorkDirMissing):
        await TREES.directory(Project("gone", tmp_path / "gone"), None)
    with pytest.raises(GitRefused, match="first commit"):
        await TREES.directory(empty.project, "work")
    repo.git("branch", "fix")
    with pytest.raises(GitRefused, match="refs/heads/fix"):
        await TREES.directory(repo.project, "fix/login")


async def test_a_list_that_cannot_be_written_is_said(repo) -> None:
    """Without it, agents would commit worktrees."""
    shutil.rmtree(repo.path / ".git" / "info")
    (repo.path / ".git" / "info").write_text("")
    with pytest.raises(GitRefused, match="make it writable"):
        await TREES.directory(repo.project, "work")


async def test_many_ask_for_the_same_branch_at_once(repo) -> None:
    """Twenty prompts make one worktree; another repository's go on meanwhile."""
    found: list[Path] = []

    async def ask(branch: str) -> None:
        found.append(await TREES.directory(repo.project, branch))

    async with anyio.create_task_group() as group:
        for number in range(12):
            group.start_soon(ask, f"b{number % 3}")
    assert len(set(found)) == 3
    assert len(await TREES.list(repo.project)) == 4


async def test_a_worktree_is_looked_for_without_making_it(repo) -> None:
    """What only asks changes nothing; what is gone or being made is not found."""
    assert await TREES.find(repo.project, "main") == repo.path
    assert await TREES.find(repo.project, "work") is None
    assert not (repo.path / ".worktrees").exists()
    path = await TREES.directory(repo.project, "work")
    assert await TREES.find(repo.project, "work") == path
    shutil.rmtree(path)
    assert await TREES.find(repo.project, "work") is None
    with pytest.raises(BranchRefused):
        await TREES.find(repo.project, "--force")


async def test_the_base_is_where_a_new_branch_begins(repo) -> None:
    """Asked for or used, it is the same commit."""
    assert await TREES.base(repo.project) == repo.git("rev-parse", "main")
    with pytest.raises(GitRefused, match="worktree_base"):
        await TREES.base(replace(repo.project, worktree_base="nowhere"))


async def test_a_person_without_git_is_told(repo, monkeypatch, tmp_path) -> None:
    """A missing program and a missing folder are two different things."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitRefused, match="not installed"):
        await TREES.directory(repo.project, "work")
    with pytest.raises(GitRefused, match="is gone"):
        await GitProgram().quiet(["status"], tmp_path / "nowhere")
    with pytest.raises(GitRefused, match="could not be started"):
        await GitProgram().quiet(["a\0b"], tmp_path)


async def test_a_repository_of_somebody_else_is_not_used(repo) -> None:
    """git's own refusal reaches the person."""
    if os.getuid() != 0:
        pytest.skip("needs another user's folder")
    os.chown(repo.path, 1234, 1234)
    os.chown(repo.path / ".git", 1234, 1234)
    with pytest.raises(GitRefused, match="dubious ownership"):
        await TREES.directory(repo.project, "work")
