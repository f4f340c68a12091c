"""Engines that this machine cannot run, or that do not say which version they are."""

from collections.abc import Sequence

import msgspec

from takopi.core.texts import tr
from takopi.model import EngineId

__all__ = ["UNKNOWN_VERSION", "MissingEngine", "missing_line"]

UNKNOWN_VERSION = "unknown"
"""Stands for the version of a CLI that is installed and does not tell one."""


class MissingEngine(msgspec.Struct, frozen=True):
    """Be an engine that cannot run here.

    Args:
        engine: Its id.
        install_cmd: The command that installs it, when the engine declares one.
        broken: Its module cannot be used, so nobody knows whether it is installed.
    """

    engine: EngineId
    install_cmd: str | None = None
    broken: bool = False


def missing_line(missing: Sequence[MissingEngine]) -> str:
    """Name engines that cannot run here and what mends it, in one line; empty for none."""
    absent = [_with_remedy(one) for one in missing if not one.broken]
    broken = [one.engine for one in missing if one.broken]
    said = []
    if absent:
        said.append(tr("Not installed here: {engines}.", engines=", ".join(absent)))
    if broken:
        said.append(
            tr("Cannot be used here: {engines}; `takopi doctor` says why.",
               engines=", ".join(broken))
        )  # fmt: skip
    return " ".join(said)


def _with_remedy(one: MissingEngine) -> str:
    return f"{one.engine} (`{one.install_cmd}`)" if one.install_cmd else one.engine
