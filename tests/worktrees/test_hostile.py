"""Repositories that want to run something, hang, or lead elsewhere."""

import os
import shutil
from pathlib import Path

import anyio
import pytest
from msgspec.structs import replace

from takopi.core.projects import Project
from takopi.errors import GitRefused, GitTooSlow
from takopi.worktrees.changes import changes_since, commit, look, revert, snapshot
from takopi.worktrees.git import GitAnswer, GitProgram, git_words
from takopi.worktrees.removing import Kept, Removed
from takopi.worktrees.repository import find_repository, repository_lock
from takopi.worktrees.worktrees import Worktrees

from .conftest import Repo

pytestmark = pytest.mark.anyio

HOOKS = (
    "applypatch-msg", "commit-msg", "fsmonitor-watchman", "post-applypatch", "post-checkout",
    "post-commit", "post-index-change", "post-merge", "post-rewrite", "pre-auto-gc", "pre-commit",
    "prepare-commit-msg", "reference-transaction", "sendemail-validate",
)  # fmt: skip


@pytest.fixture
def trap(repo: Repo, tmp_path: Path) -> Path:
    """Name a program everywhere where git would start one; it leaves a mark."""
    mark = tmp_path / "mark"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> {mark}\n')
    program.chmod(0o755)
    for key in (
        "core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.askPass",
        "core.gitProxy", "core.alternateRefsCommand", "diff.external", "diff.evil.command",
        "diff.evil.textconv", "merge.evil.driver", "gpg.program", "credential.helper",
        "sequence.editor", "interactive.diffFilter", "pager.diff", "pager.log", "pager.status",
        "alias.status", "alias.worktree", "diff.tool", "uploadpack.packObjectsHook",
    ):  # fmt: skip
        repo.git("config", key, f"!{program}" if key.startswith("alias") else str(program))
    repo.git("config", "log.showSignature", "true")
    repo.git("config", "diff.guitool", "evil")
    repo.git("config", "submodule.recurse", "true")
    repo.git("config", "remote.evil.url", "ssh://evil.invalid/x")
    repo.git("config", "remote.evil.promisor", "true")
    repo.git("config", "core.commentChar", "x")
    repo.write(".gitattributes", "* diff=evil merge=evil\n")
    for name in HOOKS:
        shutil.copy(program, repo.path / ".git" / "hooks" / name)
    return mark


async def test_looking_runs_nothing_of_the_repository(repo, trap) -> None:
    """Listing, comparing, taking down and going back start no hook and no configured program."""
    repo.write("a.txt", "two\n")
    repo.write("new.txt")
    trees = Worktrees()
    assert await trees.directory(repo.project, "main") == repo.path
    assert len(await trees.list(repo.project)) == 1
    assert len((await look(repo.path)).files) == 3
    assert "+two" in (await look(repo.path, "main")).diff
    taken = await snapshot(repo.path)
    assert taken is not None
    repo.write("a.txt", "three\n")
    assert len((await changes_since(repo.path, taken)).files) == 1
    assert (await revert(repo.path, taken)).kept is not None
    # An object that is missing would be fetched, by ssh.
    with pytest.raises(GitRefused):
        await changes_since(repo.path, "1" * 40)
    assert not trap.exists()
    repo.git("status")
    assert trap.exists()  # or the trap would prove nothing


