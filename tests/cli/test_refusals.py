"""What the bot refuses to start with, before it asks Telegram anything."""

from pathlib import Path

import pytest

from fakes.telegram_api import TOKEN
from takopi.process import default_host
from takopi.runner import current_runtime

pytestmark = pytest.mark.usefixtures("toy")

UNREADABLE = Path("/proc/self/mem")  # it opens, and fails when it is read


def write(home: Path, text: str, chat_id: int = 5) -> Path:
    path = home / "takopi.toml"
    path.write_text(
        f'{text}\n[transports.telegram]\nbot_token = "{TOKEN}"\nchat_id = {chat_id}\n'
        'api_base_url = "http://127.0.0.1:9"\n'
    )
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("text", "arguments", "status", "told"),
    [
        ('default_engine = "nosuch"', [], 78, 'default_engine is "nosuch"; accepted: '),
        ("max_runs = 0", ["toy"], 78, "max_runs is 0; accepted: "),
        ("toy = 1", ["toy"], 78, "toy is 1; accepted: a table"),
        ("[codex]\nsandbx = 1", ["codex"], 78, "`codex.sandbx` is no key of codex"),
        ("[codex]\nsandbx = 1", ["chat", "--engine", "codex"], 78, "`codex.sandbx` is no key"),
        ('work_dir = "/no/such/place"', ["toy"], 78, "mkdir -p /no/such/place"),
        ("", ["--nosuch"], 2, "No such option"),
    ],
)
def test_what_cannot_be_served_is_told(inside, takopi_home, text, arguments, status, told) -> None:
    """With the exit status that goes with it, and without a traceback."""
    write(takopi_home, text)
    done = inside(*arguments)
    assert done.returncode == status
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_group_needs_a_list_of_people(inside, takopi_home) -> None:
    """Otherwise everybody in it could start agents."""
    path = write(takopi_home, "", chat_id=-1001)
    done = inside("toy")
    assert done.returncode == 78
    assert f"{path}: chat_id -1001 is not a private chat" in done.stderr


def test_a_folder_that_cannot_hold_runs_is_told(inside, takopi_home) -> None:
    """The path and what to do are in the text."""
    (takopi_home / "runs").write_text("")
    for arguments in (["chat"], ["toy", "hi"]):
        done = inside(*arguments)
        assert done.returncode == 78
        assert f"{takopi_home} cannot be used: " in done.stderr
        assert "TAKOPI_HOME" in done.stderr


@pytest.mark.skipif(not UNREADABLE.exists(), reason="there is no such file here")
def test_a_disk_that_fails_is_told_without_a_file(inside, takopi_home) -> None:
    """An error of reading or writing names no file, as one of opening does."""
    (takopi_home / "home-id").symlink_to(UNREADABLE)
    done = inside("toy", "hi")
    assert done.returncode == 78
    assert f"{takopi_home} cannot be used: Input/output error; " in done.stderr


@pytest.mark.parametrize("arguments", [["config", "list"], ["config", "get", "max_runs"]])
def test_a_home_that_is_no_folder_is_told(inside, tmp_path, arguments) -> None:
    """Where the folder is another one is all there is to mend."""
    file = tmp_path / "file"
    file.write_text("")
    done = inside(*arguments, TAKOPI_HOME=str(file))
    assert done.returncode == 2
    assert done.stderr == f"takopi: {file} is not a folder; set TAKOPI_HOME to one\n"


def test_a_home_that_cannot_be_made_is_told(inside, tmp_path) -> None:
    """A file in the way of the folder is named."""
    (tmp_path / "file").write_text("")
    done = inside("chat", TAKOPI_HOME=str(tmp_path / "file" / "home"))
    assert done.returncode == 78
    assert "cannot be made: Not a directory" in done.stderr


def test_nothing_stays_bound(inside) -> None:
    """A process that goes on after a command runs engines as it did before."""
    assert inside("toy", "").returncode == 2
    assert inside("chat", "--engine", "zzzz").returncode == 2
    assert current_runtime().host is default_host()


def test_a_work_dir_that_cannot_be_reached_is_told(inside, takopi_home) -> None:
    """A path too long to look at is no directory."""
    write(takopi_home, f'work_dir = "/{"x" * 300}"')
    assert "which is not a directory" in inside("toy").stderr


@pytest.mark.parametrize(
    ("options", "key"),
    [
        (["--transport", "terminal"], "transport terminal"),
        (["--no-final-notify"], "transports.telegram.final_notify false"),
    ],
)
def test_options_of_the_public_takopi_name_their_keys(inside, options, key) -> None:
    """What the configuration says already is nothing new, and the bot would start."""
    refused = inside(*options)
    assert refused.returncode == 2
    assert f"`takopi config set {key}`" in refused.stderr
    agreed = inside("--transport", "telegram", "--final-notify", "--no-debug", "--no-onboard")
    assert "is not set up" in agreed.stderr
    assert inside("plugins", "--load").returncode == 0
