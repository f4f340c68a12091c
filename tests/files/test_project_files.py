"""Files go into projects and out of them."""

# ruff: noqa: ASYNC240 - a test looks at a file in between, and nobody waits for it

import errno
import io
import os
import subprocess
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import BinaryIO

import anyio
import pytest

from takopi.core.chat import Document
from takopi.core.file_rules import DENIED, MB, FileRules
from takopi.errors import FileRefused
from takopi.files.project_files import IN_HAND_BYTES, LocalFiles
from takopi.files.zipping import ZipLimits, zip_folder

pytestmark = pytest.mark.anyio


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give a project with a secret in it and one beside it."""
    project = tmp_path / "shop"
    (project / "src").mkdir(parents=True)
    (project / "src" / "main.py").write_bytes(b"print(1)")
    (project / ".env").write_bytes(b"SECRET=1")
    (tmp_path / "outside").write_bytes(b"outside")
    (project / "link").symlink_to(tmp_path)
    return project


@pytest.fixture
def files(tmp_path: Path) -> LocalFiles:
    """Give the files of this machine, with small limits."""
    rules = FileRules(max_up=2 * MB, denied=(*DENIED, "private/**"))
    return LocalFiles(rules, tmp_path / "home" / "outgoing")


def content(what: bytes) -> Callable[[BinaryIO], Awaitable[None]]:
    """Write this into a file."""

    async def fill(file: BinaryIO) -> None:
        file.write(what)

    return fill


async def arrive(files: LocalFiles, root: Path, name: str, what: bytes) -> str:
    (place,) = await files.places(root, [name])
    await files.write(root, str(Path(place).relative_to(root)), content(what))
    return place


async def test_what_arrives_lies_in_its_folder_for_its_owner_alone(files, root):
    """The folder is made, the name is safe, and nobody else reads the file."""
    place = await arrive(files, root, "../../plan.pdf", b"plan")
    assert place == str(root / "incoming" / "plan.pdf")
    assert Path(place).read_bytes() == b"plan"
    assert Path(place).stat().st_mode & 0o777 == 0o600
    assert await files.has(place)
    assert not await files.has(place + "x")


async def test_nothing_is_overwritten(files, root):
    """Files of one name get numbers, also when they come together, and others' files stay."""
    first = await arrive(files, root, "a.txt", b"1")
    places = await files.places(root, ["a.txt", "a.txt", "b.txt"])
    names = [Path(place).name for place in places]
    assert names == ["a-2.txt", "a-3.txt", "b.txt"]
    with pytest.raises(FileRefused, match="already"):
        await files.write(root, "incoming/a.txt", content(b"2"))
    assert Path(first).read_bytes() == b"1"
    await files.write(root, "incoming/a.txt", content(b"2"), replace=True)
    assert Path(first).read_bytes() == b"2"


async def test_no_two_files_are_promised_one_place(files, root):
    """Not while the first still comes, nor when it was promised in another life."""
    first = await files.places(root, ["a.txt"])
    second = await files.places(root, ["a.txt"])
    third = await files.places(root, ["a.txt"], [str(root / "incoming" / "a-3.txt")])
    assert [Path(place).name for place in (*first, *second, *third)] == [
        "a.txt",
        "a-2.txt",
        "a-4.txt",
    ]


async def test_a_name_is_free_again_once_its_file_came_and_went(files, root):
    """An agent may move what arrives elsewhere, day after day."""
    for _ in range(3):
        place = await arrive(files, root, "report.csv", b"1")
        assert Path(place).name == "report.csv"
        Path(place).unlink()


async def test_a_file_that_comes_in_half_is_not_there(files, root):
    """Its name is given once it is whole."""

    async def fails(file: BinaryIO) -> None:
        file.write(b"half")
        raise LookupError

    with pytest.raises(LookupError):
        await files.write(root, "incoming/a.txt", fails)
    assert list((root / "incoming").iterdir()) == []


async def test_what_a_crash_left_of_a_file_is_removed(files, root):
    """Once nobody can be writing it any more; no other file is touched."""
    incoming = root / "incoming"
    incoming.mkdir()
    for name in (f".{'a' * 16}.part", f".{'b' * 16}.part", ".other.part", "a.txt"):
        (incoming / name).touch()
        if "b" not in name:
            os.utime(incoming / name, (0, 0))
    await files.places(root, ["x"])
    assert sorted(path.name for path in incoming.iterdir()) == [
        f".{'b' * 16}.part",
        ".other.part",
        "a.txt",
    ]


