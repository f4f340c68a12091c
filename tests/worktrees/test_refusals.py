"""What git refuses reaches the person in git's words, with what to do."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import ClassVar

import pytest

from takopi.core.projects import Project
from takopi.errors import GitRefused, WorkDirMissing
from takopi.worktrees.changes import changes_since, commit, look, revert, snapshot
from takopi.worktrees.git import GitProgram
from takopi.worktrees.placing import exclude, free_folder
from takopi.worktrees.removing import Kept
from takopi.worktrees.repository import parse_entries
from takopi.worktrees.worktrees import Worktrees

pytestmark = pytest.mark.anyio


@pytest.fixture
def failing(tmp_path, monkeypatch):
    """Put a git before git that refuses commands which have some words in them."""
    real = shutil.which("git")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    (tmp_path / "bin").mkdir()

    def refuse(words: str, status: int) -> None:
        program = tmp_path / "bin" / "git"
        program.write_text(
            f'#!/bin/sh\ncase " $* " in *"{words}"*) echo fatal: so it is >&2; exit {status};; '
            f'esac\nexec {real} "$@"\n'
        )
        program.chmod(0o755)

    return refuse


async def work(path: Path) -> None:
    await Worktrees().directory(Project("app", path), "work")


async def commit_it(path: Path) -> None:
    await commit(path, "x")


async def compare(path: Path) -> None:
    await changes_since(path, "HEAD")


@pytest.mark.parametrize(
    ("words", "call"),
    [
        ("--git-dir", look),
        ("worktree list", work),
        ("worktree add", work),
        ("ls-files --others", look),
        ("ls-files --others", snapshot),
        ("write-tree", snapshot),
        ("add --update", snapshot),
        ("diff", compare),
        ("status", commit_it),
        ("update-index", commit_it),
        (" commit ", commit_it),
        ("commit-tree", revert),
        ("read-tree -m", revert),
        (" reset ", revert),
    ],
)
async def test_git_is_quoted(repo, failing, words, call) -> None:
    """Every step can fail; none of them loses the new file."""
    repo.write("new.txt")
    failing(words, 128)
    with pytest.raises(GitRefused, match=r"so it is.*\.") as caught:
        await call(repo.path)
    assert str(caught.value).isprintable()
    if words != " reset ":
        assert (repo.path / "new.txt").exists()


@pytest.mark.parametrize("call", [look, snapshot, revert])
async def test_half_an_answer_is_none(repo, call) -> None:
    """What does not fit is told; a half list would leave files out."""
    for number in range(50):
        repo.write(f"{number:050}.txt")
    with pytest.raises(GitRefused, match="more to tell"):
        await call(repo.path, git=GitProgram(max_bytes=1_000))
    with pytest.raises(GitRefused, match="more to tell"):
        await Worktrees(GitProgram(max_bytes=60)).find(Project("app", repo.path), "work")


async def test_a_comparison_that_fails_midway_is_told(repo, failing) -> None:
    """The diff is asked for after the files."""
    repo.write("new.txt")
    failing("--patch", 128)
    with pytest.raises(GitRefused, match="try again"):
        await look(repo.path)


async def test_an_old_git_lists_worktrees_too(repo, failing) -> None:
    """Before 2.36 it knew no -z here."""
    path = await Worktrees().directory(repo.project, "work")
    failing("list --porcelain -z", 129)
    assert await Worktrees().directory(repo.project, "work") == path
    assert len(await Worktrees().list(repo.project)) == 2


async def test_a_removal_that_git_does_not_want_is_a_question(repo, failing) -> None:
    """git looks once more itself; what it finds then is asked about."""
    path = await Worktrees().directory(repo.project, "work")
    failing("worktree remove", 128)
    kept = await Worktrees().remove(repo.project, "work")
    assert isinstance(kept, Kept)
    assert kept.reason == "so it is"
    failing("rev-list --count", 128)
    with pytest.raises(GitRefused, match="which commits"):
        await Worktrees().remove(repo.project, "work")
    assert (path / "a.txt").exists()


async def test_the_time_of_a_commit_may_be_unknown(repo, failing) -> None:
    """The list does without."""
    failing("rev-list", 128)
    (one,) = await Worktrees().list(repo.project)
    assert one.last_commit_s is None


async def test_a_disk_without_room_is_told(repo, monkeypatch) -> None:
    """The copy of the index needs some."""
    monkeypatch.setattr(tempfile, "tempdir", str(repo.path / "a.txt"))
    with pytest.raises(GitRefused, match="make room"):
        await look(repo.path)


def test_too_many_folders_of_a_name_are_told(tmp_path) -> None:
    """Somebody has to look at them."""
    for number in range(1, 100):
        name = "work" if number == 1 else f"work~{number}"
        (tmp_path / name).write_text("")
    with pytest.raises(GitRefused, match="left over"):
        free_folder(tmp_path, "work")


def test_the_list_of_git_is_read_as_it_is_documented() -> None:
    """Bare, detached, locked with and without a reason, without a commit."""
    found = parse_entries((
        "worktree /bare", "bare", "",
        "worktree /d", "HEAD 12", "detached", "locked", "",
        "worktree /n", "HEAD 00", "branch refs/heads/a/b", "locked why so", "prunable gone", "",
        "", "strange",
    ))  # fmt: skip
    assert [(str(one.path), one.head, one.branch) for one in found] == [
        ("/bare", None, None), ("/d", "12", None), ("/n", None, "a/b"),
    ]  # fmt: skip
    assert [one.locked for one in found] == [None, "", "why so"]
    assert [(one.main, one.bare) for one in found] == [(True, True), (False, False), (False, False)]


class Removing(GitProgram, frozen=True):
    """Remove a worktree right after it was found."""

    asked: ClassVar[list[str]] = []

    async def quiet(self, args, cwd, **more):
        if "--show-prefix" in args:
            self.asked.append("tree")
            if len(self.asked) == 2:
                shutil.rmtree(Path(cwd) / ".worktrees")
        return await super().quiet(args, cwd, **more)


async def test_a_worktree_that_goes_meanwhile_is_told(repo) -> None:
    """The next prompt makes it again."""
    path = await Worktrees().directory(repo.project, "work")
    with pytest.raises(WorkDirMissing):
        await Worktrees(Removing()).directory(repo.project, "work")
    assert await Worktrees().directory(repo.project, "work") == path


def test_a_list_of_what_is_left_out_that_is_a_pipe_keeps_nobody_waiting(tmp_path):
    """Whoever reads it would wait for ever, and no cancelling reaches a thread."""
    listed = tmp_path / ".git" / "info" / "exclude"
    listed.parent.mkdir(parents=True)
    os.mkfifo(listed)
    with pytest.raises(GitRefused, match="it is no plain file"):
        exclude(tmp_path / ".git", tmp_path, tmp_path / ".worktrees")
