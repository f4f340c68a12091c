"""What was changed, looked at without touching anything."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.errors import GitRefused, NotARepository
from takopi.worktrees.changes import Changes, FileChange, changes_since, look, revert, snapshot
from takopi.worktrees.status import file_name

pytestmark = [pytest.mark.anyio, pytest.mark.long]


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """Take down every file of a repository's own directory."""
    return {
        str(file): (file.stat().st_mtime_ns, file.stat().st_size)
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def files(changes: Changes) -> dict[str, tuple[str, int | None, int | None]]:
    return {one.path: (one.kind, one.added, one.removed) for one in changes.files}


async def test_every_kind_of_change_is_seen_and_nothing_is_touched(repo) -> None:
    """Changed, staged, new, deleted, renamed, binary, empty, made executable, a link."""
    for name in ("keep.txt", "gone.txt", "old.txt", "tool.sh"):
        repo.commit(name, f"{name}\nline\nline\nline\n")
    repo.write("a.txt", "one\ntwo\n")
    repo.write("staged.txt", "s\n")
    repo.git("add", "staged.txt")
    repo.write("staged.txt", "s\nt\n")
    (repo.path / "gone.txt").unlink()
    (repo.path / "old.txt").rename(repo.path / "new.txt")
    (repo.path / "bin").write_bytes(b"\0\1\2")
    repo.write("empty", "")
    repo.write("deep/er/file", "x\ny\nz\n")
    (repo.path / "tool.sh").chmod(0o755)
    (repo.path / "link").symlink_to("a.txt")
    repo.write(".git/info/exclude", "secret\n")
    repo.write("secret", "s")
    shown = repo.status()  # which itself writes the index
    before = state(repo.path / ".git")
    changes = await look(repo.path)
    assert state(repo.path / ".git") == before
    assert repo.status() == shown
    assert files(changes) == {
        "a.txt": ("modified", 1, 0),
        "bin": ("added", None, None),
        "deep/er/file": ("added", 3, 0),
        "empty": ("added", 0, 0),
        "gone.txt": ("deleted", 0, 4),
        "link": ("added", 1, 0),
        "new.txt": ("renamed", 0, 0),
        "staged.txt": ("added", 2, 0),
        "tool.sh": ("modified", 0, 0),
    }
    assert next(one for one in changes.files if one.kind == "renamed").was == "old.txt"
    assert next(one for one in changes.files if one.path == "bin").binary
    assert (changes.added, changes.removed, changes.cut) == (7, 4, False)
    assert "+two\n" in changes.diff
    assert "rename from old.txt" in changes.diff


async def test_a_clean_tree_has_no_changes(repo) -> None:
    """Nothing is nothing."""
    assert await look(repo.path) == Changes()


async def test_a_long_diff_is_cut(repo) -> None:
    """The files are all told; the text ends at the limit, between characters."""
    repo.write("long.txt", "é" * 100_000)
    changes = await look(repo.path, max_diff_bytes=1001)
    assert changes.cut
    assert 900 < len(changes.diff.encode()) <= 1001
    assert "\ufffd" not in changes.diff
    assert files(changes) == {"long.txt": ("added", 1, 0)}


async def test_a_change_in_the_moment_of_a_commit_is_seen(repo) -> None:
    """As long, and with the time of the one before: git suspects files as young as its index."""
    file = repo.write("r.txt", "aaaa\n")
    repo.git("config", "core.trustctime", "false")
    os.utime(file, (1_000_000_000, 1_000_000_000))
    repo.git("add", "r.txt")
    repo.git("commit", "--quiet", "-m", "r")
    file.write_text("bbbb\n")
    os.utime(file, (1_000_000_000, 1_000_000_000))
    os.utime(repo.path / ".git" / "index", (1_000_000_000, 1_000_000_000))
    assert files(await look(repo.path)) == {"r.txt": ("modified", 1, 1)}


async def test_before_the_first_commit_all_files_are_new(empty) -> None:
    """A repository without commits is compared with nothing."""
    empty.write("a.txt")
    empty.write("b.txt")
    empty.git("add", "b.txt")
    assert files(await look(empty.path)) == {
        "a.txt": ("added", 1, 0),
        "b.txt": ("added", 1, 0),
    }


async def test_a_branch_is_compared_with_where_it_left(repo) -> None:
    """What the base got since then is not shown as taken away."""
    repo.git("checkout", "--quiet", "-b", "work")
    repo.commit("mine.txt")
    repo.git("checkout", "--quiet", "main")
    repo.commit("theirs.txt")
    repo.git("checkout", "--quiet", "work")
    repo.write("more.txt")
    assert set(files(await look(repo.path, "main"))) == {"mine.txt", "more.txt"}
    tree = repo.git("rev-parse", "HEAD~1^{tree}")
    assert set(files(await look(repo.path, tree))) == {"mine.txt", "more.txt"}
    for unknown in ("nowhere", "--output=x", "a\0"):
        with pytest.raises(GitRefused, match="does not know"):
            await look(repo.path, unknown)


async def test_a_folder_of_a_repository_shows_what_is_in_it(repo) -> None:
    """A project may be one folder of many; names are those from the top."""
    repo.write("libs/[one]/x.txt")
    repo.write("libs/o/y.txt")
    repo.write("z.txt")
    assert set(files(await look(repo.path / "libs" / "[one]"))) == {"libs/[one]/x.txt"}


async def test_submodules_and_repositories_inside_are_no_files(repo, tmp_path) -> None:
    """A submodule shows its commits, another repository nothing."""
    repo.git("clone", "--quiet", str(repo.path), str(tmp_path / "sub"))
    repo.git("submodule", "--quiet", "add", str(tmp_path / "sub"), "sub")
    repo.git("commit", "--quiet", "-m", "sub")
    repo.git("init", "--quiet", "other")
    (repo.path / "sub" / "loose.txt").write_text("x")
    assert await look(repo.path) == Changes()
    repo.git("commit", "--quiet", "--allow-empty", "-m", "x", cwd=repo.path / "sub")
    assert files(await look(repo.path)) == {"sub": ("modified", 1, 1)}
    assert files(await look(repo.path / "sub")) == {"loose.txt": ("added", 1, 0)}


async def test_a_merge_that_is_not_decided_is_told(repo) -> None:
    """A file with both versions in it is a conflict."""
    repo.git("checkout", "--quiet", "-b", "work")
    repo.commit("a.txt", "work\n")
    repo.git("checkout", "--quiet", "main")
    repo.commit("a.txt", "main\n")
    with pytest.raises(AssertionError):
        repo.git("merge", "work")
    assert [(one.path, one.kind) for one in (await look(repo.path)).files] == [
        ("a.txt", "conflict")
    ]


async def test_any_name_of_a_file_can_be_shown(repo) -> None:
    """Ends of lines, bytes that are no text and letters that turn the line are written out."""
    for name in (b"a\nb", b"\xff\xfe", "x\u202ey".encode(), b"tab\t", b"--help", b'q"', b"*"):
        (repo.path / os.fsdecode(name)).write_text("x\n")
    changes = await look(repo.path)
    assert set(files(changes)) == {
        "a\\nb", "\\xff\\xfe", "x\\u202ey", "tab\\t", "--help", 'q"', "*",
    }  # fmt: skip
    assert all(file.added == 1 for file in changes.files)
    taken = await snapshot(repo.path)
    assert taken is not None
    assert await changes_since(repo.path, taken) == Changes()


@given(st.binary(max_size=20))
def test_a_shown_name_can_be_sent(raw: bytes) -> None:
    """Law: whatever a file is called, its shown name is printable text."""
    shown = file_name(os.fsdecode(raw))
    assert shown.isprintable()
    assert shown.encode("utf-8") is not None


async def test_five_thousand_new_files_are_one_look(repo) -> None:
    """A large change is a handful of processes, and nothing of it is written down."""
    for number in range(5_000):
        repo.write(f"many/{number}.txt", f"{number}\n")
    changes = await look(repo.path)
    assert len(changes.files) == 5_000
    assert changes.added == 5_000


@pytest.mark.parametrize("count", [300, pytest.param(5_000, marks=pytest.mark.full)])
async def test_a_snapshot_of_many_files(repo, count) -> None:
    """One change in many files is found, and all go back."""
    for number in range(count):
        repo.write(f"many/{number}.txt", f"{number}\n")
    taken = await snapshot(repo.path)
    assert taken is not None
    repo.write("many/7.txt", "other\n")
    assert files(await changes_since(repo.path, taken)) == {"many/7.txt": ("modified", 1, 1)}
    assert len((await revert(repo.path)).files) == count
    await revert(repo.path, taken)
    assert (repo.path / "many/7.txt").read_text() == "7\n"


async def test_a_snapshot_is_a_state_to_compare_with(repo) -> None:
    """What was already changed or new then is no change since; the index is not touched."""
    repo.write("a.txt", "dirty\n")
    repo.write("new.txt", "new\n")
    repo.write("gone.txt", "gone\n")
    index = (repo.path / ".git" / "index").read_bytes()
    taken = await snapshot(repo.path)
    assert taken is not None
    assert await changes_since(repo.path, taken) == Changes()
    repo.write("new.txt", "newer\nnew\n")
    repo.write("later.txt", "l\n")
    (repo.path / "gone.txt").unlink()
    assert files(await changes_since(repo.path, taken)) == {
        "gone.txt": ("deleted", 0, 1),
        "later.txt": ("added", 1, 0),
        "new.txt": ("modified", 1, 0),
    }
    assert (repo.path / ".git" / "index").read_bytes() == index
    with pytest.raises(GitRefused, match="does not know"):
        await changes_since(repo.path, "0" * 40)


async def test_a_commit_in_between_changes_no_files(repo) -> None:
    """Files are compared, not commits: what an agent commits is still a change since."""
    taken = await snapshot(repo.path)
    assert taken is not None
    repo.commit("b.txt")
    assert files(await changes_since(repo.path, taken)) == {"b.txt": ("added", 1, 0)}


async def test_two_snapshots_are_compared_whatever_came_after(repo) -> None:
    """Files that git does not know are in both; what is outside of the directory in neither."""
    repo.write("sub/a.txt", "one\n")
    first = await snapshot(repo.path)
    repo.write("sub/a.txt", "one\ntwo\n")
    repo.write("sub/new.txt", "new\n")
    repo.write("other.txt", "other\n")
    second = await snapshot(repo.path)
    assert first is not None
    repo.write("sub/a.txt", "later\n")
    found = await changes_since(repo.path / "sub", first, second)
    assert files(found) == {"sub/a.txt": ("modified", 1, 0), "sub/new.txt": ("added", 1, 0)}
    assert "+two" in found.diff
    assert "later" not in found.diff
    short = await changes_since(repo.path, first, second, max_diff_bytes=100)
    assert short.cut
    assert await changes_since(repo.path, first, first) == Changes()
    with pytest.raises(GitRefused, match="does not know"):
        await changes_since(repo.path, first, "0" * 40)


async def test_large_new_files_are_told_but_not_taken_down(repo) -> None:
    """A copy of them at each turn would fill the disk."""
    taken = await snapshot(repo.path)
    assert taken is not None
    with (repo.path / "huge").open("wb") as file:
        file.truncate(60 * 1024 * 1024)
    (repo.path / "nowhere").symlink_to("gone")
    assert FileChange("huge", "added") in (await look(repo.path)).files
    assert await snapshot(repo.path) != taken
    assert files(await changes_since(repo.path, taken)) == {"nowhere": ("added", 1, 0)}


async def test_without_a_working_tree_there_is_nothing_to_see(tmp_path, repo) -> None:
    """A plain folder, a bare repository and a repository's own directory have no files."""
    bare = tmp_path / "bare.git"
    repo.git("clone", "--quiet", "--bare", str(repo.path), str(bare))
    for place in (tmp_path, bare, repo.path / ".git"):
        with pytest.raises(NotARepository):
            await look(place)
        assert await snapshot(place) is None


async def test_a_file_that_takes_a_folders_place(repo) -> None:
    """And the other way round: git's index cannot hold both."""
    repo.commit("x", "file\n")
    repo.commit("d/y", "y\n")
    (repo.path / "x").unlink()
    (repo.path / "d" / "y").unlink()
    (repo.path / "d").rmdir()
    repo.write("x/inner", "i\n")
    repo.write("d", "d\n")
    wanted = {"d": "added", "d/y": "deleted", "x": "deleted", "x/inner": "added"}
    assert {one.path: one.kind for one in (await look(repo.path)).files} == wanted
    taken = await snapshot(repo.path)
    assert taken is not None
    assert await changes_since(repo.path, taken) == Changes()