async def test_looking_fetches_nothing(repo, trap) -> None:
    """In a clone that has not all objects, git would get them by the repository's own ssh."""
    blob = repo.git("rev-parse", "HEAD:a.txt")
    (repo.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    repo.git("config", "core.repositoryFormatVersion", "1")
    repo.git("config", "extensions.partialClone", "evil")
    trap.unlink(missing_ok=True)
    repo.write("a.txt", "two\n")
    with pytest.raises(GitRefused):
        await look(repo.path)
    assert not trap.exists()
    repo.git("config", "core.fsmonitor", "false")
    with pytest.raises(AssertionError):
        repo.git("show", blob)
    assert "evil.invalid" in trap.read_text()


async def test_removing_a_worktree_runs_nothing_of_the_repository(repo, trap) -> None:
    """Hooks run when a worktree is made, as for a person; not when it is looked at or goes."""
    trees = Worktrees()
    path = await trees.directory(repo.project, "work")
    ran = trap.read_text()
    assert "post-checkout" in ran
    assert "pre-commit" not in ran
    trap.unlink()
    (path / "new.txt").write_text("x")
    assert isinstance(await trees.remove(repo.project, "work"), Kept)
    assert isinstance(await trees.remove(repo.project, "work", force=True), Removed)
    assert not trap.exists()


async def test_a_submodule_runs_nothing_either(repo, trap, tmp_path) -> None:
    """git starts itself in submodules, with their own configuration."""
    sub = Repo(tmp_path / "sub")
    sub.commit()
    repo.git("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=", "submodule", "--quiet",
             "add", str(sub.path), "sub")  # fmt: skip
    for key in ("core.fsmonitor", "diff.external"):
        repo.git("config", key, str(trap.parent / "program"), cwd=repo.path / "sub")
    trap.unlink(missing_ok=True)
    repo.write("sub/a.txt", "two\n")
    (one,) = await Worktrees().list(repo.project)
    assert one.dirty
    await look(repo.path)
    await snapshot(repo.path)
    assert not trap.exists()


async def test_files_elsewhere_are_not_looked_at(repo, tmp_path) -> None:
    """A repository that names another folder as its files gets neither that read nor changed."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "precious.txt").write_text("mine")
    inside = repo.path / "inside"
    inside.mkdir()
    for claimed, said in ((tmp_path, "core.worktree"), (inside, "no files"), (other, "no files")):
        repo.git("config", "core.worktree", str(claimed))
        for call in (look(repo.path), revert(repo.path), commit(repo.path, "x")):
            with pytest.raises(GitRefused, match=said):
                await call
    (other / ".git").write_text("gitdir: elsewhere\n")
    repo.git("config", "core.worktree", str(other))
    with pytest.raises(GitRefused):
        await revert(other)
    assert (other / "precious.txt").read_text() == "mine"


async def test_the_environment_names_no_other_repository(repo, tmp_path, monkeypatch) -> None:
    """Started from a git hook, takopi still works where it was asked to."""
    other = Repo(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    repo.write("new.txt")
    assert [one.path for one in (await look(repo.path)).files] == ["new.txt"]
    assert (await find_repository(GitProgram(), repo.path)).common_dir == repo.path / ".git"


async def test_a_hook_that_hangs_after_a_worktree_was_made_costs_no_worktree(repo) -> None:
    """It is ended, and the worktree is there."""
    repo.hook("post-checkout", "sleep 600")
    trees = Worktrees(GitProgram(hooked_s=0.7))
    path = await trees.directory(repo.project, "work")
    assert (path / "a.txt").read_text() == "one\n"


async def test_a_hook_that_fails_costs_no_worktree(repo) -> None:
    """git reports the hook's status as its own."""
    repo.hook("post-checkout", "exit 3")
    path = await Worktrees().directory(repo.project, "work")
    assert (path / "a.txt").read_text() == "one\n"


async def test_what_hangs_before_the_worktree_is_made_is_told(repo) -> None:
    """A filter that never answers is ended with git, and nothing half-made is used."""
    repo.git("config", "filter.slow.smudge", "sleep 600")
    repo.commit(".gitattributes", "a.txt filter=slow\n")
    trees = Worktrees(GitProgram(hooked_s=0.7))
    with pytest.raises(GitTooSlow, match="worktree"):
        await trees.directory(repo.project, "work")
    repo.git("config", "--unset", "filter.slow.smudge")
    path = await Worktrees().directory(repo.project, "work")
    assert (path / "a.txt").read_text() == "one\n"


async def test_a_cancelled_prompt_leaves_no_half_worktree(repo) -> None:
    """Whoever gives up while files are written gets a whole worktree the next time."""
    repo.git("config", "filter.slow.smudge", "echo > started; sleep 600")
    repo.commit(".gitattributes", "a.txt filter=slow\n")
    async with anyio.create_task_group() as group:
        group.start_soon(Worktrees().directory, repo.project, "work")
        with anyio.fail_after(10):
            started = anyio.Path(repo.path, ".worktrees", "work", "started")
            while not await started.exists():  # noqa: ASYNC110 - a file of another process
                await anyio.sleep(0.01)
        group.cancel_scope.cancel()
    repo.git("config", "--unset", "filter.slow.smudge")
    path = await Worktrees().directory(repo.project, "work")
    assert (path / "a.txt").read_text() == "one\n"


async def test_one_repository_does_not_hold_up_another_or_the_bot(repo, tmp_path) -> None:
    """While one waits for its lock, the rest goes on."""
    other = Repo(tmp_path / "other")
    other.commit()
    mine = await find_repository(GitProgram(), repo.path)
    async with anyio.create_task_group() as group, repository_lock(mine):
        group.start_soon(Worktrees().directory, repo.project, "work")
        with anyio.fail_after(10):
            await Worktrees().directory(other.project, "work")
        assert not (repo.path / ".worktrees").exists()
    assert (repo.path / ".worktrees" / "work" / "a.txt").exists()


async def test_a_worktree_that_is_there_does_not_wait_for_one_that_is_made(repo) -> None:
    """A hook may install packages for minutes; only its own branch waits for it."""
    trees = Worktrees()
    ready = await trees.directory(repo.project, "ready")
    repo.hook("post-checkout", "echo > ../../started; read line < ../../go; echo > ready")
    for name in ("started", "go"):
        os.mkfifo(repo.path / name)
    found: list[bool] = []

    async def make() -> None:
        path = await trees.directory(repo.project, "work")
        found.append((path / "ready").exists())

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(make)
            await anyio.Path(repo.path, "started").read_text()
            group.start_soon(make)
            assert await trees.directory(repo.project, "ready") == ready
            await anyio.Path(repo.path, "go").write_text("\n")
    assert found == [True, True]


async def test_endless_output_is_cut_and_a_slow_git_is_ended(tmp_path, monkeypatch) -> None:
    """Whatever calls itself git, it gets no more than its limits."""
    program = tmp_path / "git"
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    program.write_text("#!/bin/sh\nyes\n")
    program.chmod(0o755)
    answer = await GitProgram().quiet(["x"], tmp_path, max_bytes=1000)
    assert answer.cut
    assert answer.ok
    assert len(answer.out) == 1000
    program.write_text("#!/bin/sh\nyes >&2 & exec sleep 600\n")
    with pytest.raises(GitTooSlow, match=r"`git x` was ended after 0\.3 s"):
        await GitProgram(quiet_s=0.3).quiet(["x"], tmp_path)
    program.write_text("#!/bin/sh\nexec 0<&-\nexit 3\n")
    assert (await GitProgram().quiet(["x"], tmp_path, stdin=b"x" * 1_000_000)).code == 3


async def test_git_asks_nobody(tmp_path, monkeypatch) -> None:
    """There is no terminal, no prompt, no pager, and no editor that waits."""
    program = tmp_path / "git"
    program.write_text("#!/bin/sh\nread line; (: </dev/tty) 2>/dev/null && echo tty\nenv\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    told = (await GitProgram().quiet(["x"], tmp_path)).text.splitlines()
    assert "tty" not in told
    assert {"GIT_TERMINAL_PROMPT=0", "GIT_PAGER=cat", "GIT_EDITOR=true"} <= set(told)


def test_words_of_git_can_be_shown() -> None:
    """Hints, colours and prefixes go; what is left is short."""
    said = GitAnswer(1, b"", "hint: try\nfatal: no \x1b[31mway\nerror: x")
    assert git_words(said) == "no  [31mway x"
    assert git_words(GitAnswer(7, b"", "")) == "exit status 7"
    assert git_words(GitAnswer(1, b"nothing to commit\n", "")) == "nothing to commit"
    assert len(git_words(GitAnswer(1, b"", "x" * 5_000))) == 600


async def test_a_base_like_an_option_is_no_option(repo, tmp_path) -> None:
    """Neither configuration nor a person's word becomes an option of git."""
    project = replace(repo.project, worktree_base=f"--output={tmp_path / 'out'}")
    with pytest.raises(GitRefused):
        await Worktrees().directory(project, "work")
    with pytest.raises(GitRefused):
        await look(repo.path, f"--output={tmp_path / 'out'}")
    assert not (tmp_path / "out").exists()
    repo.git("update-ref", "refs/heads/--force", "HEAD")
    assert [one.branch for one in await Worktrees().list(repo.project)] == ["main"]


async def test_a_project_that_is_a_link_is_worked_in(repo, tmp_path) -> None:
    """The person's own link to their project is no trap."""
    (tmp_path / "link").symlink_to(repo.path)
    project = Project("linked", tmp_path / "link")
    assert await Worktrees().directory(project, "main") == tmp_path / "link"
    path = await Worktrees().directory(project, "work")
    assert path == repo.path / ".worktrees" / "work"
    assert repo.status() == []
