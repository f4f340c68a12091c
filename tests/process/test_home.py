"""The folders of takopi: made private, refused when open to others."""

import errno
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from takopi.errors import AccessError
from takopi.process.home import home_id, private_directory


def test_a_new_folder_is_private(tmp_path: Path) -> None:
    """What takopi makes is 0700, parents as the person's umask wants them."""
    made = private_directory(tmp_path / "a" / "b")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_folder_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    """The text has the command that mends it."""
    tmp_path.chmod(mode)
    with pytest.raises(
        AccessError, match=f"writable by others; mend it with: chmod 700 {tmp_path}"
    ):
        private_directory(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """Whoever owns the folder could put runs into it."""
    os.chown(tmp_path, 12345, 12345)
    with pytest.raises(AccessError, match=r"another user; mend it with: sudo chown"):
        private_directory(tmp_path)


def test_a_home_has_one_id(tmp_path: Path) -> None:
    """Many that start at once agree on one id, which is private and stays."""
    home = tmp_path / "home"
    with ThreadPoolExecutor(8) as pool:
        (found,) = set(pool.map(lambda _: home_id(home), range(16)))
    assert len(found) == 16
    assert home_id(home) == found
    assert stat.S_IMODE((home / "home-id").stat().st_mode) == 0o600
    assert [path.name for path in home.iterdir()] == ["home-id"]
    assert home_id(tmp_path / "other") != found


def test_an_empty_id_is_made_anew(tmp_path: Path) -> None:
    """A file that a power cut left empty is no id."""
    (tmp_path / "home-id").touch()
    tmp_path.chmod(0o700)
    assert home_id(tmp_path) == home_id(tmp_path) != ""


def test_a_file_system_without_links_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no hard link can be made the id is written all the same."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    tmp_path.chmod(0o700)
    assert home_id(tmp_path) == home_id(tmp_path) != ""
