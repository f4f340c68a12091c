"""`takopi chat`: chat here in the terminal, without Telegram."""

from typing import Annotated

import typer

__all__ = ["chat"]


def complete_engine(incomplete: str) -> list[str]:
    """List the engines that begin so, for the shell; none of them is loaded."""
    from takopi.engines import find_engines
    from takopi.settings import home_directory

    known = (*find_engines(home_directory()).ids, "mock")
    return [engine for engine in known if engine.startswith(incomplete)]


def chat(
    *,
    engine: Annotated[
        str | None,
        typer.Option(
            "--engine",
            metavar="ID",
            help="Who answers; `mock` is a scripted engine.",
            autocompletion=complete_engine,
        ),
    ] = None,
    debug: Annotated[
        bool, typer.Option("--debug", help="Write everything to logs/debug.log.")
    ] = False,
) -> None:
    """Chat with an engine here: a prompt a line, from the keyboard or a pipe.

    All lines are one conversation; /new starts another, /cancel or Ctrl-C ends the running turn.
    """
    if debug:
        from takopi.cli.debug_log import start_debug_log

        start_debug_log()
    from takopi.app.chat import run_chat

    raise typer.Exit(run_chat(engine))
