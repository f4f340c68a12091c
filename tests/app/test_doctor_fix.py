"""`takopi doctor --fix`: what can be mended without asking is, and each thing is said."""

import os
import stat
from pathlib import Path

import pytest

from takopi.app.doctor_fix import mend
from takopi.app.home import Home


def modes(*paths: Path) -> list[int]:
    return [stat.S_IMODE(path.stat().st_mode) for path in paths]


def test_what_is_open_to_others_is_closed(tmp_path: Path) -> None:
    """Folder, configuration, journal and runs; other files stay as they are."""
    home = Home(tmp_path / "home")
    run = home.runs / "one"
    run.mkdir(parents=True)
    home.runners.mkdir()
    notes, engine = home.path / "notes.txt", home.runners / "mine.py"
    for path in (home.config, home.journal, notes, engine):
        path.write_text("")
        path.chmod(0o664)
    for folder in (home.path, home.runs, home.runners, run):
        folder.chmod(0o755)
    repairs = mend(home)
    assert all(repair.done for repair in repairs)
    assert f"closed {home.config} to others (mode 0664 became 0600)" in {r.text for r in repairs}
    assert modes(home.path, home.runs, home.runners, run) == [0o700] * 4
    assert modes(home.config, home.journal, engine, notes) == [0o600, 0o600, 0o600, 0o664]
    assert mend(home) == []


def test_missing_folders_are_made(tmp_path: Path) -> None:
    """Where something else lies in the way, that is said and left."""
    home = Home(tmp_path / "a" / "home")
    assert [repair.text for repair in mend(home)] == [
        f"made {home.path}",
        f"made {home.runs}",
        f"made {home.runners}",
    ]
    assert modes(home.path, home.runs) == [0o700, 0o700]
    home.runs.rmdir()
    home.runs.write_text("")
    home.runs.chmod(0o600)
    (repair,) = mend(home)
    assert not repair.done
    assert repair.text == f"{home.runs} cannot be made: File exists"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_what_cannot_be_opened_is_told(tmp_path: Path) -> None:
    """A file that its owner cannot read is not guessed about."""
    home = Home(tmp_path)
    mend(home)
    home.config.write_text("")
    home.config.chmod(0o000)
    (repair,) = mend(home)
    assert not repair.done


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_belongs_to_another_is_told(tmp_path: Path) -> None:
    """Its owner has to close it."""
    home = Home(tmp_path)
    mend(home)
    home.config.write_text("")
    home.config.chmod(0o644)
    os.chown(home.config, 12345, -1)
    (repair,) = mend(home)
    assert repair.text == f"{home.config} is open to others and belongs to another user"
    assert not repair.done


def test_a_link_in_a_circle_is_told(tmp_path: Path) -> None:
    """It leads nowhere, so there is nothing to close."""
    home = Home(tmp_path / "home")
    mend(home)
    home.config.symlink_to(home.config)
    (repair,) = mend(home)
    assert not repair.done
    assert repair.text.startswith(f"{home.config} cannot be opened: ")
