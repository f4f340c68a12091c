"""A lock in a file: one holder, freed by the kernel, removed without a gap."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from takopi.errors import AccessError
from takopi.file_lock import FileLock


def test_one_has_it_and_says_who(tmp_path: Path) -> None:
    """Two objects exclude each other, also in one process; the file can be read meanwhile."""
    path = tmp_path / "deep" / "x.lock"
    first, second = FileLock(path), FileLock(path)
    assert first.acquire()
    assert first.held
    first.write(b"it is me, and I say much")
    first.write(b"it is me")
    assert not second.acquire()
    assert not second.held
    assert second.read() == b"it is me"
    second.release()
    first.release()
    assert second.acquire()
    assert second.read() == b"it is me"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_removed_file_locks_nobody_out_and_lets_no_two_in(tmp_path: Path) -> None:
    """Whoever opened the file before it was removed makes a new one."""
    path = tmp_path / "x.lock"
    first = FileLock(path)
    assert first.acquire()
    descriptor = os.open(path, os.O_RDWR)  # as somebody who waits has it
    first.release(remove=True)
    assert not path.exists()
    second, third = FileLock(path), FileLock(path)
    assert second.acquire()
    assert os.fstat(descriptor).st_ino != path.stat().st_ino
    assert not third.acquire()
    os.close(descriptor)
    assert third.read() == b""


def test_who_locked_a_file_that_was_taken_away_tries_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between opening and locking the former holder may remove it."""
    path = tmp_path / "x.lock"
    opened: list[int] = []
    system_open = os.open

    def racing(name: object, flags: int, *more: int) -> int:
        descriptor = system_open(name, flags, *more)
        if name == path:
            opened.append(descriptor)
            if len(opened) == 1:
                path.unlink()
            elif len(opened) == 2:
                path.unlink()
                path.write_bytes(b"")
        return descriptor

    monkeypatch.setattr(os, "open", racing)
    lock = FileLock(path)
    assert lock.acquire()
    assert len(opened) == 3
    monkeypatch.undo()
    assert not FileLock(path).acquire()


def test_a_forgotten_lock_is_free(tmp_path: Path) -> None:
    """Nothing that is garbage keeps others out, and nothing is warned about."""
    lock = FileLock(tmp_path / "x")
    assert lock.acquire()
    del lock
    gc.collect(1)  # what is young; to look at all there is takes a quarter of a second
    assert FileLock(tmp_path / "x").acquire()


def test_a_child_does_not_keep_it(tmp_path: Path) -> None:
    """Neither an engine nor a holder inherits the lock."""
    lock = FileLock(tmp_path / "x")
    assert lock.acquire()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    script = "print('up', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", script], close_fds=False, **pipes) as child:
        assert child.stdout
        child.stdout.readline()  # Popen returns a moment before the descriptors are closed
        lock.release()
        assert FileLock(tmp_path / "x").acquire()
        child.communicate(b"\n")


def test_what_cannot_be_locked_is_told_with_what_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link, a folder that is a file, a file system without locks."""
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(
        AccessError, match=r"link cannot be made: .*; look at what lies at .*link, and"
    ):
        FileLock(tmp_path / "link").acquire()
    assert not (tmp_path / "elsewhere").exists()
    (tmp_path / "file").touch()
    with pytest.raises(AccessError, match="move it away"):
        FileLock(tmp_path / "file" / "x").acquire()

    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(AccessError, match="x cannot be locked: Operation not supported"):
        FileLock(tmp_path / "x").acquire()
    assert FileLock(tmp_path / "nothing").read() == b""
    FileLock(tmp_path / "nothing").write(b"lost")
