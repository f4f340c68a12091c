"""Read `extra_args`, without the options by which takopi itself speaks to the engine."""

from collections.abc import Collection
from pathlib import Path

from takopi.core.texts import tr
from takopi.errors import ConfigError
from takopi.runners._config_table import ConfigTable

__all__ = ["read_extra_args"]


def read_extra_args(
    table: ConfigTable, engine: str, path: Path, *, owned: Collection[str]
) -> tuple[str, ...]:
    """Read the options that a person adds to every run.

    Args:
        table: The engine's table.
        engine: Its name.
        path: The file it stands in.
        owned: Options that takopi sets, or that would end the conversation with takopi.

    Raises:
        ConfigError: It is no list of texts, or one of them is takopi's.
    """
    words = table.words("extra_args", options=True)
    for word in words:
        if word.split("=", 1)[0] in owned:
            raise ConfigError(
                tr("{path}: `{engine}.extra_args` has {word}, which takopi sets itself; remove it. "
                   'Accepted are other options of {engine}, like ["--option", "value"]',
                   path=path, engine=engine, word=repr(word))
            )  # fmt: skip
    return words
