"""`takopi <engine>`: one turn in the terminal, or the bot with that default engine."""

import os
import sys
from typing import Annotated, Any

import typer

from takopi.errors import UsageError

__all__ = ["engine_command"]


def engine_command(engine: str) -> Any:
    """Make the command of an engine; the engine itself is not loaded for it."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)

    @app.command(
        name=engine,
        help=f"Run one turn of {engine} here; without a prompt start the bot with it as default.",
        short_help=f"Run one turn of {engine}.",
    )
    def command(
        prompt: Annotated[
            list[str] | None,
            typer.Argument(
                help="What to do; - at the beginning reads (the rest of) it from standard input.",
                show_default=False,
            ),
        ] = None,
        *,
        resume: Annotated[
            str | None,
            typer.Option("--resume", metavar="ID", help="Continue a session: its id or its line."),
        ] = None,
        json: Annotated[
            bool, typer.Option("--json", help="Print the events as JSON lines.")
        ] = False,
        debug: Annotated[
            bool, typer.Option("--debug", help="Write everything to logs/debug.log.")
        ] = False,
    ) -> None:
        if debug:
            from takopi.cli.debug_log import start_debug_log

            start_debug_log()
        raise typer.Exit(_run(engine, prompt, resume, as_json=json))

    return typer.main.get_command(app)


def _run(engine: str, words: list[str] | None, resume: str | None, *, as_json: bool) -> int:
    if not words and resume is None:
        if as_json:
            raise UsageError(f'--json wants a prompt, like `takopi {engine} --json "list files"`')
        from takopi.cli.bot import BotWish, run_bot

        return run_bot(BotWish(default_engine=engine))
    from takopi.app.turn import OneTurn, run_turn

    # What the locale could not decode is UTF-8 all the same, or nothing that an engine could read.
    from_input, *rest = words if words and words[0] == "-" else ["", *(words or ())]
    prompt = os.fsencode(" ".join(rest)).decode("utf-8", "replace")
    if from_input:
        read = sys.stdin.buffer.read().decode("utf-8", "replace")
        prompt = "\n\n".join(part for part in (prompt, read) if part.strip())
    if not prompt.strip():
        if words or resume is None:
            raise UsageError(f'the prompt is empty; say what to do, like `takopi {engine} "hi"`')
        prompt = "continue"
    return run_turn(OneTurn(engine=engine, prompt=prompt, resume=resume, as_json=as_json))
