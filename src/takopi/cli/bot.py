"""`takopi` and `takopi <engine>`: start the bot, after a short set-up where there is none."""

import sys

__all__ = ["run_bot"]


def run_bot(default_engine: str | None) -> int:
    """Serve the chat until somebody stops it; return the exit status.

    Args:
        default_engine: Goes before the configured one.

    Raises:
        TakopiError: The bot cannot start.
    """
    from takopi.app.home import open_home
    from takopi.app.setup import missing, not_set_up, set_up
    from takopi.cli.streams import on_terminal
    from takopi.settings import load_settings

    home = open_home()
    settings = load_settings(home.config)
    if missing(settings):
        if not on_terminal():
            raise not_set_up(settings)
        from takopi.cli.asker import TerminalAsker

        try:
            set_up(home, settings, TerminalAsker())
        except KeyboardInterrupt:
            print("\nNothing was written.", file=sys.stderr)
            return 130
    from takopi.app.bot import serve_bot

    return serve_bot(default_engine)
