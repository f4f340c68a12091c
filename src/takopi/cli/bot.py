"""`takopi` and `takopi <engine>`: start the bot, after a set-up where there is none."""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from takopi.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from takopi.app.home import Home
    from takopi.settings import Settings

__all__ = ["BotWish", "run_bot"]


@dataclass(frozen=True, slots=True)
class BotWish:
    """Say what the command line asks of a bot.

    Args:
        default_engine: Goes before the configured one.
        onboard: Go through the set-up first, whether there is one or not.
        transport: What the configuration has to say; None for whatever it says.
        final_notify: The same.
    """

    default_engine: str | None = None
    onboard: bool = False
    transport: str | None = None
    final_notify: bool | None = None


def run_bot(wish: BotWish) -> int:
    """Serve the chat until somebody stops it; return the exit status.

    Args:
        wish: What was asked for.

    Raises:
        TakopiError: The bot cannot start.
    """
    from takopi.app.home import open_home
    from takopi.app.setup import missing, not_set_up, set_up
    from takopi.cli.streams import on_terminal
    from takopi.settings import load_settings

    home, onboard = open_home(), wish.onboard
    settings = load_settings(home.config)
    _refuse_other_words(wish, settings)
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

    return serve_bot(wish.default_engine)


def _refuse_other_words(wish: BotWish, settings: "Settings") -> None:
    """Refuse what only the configuration says: it counts after a restart and a reload, too."""
    key = f"transports.{settings.transport}.final_notify"
    for option, asked, name, found in (
        ("--transport", wish.transport, "transport", settings.transport),
        ("--final-notify", wish.final_notify, key, settings.chat.final_notify),
    ):
        if asked is not None and asked != found:
            value = str(asked).lower() if isinstance(asked, bool) else asked
            raise UsageError(
                f"{option} says another thing than the configuration, which counts; set it with "
                f"`takopi config set {name} {value}`"
            )


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
