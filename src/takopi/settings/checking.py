"""Check values and tables of the configuration against `KEYS`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from takopi.core.texts import tr
from takopi.settings.keys import accept, known_key
from takopi.settings.values import written_as, wrong_value

__all__ = ["check_value", "look_up"]


def check_value(name: str, value: Any, path: Path, *, written: str | None = None) -> Any:
    """Return the value of a known key in the form `Settings` has it.

    Args:
        name: The key.
        value: What stands there.
        path: The configuration file, for the text of the error.
        written: What the key is called in the file, when it is called otherwise.

    Raises:
        ConfigError: It is not accepted.
    """
    spec = known_key(name)
    if spec is None:
        return value
    try:
        return accept(spec.kind, value)
    except ValueError:
        shown = tr("a value that is not shown here") if spec.secret else None
        raise wrong_value(path, written or name, value, spec.accepted, shown=shown) from None


def look_up(document: Mapping[str, Any], name: str, path: Path) -> Any:
    """Return what stands under a dotted key, or None.

    Raises:
        ConfigError: A part of the key is a value, not a table.
    """
    value: Any = document
    parts = name.split(".")
    for index, part in enumerate(parts):
        if not isinstance(value, Mapping):
            table = ".".join(parts[:index])
            raise wrong_value(path, table, value, written_as(table))
        value = value.get(part)
        if value is None:
            return None
    return value
