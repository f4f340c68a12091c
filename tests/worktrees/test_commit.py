"""Commits that a person asked for."""

import os
import time
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from fakes.outside import holds
from takopi.errors import GitRefused, GitTooSlow, NotARepository
from takopi.worktrees.changes import commit, committed, look
from takopi.worktrees.git import GitProgram

pytestmark = [pytest.mark.anyio, pytest.mark.long]


async def test_a_commit_has_all_that_was_changed(repo) -> None:
    """New, changed and deleted files, the person's name, the message as it was written."""
    repo.commit("gone.txt")
    repo.write("a.txt", "two\n")
    repo.write("new/b.txt")
    (repo.path / "gone.txt").unlink()
    made = await commit(repo.path, "Fix it\n\n# not a comment\n--amend \0é")
    assert made == repo.git("rev-parse", "HEAD")
    assert repo.status() == []
    shown = repo.git("show", "--no-renames", "--name-status", "--format=%an <%ae>%n%B", "HEAD")
    assert shown.splitlines() == [
        "Ann <ann@example.org>", "Fix it", "", "# not a comment", "--amend é", "", "",
        "M\ta.txt", "D\tgone.txt", "A\tnew/b.txt",
    ]  # fmt: skip


async def test_the_first_commit_of_a_repository(empty) -> None:
    """A repository without commits gets one."""
    empty.write("a.txt")
    made = await commit(empty.path, "first")
    assert made == empty.git("rev-parse", "HEAD")
    assert empty.status() == []


async def test_only_what_is_named_is_committed(repo) -> None:
    """Other files, what is staged included, stay as they are; a name is no pattern."""
    for name in ("b.txt", "d/x.txt", "d/y.txt", "staged.txt", "*.txt", ":(top)z"):
        repo.write(name)
    repo.git("add", "staged.txt")
    await commit(repo.path, "some", ["*.txt", "d", ":(top)z"])
    assert repo.git("show", "--name-only", "--format=", "HEAD").splitlines() == [
        "*.txt", ":(top)z", "d/x.txt", "d/y.txt",
    ]  # fmt: skip
    assert repo.status() == ["A  staged.txt", "?? b.txt"]


async def test_a_folder_of_a_repository_commits_what_is_in_it(repo) -> None:
    """Nothing of the other folders goes along."""
    for name in ("libs/one/x.txt", "libs/two/y.txt", "libs/one/z.txt"):
        repo.write(name)
    await commit(repo.path / "libs" / "one", "x", ["x.txt"])
    assert repo.git("show", "--name-only", "--format=", "HEAD") == "libs/one/x.txt"
    await commit(repo.path / "libs" / "one", "rest")
    assert repo.git("show", "--name-only", "--format=", "HEAD") == "libs/one/z.txt"
    assert repo.status() == ["?? libs/two/"]


async def test_a_file_in_the_place_of_a_folder_is_committed(repo) -> None:
    """The index gives way."""
    (repo.path / "a.txt").unlink()
    repo.write("a.txt/inner")
    await commit(repo.path, "turn")
    assert repo.git("ls-files") == "a.txt/inner"


@pytest.mark.parametrize("paths", [[], [".."], ["../app/a.txt"], ["/etc/passwd"], ["a\0b"]])
async def test_files_outside_are_refused(repo, paths) -> None:
    """A commit names files of its own directory."""
    repo.write("b.txt")
    with pytest.raises(GitRefused, match="Name files below"):
        await commit(repo.path, "x", paths)


async def test_what_cannot_be_committed_is_said(repo, tmp_path) -> None:
    """No message, nothing changed, no such file, no repository, a merge that is not decided."""
    with pytest.raises(GitRefused, match="needs a message"):
        await commit(repo.path, " \n\0")
    with pytest.raises(GitRefused, match="nothing to commit"):
        await commit(repo.path, "x")
    with pytest.raises(NotARepository):
        await commit(tmp_path, "x")
    repo.write("b.txt")
    with pytest.raises(GitRefused, match="did not match"):
        await commit(repo.path, "x", ["nowhere"])
    repo.git("checkout", "--quiet", "-b", "work")
    repo.commit("a.txt", "work\n")
    repo.git("checkout", "--quiet", "main")
    repo.commit("a.txt", "main\n")
    with pytest.raises(AssertionError):
        repo.git("merge", "work")
    with pytest.raises(GitRefused, match=r"not decided in a\.txt"):
        await commit(repo.path, "x")
    assert "<<<<<<<" in (repo.path / "a.txt").read_text()


async def test_nobody_commits_without_a_name(repo, person: Path) -> None:
    """git would make a name of the machine's; the person is told how to say theirs."""
    (person / ".gitconfig").write_text("")
    repo.write("b.txt")
    with pytest.raises(GitRefused, match=r"git config --global user\.name"):
        await commit(repo.path, "x")
    assert repo.status() == ["?? b.txt"]


async def test_a_hook_that_refuses_loses_nothing(repo) -> None:
    """Its words reach the person; files and what is staged are as before."""
    head = repo.git("rev-parse", "HEAD")
    repo.write("part.txt", "staged\n")
    repo.git("add", "part.txt")
    repo.write("part.txt", "staged\nand not\n")
    repo.write("a.txt", "two\n")
    repo.write("new.txt")
    before = repo.status()
    repo.hook("pre-commit", "git add -A; echo the linter says no >&2; exit 1")
    with pytest.raises(GitRefused, match="the linter says no"):
        await commit(repo.path, "x")
    assert repo.status() == before
    assert repo.git("show", ":part.txt") == "staged"
    assert (repo.path / "new.txt").read_text() == "text\n"
    assert repo.git("rev-parse", "HEAD") == head
    repo.hook("pre-commit", "exit 0")
    await commit(repo.path, "x")
    assert repo.status() == []


