"""What a newcomer stumbles over: each text says what is so, and once."""

import json
from pathlib import Path

import pytest


def config(home: Path, text: str) -> Path:
    path = home / "takopi.toml"
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_the_doctor_is_not_prescribed_by_the_doctor(inside) -> None:
    """On a bare machine its own lines say how to install an engine."""
    done = inside("doctor")
    assert "no engine is installed; the lines above say how to install one" in done.stdout
    assert "run `takopi doctor`" not in done.stdout


def test_the_doctor_says_nothing_about_what_it_could_not_read(inside, takopi_home) -> None:
    """A work_dir in a broken file is neither set nor not set."""
    config(takopi_home, 'work_dir = "/gone"\nmax_runs = 0\n')
    done = inside("doctor")
    assert "max_runs is 0" in done.stdout
    assert "work_dir" not in done.stdout
    assert "default engine" not in done.stdout
    assert "codex" in done.stdout


def test_the_doctor_does_not_advise_to_close_what_is_no_folder(inside, tmp_path) -> None:
    """`chmod 600 /etc/passwd` would be bad advice."""
    other = tmp_path / "file"
    other.write_text("")
    other.chmod(0o644)
    done = inside("doctor", TAKOPI_HOME=str(other))
    assert f"{other} is not a folder; set TAKOPI_HOME to one" in done.stdout
    assert "chmod 600" not in done.stdout.partition("configuration")[0]


def test_each_place_is_named_once(inside, takopi_home) -> None:
    """Paths are long; a line that has one twice is hard to read."""
    runners = takopi_home / "runners"
    runners.mkdir(mode=0o700)
    for name, text in (("broken", "BACKEND = 1 / 0"), ("idle", "X = 1"), ("Bad", "BACKEND = 1")):
        (runners / f"{name}.py").write_text(text)
    for command in ("plugins", "doctor"):
        shown = " ".join(inside(command).stdout.split())
        for name in ("broken", "idle", "Bad"):
            assert shown.count(f"{runners}/{name}.py") == 1, (command, name)


def test_an_engine_that_cannot_be_used_is_told_when_it_is_asked_for(inside, takopi_home) -> None:
    """It is there, so "there is no such engine" would be wrong."""
    (takopi_home / "runners").mkdir(mode=0o700)
    path = takopi_home / "runners" / "parrot.py"
    path.write_text("BACKEND = 1")
    path.chmod(0o666)
    done = inside("parrot", "hello")
    assert done.returncode == 1
    assert "can be written by other users" in done.stderr
    assert f"chmod go-w {path}" in done.stderr


def test_a_broken_file_is_told_in_the_same_words_everywhere(inside, takopi_home) -> None:
    """Whoever reads the file, the person reads one text."""
    config(takopi_home, "a = [")
    told = {inside(*words).stderr for words in (["config", "list"], ["config", "get", "a"], [])}
    assert len(told) == 1
    assert "is not valid TOML" in told.pop()


def test_a_masked_secret_has_no_quotes_as_no_text_has(inside, takopi_home) -> None:
    """`config get` prints a text bare."""
    config(takopi_home, '[plugins.mine]\napi_key = "secret-value"\n')
    assert inside("config", "get", "plugins.mine.api_key").stdout == "********\n"
    assert inside("config", "get", "--reveal", "plugins.mine.api_key").stdout == "secret-value\n"


def test_the_list_of_commands_is_not_cut(inside) -> None:
    """Each command's one line fits."""
    assert "..." not in inside("--help").stdout.partition("Commands:")[2]


@pytest.mark.usefixtures("toy")
def test_the_debug_log_tells_what_ran(inside, takopi_home) -> None:
    """Which program, in which run directory, and how it ended; nothing of what was said."""
    assert inside("toy", "--debug", "my words").returncode == 0
    log = (takopi_home / "logs" / "debug.log").read_text()
    records = {record["event"]: record for record in map(json.loads, log.splitlines())}
    (run,) = (takopi_home / "runs").iterdir()
    for event in ("run.started", "run.session", "run.ended"):
        assert records[event]["run"] == run.name
    assert records["run.started"]["engine"] == "toy"
    assert records["run.ended"]["code"] == 0
    assert "my words" not in log
