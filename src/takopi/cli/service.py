"""`takopi service`: run the bot as a service that starts by itself."""

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from takopi.app.service import ServiceFile
    from takopi.settings import Settings

__all__ = ["service_app"]

service_app = typer.Typer(
    name="service",
    help="Run the bot as a service of yours (systemd, launchd).",
    short_help="Run the bot as a service.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def _planned() -> "tuple[ServiceFile, Settings]":
    from takopi.app.home import locate_home
    from takopi.app.service import service_file, service_manager
    from takopi.settings import load_settings

    home = locate_home()
    settings = load_settings(home.config)
    return service_file(home, settings, service_manager()), settings


@service_app.command("show")
def show() -> None:
    """Print the file that `install` would write."""
    file, _settings = _planned()
    print(file.content, end="")


@service_app.command("install", short_help="Write the service's file; nothing is started.")
def install(
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a file that says something else.")
    ] = False,
) -> None:
    """Write the service's file and say which commands start it; nothing is run."""
    from takopi.app.bot_lock import running_bot
    from takopi.app.home import locate_home
    from takopi.app.service import install_service
    from takopi.app.setup import missing, not_set_up

    file, settings = _planned()
    if missing(settings):
        raise not_set_up(settings)
    install_service(file, settings, os.environ, force=force)
    print(f"{file.path} is written. Start the service with:")
    if running_bot(locate_home()) is not None:
        print("  takopi stop    # a bot runs already")
    for command in file.after_install:
        print(f"  {command}")


@service_app.command("uninstall", short_help="Remove the service's file; nothing is ended.")
def uninstall() -> None:
    """Remove the service's file and say which commands end it; nothing is run."""
    from takopi.app.service import uninstall_service

    file, _settings = _planned()
    if not uninstall_service(file):
        print(f"There is no {file.path}.")
        raise typer.Exit(1)
    print(f"{file.path} is removed. End the service with:")
    for command in file.after_uninstall:
        print(f"  {command}")


@service_app.command("status", short_help="Say whether a bot serves, and how the service is.")
def status() -> None:
    """Say whether a bot serves this folder, and what the service manager says."""
    from takopi.app.bot_lock import running_bot
    from takopi.app.home import locate_home

    file, _settings = _planned()
    serves = running_bot(locate_home()) is not None
    print("A bot serves this folder." if serves else "No bot serves this folder.")
    if not file.path.exists():
        print(f"There is no {file.path}; `takopi service install` writes it.")
        raise typer.Exit(1)
    sys.stdout.flush()
    raise typer.Exit(_ask_manager(file.status_command))


@service_app.command("logs")
def logs(
    *,
    lines: Annotated[int, typer.Option("-n", min=1, help="So many of the last lines.")] = 100,
    follow: Annotated[bool, typer.Option("-f", help="Show what comes, until Ctrl-C.")] = False,
) -> None:
    """Show what the service wrote."""
    from takopi.app.home import locate_home
    from takopi.app.service import service_log

    file, _settings = _planned()
    log = service_log(locate_home())
    raise typer.Exit(_ask_manager(file.logs_command(log, lines, follow=follow)))


def _ask_manager(command: Sequence[str]) -> int:
    """Run a command of the service manager on this terminal, and return its exit status."""
    from takopi.errors import UsageError

    try:
        return subprocess.run(command, check=False).returncode
    except FileNotFoundError:
        raise UsageError(f"there is no {command[0]} here; `takopi ps` shows what runs") from None
    except KeyboardInterrupt:
        return 0
