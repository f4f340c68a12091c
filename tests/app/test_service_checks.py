"""The doctor refuses a service whose end would be the end of every engine."""

import os
from pathlib import Path

import pytest

from takopi.app.checks import Check
from takopi.app.home import Home
from takopi.app.locks import Flock
from takopi.app.service import service_file
from takopi.app.service_checks import check_agents, check_services, check_units
from takopi.settings import parse_settings

pytestmark = pytest.mark.anyio


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "config" / "systemd" / "user"
    folder.mkdir(parents=True)
    return folder


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


async def test_a_unit_that_ends_engines_is_refused(folder) -> None:
    """systemd's own default is one of those; a drop-in may mend it, or spoil it."""
    unit = write(folder, "bot.service", "[Service]\nExecStart=/usr/bin/takopi\n")
    write(folder, "other.service", "[Service]\nExecStart=/usr/bin/other\n")
    (check,) = check_units((folder, folder / "nowhere"))
    assert check.state == "wrong"
    assert f"bot.service has KillMode=control-group ({unit})" in check.text
    assert "write `KillMode=process` under [Service]" in check.text
    write(folder, "bot.service.d/10-kill.conf", "[Service]\nKillMode=process\n")
    assert check_units((folder,)) == [
        Check("service", "ok", f"bot.service leaves engines working ({unit})")
    ]
    write(folder, "bot.service.d/20-kill.conf", "[Service]\nKillMode=mixed\n")
    (check,) = check_units((folder,))
    assert "KillMode=mixed" in check.text
    unit.unlink()
    unit.mkdir()
    write(folder, "bot.service.d/20-kill.conf", "")
    assert check_units((folder,)) == []


async def test_the_unit_that_takopi_writes_passes(folder, tmp_path) -> None:
    """Also when `takopi doctor` looks for it by itself."""
    home = Home(tmp_path / "home")
    settings = parse_settings({}, home.config, {})
    environment = {"PATH": os.environ["PATH"], "XDG_CONFIG_HOME": str(tmp_path / "config")}
    file = service_file(home, settings, "systemd", environment)
    file.path.write_text(file.content)
    checks = await check_services(home, environment)
    assert Check("service", "ok", f"takopi.service leaves engines working ({file.path})") in checks


async def test_an_agent_that_ends_engines_is_refused(tmp_path) -> None:
    """launchd ends the whole process group unless it is told not to."""
    home = Home(tmp_path)
    file = service_file(home, parse_settings({}, home.config, {}), "launchd", {})
    agent = write(tmp_path / "agents", "takopi.plist", file.content)
    (check,) = check_agents(agent.parent)
    assert check == Check("service", "ok", f"takopi.plist leaves engines working ({agent})")
    agent.write_text(file.content.replace("<key>AbandonProcessGroup</key>\n\t<true/>", ""))
    (check,) = check_agents(agent.parent)
    assert check.state == "wrong"
    assert "set AbandonProcessGroup to true" in check.text
    agent.write_text("nonsense")
    assert check_agents(agent.parent) == []
    agent.write_text(file.content.replace("takopi", "other"))
    assert check_agents(agent.parent) == []


@pytest.mark.parametrize(("mode", "state"), [("control-group", "wrong"), ("process", "ok")])
async def test_what_systemd_has_loaded_counts_for_the_running_bot(
    folder, tmp_path, mode, state
) -> None:
    """A mended file is no help before systemd has read it."""
    home = Home(tmp_path)
    write(folder, "takopi.service", "[Service]\nExecStart=takopi\nKillMode=process\n")
    systemctl = write(tmp_path / "bin", "systemctl", f'#!/bin/sh\necho "$@" >&2\necho {mode}\n')
    systemctl.chmod(0o755)
    proc = tmp_path / "proc"
    write(proc, "unused", "")
    write(proc / str(os.getpid()), "cgroup", "0::/user.slice/user@7.service/app/takopi.service")
    environment = {
        "PATH": f"{systemctl.parent}:/usr/bin:/bin",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }
    lock = Flock(home.bot_lock)
    lock.acquire()
    checks = await check_services(home, environment, proc=str(proc))
    found = [check for check in checks if check.text.startswith("takopi.service ")]
    assert [check.state for check in found] == [state]
    assert "as systemd has loaded it" in found[0].text
    systemctl.write_text("#!/bin/sh\nexit 1\n")
    checks = await check_services(home, environment, proc=str(proc))
    assert any(str(folder) in check.text for check in checks), "without an answer the file counts"
    systemctl.write_text("#!/no/such/interpreter\n")
    assert await check_services(home, environment, proc=str(proc)) == checks
    lock.release()