async def test_a_commit_of_somebody_else_is_not_taken_for_ours(repo) -> None:
    """While a hook refused, an agent committed; what it committed is not unstaged."""
    repo.write("new.txt")
    other = "$(git commit-tree -p HEAD -m other $(git write-tree))"
    repo.hook("pre-commit", f"git update-ref HEAD {other}; exit 1")
    with pytest.raises(GitRefused, match="does not commit"):
        await commit(repo.path, "x")
    assert repo.git("log", "-1", "--format=%s") == "other"
    assert repo.status() == []


async def test_files_that_cannot_be_taken_in_are_told(repo) -> None:
    """A lock that somebody left is named, and nothing is half staged."""
    repo.write("new.txt")
    lock = repo.write(".git/index.lock", "")
    with pytest.raises(GitRefused, match=r"index\.lock"):
        await commit(repo.path, "x")
    lock.unlink()
    assert repo.status() == ["?? new.txt"]


async def test_a_hook_sees_what_is_committed_and_may_change_the_message(repo) -> None:
    """Hooks run as for a person, and patterns in their own git commands are patterns."""
    repo.write("new.py")
    repo.hook("pre-commit", "git diff --cached --name-only -- '*.py' > seen")
    repo.hook("commit-msg", 'echo "Ticket: 7" >> "$1"')
    await commit(repo.path, "x")
    assert (repo.path / "seen").read_text() == "new.py\n"
    assert repo.git("log", "-1", "--format=%B") == "x\nTicket: 7"


async def test_a_hook_that_hangs_is_ended_and_nothing_is_lost(repo) -> None:
    """Its processes end too, and the next commit finds no lock."""
    repo.write("new.txt")
    repo.hook("pre-commit", "trap '' TERM; sleep 600 & echo $! > pid; wait; sleep 600")
    with pytest.raises(GitTooSlow, match="hook"):
        await commit(repo.path, "x", git=GitProgram(commit_s=0.5))
    pid = int((repo.path / "pid").read_text())
    await ended(pid)
    assert repo.status() == ["?? new.txt", "?? pid"]
    repo.hook("pre-commit", "exit 0")
    await commit(repo.path, "x")


async def test_a_hook_that_hangs_after_the_commit_does_not_hide_it(repo) -> None:
    """The commit is there, so it is no error."""
    repo.write("new.txt")
    repo.hook("post-commit", "sleep 600")
    made = await commit(repo.path, "x", git=GitProgram(commit_s=1.0))
    assert made == repo.git("rev-parse", "HEAD")
    assert repo.status() == []


async def test_what_a_hook_leaves_running_is_not_waited_for(repo) -> None:
    """A process that keeps git's output open does not hold the commit up."""
    repo.write("new.txt")
    repo.hook("post-commit", "sleep 20 & echo $! > .git/pid")
    with anyio.fail_after(10):
        await commit(repo.path, "x")
    pid = (repo.path / ".git" / "pid").read_text().strip()
    await anyio.run_process(["kill", pid])


async def test_a_cancelled_commit_ends_git(repo) -> None:
    """Whoever gives up gets the files as they were."""
    repo.write("new.txt")
    repo.hook("pre-commit", "echo $$ > pid; echo > started; sleep 600")
    os.mkfifo(repo.path / "started")  # git does not look at it; reading it waits for the hook
    async with anyio.create_task_group() as group:
        group.start_soon(commit, repo.path, "x")
        with anyio.fail_after(10):
            await anyio.to_thread.run_sync((repo.path / "started").read_text)
        group.cancel_scope.cancel()
    await ended(int((repo.path / "pid").read_text()))
    assert repo.status() == ["?? new.txt", "?? pid"]
    assert not (repo.path / ".git" / "index.lock").exists()


async def test_two_commits_of_one_repository_wait_for_each_other(repo) -> None:
    """The second has nothing left to commit, and neither meets the other's lock."""
    repo.write("new.txt")
    results: list[str] = []

    async def one() -> None:
        try:
            results.append(await commit(repo.path, "x"))
        except GitRefused as error:
            results.append(str(error))

    async with anyio.create_task_group() as group:
        group.start_soon(one)
        group.start_soon(one)
    assert results[0] == repo.git("rev-parse", "HEAD")
    assert "nothing to commit" in results[1]


async def test_a_repository_inside_is_not_committed(repo) -> None:
    """It would become a submodule that nobody can get."""
    repo.git("init", "--quiet", "inner")
    repo.git("commit", "--quiet", "--allow-empty", "-m", "x", cwd=repo.path / "inner")
    repo.write("b.txt")
    await commit(repo.path, "x")
    assert repo.status() == ["?? inner/"]
    assert (await look(repo.path)).files == ()


async def ended(pid: int) -> None:
    """Wait until a process that was killed is gone; the system takes its moment for it."""
    await holds(lambda: not alive(pid), 5)


def alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


async def test_a_commit_is_known_by_its_words_and_its_time(repo) -> None:
    """So that whoever asks again, after the one who made it died, is not told of nothing."""
    before = time.time()
    assert await committed(repo.path, "Fix it", before) is None
    repo.write("a.txt", "two\n")
    made = await commit(repo.path, "Fix it \n\nand more")
    assert await committed(repo.path, "Fix it \n\nand more", before) == made
    assert await committed(repo.path, "Fix it", before) == made
    assert await committed(repo.path, "Mend it", before) is None
    assert await committed(repo.path, " ", before) is None
    assert await committed(repo.path, "Fix it", time.time() + 5) is None


async def test_where_nothing_was_ever_committed_no_commit_is_known(empty) -> None:
    assert await committed(empty.path, "first", 0.0) is None
