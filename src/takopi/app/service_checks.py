"""The doctor's look at services: whether their end would be the end of every engine."""

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import anyio

from takopi.app.bot_lock import ServiceUnit, running_bot, service_of
from takopi.app.checks import Check
from takopi.app.home import Home
from takopi.app.service import service_manager, text_of, unit_directory
from takopi.core.service_units import kill_mode, leaves_engines, plist_abandons, runs_takopi
from takopi.process.identity import PROC

__all__ = ["SYSTEM_UNITS", "check_agents", "check_services", "check_units"]

SYSTEM_UNITS = (Path("/etc/systemd/system"), Path("/etc/systemd/user"))
SUBJECT = "service"
ASK_TIMEOUT_S = 5


async def check_services(
    home: Home, environment: Mapping[str, str], proc: str = PROC
) -> list[Check]:
    """Look at the service that the running bot belongs to, and at those in the usual places."""
    if service_manager() == "launchd":
        return check_agents(unit_directory("launchd", environment))
    bot = running_bot(home)
    service = None if bot is None else service_of(bot.pid, proc)
    mode = None if service is None else await _ask_kill_mode(service, environment)
    checks = check_units((unit_directory("systemd", environment), *SYSTEM_UNITS))
    if service is not None and mode is not None:
        # What systemd says of it counts: a file may be newer than what was loaded.
        checks = [check for check in checks if not check.text.startswith(f"{service.unit} ")]
        checks.insert(0, _judged(service.unit, mode, "as systemd has loaded it"))
    return checks


def check_units(folders: Iterable[Path]) -> list[Check]:
    """Look at the units that start takopi."""
    checks = []
    for folder in folders:
        for path in _files(folder, "*.service"):
            drop_ins = _files(path.with_name(f"{path.name}.d"), "*.conf")
            texts = [text_of(file) for file in (path, *drop_ins)]
            if runs_takopi(texts):
                checks.append(_judged(path.name, kill_mode(texts), str(path)))
    return checks


def check_agents(folder: Path) -> list[Check]:
    """Look at the agents of launchd that start takopi."""
    checks = []
    for path in _files(folder, "*.plist"):
        try:
            abandons = plist_abandons(path.read_bytes())
        except (OSError, ValueError):
            continue  # somebody else's, and not the doctor's matter
        if abandons:
            checks.append(Check(SUBJECT, "ok", f"{path.name} leaves engines working ({path})"))
        elif abandons is not None:
            text = (
                f"{path.name} ({path}) ends every engine together with takopi; set "
                "AbandonProcessGroup to true in it, or write it anew with `takopi service install "
                "--force`"
            )
            checks.append(Check(SUBJECT, "wrong", text))
    return checks


def _judged(unit: str, mode: str, place: str) -> Check:
    if leaves_engines(mode):
        return Check(SUBJECT, "ok", f"{unit} leaves engines working ({place})")
    return Check(
        SUBJECT,
        "wrong",
        f"{unit} has KillMode={mode} ({place}): systemd ends every engine when takopi ends or is "
        "upgraded; write `KillMode=process` under [Service], then `systemctl daemon-reload` (with "
        "--user for a service of yours)",
    )


def _files(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []


async def _ask_kill_mode(service: ServiceUnit, environment: Mapping[str, str]) -> str | None:
    """Ask systemd how it ends a unit; None when it does not say."""
    command = [*service.systemctl.split(), "show", "--property=KillMode", "--value", service.unit]
    try:
        with anyio.fail_after(ASK_TIMEOUT_S):
            done = await anyio.run_process(
                command, check=False, env=environment, stderr=subprocess.DEVNULL
            )
    except (OSError, TimeoutError):
        return None
    return done.stdout.decode(errors="replace").strip() or None if done.returncode == 0 else None
