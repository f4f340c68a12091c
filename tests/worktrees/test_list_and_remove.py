"""What worktrees there are, and removing one without losing what is in it."""

import shutil

import pytest
from msgspec.structs import replace

from takopi.core.projects import Project
from takopi.errors import GitRefused
from takopi.worktrees.removing import Kept, Losses, Removed
from takopi.worktrees.worktrees import Worktrees

pytestmark = [pytest.mark.anyio, pytest.mark.long]

TREES = Worktrees()


async def test_the_list_tells_what_each_worktree_has(origin, tmp_path) -> None:
    """Branch, files in no commit, ahead and behind, when it was last committed to."""
    work = await TREES.directory(origin.project, "work")
    origin.git("push", "--quiet", "--set-upstream", "origin", "work", cwd=work)
    (work / "a.txt").write_text("two\n")
    origin.git("commit", "--quiet", "-am", "two", cwd=work)
    (work / "a.txt").write_text("three\n")
    (work / "new\nfile").write_text("")
    origin.git("worktree", "add", "--quiet", "--lock", "-b", "kept", str(tmp_path / "kept"))
    origin.git("worktree", "add", "--quiet", "-b", "gone", str(tmp_path / "gone"))
    shutil.rmtree(tmp_path / "gone")
    listed = {one.branch: one for one in await TREES.list(origin.project)}
    assert set(listed) == {"main", "work", "kept", "gone"}
    main, one = listed["main"], listed["work"]
    assert main.main
    assert main.path == origin.path
    assert (main.dirty, main.ahead, main.behind) == (0, None, None)
    assert not one.main
    assert (one.dirty, one.ahead, one.behind) == (2, 1, 0)
    assert one.head == origin.git("rev-parse", "work")
    assert str(one.last_commit_s) == origin.git("log", "-1", "--format=%ct", "work")
    assert listed["kept"].locked
    assert listed["gone"].missing
    assert not listed["work"].missing


async def test_a_repository_without_a_commit_has_its_main_tree(empty) -> None:
    """Nothing was committed, so there is no head and no time."""
    empty.write("x")
    (one,) = await TREES.list(empty.project)
    assert (one.branch, one.head, one.dirty, one.last_commit_s) == ("main", None, 1, None)


async def test_a_broken_worktree_hides_no_other(repo) -> None:
    """What cannot be told of one is left open, the rest is listed."""
    work = await TREES.directory(repo.project, "work")
    (repo.path / ".git" / "worktrees" / "work" / "index").write_text("no index")
    listed = {one.branch: one for one in await TREES.list(repo.project)}
    assert listed["work"].dirty is None
    assert listed["work"].path == work
    assert listed["main"].dirty == 0


async def test_a_worktree_without_anything_of_its_own_goes_at_once(repo) -> None:
    """The branch stays, and the directory can be made again."""
    path = await TREES.directory(repo.project, "work")
    assert await TREES.remove(repo.project, "work") == Removed("work", path)
    assert not path.exists()
    assert repo.git("branch", "--list", "work")
    assert await TREES.directory(repo.project, "work") == path


async def test_what_would_be_lost_is_asked_about(origin) -> None:
    """Changed and new files, and commits that no other branch has."""
    path = await TREES.directory(origin.project, "work")
    (path / "a.txt").write_text("two\n")
    (path / "new").mkdir()
    (path / "new" / "b.txt").write_text("b")
    kept = await TREES.remove(origin.project, "work")
    assert kept == Kept("2 files are in no commit", Losses(1, 1, 0, 0, ("a.txt", "new/")))
    origin.git("add", "-A", cwd=path)
    origin.git("commit", "--quiet", "-m", "mine", cwd=path)
    assert await TREES.remove(origin.project, "work") == Kept(
        "1 commit is in no other branch", Losses(0, 0, 1)
    )
    origin.git("push", "--quiet", "origin", "work", cwd=path)
    assert await TREES.remove(origin.project, "work") == Removed("work", path)


async def test_a_person_who_said_yes_gets_it_removed(repo) -> None:
    """Forced, it goes; its files stay under a name, its commits with the branch."""
    path = await TREES.directory(repo.project, "work")
    assert await TREES.remove(repo.project, "work", force=True) == Removed("work", path)
    path = await TREES.directory(repo.project, "work")
    (path / "b.txt").write_text("b")
    gone = await TREES.remove(repo.project, "work", force=True)
    assert isinstance(gone, Removed)
    assert not path.exists()
    assert repo.git("show", f"{gone.kept}:b.txt") == "b"
    assert repo.git("branch", "--list", "work")


