"""Find the secrets of a configuration, so that no log and no message ever holds one."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from takopi.settings.values import Settings

__all__ = ["SECRET_NAME", "secret_values"]

SECRET_NAME = re.compile(r"(?:token|api_?key|password|secret)$", re.IGNORECASE)

SHORTEST = 8
"""What is shorter stands in ordinary words as well, and would black them out."""


def secret_values(settings: Settings) -> Iterator[str]:
    """Yield takopi's own secrets, and what looks like one in the tables of plug-ins.

    Args:
        settings: The configuration.
    """
    yield from filter(None, (settings.telegram.bot_token, settings.voice.api_key))
    for group in ("plugins", "transports"):
        yield from _of(settings.document.get(group, {}))


def _of(table: Any) -> Iterator[str]:
    if not isinstance(table, Mapping):
        return
    for name, value in table.items():
        if isinstance(value, str) and len(value) >= SHORTEST and SECRET_NAME.search(name):
            yield value
        yield from _of(value)
