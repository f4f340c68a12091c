"""Read and write the configuration file, for plug-ins; takopi itself uses `takopi.settings`."""

import os
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from takopi.errors import ConfigError
from takopi.settings import CONFIG_NAME, home_directory

if TYPE_CHECKING:
    HOME_CONFIG_PATH: Path

__all__ = ["HOME_CONFIG_PATH", "ConfigError", "read_config", "write_config"]


def __getattr__(name: str) -> Any:
    # Looked up when it is asked for, so that TAKOPI_HOME counts as it is then.
    if name == "HOME_CONFIG_PATH":
        return home_directory() / CONFIG_NAME
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def read_config(path: Path) -> dict[str, Any]:
    """Return the configuration as plain values.

    Raises:
        ConfigError: The file is missing, cannot be read or is not TOML.
    """
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path} does not exist; run `takopi` to set it up") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}; check its owner") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}; mend that line") from error


def write_config(config: Mapping[str, Any], path: Path) -> None:
    """Put a configuration in place of the file, whole or not at all, readable by its owner only.

    A symbolic link stays one: the file that it names is replaced.

    Raises:
        ConfigError: The file cannot be written, or a value has no form in TOML.
    """
    import tomli_w

    try:
        text = tomli_w.dumps(config)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{path} was not written: {error}; use plain values") from error
    target = path.resolve()
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:  # mkstemp made it 0600
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}; check its owner") from error
