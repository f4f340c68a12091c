"""Identities: this process and no other, on every kind of system."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from takopi.process.identity import (
    boot_id,
    command_line,
    descendants,
    environment_mark,
    is_alive,
    ps_output,
    read_file,
    send_signal,
    start_time,
    stat_fields,
)

NOWHERE = "/nowhere"


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """Give a process that may be ended."""
    with subprocess.Popen(["sleep", "300"], env={"MARK": "m=1", "PATH": os.environ["PATH"]}) as one:
        while not command_line(one.pid):  # the kernel is still about to start it
            pass
        yield one
        one.kill()


def test_a_process_is_known_by_pid_and_start(sleeper: subprocess.Popen[bytes]) -> None:
    """Another start time is another process; a zombie and a ghost do not live."""
    start = start_time(sleeper.pid)
    assert start is not None
    assert is_alive(sleeper.pid, start)
    assert not is_alive(sleeper.pid, start + "0")
    assert not is_alive(0, start)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert start_time(sleeper.pid) is None
    assert not is_alive(sleeper.pid, start)
    sleeper.wait()
    assert stat_fields(sleeper.pid) is None


def test_a_name_with_parentheses_does_not_confuse(tmp_path: Path) -> None:
    """The command name in /proc may hold anything but is cut out whole."""
    directory = tmp_path / "7"
    directory.mkdir()
    rest = " ".join(["5", *["0"] * 15, "1", "0", "4242", "0"])
    (directory / "stat").write_text(f"7 (a) b (c)) S {rest}\n")
    assert stat_fields(7, str(tmp_path)) == (True, 5, "4242")
    (directory / "stat").write_text(f"7 (x) Z {rest.replace(' 1 0 4242', ' 3 0 4242')}\n")
    assert stat_fields(7, str(tmp_path)) == (True, 5, "4242"), "threads outlive the first one"
    (directory / "stat").write_text(f"7 (x) Z {rest}\n")
    assert stat_fields(7, str(tmp_path)) == (False, 5, "4242")
    (directory / "stat").write_text("7 (x) S 1\n")
    assert stat_fields(7, str(tmp_path)) is None


def test_what_a_process_was_started_with_can_be_read(sleeper: subprocess.Popen[bytes]) -> None:
    """Command line and environment of our own processes; nothing of those that are gone."""
    assert command_line(sleeper.pid) == "sleep 300"
    assert environment_mark(sleeper.pid, b"MARK") == "m=1"
    assert environment_mark(sleeper.pid, b"MAR") is None
    assert command_line(2**22 + 1) == ""
    assert read_file("/proc") == b"", "a directory is no file"


def test_descendants_are_found_with_listed_children_and_without(
    sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    """A kernel that does not list children is asked for all processes; the dead do not count."""
    start = start_time(sleeper.pid)
    found = [one for one in descendants(os.getpid()) if one[0] == sleeper.pid]
    assert found == [(sleeper.pid, os.getpid(), start)]
    states = {1: (0, "S"), 2: (1, "S"), 3: (2, "S"), 4: (1, "Z"), 5: (9, "S")}
    for pid, (parent, state) in states.items():
        (tmp_path / str(pid)).mkdir()
        rest = " ".join([*["0"] * 15, "1", "0", f"{pid}000", "0"])
        (tmp_path / str(pid) / "stat").write_text(f"{pid} (x) {state} {parent} {rest}\n")
    assert descendants(1, str(tmp_path)) == [(2, 1, "2000"), (3, 2, "3000")]
    (tmp_path / "1" / "task" / "1").mkdir(parents=True)
    (tmp_path / "1" / "task" / "1" / "children").write_text("2 4 77 ")
    assert descendants(1, str(tmp_path)) == [(2, 1, "2000")]


def test_this_boot_has_an_id() -> None:
    """Linux names each boot; elsewhere the id is empty."""
    assert len(boot_id()) == 36
    assert boot_id(NOWHERE) == ""


def test_without_proc_ps_tells(sleeper: subprocess.Popen[bytes]) -> None:
    """Start time and command come from ps where there is no /proc."""
    start = start_time(sleeper.pid, NOWHERE)
    assert start is not None
    assert len(start.split()) == 5
    assert command_line(sleeper.pid, NOWHERE) == "sleep 300"
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert start_time(sleeper.pid, NOWHERE) is None
    assert start_time(2**22 + 1, NOWHERE) is None


def test_without_ps_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without ps gives empty answers, not exceptions."""
    monkeypatch.setattr(os, "defpath", "/nowhere")
    assert ps_output("-A") == ""


def test_a_process_of_another_user_is_left_alone(
    sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What we may not signal is told as not signalled, and is no error."""

    def forbid(pid: int, number: int) -> None:
        raise PermissionError(errno.EPERM, "not yours")

    start = start_time(sleeper.pid)
    assert start is not None
    with monkeypatch.context() as system:
        system.setattr(os, "pidfd_open", _refuse)
        system.setattr(os, "kill", forbid)
        assert not send_signal(sleeper.pid, start, signal.SIGTERM)


def test_a_shortage_of_descriptors_is_no_death() -> None:
    """A program with too many open files does not take the living for dead."""
    script = (
        "import os, resource\n"
        "from takopi.process.identity import read_file, start_time\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
        "for ask in (lambda: start_time(os.getpid()), lambda: read_file('/proc/1/stat')):\n"
        "    try: ask()\n"
        "    except OSError: print('unknown')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=True)
    assert done.stdout.split() == [b"unknown"] * 2


def _refuse(pid: int) -> int:
    raise OSError(errno.ENOSYS, "refused by a filter")


@pytest.mark.parametrize("system", ["pidfd", "no pidfd", "pidfd refused"])
def test_only_the_very_process_is_signalled(
    sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    """With a descriptor and without: a wrong start time is never signalled, the right one is."""
    if system == "no pidfd":
        monkeypatch.delattr(os, "pidfd_open")
    elif system == "pidfd refused":
        monkeypatch.setattr(os, "pidfd_open", _refuse)
    start = start_time(sleeper.pid)
    assert start is not None
    assert not send_signal(sleeper.pid, start + "1", signal.SIGKILL)
    assert sleeper.poll() is None
    assert send_signal(sleeper.pid, start, signal.SIGKILL)
    assert sleeper.wait() == -signal.SIGKILL
    assert not send_signal(sleeper.pid, start, signal.SIGKILL)
