"""Set up and examine the transports that are not Telegram."""

from takopi.app.asking import Asker
from takopi.app.checks import Check
from takopi.app.config_edit import edit_document, set_values
from takopi.app.home import Home
from takopi.app.transports import choose_transport
from takopi.errors import PluginError
from takopi.settings import Settings

__all__ = ["check_transport", "set_up_transport", "transport_missing"]


def transport_missing(home: Home, settings: Settings) -> tuple[str, ...]:
    """Say what the chosen transport still needs, each with its remedy.

    Raises:
        PluginError: No package brings it, or it cannot be used.
    """
    return choose_transport(home, settings).missing()


def set_up_transport(home: Home, settings: Settings, asker: Asker) -> None:
    """Ask what the chosen transport wants to know, and write it down at the end.

    Raises:
        KeyboardInterrupt: The person left; nothing was written.
        PluginError: No package brings it, or it cannot be used.
        ConfigError: The file cannot be written.
    """
    chosen = choose_transport(home, settings)
    asker.say(chosen.backend.description)
    found = chosen.backend.interactive_setup(chosen.config, asker)
    prefix = f"transports.{chosen.backend.id}."
    with edit_document(home.config) as document:
        set_values(document, {prefix + name: value for name, value in found.items()})
    asker.say(f"{home.config} is written", "good")


def check_transport(home: Home, settings: Settings) -> list[Check]:
    """Say whether the chosen transport is there and set up; it is not asked anything."""
    try:
        chosen = choose_transport(home, settings)
    except PluginError as error:
        return [Check("transport", "wrong", str(error))]
    wrong = [Check("transport", "wrong", told) for told in chosen.missing()]
    return wrong or [Check("transport", "ok", chosen.backend.description)]
