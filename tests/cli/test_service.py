"""`takopi service`: the file of a service, and the commands that follow."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from fakes.telegram_api import TOKEN
from takopi.app.home import Home
from takopi.app.locks import Flock
from takopi.app.service import ServiceFile, install_service, service_file, uninstall_service
from takopi.errors import UsageError
from takopi.settings import load_settings, parse_settings


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    return tmp_path / ".config" / "systemd" / "user" / "takopi.service"


@pytest.fixture
def systemd(tmp_path: Path) -> None:
    """A machine with systemd, of which nothing is asked."""
    (tmp_path / "bin").mkdir(exist_ok=True)
    path = tmp_path / "bin" / "systemctl"
    path.write_text(f"#!/bin/sh\ntouch {tmp_path}/systemctl-was-run\n")
    path.chmod(0o755)


@pytest.fixture
def configured(takopi_home: Path) -> Path:
    path = takopi_home / "takopi.toml"
    path.write_text(f'[transports.telegram]\nbot_token = "{TOKEN}"\nchat_id = 5\n')
    path.chmod(0o600)
    return path


@pytest.mark.usefixtures("systemd", "configured")
def test_a_service_is_installed_and_removed(inside, unit, tmp_path, takopi_home) -> None:
    """A file is written and removed, the next commands are told, and nothing is run."""
    done = inside("service", "install")
    assert done.returncode == 0
    assert done.stdout == (
        f"{unit} is written. Start the service with:\n"
        "  systemctl --user daemon-reload\n"
        "  systemctl --user enable --now takopi.service\n"
        "  loginctl enable-linger    # it runs while you are not logged in, too\n"
    )
    text = unit.read_text()
    assert "KillMode=process" in text
    assert f'Environment="TAKOPI_HOME={takopi_home}"' in text
    assert f'Environment="PATH={tmp_path}/bin:/usr/bin:/bin"' in text
    assert TOKEN not in text
    assert inside("service", "show").stdout == text
    assert inside("service", "install").returncode == 0  # it says the same
    link = unit.parent / "default.target.wants" / unit.name
    link.parent.mkdir()
    link.symlink_to(unit)
    done = inside("service", "uninstall")
    assert done.stdout == (
        f"{unit} is removed. End the service with:\n"
        "  systemctl --user stop takopi.service\n"
        "  systemctl --user daemon-reload\n"
    )
    assert not unit.exists()
    assert not link.is_symlink()
    done = inside("service", "uninstall")
    assert (done.returncode, done.stdout) == (1, f"There is no {unit}.\n")
    assert not (tmp_path / "systemctl-was-run").exists()


@pytest.mark.usefixtures("systemd", "configured")
def test_a_file_of_the_persons_own_is_not_replaced(inside, unit) -> None:
    """But with `--force`."""
    unit.parent.mkdir(parents=True)
    unit.write_text("[Service]\nExecStart=takopi\n")
    done = inside("service", "install")
    assert done.returncode == 2
    assert f"{unit} is there and says something else" in done.stderr
    assert unit.read_text() == "[Service]\nExecStart=takopi\n"
    assert inside("service", "install", "--force").returncode == 0
    assert "KillMode=process" in unit.read_text()


@pytest.mark.usefixtures("systemd")
def test_a_service_that_could_not_start_is_not_installed(inside, unit, configured) -> None:
    """Without a token, or with one that only this terminal knows."""
    configured.write_text("[transports.telegram]\nchat_id = 5\n")
    done = inside("service", "install")
    assert done.returncode == 78
    assert "has no transports.telegram.bot_token" in done.stderr
    done = inside("service", "install", TAKOPI_TELEGRAM_TOKEN=TOKEN)
    assert done.returncode == 78
    assert "a service does not see the variable TAKOPI_TELEGRAM_TOKEN" in done.stderr
    assert not unit.exists()


@pytest.mark.usefixtures("configured")
def test_without_systemd_the_unit_is_only_shown(inside, unit, tmp_path) -> None:
    """Somebody may want it elsewhere."""
    done = inside("service", "install", PATH=str(tmp_path))
    assert done.returncode == 2
    assert "there is no systemd here" in done.stderr
    assert not unit.exists()
    assert "KillMode=process" in inside("service", "show").stdout


@pytest.mark.usefixtures("systemd", "configured")
def test_a_bot_that_runs_already_is_in_the_way(inside, takopi_home) -> None:
    """The service would end at once, so `takopi stop` comes first."""
    lock = Flock(Home(takopi_home).bot_lock)
    lock.acquire()
    done = inside("service", "install")
    lock.release()
    assert done.stdout.splitlines()[1] == "  takopi stop    # a bot runs already"


@pytest.mark.usefixtures("systemd", "configured")
def test_a_folder_that_cannot_be_written_is_told(inside, tmp_path) -> None:
    """A file in the way of the folder is named."""
    (tmp_path / ".config").write_text("")
    done = inside("service", "install")
    assert done.returncode == 2
    assert "cannot be written: " in done.stderr


@pytest.mark.usefixtures("systemd", "configured")
def test_what_cannot_be_removed_is_told(inside, unit) -> None:
    """A folder in place of the file, for one."""
    unit.mkdir(parents=True)
    assert "says something else" in inside("service", "install").stderr
    done = inside("service", "uninstall")
    assert done.returncode == 2
    assert "cannot be removed: " in done.stderr


def test_the_service_works_where_its_sessions_start(tmp_path, monkeypatch) -> None:
    """In the directory of the installing person, unless there is a `work_dir`."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(tmp_path))
    home = Home(tmp_path / ".takopi")
    for document, directory in (({}, here), ({"work_dir": "/srv"}, tmp_path)):
        settings = parse_settings(document, home.config, {})
        file = service_file(home, settings, "systemd", {"PATH": "/bin"})
        assert f"WorkingDirectory={directory}\n" in file.content
        assert "TAKOPI_HOME" not in file.content


