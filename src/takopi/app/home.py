"""takopi's folder: what lies where, and that it is nobody else's business."""

from pathlib import Path

import msgspec

from takopi.core.os_remedies import remedy
from takopi.errors import AccessError, UsageError
from takopi.settings import CONFIG_NAME, check_private, home_directory

__all__ = ["Home", "current_directory", "is_directory", "locate_home", "open_home"]


class Home(msgspec.Struct, frozen=True):
    """Name the places in takopi's folder.

    Args:
        path: The folder, absolute.
    """

    path: Path

    @property
    def config(self) -> Path:
        """Give the configuration file."""
        return self.path / CONFIG_NAME

    @property
    def runs(self) -> Path:
        """Give the folder of run directories."""
        return self.path / "runs"

    @property
    def runners(self) -> Path:
        """Give the folder of drop-in engines."""
        return self.path / "runners"

    @property
    def journal(self) -> Path:
        """Give the journal."""
        return self.path / "takopi.db"

    @property
    def outgoing(self) -> Path:
        """Give the folder of copies of large files that are about to be sent to a chat."""
        return self.path / "outgoing"

    @property
    def bot_lock(self) -> Path:
        """Give the lock of the running bot."""
        return self.path / "bot.lock"

    @property
    def debug_log(self) -> Path:
        """Give the file that `--debug` writes."""
        return self.path / "logs" / "debug.log"


def locate_home() -> Home:
    """Name the folder without touching it."""
    return Home(home_directory())


def open_home() -> Home:
    """Make the folder if need be and refuse one that others can enter.

    Raises:
        AccessError: Others can enter it, or it cannot be made.
        UsageError: It is not a folder.
    """
    home = locate_home()
    try:
        home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = home.path.stat()
    except FileExistsError as error:
        raise UsageError(f"{home.path} is not a folder; set TAKOPI_HOME to one") from error
    except OSError as error:
        raise AccessError(
            f"takopi's folder {home.path} cannot be made: {error.strerror}; "
            f"{remedy(error.errno, home.path)}, or set TAKOPI_HOME to a folder of yours"
        ) from error
    check_private(home.path, status)
    return home


def current_directory() -> Path:
    """Return the current directory.

    Raises:
        UsageError: It is gone.
    """
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise UsageError("the current directory is gone; go to another with `cd`") from error


def is_directory(path: Path) -> bool:
    """Tell whether a path is a directory that can be reached."""
    try:
        return path.is_dir()
    except OSError:
        return False
