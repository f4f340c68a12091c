"""`takopi config`: look and change, without losing what a person wrote around the keys."""

import tomllib
from pathlib import Path

import pytest

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFake_-x"
WRITTEN = """\
# my notes
max_runs = 3  # not too many

[plugins.mine]  # takopi does not know this
colour = "red"
api_key = "shh"

[env.codex]
pass = ["GOPATH"]
"""


@pytest.fixture
def config(takopi_home: Path) -> Path:
    path = takopi_home / "takopi.toml"
    path.write_text(WRITTEN)
    path.chmod(0o600)
    return path


def test_the_path_is_printed(inside, takopi_home) -> None:
    """Also when there is no file yet."""
    assert inside("config", "path").stdout == f"{takopi_home / 'takopi.toml'}\n"


def test_setting_a_key_changes_nothing_else(inside, config) -> None:
    """Comments, order and unknown keys stay."""
    assert inside("config", "set", "max_runs", "5").stdout == "max_runs = 5\n"
    assert config.read_text() == WRITTEN.replace("max_runs = 3 ", "max_runs = 5 ")
    inside("config", "set", "transports.telegram.chat_id", "-100123")
    inside("config", "set", "default_engine", "pi")
    document = tomllib.loads(config.read_text())
    assert document["transports"] == {"telegram": {"chat_id": -100123}}
    assert document["default_engine"] == "pi"
    assert document["plugins"] == {"mine": {"colour": "red", "api_key": "shh"}}
    assert "# my notes" in config.read_text()
    assert config.stat().st_mode & 0o777 == 0o600


def test_the_first_key_makes_the_file(inside, takopi_home) -> None:
    """The file is closed to others from its first byte."""
    assert inside("config", "set", "final_notify", "x").returncode == 2  # a key of a table
    assert not (takopi_home / "takopi.toml").exists()
    assert inside("config", "set", "max_runs", "2").returncode == 0
    assert (takopi_home / "takopi.toml").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("key", "typed", "value"),
    [
        ("transports.telegram.allowed_user_ids", "1, 2 3", [1, 2, 3]),
        ("transports.telegram.allowed_chat_ids", "[-1]", [-1]),
        ("transports.telegram.final_notify", "false", False),
        ("env.claude.pass", "A,B_*", ["A", "B_*"]),
        ("default_engine", "codex", "codex"),
        ("codex.model", "gpt-5", "gpt-5"),
        ("codex.extra_args", '["-c", "x=1"]', ["-c", "x=1"]),
        ("claude.use_api_billing", "true", True),
        ("pi.number", "3", 3),
        ("pi.text", '"3"', "3"),
        ("files.deny_globs", "*.sqlite,private/**", ["*.sqlite", "private/**"]),
        ("voice.command", '["whisper", "{file}"]', ["whisper", "{file}"]),
        ("voice.model", "3", "3"),
        ("plugins.other.model", "x", "x"),
        ("plugins.enabled", "takopi-mine", ["takopi-mine"]),
        ("projects.shop.chat_id", "-5", -5),
        ("pi.odd", "1\nb = 2", "1\nb = 2"),
    ],
)
def test_values_have_the_type_of_their_key(inside, config, key, typed, value) -> None:
    """What a person types becomes what the key takes, without quotes or brackets."""
    assert inside("config", "set", key, typed).returncode == 0
    found = tomllib.loads(config.read_text())
    for part in key.split("."):
        found = found[part]
    assert found == value


