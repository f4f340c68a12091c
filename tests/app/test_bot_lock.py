"""The bot that serves a folder is found, and nobody else is taken for it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from takopi.app.bot_lock import RunningBot, ServiceUnit, running_bot, service_of
from takopi.app.home import Home
from takopi.app.locks import Flock
from takopi.process.identity import start_time


@pytest.fixture
def home(takopi_home: Path) -> Home:
    return Home(takopi_home)


def test_the_holder_of_the_lock_is_the_bot(home) -> None:
    """By pid and start time, while it holds the lock and no longer."""
    assert running_bot(home) is None
    lock = Flock(home.bot_lock)
    lock.acquire()
    assert running_bot(home) == RunningBot(os.getpid(), start_time(os.getpid()) or "")
    lock.release()
    assert running_bot(home) is None


def test_a_process_that_got_the_number_is_no_bot(home) -> None:
    """Neither when it lives, nor when it has the file open without the lock, nor when gone."""
    home.bot_lock.write_text(str(os.getpid()))
    assert running_bot(home) is None
    with home.bot_lock.open("rb"):
        assert running_bot(home) is None
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    for text in (str(done.pid), "", "nonsense", "-1"):
        home.bot_lock.write_text(text)
        assert running_bot(home) is None


def test_a_system_without_proc_is_asked_in_another_way(home, tmp_path) -> None:
    """There it is enough that the process has the file open: no system call says more."""
    proc = str(tmp_path / "no-proc")
    assert running_bot(home, proc) is None
    lock = Flock(home.bot_lock)
    lock.acquire()
    bot = running_bot(home, proc)
    assert bot is not None
    assert bot.pid == os.getpid()
    assert bot.start == start_time(os.getpid(), proc)
    lock.release()
    assert running_bot(home, proc) is None
    home.bot_lock.write_text("999999999")
    assert running_bot(home, proc) is None


def test_looking_for_the_bot_keeps_none_from_starting(home) -> None:
    """A bot may take the lock at the very moment of a look."""
    lock = Flock(home.bot_lock)
    for _ in range(20):
        running_bot(home)
        assert lock.acquire() is None
        lock.release()


@pytest.mark.parametrize(
    ("cgroup", "service"),
    [
        (
            "0::/user.slice/user-1000.slice/user@1000.service/app.slice/takopi.service",
            ServiceUnit("takopi.service", user=True),
        ),
        ("0::/system.slice/takopi.service", ServiceUnit("takopi.service", user=False)),
        (
            "12:pids:/system.slice/a\n1:name=systemd:/system.slice/x.service",
            ServiceUnit("x.service", user=False),
        ),
        ("0::/user.slice/user-1000.slice/session-3.scope", None),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-konsole.scope", None),
        ("0::/user.slice/user-1000.slice/user@1000.service", None),
        ("0::/", None),
        ("", None),
    ],
)
def test_the_service_of_a_bot_is_that_of_its_control_group(tmp_path, cgroup, service) -> None:
    """A bot in a terminal has none, although systemd has a scope for that."""
    folder = tmp_path / "7"
    folder.mkdir()
    (folder / "cgroup").write_text(cgroup)
    assert service_of(7, str(tmp_path)) == service
    if service is not None:
        assert service.systemctl.endswith("--user") is service.user
