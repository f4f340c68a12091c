"""Room that is kept back is really there, and only where it is not needed more."""

from pathlib import Path

import pytest

from takopi.store.reserve import Reserve

SIZE = 1536 * 1024


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name the file."""
    return tmp_path / "takopi.reserve"


class OnSparseDisk(Reserve):
    """Keep room on a file system that allocates nothing in advance."""

    def _allocate(self, descriptor: int) -> None:
        """Promise nothing."""


@pytest.mark.parametrize("kind", [Reserve, OnSparseDisk])
def test_the_room_is_really_taken(path: Path, kind: type[Reserve]) -> None:
    """Not a hole that the disk only promises; nobody else reads it."""
    reserve = kind(path, SIZE)
    assert not reserve.held
    assert reserve.restore()
    assert reserve.held
    status = path.stat()
    assert status.st_size == SIZE
    assert status.st_blocks * 512 >= SIZE
    assert status.st_mode & 0o777 == 0o600


def test_it_is_given_up_once(path: Path) -> None:
    """And can be made again."""
    reserve = Reserve(path, SIZE)
    assert not reserve.release()
    reserve.restore()
    assert reserve.release()
    assert not reserve.held
    assert not path.exists()
    assert not reserve.release()
    assert reserve.restore()


def test_one_that_somebody_removed_gives_nothing(path: Path) -> None:
    """A retry would be in vain."""
    reserve = Reserve(path, SIZE)
    reserve.restore()
    path.unlink()
    assert not reserve.release()


@pytest.mark.parametrize("content", [b"", b"x" * 10, None])
def test_what_is_no_reserve_is_made_one(path: Path, content: bytes | None) -> None:
    """What a crash left half made, or a hole that a copy made of it."""
    if content is None:
        with path.open("wb") as file:
            file.truncate(SIZE)
    else:
        path.write_bytes(content)
    assert Reserve(path, SIZE).restore()
    assert path.stat().st_blocks * 512 >= SIZE


def test_an_old_one_is_kept(path: Path) -> None:
    """Making it again would only wear the disk."""
    Reserve(path, SIZE).restore()
    before = path.stat()
    assert Reserve(path, SIZE).restore()
    assert path.stat().st_ino == before.st_ino
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_it_takes_no_last_room(path: Path) -> None:
    """Where not as much again stays free it is not made."""
    reserve = Reserve(path, 10**16)
    assert not reserve.restore()
    assert not reserve.held
    assert not path.exists()


def test_a_folder_that_is_gone_is_no_error(path: Path) -> None:
    """The journal beside it says what is wrong."""
    assert not Reserve(path.parent / "gone" / "takopi.reserve", SIZE).restore()
