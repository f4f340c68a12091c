"""Paths as a person reads them: relative to the run's directory."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takopi.utils.paths import (
    get_run_base_dir,
    relativize_command,
    relativize_path,
    reset_run_base_dir,
    set_run_base_dir,
)

BASE = Path("/srv/app")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/srv/app/src/a.py", "src/a.py"),
        ("/srv/app", "."),
        ("/srv/app/", "."),
        ("/srv/app-old/a.py", "/srv/app-old/a.py"),
        ("/srv/ap", "/srv/ap"),
        ("src/a.py", "src/a.py"),
        ("", ""),
    ],
)
def test_a_path_below_the_directory_is_shortened(value: str, expected: str) -> None:
    """A neighbour that begins alike is not below it."""
    assert relativize_path(value, base_dir=BASE) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("cat /srv/app/a.py", "cat a.py"),
        ("cd /srv/app && ls", "cd . && ls"),
        ("cd /srv/app/ && ls", "cd . && ls"),
        ("cat '/srv/app/a b.py' \"/srv/app/c\"", "cat 'a b.py' \"c\""),
        ("ls '/srv/app'", "ls '.'"),
        ("ls /srv/app-old/x /mnt/srv/app/x", "ls /srv/app-old/x /mnt/srv/app/x"),
        ("A=/srv/app/x:/srv/app/y", "A=x:y"),
        ("ls /srv/app.bak", "ls /srv/app.bak"),
        ("ls /srv/app/src /srv/app", "ls src ."),
        ("echo hi", "echo hi"),
    ],
)
def test_paths_in_a_command_are_shortened(value: str, expected: str) -> None:
    """Whole paths only, so that what is shown still means the same."""
    assert relativize_command(value, base_dir=BASE) == expected


def test_the_directory_of_the_context_counts() -> None:
    """Without one it is the process's own directory."""
    assert get_run_base_dir() is None
    token = set_run_base_dir(BASE)
    assert get_run_base_dir() == BASE
    assert relativize_path("/srv/app/x") == "x"
    reset_run_base_dir(token)
    assert relativize_path(str(Path.cwd() / "x")) == "x"


def test_the_root_shortens_nothing() -> None:
    """Else every path would lose its slash."""
    assert relativize_path("/etc/hosts", base_dir=Path("/")) == "/etc/hosts"
    assert relativize_command("cat /etc/hosts", base_dir=Path("/")) == "cat /etc/hosts"


@given(st.text(st.sampled_from("/srvap .'-x"), max_size=40))
def test_a_path_that_was_shortened_can_be_resolved_again(value: str) -> None:
    """Joined to the directory it is the same place."""
    short = relativize_path(value, base_dir=BASE)
    if short != value:
        assert (BASE / short) == Path(value) or short.startswith("/")
