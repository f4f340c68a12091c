"""Files below a folder, and nothing else."""

import os
import socket
import stat
from pathlib import Path

import pytest

from takopi.errors import FileRefused
from takopi.utils import safe_files
from takopi.utils.safe_files import DENIED, is_denied, open_below, write_below


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give a project with a file, and a secret beside it."""
    project = tmp_path / "project"
    (project / "src").mkdir(parents=True)
    (project / "src" / "main.py").write_bytes(b"print(1)")
    (tmp_path / "secret").write_bytes(b"secret")
    return project


def read(root: Path, name: str) -> bytes:
    with open_below(root, name) as file:
        return file.read()


def put(root: Path, name: str, content: bytes = b"new", **how: bool) -> None:
    with write_below(root, name, **how) as file:
        file.write(content)


def test_a_plain_file_is_read(root: Path) -> None:
    """Also one with spaces, dots and letters of any script in its name."""
    assert read(root, "src/main.py") == b"print(1)"
    for name in ("größe und 日本語.txt", "a..b", "...", "👨\u200d👩\u200d👧.png", "-rf", "*"):
        (root / name).write_bytes(b"x")
        assert read(root, name) == b"x"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "empty"),
        ("a/" * 3000 + "b", "too long"),
        ("x" * 256, "part of it is too long"),
        ("../secret", "straight down"),
        ("src/../../secret", "straight down"),
        ("./src/main.py", "straight down"),
        ("src//main.py", "straight down"),
        ("src/", "straight down"),
        ("．．/secret", "straight down"),
        ("/etc/passwd", "relative"),
        ("~/secret", "relative"),
        ("..\\secret", "relative"),
        ("src/main.py\0.txt", "hide"),
        ("src/\u202eyp.niam", "hide"),
        ("a\nb", "hide"),
        ("\ud83d", "hide"),
        ("src", "no plain file"),
        ("src/none.py", "nothing of that name"),
        ("src/main.py/x", "where a folder should be"),
        ("none/x", "nothing of that name"),
    ],
)
def test_what_is_no_name_of_a_file_below_is_refused(root: Path, name: str, why: str) -> None:
    """With the reason, and with a name that is harmless to show."""
    with pytest.raises(FileRefused, match=why) as caught:
        open_below(root, name)
    assert str(caught.value).isprintable()
    assert "name another one" in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        ".env", ".ENV", ".env.local", "deploy/.env", "prod.env", ".git/config", "sub/.git/HEAD",
        ".GIT/config", ".g\u200cit/config", ".git./config", ".git /config", "．git/config",
        ".ssh/id_rsa", "home/.ssh/known_hosts", "server.pem", "server.PEM", "tls/server.key",
        "id_ed25519", "id_rsa.pub", ".aws/credentials", ".netrc", ".docker/config.json",
        "x/.docker/config.json", "credentials.json", "takopi.toml", "a/takopi.db-wal",
        ".git/../src/main.py",
    ],
)  # fmt: skip
def test_secrets_are_denied(root: Path, name: str) -> None:
    """In any case, width and depth, and however invisible characters are mixed in."""
    assert is_denied(name)
    with pytest.raises(FileRefused):
        open_below(root, name)
    with pytest.raises(FileRefused), write_below(root, name):
        pass
    assert sorted(path.name for path in root.rglob("*")) == ["main.py", "src"]


@pytest.mark.parametrize(
    "name", ["environment.md", "src/git/x", "keys.md", "key", "pem", ".gitignore", ".github/x.yml"]
)
def test_what_only_looks_alike_is_not_denied(name: str) -> None:
    """A pattern is about whole components."""
    assert not is_denied(name)


def test_the_patterns_can_be_changed(root: Path) -> None:
    """Those of a configuration take the place of the usual ones."""
    assert is_denied("src/private/a/b", (*DENIED, "**/private/**"))
    assert is_denied("docs/a.txt", ("docs/*.txt",))
    assert not is_denied(".env", ())
    with pytest.raises(FileRefused, match="kept private"):
        open_below(root, "src/main.py", denied=("*.py",))


def test_links_are_not_followed(root: Path, tmp_path: Path) -> None:
    """Neither to a file nor to a folder, neither out of the project nor inside it."""
    (root / "out").symlink_to(tmp_path)
    (root / "file").symlink_to(tmp_path / "secret")
    (root / "inside").symlink_to("src")
    for name in ("out/secret", "file", "inside/main.py"):
        with pytest.raises(FileRefused):
            open_below(root, name)
        with pytest.raises(FileRefused), write_below(root, name, replace=True):
            pass
    assert (tmp_path / "secret").read_bytes() == b"secret"
    with pytest.raises(FileRefused), write_below(root, "out/new"):
        pass
    assert not (tmp_path / "new").exists()


def test_the_project_itself_may_be_reached_by_a_link(root: Path, tmp_path: Path) -> None:
    """What a person configured is trusted."""
    (tmp_path / "link").symlink_to(root)
    assert read(tmp_path / "link", "src/main.py") == b"print(1)"
    with pytest.raises(FileRefused, match="nothing of that name"):
        open_below(tmp_path / "none", "x")


def test_pipes_sockets_and_devices_are_refused_at_once(root: Path) -> None:
    """Opening one would hang, or do what a person did not ask for."""
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(root / "socket"))
    for name in ("pipe", "socket"):
        with pytest.raises(FileRefused, match="no plain file"):
            open_below(root, name)
        with pytest.raises(FileRefused, match="no plain file"):
            put(root, name, replace=True)
    with pytest.raises(FileRefused, match="no plain file"):
        open_below(Path("/dev"), "zero")


def test_a_pipe_that_takes_a_files_place_in_between_is_refused(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is open is looked at again, and opening it does not wait."""
    (root / "file").write_bytes(b"x")
    look = os.stat

    def look_and_swap(path: object, **how: object) -> os.stat_result:
        seen = look(path, **how)  # type: ignore[call-overload]
        (root / "file").unlink()
        os.mkfifo(root / "file")
        return seen

    monkeypatch.setattr(safe_files.os, "stat", look_and_swap)
    with pytest.raises(FileRefused, match="no plain file"):
        open_below(root, "file")


