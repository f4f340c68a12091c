"""Files go back, and nothing is lost by it."""

from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from takopi.errors import GitRefused, NotARepository
from takopi.worktrees.changes import Reverted, changes_since, revert, snapshot
from takopi.worktrees.git import GitProgram

from .conftest import Repo

pytestmark = pytest.mark.anyio


def contents(path: Path) -> dict[str, str]:
    """Read every file of a working tree."""
    return {
        str(file.relative_to(path)): file.read_text()
        for file in sorted(path.rglob("*"))
        if file.is_file() and ".git" not in file.parts
    }


async def test_files_go_back_to_the_commit(repo) -> None:
    """Changed, deleted, new and staged ones; what was there is kept under a name."""
    repo.commit("gone.txt")
    repo.write("a.txt", "two\n")
    (repo.path / "gone.txt").unlink()
    repo.write("new/deep.txt", "new\n")
    repo.write("staged.txt", "staged\n")
    repo.git("add", "staged.txt")
    repo.write("staged.txt", "later\n")
    done = await revert(repo.path)
    assert repo.status() == []
    assert contents(repo.path) == {"a.txt": "one\n", "gone.txt": "one\n"}
    assert set(done.files) == {"a.txt", "gone.txt", "new/deep.txt", "staged.txt"}
    assert done.kept is not None
    assert done.kept.startswith("refs/takopi/kept/")
    assert repo.git("show", f"{done.kept}:a.txt") == "two"
    assert repo.git("show", f"{done.kept}:new/deep.txt") == "new"
    assert repo.git("show", f"{done.kept}:staged.txt") == "later"
    assert repo.git("show", f"{done.kept}^2:staged.txt") == "staged"
    assert repo.git("rev-parse", f"{done.kept}^1") == repo.git("rev-parse", "HEAD")
    # And back again, by what a person would do.
    repo.git("checkout", "--quiet", done.kept, "--", ".")
    assert contents(repo.path)["new/deep.txt"] == "new\n"


async def test_files_go_back_to_a_snapshot(repo) -> None:
    """What was dirty then stays dirty, what came since goes, also when it was staged."""
    repo.write("a.txt", "mine\n")
    repo.write("mine.txt", "mine\n")
    repo.write("staged.txt", "s\n")
    repo.git("add", "staged.txt")
    taken = await snapshot(repo.path)
    before = contents(repo.path)
    repo.write("a.txt", "agent\n")
    (repo.path / "mine.txt").unlink()
    repo.write("agent.txt", "agent\n")
    repo.git("add", "agent.txt")
    done = await revert(repo.path, taken)
    assert contents(repo.path) == before
    assert set(repo.status()) == {"A  staged.txt", " M a.txt", "?? mine.txt"}
    assert repo.git("show", f"{done.kept}:agent.txt") == "agent"


async def test_nothing_changed_keeps_nothing(repo) -> None:
    """No ref is made for a state that the commit has."""
    assert await revert(repo.path) == Reverted()
    assert repo.git("for-each-ref", "refs/takopi") == ""


async def test_ignored_files_and_those_outside_of_the_folder_stay(repo) -> None:
    """Secrets, packages and another project of the repository are not ours to move."""
    repo.commit(".gitignore", "secret\n")
    repo.write("libs/one/x.txt")
    repo.write("libs/two/y.txt")
    repo.write("libs/one/secret", "s")
    repo.write("a.txt", "two\n")
    done = await revert(repo.path / "libs" / "one")
    assert done.files == ("libs/one/x.txt",)
    assert set(repo.status()) == {" M a.txt", "?? libs/"}
    assert (repo.path / "libs/two/y.txt").exists()
    assert (repo.path / "libs/one/secret").read_text() == "s"


async def test_before_the_first_commit(empty) -> None:
    """All files go, and are kept."""
    empty.write("a.txt")
    empty.write("b.txt")
    empty.git("add", "b.txt")
    done = await revert(empty.path)
    assert contents(empty.path) == {}
    assert empty.status() == []
    assert empty.git("ls-tree", "--name-only", str(done.kept)).splitlines() == ["a.txt", "b.txt"]


@pytest.mark.parametrize(
    ("tracked", "ignored"),
    [("conf", "conf"), ("conf/x", "conf"), ("conf", "conf/deep/x"), ("d/conf", "d/conf")],
)
async def test_an_ignored_file_in_the_way_is_not_overwritten(repo, tracked, ignored) -> None:
    """It is in no snapshot, so overwriting it would lose it; nothing is put back at all."""
    repo.commit(tracked, "default\n")
    repo.git("rm", "--quiet", tracked)
    repo.write(".git/info/exclude", "conf\n")
    repo.write(ignored, "precious\n")
    repo.write("a.txt", "two\n")
    with pytest.raises(GitRefused, match=f"{ignored} is in the way"):
        await revert(repo.path)
    assert (repo.path / ignored).read_text() == "precious\n"
    assert (repo.path / "a.txt").read_text() == "two\n"


async def test_a_link_in_the_way_is_not_followed(repo, tmp_path) -> None:
    """An ignored link to elsewhere, where a folder was, gets no file written behind it."""
    (tmp_path / "outside").mkdir()
    repo.commit("conf/x", "default\n")
    repo.git("rm", "--quiet", "conf/x")
    repo.write(".git/info/exclude", "conf\n")
    (repo.path / "conf").symlink_to(tmp_path / "outside")
    with pytest.raises(GitRefused, match="conf is in the way"):
        await revert(repo.path)
    (repo.path / "conf").unlink()
    repo.write(".git/info/exclude", "")
    (repo.path / "conf").symlink_to(tmp_path / "outside")
    await revert(repo.path)
    assert (repo.path / "conf/x").read_text() == "default\n"
    assert list((tmp_path / "outside").iterdir()) == []


