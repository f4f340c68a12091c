"""The commands of installed packages, as the configuration lets them in."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from takopi.app.engines import EngineShelf
from takopi.commands import CommandBackend, find_commands
from takopi.core.commands import command_names
from takopi.model import EngineId
from takopi.plugin_catalogue import PluginCatalogue
from takopi.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["InstalledCommands", "open_commands"]


class InstalledCommands:
    """Be the bridge's commands of plug-ins over what was found.

    Args:
        settings: The configuration.
        shelf: The engines.
        always_answers: Whether a command that says nothing is said to be done.
    """

    def __init__(
        self, settings: Settings, shelf: EngineShelf, *, always_answers: bool = False
    ) -> None:
        self.always_answers = always_answers
        self.catalogue: PluginCatalogue[CommandBackend] = open_commands(settings, shelf.ids())
        self.config_path: Path | None = settings.path if settings.exists else None
        self._settings = settings
        self._shelf = shelf

    def table(self, plugin_id: str) -> dict[str, Any]:
        """Return the table `[plugins.<id>]`; empty when there is none."""
        return self._settings.plugin_table(plugin_id)

    def installed(self, engine: EngineId) -> bool:
        """Tell whether an engine's CLI is on PATH.

        Raises:
            PluginError: The engine cannot be loaded.
        """
        return self._shelf.installed(engine).path is not None


def open_commands(
    settings: Settings, engines: Collection[EngineId]
) -> PluginCatalogue[CommandBackend]:
    """Find the commands of packages; what means something else in the chat already is refused."""
    taken = {
        **{alias.lower(): "a project" for alias in settings.projects.aliases},
        **dict.fromkeys(engines, "an engine"),
        **dict.fromkeys(command_names(), "a command of takopi"),
    }
    return find_commands(enabled=settings.plugins.packages, taken=taken)
