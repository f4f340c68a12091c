"""`takopi logs`: what an engine did, as text."""

import os
import sys
from typing import Annotated

import typer

__all__ = ["logs"]


def logs(
    turn: Annotated[
        str | None,
        typer.Argument(help="A turn or run, or the beginning of its id; without it the newest."),
    ] = None,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Wait for more until the run ends.")
    ] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="Show what the engine printed as it is.")
    ] = False,
) -> None:
    """Show what an engine did in a turn; the bot need not run."""
    from takopi.app.owned_home import owned_home
    from takopi.app.run_log import LogWish, show_log

    try:
        show_log(owned_home(), LogWish(name=turn, follow=follow, raw=raw))
    except BrokenPipeError:
        # Whoever read it has seen enough; what is left in the buffer must not raise at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