@pytest.mark.parametrize(
    ("key", "typed", "status", "told"),
    [
        ("max_runs", "many", 78, 'max_runs is "many"; accepted: a whole number from 1 up'),
        ("work_dir", "here", 78, "accepted: an absolute path in quotes"),
        ("max_run", "3", 2, "there is no key `max_run`; did you mean `max_runs`?"),
        ("bot_token", "x", 2, "did you mean `transports.telegram.bot_token`?"),
        ("transports.telegram.chatid", "1", 2, "did you mean `transports.telegram.chat_id`?"),
        ("max_runs.x", "1", 2, "no key `max_runs.x`; did you mean `max_runs`?"),
        (
            "transport.telegram.bot_token",
            "x",
            2,
            "`transport` is a value, not a table, so there is no key "
            "`transport.telegram.bot_token`; did you mean `transports.telegram.bot_token`?",
        ),
        ("plugins.mine", "1", 78, "plugins.mine is 1; accepted: a table"),
        ("env.codex", "1", 2, "`env.codex` is a table; set one of its keys"),
        ("files", "1", 2, "`files` is a table; set one of its keys, like `files.enabled`"),
        ("projects.shop.pth", "/x", 2, "did you mean `projects.shop.path`?"),
        ("a..b", "1", 2, "`a..b` is not a key"),
        ("a = 1\nb", "1", 2, "is not a key"),
    ],
)
def test_what_cannot_be_is_told(inside, config, key, typed, status, told) -> None:
    """A wrong value or key changes nothing and says what is right."""
    done = inside("config", "set", key, typed)
    assert done.returncode == status
    assert told in done.stderr
    assert config.read_text() == WRITTEN


def test_a_secret_is_read_from_a_pipe_and_masked(inside, config) -> None:
    """The token stays out of the shell's history and off the screen."""
    key = "transports.telegram.bot_token"
    done = inside("config", "set", key, "-", stdin=TOKEN + "\n")
    assert done.stdout == f'{key} = "********"\n'
    assert inside("config", "get", key).stdout == "********\n"
    assert inside("config", "get", key, "--reveal").stdout == f"{TOKEN}\n"
    listed = inside("config", "list").stdout
    assert TOKEN not in listed
    assert "shh" not in listed
    assert f'{key} = "{TOKEN}"' in inside("config", "list", "--reveal").stdout


def test_what_the_bot_would_refuse_now_is_told_at_once(inside, config) -> None:
    """A value may be right by itself, and yet want another one."""
    done = inside("config", "set", "default_project", "shop")
    assert done.returncode == 0
    assert 'default_project is "shop"; accepted: nothing, as there is no project' in done.stderr
    assert inside("config", "set", "projects.shop.path", "/srv/shop").stderr == ""


def test_what_an_engine_would_refuse_is_told_at_once(inside, config) -> None:
    """Only the engine knows what its table may say."""
    done = inside("config", "set", "codex.sandbox", "bogus")
    assert (done.returncode, done.stdout) == (0, 'codex.sandbox = "bogus"\n')
    assert "takopi: not yet right: " in done.stderr
    assert "`codex.sandbox` is 'bogus'; accepted is one of" in done.stderr
    inside("config", "set", "codex.sandbok", "read-only")
    assert "codex.sandbok" in inside("config", "unset", "codex.sandbox").stderr
    assert inside("config", "unset", "codex.sandbok").stderr == ""


def test_a_wrong_secret_is_not_repeated(inside, config) -> None:
    """What is nearly a token must not stand on the screen."""
    done = inside("config", "set", "transports.telegram.bot_token", "123:nearly-a-token")
    assert done.returncode == 78
    assert "nearly" not in done.stderr


def test_values_are_printed_for_scripts(inside, config) -> None:
    """A string comes bare, anything else as TOML; a default counts, a table is listed."""
    assert inside("config", "get", "plugins.mine.colour").stdout == "red\n"
    assert inside("config", "get", "max_runs").stdout == "3\n"
    assert inside("config", "get", "transport").stdout == "telegram\n"
    assert inside("config", "get", "env.codex.pass").stdout == '["GOPATH"]\n'
    assert inside("config", "get", "env.pi.pass").stdout == "[]\n"
    assert inside("config", "get", "plugins").stdout == (
        'plugins.mine.colour = "red"\nplugins.mine.api_key = "********"\n'
    )
    done = inside("config", "get", "work_dir")
    assert (done.returncode, done.stdout) == (1, "")
    assert "`work_dir` is not set" in done.stderr


