"""`takopi` and `takopi <engine>`: start the bot, after a set-up where there is none."""

import sys
from typing import TYPE_CHECKING

from takopi.errors import ConfigError

if TYPE_CHECKING:
    from takopi.app.home import Home
    from takopi.settings import Settings

__all__ = ["run_bot"]


def run_bot(default_engine: str | None, *, onboard: bool = False) -> int:
    """Serve the chat until somebody stops it; return the exit status.

    Args:
        default_engine: Goes before the configured one.
        onboard: Go through the set-up first, whether there is one or not.

    Raises:
        TakopiError: The bot cannot start.
    """
    from takopi.app.home import open_home
    from takopi.app.setup import missing, not_set_up, set_up
    from takopi.cli.streams import on_terminal
    from takopi.settings import load_settings

    home = open_home()
    settings = load_settings(home.config)
    if settings.transport != "telegram":
        if not _set_up_transport(home, settings, onboard=onboard):
            return 130
    elif onboard or missing(settings):
        if not on_terminal():
            raise _nobody_there() if not missing(settings) else not_set_up(settings)
        from takopi.cli.asker import open_asker

        try:
            with open_asker() as asker:
                serves = set_up(home, settings, asker, again=onboard)
        except KeyboardInterrupt:
            print("\nNothing was written.", file=sys.stderr)
            return 130
        if serves:
            return 0
    from takopi.app.bot import serve_bot

    return serve_bot(default_engine)


def _set_up_transport(home: "Home", settings: "Settings", *, onboard: bool) -> bool:
    """Ask what another transport than Telegram needs; False when the person left."""
    from takopi.app.transport_setup import set_up_transport, transport_missing
    from takopi.cli.streams import on_terminal

    if not onboard and not (transport_missing(home, settings) and on_terminal()):
        return True  # what is missing is told when it starts
    if not on_terminal():
        raise _nobody_there()
    from takopi.cli.asker import open_asker

    try:
        with open_asker() as asker:
            set_up_transport(home, settings, asker)
    except KeyboardInterrupt:
        print("\nNothing was written.", file=sys.stderr)
        return False
    return True


def _nobody_there() -> ConfigError:
    return ConfigError(
        "--onboard asks questions, and there is no terminal to ask on; run `takopi --onboard` in "
        "one, or change keys with `takopi config set KEY VALUE`"
    )
