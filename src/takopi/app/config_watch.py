"""Notice that the configuration was changed, and say whether it can be served."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from takopi.bridge.ports import Clock
from takopi.errors import TakopiError
from takopi.logging import get_logger
from takopi.settings import Settings, load_settings

__all__ = ["next_settings"]

_log = get_logger(__name__)

_LOOKS_EVERY_S = 1.0
_RESTS_S = 0.25

_Stamp = tuple[int, int, int, int]


async def next_settings(
    current: Settings,
    check: Callable[[Settings], None],
    refused: Callable[[str], None],
    clock: Clock,
    environment: Mapping[str, str] = os.environ,
    *,
    given_up: Mapping[str, Any] | None = None,
) -> Settings:
    """Wait for a configuration that differs from the present one and can be served.

    The file is looked at once a second: editors put a new file in its place, which a watch on the
    old one would not see. What differs at the first look was saved while the present one was taken.

    Args:
        current: What is served now.
        check: Raises when a configuration cannot be served.
        refused: Told why a changed one is not taken, once for each change.
        clock: Tells when to look again.
        environment: Variables of the process.
        given_up: A document that was tried and could not be served; it is not tried again.
    """
    seen: _Stamp | None = None
    while True:
        await clock.sleep_until(clock.now() + _LOOKS_EVERY_S)
        stamp = _stamp(current.path)
        if stamp in (seen, None):
            continue
        stamp = await _at_rest(current.path, clock)
        if stamp is None:
            continue
        seen = stamp
        try:
            found = load_settings(current.path, environment)
            if not found.exists:
                seen = None  # it went away meanwhile: whatever comes in its place is new
            tried, given_up = given_up, None  # whoever saves it again may have mended the rest
            if not found.exists or found.document in (current.document, tried):
                continue
            check(found)
        except TakopiError as error:
            _log.warning("config.not_taken", error=str(error))
            refused(str(error))
        else:
            return found


async def _at_rest(path: Path, clock: Clock) -> _Stamp | None:
    """Wait until nobody writes: many save a file by emptying it first, and half of it may read."""
    stamp = _stamp(path)
    while True:
        await clock.sleep_until(clock.now() + _RESTS_S)
        before, stamp = stamp, _stamp(path)
        if stamp == before:
            return stamp


def _stamp(path: Path) -> _Stamp | None:
    """Return what changes with the file; None while there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size
