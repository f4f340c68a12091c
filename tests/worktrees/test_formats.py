"""Repositories that are kept in another way: the same promises hold."""

import pytest

from takopi.worktrees.changes import changes_since, commit, look, revert, snapshot
from takopi.worktrees.worktrees import Worktrees

from .conftest import Repo

pytestmark = [pytest.mark.anyio, pytest.mark.long]


@pytest.fixture(params=["sha256", "split index", "sparse", "untracked cache", "linked"])
def unusual(request, tmp_path) -> Repo:
    """Make a repository of one such kind, with a file in its top and one in each of two folders."""
    options = ("--object-format=sha256",) if request.param == "sha256" else ()
    repo = Repo(tmp_path / "app", *options)
    for name in ("a.txt", "in/b.txt", "out/c.txt"):
        repo.commit(name)
    if request.param == "split index":
        repo.git("update-index", "--split-index")
    elif request.param == "sparse":
        repo.git("sparse-checkout", "set", "--cone", "in")
        assert not (repo.path / "out").exists()
    elif request.param == "untracked cache":
        repo.git("update-index", "--force-untracked-cache")
        repo.git("config", "core.untrackedCache", "true")
    elif request.param == "linked":
        repo.git("worktree", "add", "--quiet", "-b", "linked", str(tmp_path / "linked"))
        repo.path = tmp_path / "linked"
    return repo


async def test_looking_taking_down_going_back_and_committing(unusual) -> None:
    """Nothing more than what was changed is shown, put back or committed."""
    repo = unusual
    repo.write("a.txt", "two\n")
    repo.write("in/new.txt")
    assert [one.path for one in (await look(repo.path)).files] == ["a.txt", "in/new.txt"]
    taken = await snapshot(repo.path)
    assert taken is not None
    (repo.path / "in" / "b.txt").unlink()
    assert [one.path for one in (await changes_since(repo.path, taken)).files] == ["in/b.txt"]
    assert (await revert(repo.path, taken)).files == ("in/b.txt",)
    assert set(repo.status()) == {" M a.txt", "?? in/new.txt"}
    assert set((await revert(repo.path)).files) == {"a.txt", "in/new.txt"}
    assert repo.status() == []
    repo.write("in/new.txt")
    await commit(repo.path, "new")
    assert repo.git("show", "--name-status", "--format=", "HEAD") == "A\tin/new.txt"
    assert repo.git("ls-tree", "-r", "--name-only", "HEAD").splitlines() == [
        "a.txt", "in/b.txt", "in/new.txt", "out/c.txt",
    ]  # fmt: skip
    path = await Worktrees().directory(repo.project, "work")
    assert (path / "in" / "new.txt").exists()
    assert repo.status() == []
