"""The time zone that people mean here: that of the system, with its changes of the clock."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

__all__ = ["local_zone"]

_SYSTEM = Path("/etc/localtime")


def local_zone(environ: Mapping[str, str], system: Path = _SYSTEM) -> tzinfo:
    """Return the system's time zone; never raises.

    Args:
        environ: `TZ` goes before the system's file, as in every other program.
        system: The file.
    """
    name = environ.get("TZ", "").removeprefix(":")
    if name:
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            return _present()  # it is a rule such as CET-1CEST, or nothing that is known
    try:
        with system.open("rb") as file:
            return ZoneInfo.from_file(file, key=None)
    except (ValueError, OSError):
        return _present()


def _present() -> tzinfo:
    """Return what holds at the moment; it will not follow the next change of the clock."""
    return datetime.now(UTC).astimezone().tzinfo or UTC