def test_everything_is_listed(inside, config) -> None:
    """What is set is listed; `--all` adds what is not, with its default."""
    assert inside("config", "list").stdout.splitlines() == [
        "max_runs = 3",
        'plugins.mine.colour = "red"',
        'plugins.mine.api_key = "********"',
        'env.codex.pass = ["GOPATH"]',
    ]
    every = inside("config", "list", "--all").stdout
    assert '# transport = "telegram"' in every
    assert "# work_dir = not set" in every
    assert "# max_runs" not in every


def test_a_key_is_taken_out(inside, config) -> None:
    """A key or a whole table goes; one that is not there is told."""
    assert inside("config", "unset", "max_runs").returncode == 0
    assert inside("config", "unset", "plugins.mine").returncode == 0
    assert inside("config", "unset", "no.such.key").returncode == 1
    assert tomllib.loads(config.read_text()) == {"env": {"codex": {"pass": ["GOPATH"]}}} | (
        {"plugins": {}} if "[plugins]" in config.read_text() else {}
    )
    assert "# my notes" in config.read_text()


def test_a_broken_file_is_named(inside, config) -> None:
    """Line and column lead to the mistake; the file is not touched."""
    config.write_text("max_runs = 1\nwork_dir = \n")
    for arguments in (("list",), ("set", "max_runs", "2"), ("get", "max_runs")):
        done = inside("config", *arguments)
        assert done.returncode == 78
        assert f"{config} is not valid TOML: line 2, column" in done.stderr
    assert config.read_text() == "max_runs = 1\nwork_dir = \n"


def test_a_file_open_to_others_is_refused(inside, config) -> None:
    """The command that closes it is in the text."""
    config.chmod(0o644)
    done = inside("config", "list")
    assert done.returncode == 78
    assert f"chmod 600 {config}" in done.stderr


def test_a_linked_file_stays_linked(inside, config, tmp_path) -> None:
    """Whoever keeps the file elsewhere keeps it there."""
    real = tmp_path / "dotfiles.toml"
    config.rename(real)
    config.symlink_to(real)
    assert inside("config", "set", "max_runs", "9").returncode == 0
    assert config.is_symlink()
    assert "max_runs = 9" in real.read_text()


def test_a_wrong_key_elsewhere_does_not_keep_one_from_mending(inside, config) -> None:
    """One key is mended while another is still wrong."""
    config.write_text("max_runs = 0\n[transports.telegram]\nchat_id = 0\n")
    assert inside("config", "set", "max_runs", "1").returncode == 0


def test_an_empty_configuration_says_so(inside) -> None:
    """Nothing goes to standard output, so that a script finds nothing."""
    done = inside("config", "list")
    assert (done.returncode, done.stdout) == (0, "")
    assert "nothing is set; --all shows what there is" in done.stderr


def test_what_unset_leaves_missing_is_told(inside, takopi_home) -> None:
    """As after `set`: the bot would refuse it."""
    path = takopi_home / "takopi.toml"
    path.touch(mode=0o600)
    path.write_text('default_project = "shop"\n[projects.shop]\npath = "/srv/shop"\n')
    done = inside("config", "unset", "projects.shop")
    assert done.returncode == 0
    assert "not yet right: " in done.stderr
    assert 'default_project is "shop"' in done.stderr


def test_a_default_engine_that_nobody_knows_is_told(inside) -> None:
    """At once, and not by the bot that does not start."""
    done = inside("config", "set", "default_engine", "codecs")
    assert done.returncode == 0
    assert "not yet right: " in done.stderr
    assert 'default_engine is "codecs"; accepted: ' in done.stderr
    assert inside("config", "set", "default_engine", "codex").stderr == ""