async def test_nothing_stays_of_a_file_that_nobody_wants_any_more(files, root):
    """Whoever waited for it was cancelled."""

    async def hangs(file: BinaryIO) -> None:
        file.write(b"half")
        await anyio.sleep_forever()

    with anyio.move_on_after(0.01):
        await files.write(root, "incoming/a.txt", hangs)
    assert list((root / "incoming").iterdir()) == []


async def test_a_disk_that_refuses_says_why(files, root):
    """A full disk is no mistake of takopi."""

    async def full(file: BinaryIO) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(FileRefused, match="No space left"):
        await files.write(root, "incoming/a.txt", full)
    (root.parent / "home").write_bytes(b"no folder")
    with pytest.raises(FileRefused, match=r"exists|Not a directory"):
        await files.read(root, "src")


async def test_an_incoming_folder_that_is_a_link_is_refused(files, root, tmp_path):
    """Nothing is written where a link leads."""
    (root / "incoming").symlink_to(tmp_path)
    with pytest.raises(FileRefused, match="a link or a file stands"):
        await files.places(root, ["a.txt"])


def git(root: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout


async def test_git_does_not_show_what_arrived(files, root, tmp_path):
    """Once, in a repository, in a folder of it and in a worktree; the project itself stays."""
    git(root, "init", "-q")
    git(root, "add", "src")
    git(root, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x")
    tree, part = tmp_path / "tree", root / "src"
    git(root, "worktree", "add", "-q", str(tree))
    for place in (root, tree, part):
        await arrive(files, place, "a.txt", b"1")
        await arrive(LocalFiles(files.rules, tmp_path), place, "b.txt", b"1")
    assert "incoming" not in git(root, "status", "--porcelain", "-uall")
    assert git(tree, "status", "--porcelain") == ""
    exclude = (root / ".git/info/exclude").read_text().splitlines()
    assert [line for line in exclude if "incoming" in line] == ["/incoming/", "/src/incoming/"]


@pytest.mark.parametrize("put", [os.mkdir, os.mkfifo])
async def test_a_repository_that_cannot_be_written_costs_no_file(files, root, put):
    """Git then shows the folder, and the file arrives all the same; a pipe keeps nobody waiting."""
    git(root, "init", "-q")
    exclude = root / ".git/info/exclude"
    exclude.unlink(missing_ok=True)
    exclude.parent.mkdir(exist_ok=True)
    put(exclude)
    assert Path(await arrive(files, root, "a.txt", b"1")).exists()


async def test_a_file_is_read(files, root):
    """By its path in the project, or by its whole path."""
    for name in ("src/main.py", "./src/main.py", str(root / "src/main.py")):
        assert await files.read(root, name) == Document("main.py", b"print(1)")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../outside", "straight down"),
        ("link/outside", "a link or a file"),
        ("link", "no plain file"),
        ("/etc/passwd", "outside of the project"),
        (".env", "kept private"),
        ("private/a.txt", "kept private"),
        (".git/config", "kept private"),
        ("nothing.txt", "nothing of that name"),
        ("empty", "it is empty"),
        ("large", "larger than 2 MB"),
        ("pipe", "no plain file"),
        ("src/\0", "hide"),
    ],
)
async def test_what_is_no_file_of_the_project_is_refused(files, root, name, why):
    """Each with the reason that a person can do something about."""
    (root / "empty").touch()
    (root / "large").write_bytes(b"x" * (2 * MB + 1))
    (root / "private").mkdir()
    (root / "private/a.txt").write_bytes(b"x")
    os.mkfifo(root / "pipe")
    with pytest.raises(FileRefused, match=why):
        await files.read(root, name)
    assert await files.there(root, [name], 3) == ()


async def test_a_large_file_is_sent_from_a_private_copy(files, root, tmp_path):
    """It stays as it was read, whatever becomes of the original, and goes once it was sent."""
    what = os.urandom(IN_HAND_BYTES + 1)
    (root / "big.bin").write_bytes(what)
    document = await files.read(root, "big.bin")
    assert (document.filename, document.content) == ("big.bin", b"")
    (root / "big.bin").unlink()
    copy = Path(document.path)
    assert copy.read_bytes() == what
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.parent.stat().st_mode & 0o777 == 0o700
    old = copy.with_name("old")
    old.touch()
    os.utime(old, (0, 0))
    await files.read(root, "src/main.py")
    assert (copy.exists(), old.exists()) == (True, False)
    await files.sent(document)
    await files.sent(Document("other", b"x", path=str(root / "src/main.py")))
    assert not copy.exists()
    assert (root / "src/main.py").exists()


