"""The list that `takopi plugins` shows: every plug-in, its place, and what is wrong with it."""

from collections.abc import Callable, Iterator, Sequence

from takopi.app.command_plugins import open_commands
from takopi.app.engines import EngineShelf
from takopi.app.home import locate_home
from takopi.engines import find_engines
from takopi.errors import PluginError, TakopiError
from takopi.plugin_catalogue import PluginProblem
from takopi.settings import load_settings, parse_settings
from takopi.transports import find_transports

__all__ = ["list_plugins"]


def list_plugins() -> Iterator[str]:
    """Load everything and yield a line for each; a fault of the configuration hides none."""
    home = locate_home()
    try:
        settings = load_settings(home.config)
    except TakopiError as error:
        settings = parse_settings({}, home.config, {})
        yield f"the configuration is left out, because it cannot be used: {error}"
    engines = find_engines(home.path, settings.plugins.packages)
    # An engine's own table is not looked at: a fault in it is no fault of its module.
    shelf = EngineShelf(engines, parse_settings({}, home.config, {}))
    yield from _lines(engines.ids, shelf.backend, engines.place)
    yield from _told(engines.problems)
    commands = open_commands(settings, engines.ids)
    if commands.ids or commands.problems or commands.left_out:
        yield ""
        yield "commands:"
        yield from _lines(commands.ids, commands.load, commands.place)
        yield from _told(commands.problems)
        yield from _told(commands.left_out, "–")
    transports = find_transports(settings.plugins.packages)
    yield ""
    yield "transports:"
    yield from _lines(transports.ids, transports.load, transports.place)
    yield from _told(transports.problems)
    yield from _told(transports.left_out, "–")


def _lines(
    ids: Sequence[str], load: Callable[[str], object], place: Callable[[str], str]
) -> Iterator[str]:
    for plugin_id in ids:
        try:
            load(plugin_id)
            state = f"✓ {place(plugin_id)}"
        except PluginError as error:  # its text has the place
            state = f"✗ {error}"
        yield _row(plugin_id, state)


def _told(problems: Sequence[PluginProblem], mark: str = "✗") -> Iterator[str]:
    for problem in problems:
        yield _row(problem.id, f"{mark} {problem.told}")


def _row(name: str, state: str) -> str:
    return f"{name:<14}  {state}"