def test_the_command_is_the_one_that_was_typed(tmp_path) -> None:
    """A link stays one, for an upgrade changes what is behind it."""
    home, settings = Home(tmp_path), parse_settings({}, tmp_path, {})
    (tmp_path / "real").write_text("")
    (tmp_path / "real").chmod(0o755)
    command = tmp_path / "takopi"
    command.symlink_to(tmp_path / "real")
    file = service_file(home, settings, "systemd", {}, started=str(command))
    assert f"ExecStart={command}\n" in file.content
    file = service_file(home, settings, "systemd", {}, started="/x/takopi/__main__.py")
    assert "python" in file.content.partition("ExecStart=")[2].splitlines()[0]
    assert " -m takopi\n" in file.content


def test_a_directory_with_a_line_break_is_refused(tmp_path, monkeypatch) -> None:
    """No unit can hold it."""
    strange = tmp_path / "a\nb"
    strange.mkdir()
    monkeypatch.chdir(strange)
    settings = parse_settings({}, tmp_path, {})
    with pytest.raises(UsageError, match="a line break; rename it"):
        service_file(Home(tmp_path), settings, "systemd", {})


def test_on_macos_the_service_is_an_agent_of_launchd(
    tmp_path, takopi_home, configured, monkeypatch
) -> None:
    """With a log beside takopi's own, since launchd keeps none."""
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = load_settings(configured, {})
    file = service_file(Home(takopi_home), settings, "launchd", os.environ)
    assert file.path == tmp_path / "Library" / "LaunchAgents" / "takopi.plist"
    assert file.after_install == (f"launchctl bootstrap gui/$(id -u) {file.path}",)
    assert file.after_uninstall == ("launchctl bootout gui/$(id -u)/takopi",)
    install_service(file, settings, {}, force=False)
    assert (takopi_home / "logs").is_dir()
    assert uninstall_service(file)
    assert not uninstall_service(file)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_systemd_takes_the_unit(tmp_path) -> None:
    """Every key is known to it, and every value makes sense."""
    settings = parse_settings({"work_dir": str(tmp_path)}, tmp_path / "takopi.toml", {})
    odd = tmp_path / "a b 100% $c" / "takopi"
    odd.parent.mkdir()
    odd.write_text("#!/bin/sh\n")
    odd.chmod(0o755)
    quoted = f'{odd.parent}:/a "b" \\c'
    environment = {"PATH": quoted, "TAKOPI_HOME": str(odd.parent)}
    file = service_file(Home(odd.parent), settings, "systemd", environment, started=str(odd))
    path = tmp_path / "takopi.service"
    path.write_text(file.content)
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(path)],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)},
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.fixture
def asked(systemd, tmp_path: Path) -> Path:
    """Programs of a systemd that write down what they are asked."""
    said = tmp_path / "asked"
    for name in ("systemctl", "journalctl"):
        path = tmp_path / "bin" / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {said}\nexit 3\n')
        path.chmod(0o755)
    return said


@pytest.mark.usefixtures("configured")
def test_status_and_logs_ask_the_service_manager(inside, unit, asked) -> None:
    """It answers on the same terminal, and its exit status is passed on."""
    assert inside("service", "install").returncode == 0
    done = inside("service", "status")
    assert done.returncode == 3
    assert done.stdout == "No bot serves this folder.\n"
    assert inside("service", "logs", "-n", "5", "-f").returncode == 3
    assert asked.read_text().splitlines() == [
        "systemctl --user --no-pager status takopi.service",
        "journalctl --user -u takopi.service --no-pager -n 5 -f",
    ]


@pytest.mark.usefixtures("systemd", "configured")
def test_status_of_no_service_and_logs_without_a_journal_say_what_to_do(
    inside, unit, tmp_path
) -> None:
    """Without a traceback."""
    done = inside("service", "status")
    assert done.returncode == 1
    assert f"There is no {unit}; `takopi service install` writes it." in done.stdout
    done = inside("service", "logs", PATH=str(tmp_path / "bin"))
    assert done.returncode != 0
    assert "there is no journalctl here; `takopi ps` shows what runs" in done.stderr


def test_launchd_is_asked_by_its_own_programs(tmp_path: Path) -> None:
    file = ServiceFile(manager="launchd", path=tmp_path / "x.plist", content="")
    assert file.status_command == ("launchctl", "print", f"gui/{os.getuid()}/takopi")
    shown = file.logs_command(tmp_path / "service.log", 7, follow=True)
    assert shown == ("tail", "-n", "7", "-f", str(tmp_path / "service.log"))
