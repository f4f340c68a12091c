"""What every way of running engines shares: folder, settings, engines, processes."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from takopi.app.engines import EngineShelf
from takopi.app.home import Home, open_home
from takopi.core.os_remedies import remedy
from takopi.engines import find_engines
from takopi.errors import AccessError
from takopi.logging import add_secrets
from takopi.model import EngineId
from takopi.process.home import home_id
from takopi.process.host import HostLimits, LocalRunHost
from takopi.runner import RunnerRuntime, bind_runtime
from takopi.settings import Settings, load_settings, refuse_engine_aliases
from takopi.settings.secret_values import secret_values

__all__ = ["EnginePasses", "InstallCommands", "Runtime", "open_runtime"]


class EnginePasses(Mapping[EngineId, tuple[str, ...]]):
    """Name for each engine the variables it may see; an engine is loaded when it is asked for.

    Args:
        shelf: Knows what an engine itself declares.
        settings: Knows what the person adds.
    """

    def __init__(self, shelf: EngineShelf, settings: Settings) -> None:
        self._shelf = shelf
        self._settings = settings

    def __getitem__(self, engine: EngineId) -> tuple[str, ...]:
        own = self._shelf.backend(engine).env_pass if engine in self._shelf.ids() else ()
        return (*own, *self._settings.env_pass.get(engine, ()))

    def __iter__(self) -> Iterator[EngineId]:
        return iter(self._shelf.ids())

    def __len__(self) -> int:
        return len(self._shelf.ids())


class InstallCommands(Mapping[EngineId, str | None]):
    """Name for each engine the command that installs it; an engine is loaded when it is asked for.

    Args:
        shelf: Knows what an engine declares.
    """

    def __init__(self, shelf: EngineShelf) -> None:
        self._shelf = shelf

    def __getitem__(self, engine: EngineId) -> str | None:
        if engine not in self._shelf.ids():
            raise KeyError(engine)
        return self._shelf.backend(engine).install_cmd

    def __iter__(self) -> Iterator[EngineId]:
        return iter(self._shelf.ids())

    def __len__(self) -> int:
        return len(self._shelf.ids())


class Runtime(msgspec.Struct, frozen=True):
    """Hold what a process of takopi works with."""

    home: Home
    settings: Settings
    shelf: EngineShelf
    host: LocalRunHost


@contextmanager
def open_runtime(
    environment: Mapping[str, str] = os.environ, settings: Settings | None = None
) -> Iterator[Runtime]:
    """Read the configuration, find the engines, and bind what runners need for the block.

    Args:
        environment: Variables of the process.
        settings: The configuration, when it was read already.

    Raises:
        ConfigError: The configuration is wrong.
        AccessError: Others can enter takopi's folder or read the configuration, or the folder
            cannot be used.
    """
    home = open_home()
    if settings is None:
        settings = load_settings(home.config, environment)
    add_secrets(secret_values(settings))
    shelf = EngineShelf(find_engines(home.path, settings.plugins.packages), settings, environment)
    refuse_engine_aliases(settings.projects, shelf.ids(), settings.path)
    host = _open_host(home, settings)
    runtime = RunnerRuntime(
        host=host,
        env_pass=EnginePasses(shelf, settings),
        keep_background=shelf.keeps_background(),
        install_cmd=InstallCommands(shelf),
    )
    with bind_runtime(runtime):
        yield Runtime(home, settings, shelf, host)


def _open_host(home: Home, settings: Settings) -> LocalRunHost:
    limits = HostLimits(max_run_mb=settings.max_run_mb)
    try:
        return LocalRunHost(home.runs, home_id(home.path), limits=limits)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""  # a write names no file
        raise AccessError(
            f"{home.path} cannot be used: {error.strerror}{where}; "
            f"{remedy(error.errno, Path(error.filename or home.path))}, or set TAKOPI_HOME to "
            "another folder"
        ) from error
