"""takopi as a service of the person's own service manager: what its file says, and where it lies.

Nothing is run here: a file is written or removed, and the commands that follow are told.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from takopi.app.home import Home, current_directory
from takopi.core.os_remedies import remedy
from takopi.core.service_units import (
    LABEL,
    UNIT_NAME,
    ServicePlan,
    launchd_plist,
    search_path,
    systemd_unit,
)
from takopi.errors import ConfigError, UsageError
from takopi.settings import Settings
from takopi.settings.keys import TELEGRAM, TOKEN_VARIABLE

__all__ = [
    "ServiceFile",
    "ServiceManager",
    "install_service",
    "service_file",
    "service_log",
    "service_manager",
    "text_of",
    "uninstall_service",
    "unit_directory",
]

ServiceManager: TypeAlias = Literal["systemd", "launchd"]

# What decides which home, which lock and which engines the service finds; never a secret.
_KEPT = ("TAKOPI_HOME", "XDG_STATE_HOME")


class ServiceFile(msgspec.Struct, frozen=True, kw_only=True):
    """Be the file that makes takopi a service.

    Args:
        manager: Who reads it.
        path: Where it belongs.
        content: What it says.
    """

    manager: ServiceManager
    path: Path
    content: str

    @property
    def link(self) -> Path:
        """Give the link by which systemd knows that the unit is enabled."""
        return self.path.parent / "default.target.wants" / self.path.name

    @property
    def status_command(self) -> tuple[str, ...]:
        """Give the command that tells how the service is."""
        if self.manager == "launchd":
            return "launchctl", "print", f"gui/{os.getuid()}/{LABEL}"
        return "systemctl", "--user", "--no-pager", "status", UNIT_NAME

    def logs_command(self, log: Path, lines: int, *, follow: bool) -> tuple[str, ...]:
        """Give the command that shows what the service wrote.

        Args:
            log: The file that launchd lets it write.
            lines: So many of the last ones.
            follow: Whether what comes is shown, too.
        """
        more = ("-f",) if follow else ()
        if self.manager == "launchd":
            return "tail", "-n", str(lines), *more, str(log)
        return "journalctl", "--user", "-u", UNIT_NAME, "--no-pager", "-n", str(lines), *more

    @property
    def after_install(self) -> tuple[str, ...]:
        """Give the commands that make the service run."""
        if self.manager == "launchd":
            return (f"launchctl bootstrap gui/$(id -u) {self.path}",)
        return (
            "systemctl --user daemon-reload",
            f"systemctl --user enable --now {UNIT_NAME}",
            "loginctl enable-linger    # it runs while you are not logged in, too",
        )

    @property
    def after_uninstall(self) -> tuple[str, ...]:
        """Give the commands that end the service."""
        if self.manager == "launchd":
            return (f"launchctl bootout gui/$(id -u)/{LABEL}",)
        return (f"systemctl --user stop {UNIT_NAME}", "systemctl --user daemon-reload")


def service_manager(platform: str = sys.platform) -> ServiceManager:
    """Name the service manager of this system."""
    return "launchd" if platform == "darwin" else "systemd"


def service_log(home: Home) -> Path:
    """Name the file that a service writes where its manager keeps no journal."""
    return home.path / "logs" / "service.log"


def unit_directory(manager: ServiceManager, environment: Mapping[str, str]) -> Path:
    """Return where a person's own services are described."""
    if manager == "launchd":
        return Path.home() / "Library" / "LaunchAgents"
    config = environment.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(config) / "systemd" / "user"


def service_file(
    home: Home,
    settings: Settings,
    manager: ServiceManager,
    environment: Mapping[str, str] = os.environ,
    started: str = sys.argv[0],
) -> ServiceFile:
    """Make the file of a service that runs this takopi with this home.

    Args:
        home: takopi's folder.
        settings: Decide where the service works.
        manager: Who is to run it.
        environment: Where engines are found, and what else has to be the same.
        started: By which path this takopi was started.

    Raises:
        UsageError: A path in it cannot be written into such a file.
    """
    kept = {name: environment[name] for name in _KEPT if environment.get(name)}
    if "TAKOPI_HOME" in kept:
        kept["TAKOPI_HOME"] = str(home.path)
    plan = ServicePlan(
        command=_command(started),
        directory=str(Path.home() if settings.work_dir else current_directory()),
        environment={"PATH": search_path(environment.get("PATH", os.defpath)), **kept},
        log=str(service_log(home)),
    )
    folder = unit_directory(manager, environment)
    try:
        if manager == "launchd":
            path, content = folder / f"{LABEL}.plist", launchd_plist(plan)
        else:
            path, content = folder / UNIT_NAME, systemd_unit(plan)
    except ValueError as error:
        raise UsageError(f"a path in the service's file has {error}; rename it") from error
    return ServiceFile(manager=manager, path=path, content=content)


def _command(started: str) -> tuple[str, ...]:
    """Return what starts this takopi: its own command where there is one, by the path it has."""
    program = Path(started).absolute()
    if program.name == "takopi" and os.access(program, os.X_OK) and program.is_file():
        return (str(program),)  # a link stays one: an upgrade changes what is behind it
    return (sys.executable, "-m", "takopi")


def install_service(
    file: ServiceFile, settings: Settings, environment: Mapping[str, str], *, force: bool
) -> None:
    """Write the file.

    Args:
        file: What is written, and where.
        settings: Have to do without what a service does not see.
        environment: Of the person who installs.
        force: Replace a file that says something else.

    Raises:
        ConfigError: The token is known in this terminal alone.
        UsageError: There is no such service manager, or another file is in the way.
    """
    telegram = settings.document.get("transports", {}).get("telegram", {})
    if environment.get(TOKEN_VARIABLE) and "bot_token" not in telegram:
        raise ConfigError(
            f"a service does not see the variable {TOKEN_VARIABLE}; write the token into "
            f"{settings.path} with `takopi config set {TELEGRAM}bot_token -`"
        )
    if file.manager == "systemd" and shutil.which("systemctl") is None:
        raise UsageError(
            "there is no systemd here; `takopi service show` prints a unit to make use of elsewhere"
        )
    if file.path.exists() and not force and text_of(file.path) != file.content:
        raise UsageError(
            f"{file.path} is there and says something else; compare it with `takopi service show`, "
            "and replace it with `takopi service install --force`"
        )
    try:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        if file.manager == "launchd":
            # launchd makes the log file, but not its folder.
            log_folder = settings.path.parent / "logs"
            log_folder.mkdir(mode=0o700, exist_ok=True)
        file.path.write_text(file.content, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{file.path} cannot be written: {error.strerror}; {remedy(error.errno, file.path)}"
        ) from error


def text_of(path: Path) -> str:
    """Return what stands in a file; nothing when it cannot be read."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def uninstall_service(file: ServiceFile) -> bool:
    """Remove the file, and the link by which it starts; tell whether it was there.

    Raises:
        UsageError: It cannot be removed.
    """
    there = file.path.exists()
    try:
        file.path.unlink(missing_ok=True)
        if file.manager == "systemd" and file.link.is_symlink():
            file.link.unlink()
    except OSError as error:
        raise UsageError(
            f"{file.path} cannot be removed: {error.strerror}; {remedy(error.errno, file.path)}"
        ) from error
    return there
