"""Read the entry points of installed packages, also beside a package that is broken."""

from collections.abc import Iterable
from importlib import metadata

__all__ = ["entry_points_of"]

# What a damaged entry_points.txt or METADATA makes the standard library raise.
_DAMAGE = (TypeError, ValueError, KeyError, AttributeError, OSError)


def entry_points_of(group: str) -> list[metadata.EntryPoint]:
    """Return the entry points of a group, leaving out packages that cannot be read.

    `importlib.metadata.entry_points` gives up at the first damaged package, whoever made it, and
    then takopi would not even print its help.
    """
    try:
        return list(metadata.entry_points(group=group))
    except _DAMAGE:
        return [e for package in metadata.distributions() for e in _entry_points(package, group)]


def _entry_points(package: metadata.Distribution, group: str) -> Iterable[metadata.EntryPoint]:
    try:
        return list(package.entry_points.select(group=group))
    except _DAMAGE:
        return []
