"""What every way of running engines shares: folder, settings, engines, processes."""

import os
from collections.abc import Iterator, Mapping

import msgspec

from takopi.app.engines import EngineShelf
from takopi.app.home import Home, open_home
from takopi.engines import find_engines
from takopi.logging import add_secrets
from takopi.model import EngineId
from takopi.process.home import home_id
from takopi.process.host import LocalRunHost
from takopi.runner import RunnerRuntime, bind_runtime
from takopi.settings import Settings, load_settings

__all__ = ["EnginePasses", "Runtime", "start_runtime"]


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


class Runtime(msgspec.Struct, frozen=True):
    """Hold what a process of takopi works with."""

    home: Home
    settings: Settings
    shelf: EngineShelf
    host: LocalRunHost


def start_runtime(environment: Mapping[str, str] = os.environ) -> Runtime:
    """Read the configuration, find the engines and bind what runners need.

    Raises:
        ConfigError: The configuration is wrong.
        AccessError: Others can enter takopi's folder or read the configuration.
    """
    home = open_home()
    settings = load_settings(home.config, environment)
    if settings.telegram.bot_token is not None:
        add_secrets([settings.telegram.bot_token])
    shelf = EngineShelf(find_engines(home.path), settings, environment)
    host = LocalRunHost(home.runs, home_id(home.path))
    bind_runtime(
        RunnerRuntime(
            host=host,
            env_pass=EnginePasses(shelf, settings),
            keep_background=shelf.keeps_background(),
        )
    )
    return Runtime(home, settings, shelf, host)
