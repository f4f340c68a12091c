"""The command itself: version, help, typing errors, and what it does not import."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from takopi import __version__
from takopi.cli import main
from takopi.cli.root import exit_status, run
from takopi.errors import ConfigError, EngineError, Unauthorized, UsageError

HEAVY = {"aiogram", "aiohttp", "structlog", "rich", "tomlkit", "anyio", "psutil"}


def imported_by(*commands: list[str], environment: dict[str, str]) -> list[set[str]]:
    """Run commands in one process, and tell what was imported after each of them."""
    code = (
        "import sys; from takopi.cli import main\n"
        f"for arguments in {commands!r}:\n"
        "    main(arguments)\n"
        "    names = sorted({name.partition('.')[0] for name in sys.modules})\n"
        "    print('imported:', *names, file=sys.stderr)\n"
    )
    clean = {k: v for k, v in environment.items() if not k.startswith("COV")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=clean, check=True
    )
    told = [line.split()[1:] for line in done.stderr.splitlines() if line.startswith("imported:")]
    assert len(told) == len(commands), done.stderr
    return [set(names) for names in told]


def test_the_version_needs_no_import(environment) -> None:
    """`takopi --version` answers before it imports anything, typer included."""
    (names,) = imported_by(["--version"], environment=environment)
    assert not names & (HEAVY | {"typer", "msgspec"})


def test_small_commands_import_nothing_heavy(environment) -> None:
    """Help, completion and typing errors must not wait for libraries that they do not use."""
    small = [["nonsense"], ["config", "path"], ["--help"]]
    *found, with_plugins = imported_by(*small, ["plugins"], environment=environment)
    assert [names & HEAVY for names in found] == [set()] * len(small), small
    assert not with_plugins & (HEAVY - {"anyio", "structlog", "psutil"})


@pytest.mark.long
@pytest.mark.parametrize(
    "arguments",
    [["doctor"], ["config", "list"], ["toy", "hi"], ["chat"], ["toy", "--json", "hi"]],
    ids=" ".join,
)
@pytest.mark.usefixtures("toy")
def test_aiogram_is_for_the_bot_alone(arguments, environment) -> None:
    """Nothing but running the bot imports aiogram."""
    (names,) = imported_by(arguments, environment=environment)
    assert "aiogram" not in names


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_the_version_is_printed(inside, flag) -> None:
    """Also behind another option."""
    assert inside(flag).stdout == f"takopi {__version__}\n"
    assert inside("--debug", flag).stdout == f"takopi {__version__}\n"


@pytest.mark.usefixtures("toy")
def test_help_lists_commands_and_engines(inside) -> None:
    """An engine is a command by its name alone; it is not loaded for that."""
    (Path(inside("config", "path").stdout.strip()).parent / "runners" / "broken.py").write_text(
        "BACKEND = 1 / 0"
    )
    shown = inside("--help").stdout
    for word in ("chat", "doctor", "plugins", "config", "toy", "broken", "--debug"):
        assert word in shown
    assert "Run one turn of toy" in inside("toy", "--help").stdout


@pytest.mark.usefixtures("toy")
def test_a_typing_error_leads_to_the_nearest_command(inside) -> None:
    """The nearest command or engine is named; exit status 2."""
    for typed, meant in (("doctr", "doctor"), ("ty", "toy"), ("plugin", "plugins")):
        done = inside(typed)
        assert done.returncode == 2
        assert f"no command or engine `{typed}`; did you mean `takopi {meant}`?" in done.stderr
    done = inside("zzzzzz", "prompt")
    assert (done.returncode, done.stdout) == (2, "")
    assert "`takopi --help` lists them" in done.stderr


def test_a_wrong_option_is_told(inside) -> None:
    """No traceback, exit status 2."""
    done = inside("--colour")
    assert done.returncode == 2
    assert "No such option" in done.stderr
    assert "Traceback" not in done.stderr


def test_windows_is_refused(monkeypatch, capsys) -> None:
    """The text says what works instead."""
    monkeypatch.setattr(sys, "platform", "win32")
    assert main(["chat"]) == 1
    assert "WSL" in capsys.readouterr().err


def test_ctrl_c_before_anything_is_no_traceback() -> None:
    """A person who is quicker than the imports gets exit status 130."""

    class Late(list):
        def __iter__(self):
            raise KeyboardInterrupt

    assert main(Late(["config", "path"])) == 130


def test_each_error_has_its_exit_status() -> None:
    """78 for configuration and token, 2 for use, 1 for the rest."""
    assert exit_status(ConfigError("x")) == 78
    assert exit_status(Unauthorized("x")) == 78
    assert exit_status(UsageError("x")) == 2
    assert exit_status(EngineError("x")) == 1


def test_a_fault_of_takopi_shows_no_traceback(capsys) -> None:
    """What nobody foresaw is one text that says how to report it."""
    assert run([None]) == 1  # type: ignore[list-item]
    shown = capsys.readouterr().err
    assert "this is a fault of takopi: " in shown
    assert "takopi --debug" in shown
    assert "Traceback" not in shown


@pytest.mark.usefixtures("toy")
def test_the_debug_log_has_the_traceback_of_a_plug_in(inside, takopi_home) -> None:
    """A plug-in that breaks is named; its author finds where in the log, without secrets."""
    token = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFake_-x"
    path = takopi_home / "runners" / "toy.py"
    text = path.read_text().replace("return ToyRunner()", f"raise KeyError('{token}')")
    path.write_text(text)
    done = inside("--debug", "toy", "hi")
    log = (takopi_home / "logs" / "debug.log").read_text()
    assert done.returncode == 1
    assert f"engine toy ({path}) failed in build_runner with KeyError" in done.stderr
    assert "Traceback" in log
    assert token not in log + done.stderr


def test_a_reader_that_leaves_is_no_error(argv, environment) -> None:
    """`takopi --help | head -0` ends without a traceback."""
    done = subprocess.run(
        ["/bin/sh", "-c", f"{argv[0]} -m takopi config list --all | true"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
    )
    assert done.stderr == ""


def test_the_debug_log_is_announced(inside, takopi_home) -> None:
    """`--debug` says where the log is, and the log is closed to others."""
    done = inside("--debug", "plugins")
    path = takopi_home / "logs" / "debug.log"
    assert done.stderr == f"debug log: {path}\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_debug_log_makes_the_folder_private(inside, tmp_path) -> None:
    """The first command may be one with `--debug`; the next one must not be refused."""
    home = tmp_path / "new"
    assert inside("--debug", "plugins", TAKOPI_HOME=str(home)).returncode == 0
    assert home.stat().st_mode & 0o777 == 0o700


def test_a_debug_log_that_cannot_be_written_is_told(inside, takopi_home) -> None:
    """A file in the place of the folder is a mistake, not a crash."""
    (takopi_home / "logs").write_text("")
    done = inside("--debug", "plugins")
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


@pytest.mark.long
@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("takopi t", "toy"),
        ("takopi chat --engine m", "mock"),
        ("takopi config get default_", "default_engine default_project"),
    ],
)
@pytest.mark.usefixtures("toy", "traced")
def test_completion_knows_engines_and_keys(cli, words, found) -> None:
    """A shell completes commands, engines, and what is configured."""
    number = str(words.count(" "))
    done = cli("", _TAKOPI_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=number)
    assert done.stdout.split() == found.split()


def test_the_completion_of_the_shell_around_it_is_shown(argv, environment) -> None:
    """`--show-completion` writes for the shell in which it is typed, not for the login shell."""
    # With a command behind it the shell stays; else it would become takopi itself.
    line = f"{shlex.join([*argv, '--show-completion'])}; exit $?"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=environment)
    assert "complete" in done.stdout, done.stderr
