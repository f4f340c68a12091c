"""Read an engine's table of the configuration, and say exactly what is wrong with it."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from takopi.core.texts import tr
from takopi.errors import ConfigError

__all__ = ["ConfigTable"]

# The application reads these from every engine's table.
_COMMON_KEYS = ("keep_background",)


class ConfigTable:
    """Be the table of one engine; each reader names the key it knows, `done` refuses the others.

    Args:
        engine: Id of the engine, which is the table's name.
        values: The table.
        path: The file it stands in, for the texts of errors.
    """

    __slots__ = ("_engine", "_known", "_path", "_values")

    def __init__(self, engine: str, values: Mapping[str, Any], path: Path) -> None:
        self._engine = engine
        self._values = values
        self._path = path
        self._known: list[str] = list(_COMMON_KEYS)

    def text(self, key: str) -> str | None:
        """Read a text that is not empty and cannot be taken for an option.

        Raises:
            ConfigError: It is something else.
        """
        value = self._take(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip() or value.startswith("-"):
            raise self._wrong(key, value, 'a text in quotes that does not begin with "-"')
        return value

    def choice(self, key: str, choices: Sequence[str], default: str | None = None) -> str | None:
        """Read one of some words.

        Raises:
            ConfigError: It is none of them.
        """
        value = self._take(key)
        if value is None:
            return default
        if not isinstance(value, str) or value not in choices:
            raise self._wrong(key, value, "one of " + ", ".join(f'"{word}"' for word in choices))
        return value

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Read true or false.

        Raises:
            ConfigError: It is something else.
        """
        value = self._take(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._wrong(key, value, tr("true or false"))
        return value

    def words(
        self, key: str, default: Sequence[str] = (), *, options: bool = False
    ) -> tuple[str, ...]:
        """Read a list of texts.

        Args:
            key: Name of the key.
            default: What holds without the key.
            options: Whether an item may begin with "-".

        Raises:
            ConfigError: It is something else.
        """
        value = self._take(key)
        if value is None:
            return tuple(default)
        accepted = tr('a list of texts, like ["one", "two"]')
        if not options:
            accepted += tr(', none of which begins with "-"')
        if not isinstance(value, list):
            raise self._wrong(key, value, accepted)
        for item in value:
            good = isinstance(item, str) and item.strip() and "\0" not in item
            if not good or (not options and item.startswith("-")):
                raise self._wrong(key, item, accepted)
        return tuple(value)

    def done(self) -> None:
        """Refuse every key that no reader asked for.

        Raises:
            ConfigError: There is one; the text names the nearest known key.
        """
        for key in self._values:
            if key in self._known:
                continue
            close = difflib.get_close_matches(str(key), self._known, n=1)
            meant = tr("did you mean `{key}`? ", key=close[0]) if close else ""
            raise ConfigError(
                tr("{path}: `{engine}.{key}` is no key of {engine}; {meant}accepted keys: {known}",
                   path=self._path, engine=self._engine, key=key, meant=meant,
                   known=", ".join(self._known))
            )  # fmt: skip

    def _take(self, key: str) -> Any:
        self._known.append(key)
        return self._values.get(key)

    def _wrong(self, key: str, found: Any, accepted: str) -> ConfigError:
        shown = repr(found)
        if len(shown) > 80:
            shown = shown[:79] + "…"
        return ConfigError(
            tr("{path}: `{engine}.{key}` is {found}; accepted is {accepted}",
               path=self._path, engine=self._engine, key=key, found=shown, accepted=accepted)
        )  # fmt: skip