def test_a_file_is_written_whole_or_not_at_all(root: Path) -> None:
    """With the folders on its way, for the person's umask, and nothing else beside it."""
    put(root, "a/b/new.txt")
    assert (root / "a/b/new.txt").read_bytes() == b"new"
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((root / "a/b/new.txt").stat().st_mode) == 0o666 & ~umask
    writing = write_below(root, "a/b/half")
    writing.__enter__().write(b"half")
    assert writing.__exit__(ZeroDivisionError, ZeroDivisionError(), None) is False
    assert [path.name for path in (root / "a/b").iterdir()] == ["new.txt"]


def test_a_file_is_replaced_only_when_that_was_asked_for(root: Path) -> None:
    """Also when it is made while the new one is written."""
    with pytest.raises(FileRefused, match="already"):
        put(root, "src/main.py")
    put(root, "src/main.py", replace=True)
    assert read(root, "src/main.py") == b"new"
    writing = write_below(root, "late")
    writing.__enter__().write(b"ours")
    (root / "late").write_bytes(b"theirs")
    with pytest.raises(FileRefused, match="already"):
        writing.__exit__(None, None, None)
    assert read(root, "late") == b"theirs"
    assert sorted(path.name for path in root.iterdir()) == ["late", "src"]


def test_what_cannot_be_put_in_place_is_refused(root: Path) -> None:
    """A folder that came in between stays, and no draft is left."""
    writing = write_below(root, "late", replace=True)
    writing.__enter__().write(b"ours")
    (root / "late").mkdir()
    with pytest.raises(FileRefused):
        writing.__exit__(None, None, None)
    assert sorted(path.name for path in root.iterdir()) == ["late", "src"]
    (root / "closed").mkdir(mode=0o500)
    (root / "taken").write_bytes(b"x")
    with pytest.raises(FileRefused):
        put(root, "taken/x")


def test_replacing_does_not_write_through_a_hard_link(root: Path, tmp_path: Path) -> None:
    """The other name keeps what it had."""
    os.link(tmp_path / "secret", root / "file")
    put(root, "file", replace=True)
    assert read(root, "file") == b"new"
    assert (tmp_path / "secret").read_bytes() == b"secret"
