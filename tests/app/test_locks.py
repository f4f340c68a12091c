"""One bot for a folder and one for a token."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.bot_process import untraced
from takopi.app.locks import BotLocks, Flock, token_lock_path
from takopi.errors import AccessError, UsageError

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFake_-x"


def locks(home: Path, state: Path, url: str | None = None, token: str = TOKEN) -> BotLocks:
    home.mkdir(exist_ok=True)
    return BotLocks(home, token, url, {"XDG_STATE_HOME": str(state)})


def test_the_second_one_learns_who_holds_it(tmp_path: Path) -> None:
    """For the folder and for the token, with the process and what to do."""
    with locks(tmp_path / "a", tmp_path):
        for home, what, how in (
            ("a", f"the folder {tmp_path / 'a'}", "takopi stop"),
            ("b", "the bot with this token", f"kill {os.getpid()}"),
        ):
            with pytest.raises(UsageError) as caught, locks(tmp_path / home, tmp_path):
                pass
            assert f"{what} is already served" in str(caught.value)
            assert f"(process {os.getpid()}); end that one with `{how}`, or" in str(caught.value)
        with locks(tmp_path / "b", tmp_path, token="9" + TOKEN):
            pass
        with locks(tmp_path / "c", tmp_path, url="http://127.0.0.1:1"):
            pass
    with locks(tmp_path / "a", tmp_path):
        pass


def test_a_refused_token_frees_the_folder(tmp_path: Path) -> None:
    """Half a start leaves nothing locked."""
    with locks(tmp_path / "a", tmp_path):
        with pytest.raises(UsageError), locks(tmp_path / "b", tmp_path):
            pass
        assert Flock(tmp_path / "b" / "bot.lock").acquire() is None


def test_fifty_at_once_and_one_wins(tmp_path: Path) -> None:
    """However many start in the same moment, exactly one gets the lock."""
    # Forked after the imports, and held back by a pipe: so they really come at once.
    code = (
        "import os, sys; from pathlib import Path; from takopi.app.locks import Flock\n"
        "go, start = os.pipe()\n"
        "for _ in range(50):\n"
        "    if os.fork() == 0:\n"
        "        os.close(start); os.read(go, 1)\n"
        "        lock = Flock(Path(sys.argv[1])); won = lock.acquire() is None\n"
        "        os.write(1, b'won\\n' if won else b'lost\\n'); sys.stdin.read(); os._exit(0)\n"
        "os.close(start)\n"
        "for _ in range(50): os.wait()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=untraced(os.environ),
    ) as parent:
        assert parent.stdout is not None
        said = [parent.stdout.readline().strip() for _ in range(50)]
        parent.communicate()
    assert sorted(said) == ["lost"] * 49 + ["won"]


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    """The kernel frees the lock; a stale number in the file harms nobody."""
    path = tmp_path / "lock"
    path.write_text("999999")
    assert Flock(path).acquire() is None
    assert path.read_text() == str(os.getpid())


def test_a_lock_without_a_number_is_a_lock(tmp_path: Path) -> None:
    """Between locking and writing the number nobody else gets in."""
    path = tmp_path / "bot.lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert Flock(path).acquire() == 0
        with pytest.raises(UsageError, match="another process"), locks(tmp_path, tmp_path):
            pass


def test_engines_do_not_inherit_a_lock(tmp_path: Path) -> None:
    """A child that outlives the bot does not keep the next bot out."""
    lock = Flock(tmp_path / "lock")
    assert lock.acquire() is None
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, close_fds=False) as child:
        lock.release()
        lock.release()
        # The kernel wakes the parent a moment before it closes what is closed on exec.
        while Flock(tmp_path / "lock").acquire() is not None:
            assert child.poll() is None
        child.kill()


def test_a_place_that_cannot_be_locked_is_told(tmp_path: Path) -> None:
    """With the command that mends it; a link in its place is not followed."""
    (tmp_path / "file").write_text("")
    with pytest.raises(AccessError, match="look at what lies at"):
        Flock(tmp_path / "file" / "lock").acquire()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AccessError, match="cannot be made"):
        Flock(tmp_path / "link").acquire()
    assert not (tmp_path / "elsewhere").exists()


def test_the_token_is_no_part_of_the_name() -> None:
    """The lock's name tells neither the token nor the bot; it is the same after a new token."""
    path = token_lock_path(TOKEN, None, {})
    assert path.parent == Path.home() / ".local" / "state" / "takopi"
    assert "123456789" not in path.name
    assert path == token_lock_path("123456789:other", None, {})