async def test_a_merge_or_rebase_that_goes_on_is_not_reverted(repo) -> None:
    """It would look decided afterwards, for the side that lost nothing."""
    repo.git("checkout", "--quiet", "-b", "work")
    repo.commit("a.txt", "work\n")
    repo.git("checkout", "--quiet", "main")
    repo.commit("a.txt", "main\n")
    with pytest.raises(AssertionError):
        repo.git("merge", "work")
    with pytest.raises(GitRefused, match="git merge --abort"):
        await revert(repo.path)
    repo.write("a.txt", "decided\n")
    repo.git("add", "a.txt")
    with pytest.raises(GitRefused, match="git merge --abort"):
        await revert(repo.path)


async def test_submodules_and_repositories_inside_stay(repo, tmp_path) -> None:
    """What is in them is under a git of its own."""
    repo.git("clone", "--quiet", str(repo.path), str(tmp_path / "sub"))
    repo.git("submodule", "--quiet", "add", str(tmp_path / "sub"), "sub")
    repo.git("commit", "--quiet", "-m", "sub")
    repo.git("commit", "--quiet", "--allow-empty", "-m", "x", cwd=repo.path / "sub")
    inner = repo.git("rev-parse", "HEAD", cwd=repo.path / "sub")
    repo.git("init", "--quiet", "inner")
    repo.write("inner/precious", "mine")
    repo.write("sub/loose", "mine")
    repo.write("a.txt", "two\n")
    done = await revert(repo.path)
    assert done.files == ("a.txt",)
    assert (repo.path / "inner/precious").read_text() == "mine"
    assert (repo.path / "sub/loose").read_text() == "mine"
    assert repo.git("rev-parse", "HEAD", cwd=repo.path / "sub") == inner


async def test_a_state_that_cannot_be_kept_is_not_thrown_away(repo) -> None:
    """When git cannot write the name, no file is touched."""
    repo.write("a.txt", "two\n")
    repo.write(".git/refs/takopi", "")
    with pytest.raises(GitRefused, match="nothing was put back"):
        await revert(repo.path)
    assert (repo.path / "a.txt").read_text() == "two\n"


async def test_an_unknown_snapshot_touches_nothing(repo, tmp_path) -> None:
    """git removes snapshots after a while."""
    repo.write("a.txt", "two\n")
    for unknown in ("0" * 40, "--hard", "nowhere"):
        with pytest.raises(GitRefused, match="does not know"):
            await revert(repo.path, unknown)
    assert (repo.path / "a.txt").read_text() == "two\n"
    with pytest.raises(NotARepository):
        await revert(tmp_path)


async def test_a_file_and_a_folder_change_places(repo) -> None:
    """What became a folder becomes a file again."""
    repo.commit("d/y", "y\n")
    (repo.path / "a.txt").unlink()
    repo.write("a.txt/inner", "i\n")
    (repo.path / "d/y").unlink()
    (repo.path / "d").rmdir()
    repo.write("d", "file\n")
    taken = await snapshot(repo.path)
    done = await revert(repo.path)
    assert contents(repo.path) == {"a.txt": "one\n", "d/y": "y\n"}
    await revert(repo.path, taken)
    assert contents(repo.path) == {"a.txt/inner": "i\n", "d": "file\n"}
    assert done.kept is not None


class Meddling(GitProgram, frozen=True):
    """Change a file at the last moment, as a running agent would."""

    async def quiet(self, args, cwd, **more):
        if args[:2] == ["read-tree", "-m"]:
            await anyio.Path(cwd, "a.txt").write_text("precious and late\n")
        return await super().quiet(args, cwd, **more)


async def test_a_file_that_changes_meanwhile_is_not_lost(repo) -> None:
    """git sees that it is not the one that was kept, and nothing is put back."""
    repo.write("a.txt", "two\n")
    repo.write("b.txt", "b\n")
    with pytest.raises(GitRefused, match="Try again when nothing changes"):
        await revert(repo.path, git=Meddling())
    assert (repo.path / "a.txt").read_text() == "precious and late\n"
    assert (repo.path / "b.txt").read_text() == "b\n"


NAMES = st.sampled_from(["a.txt", "b", "c/d", "c/e", "f", "f/g", "\n", "é"])
EDITS = st.lists(st.tuples(NAMES, st.one_of(st.none(), st.sampled_from("xyz"))), max_size=6)


def apply(repo: Repo, edits: list[tuple[str, str | None]]) -> None:
    for name, text in edits:
        file = repo.path / name
        if any(parent.is_file() for parent in file.parents) or file.is_dir():
            continue
        if text is None:
            file.unlink(missing_ok=True)
        else:
            repo.write(name, text)


@settings(
    max_examples=max(10, settings.default.max_examples // 50),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(first=EDITS, second=EDITS, stage=st.booleans())
def test_a_snapshot_comes_back_whatever_was_done(tmp_path_factory, first, second, stage) -> None:
    """Law: after a revert the files are those of the snapshot, and the kept state those before."""
    repo = Repo(tmp_path_factory.mktemp("law") / "app")
    repo.commit()

    async def law() -> None:
        apply(repo, first)
        taken = await snapshot(repo.path)
        wanted = contents(repo.path)
        apply(repo, second)
        if stage:
            repo.git("add", "-A")
        present = contents(repo.path)
        done = await revert(repo.path, taken)
        assert contents(repo.path) == wanted
        assert (await changes_since(repo.path, str(taken))).files == ()
        assert (done.kept is None) == (present == wanted)
        if done.kept is not None:
            await revert(repo.path, repo.git("rev-parse", f"{done.kept}^{{tree}}"))
            assert contents(repo.path) == present

    anyio.run(law)
