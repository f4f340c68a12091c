"""Notice that the configuration was changed, and say whether it can be served."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import anyio

from takopi.errors import TakopiError
from takopi.logging import get_logger
from takopi.settings import Settings, load_settings

__all__ = ["next_settings"]

_log = get_logger(__name__)

_LOOKS_EVERY_S = 1.0

_Stamp = tuple[int, int, int]


async def next_settings(
    current: Settings,
    check: Callable[[Settings], None],
    refused: Callable[[str], None],
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Wait for a configuration that differs from the present one and can be served.

    The file is looked at once a second: editors put a new file in its place, which a watch on the
    old one would not see.

    Args:
        current: What is served now.
        check: Raises when a configuration cannot be served.
        refused: Told why a changed one is not taken, once for each change.
        environment: Variables of the process.
    """
    seen = _stamp(current.path)
    while True:
        await anyio.sleep(_LOOKS_EVERY_S)
        stamp = _stamp(current.path)
        if stamp in (seen, None):
            continue
        seen = stamp
        try:
            found = load_settings(current.path, environment)
            if found.document == current.document:
                continue
            check(found)
        except TakopiError as error:
            _log.warning("config.not_taken", error=str(error))
            refused(str(error))
        else:
            return found


def _stamp(path: Path) -> _Stamp | None:
    """Return what changes with the file; None while there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