async def test_a_folder_comes_as_a_zip_file(files, root):
    """Without secrets and without what links lead to; the same twice over."""
    (root / "src/deep").mkdir()
    (root / "src/deep/a.txt").write_bytes(b"deep")
    (root / "src/server.pem").write_bytes(b"secret")
    (root / "src/link").symlink_to(root / ".env")
    os.mkfifo(root / "src/pipe")
    document = await files.read(root, "src/")
    assert document.filename == "src.zip"
    with zipfile.ZipFile(io.BytesIO(document.content)) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    assert found == {"deep/a.txt": b"deep", "main.py": b"print(1)"}
    os.utime(root / "src/main.py", (5, 5))
    assert await files.read(root, str(root / "src")) == document


async def test_the_whole_project_comes_too(files, root):
    """By a dot, or by the path of the project."""
    document = await files.read(root, ".")
    assert document.filename == "shop.zip"
    with zipfile.ZipFile(io.BytesIO(document.content)) as archive:
        assert archive.namelist() == ["src/main.py"]
    assert await files.read(root, str(root)) == document


async def test_a_large_folder_is_sent_from_a_copy_up_to_the_limit(files, root, tmp_path):
    """A zip file that is too large is refused, and nothing of it stays."""
    (root / "src/a.bin").write_bytes(os.urandom(IN_HAND_BYTES + 1))
    document = await files.read(root, "src")
    assert zipfile.is_zipfile(document.path)
    await files.sent(document)
    (root / "src/b.bin").write_bytes(os.urandom(IN_HAND_BYTES + 1))
    with pytest.raises(FileRefused, match="larger than 2 MB"):
        await files.read(root, "src")
    assert list((tmp_path / "home/outgoing").iterdir()) == []


async def test_a_folder_without_files_is_refused(files, root):
    """There is nothing to send, and a message says so."""
    (root / "none").mkdir()
    with pytest.raises(FileRefused, match="no file in it"):
        await files.read(root, "none")


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (ZipLimits(max_bytes=MB, max_files=1), "too many files"),
        (ZipLimits(max_bytes=MB, max_read=5), "larger than"),
    ],
)
async def test_a_zip_file_is_bounded(root, limits, why):
    """By how much is read and how many files there are, not by its own size alone."""
    (root / "src/other.py").write_bytes(b"print(2)")
    folder = os.open(root / "src", os.O_RDONLY)
    with pytest.raises(FileRefused, match=why):
        zip_folder(folder, "src", io.BytesIO(), DENIED, limits)
    os.close(folder)


async def test_what_lies_too_deep_is_left_out(root):
    """And counted, as is what cannot be opened."""
    (root / "src/deep").mkdir()
    (root / "src/deep/a.txt").write_bytes(b"deep")
    folder = os.open(root / "src", os.O_RDONLY)
    done = zip_folder(folder, "src", io.BytesIO(), (), ZipLimits(max_bytes=MB, max_depth=1))
    assert (done.files, done.left_out) == (1, 1)
    os.close(folder)


async def test_the_first_files_that_are_there_are_found(files, root):
    """Of many names, in their order, and no more than asked for."""
    for name in ("a.png", "b.png", "c.png"):
        (root / name).write_bytes(b"x")
    names = ["none.png", "a.png", ".env", "c.png", "b.png"]
    assert await files.there(root, names, 2) == ("a.png", "c.png")


async def test_folders_are_known(files, root):
    """What is no folder, or is refused, is none."""
    assert await files.is_folder(root, "src")
    for name in ("src/main.py", "link", "none", "../shop"):
        assert not await files.is_folder(root, name)


async def test_what_is_not_there_is_said_in_words_of_the_chat(files, root):
    """The system's own words are never translated, so they are not used for it."""
    for name in ("nope.txt", "src/nope/deep.txt"):
        with pytest.raises(FileRefused) as refused:
            await files.read(root, name)
        assert refused.value.why == "there is nothing of that name"