async def test_a_file_that_git_ignores_is_asked_about(repo) -> None:
    """It may be a secret or a database; a whole folder of ignored files is a cache."""
    repo.commit(".gitignore", ".env\n*.pyc\nnode_modules\n")
    path = await TREES.directory(repo.project, "work")
    (path / "node_modules").mkdir()
    (path / "node_modules" / "x").write_text("")
    (path / "pkg").mkdir()
    (path / "pkg" / "x.pyc").write_text("")
    (path / ".env").write_text("KEY=1")
    kept = await TREES.remove(repo.project, "work")
    assert kept == Kept("1 file is ignored by git", Losses(0, 0, 0, 1, (".env",)))
    (path / ".env").unlink()
    assert isinstance(await TREES.remove(repo.project, "work"), Removed)


async def test_what_cannot_be_kept_goes_when_the_person_said_yes(repo) -> None:
    """They were asked, and a repository that is broken must not fill the disk for ever."""
    path = await TREES.directory(repo.project, "work")
    (path / "b.txt").write_text("b")
    repo.write(".git/refs/takopi", "")
    assert await TREES.remove(repo.project, "work", force=True) == Removed("work", path)


async def test_another_repository_in_the_place_of_a_worktree_is_left_alone(repo) -> None:
    """It is neither worked in nor removed."""
    path = await TREES.directory(repo.project, "work")
    shutil.rmtree(path)
    repo.git("init", "--quiet", str(path))
    (path / "precious").write_text("mine")
    with pytest.raises(GitRefused, match="another repository"):
        await TREES.directory(repo.project, "work")
    for force in (False, True):
        with pytest.raises(GitRefused):
            await TREES.remove(repo.project, "work", force=force)
    assert (path / "precious").read_text() == "mine"


async def test_a_folder_that_is_gone_is_removed_from_the_list(repo) -> None:
    """Nothing can be lost there."""
    path = await TREES.directory(repo.project, "work")
    shutil.rmtree(path)
    assert await TREES.remove(repo.project, "work") == Removed("work", path)
    assert len(await TREES.list(repo.project)) == 1


async def test_a_folder_that_is_no_worktree_any_more_stays(repo) -> None:
    """Without its link git cannot tell what is in it, so it is not removed, forced or not."""
    path = await TREES.directory(repo.project, "work")
    (path / "b.txt").write_text("b")
    (path / ".git").unlink()
    for force in (False, True):
        with pytest.raises(GitRefused, match="does not remove"):
            await TREES.remove(repo.project, "work", force=force)
    assert (path / "b.txt").read_text() == "b"


async def test_a_worktree_with_a_submodule_is_kept(repo, tmp_path) -> None:
    """git would lose what was committed in the submodule alone."""
    repo.git("clone", "--quiet", str(repo.path), str(tmp_path / "sub"))
    repo.git("submodule", "--quiet", "add", str(tmp_path / "sub"), "sub")
    repo.git("commit", "--quiet", "-m", "sub")
    path = await TREES.directory(repo.project, "work")
    repo.git("submodule", "--quiet", "update", "--init", cwd=path)
    kept = await TREES.remove(repo.project, "work")
    assert isinstance(kept, Kept)
    assert "submodules" in kept.reason
    (path / "sub" / "new.txt").write_text("new")
    kept = await TREES.remove(repo.project, "work")
    assert kept == Kept("1 file is in no commit", Losses(1, 0, 0, 0, ("sub",)))


@pytest.mark.parametrize("force", [False, True])
async def test_some_worktrees_are_never_removed(repo, tmp_path, force) -> None:
    """The main one, a locked one, the project's own, one with another in its folder, none."""
    with pytest.raises(GitRefused, match="repository's own"):
        await TREES.remove(repo.project, "main", force=force)
    with pytest.raises(GitRefused, match="no worktree of other"):
        await TREES.remove(repo.project, "other", force=force)
    repo.git("worktree", "add", "--quiet", "--lock", "-b", "kept", str(tmp_path / "kept"))
    with pytest.raises(GitRefused, match="git worktree unlock"):
        await TREES.remove(repo.project, "kept", force=force)
    work = await TREES.directory(repo.project, "work")
    inside = Project("inside", work)
    with pytest.raises(GitRefused, match="project's folder"):
        await TREES.remove(inside, "work", force=force)
    # It is left out of the status, so git itself would remove it with its surroundings.
    deep = await TREES.directory(replace(inside, alias="deep"), "deep")
    (deep / "precious").write_text("mine")
    with pytest.raises(GitRefused, match="another worktree"):
        await TREES.remove(repo.project, "work", force=force)
    assert (deep / "precious").read_text() == "mine"
    assert (repo.path / "a.txt").exists()
