"""`takopi ps`: what runs and waits."""

import shutil
import sys
import time
from typing import Annotated

import typer

__all__ = ["ps"]


def ps(
    *,
    every: Annotated[bool, typer.Option("--all", "-a", help="Show what is over, too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, one line for each.")] = False,
) -> None:
    """List the turns and runs of takopi; the bot need not run."""
    import msgspec

    from takopi.app.bot_lock import running_bot
    from takopi.app.owned_home import owned_home
    from takopi.app.process_list import list_processes
    from takopi.core.process_rows import process_table
    from takopi.logging import redact

    home = owned_home()
    rows = list_processes(home, every=every)
    if json:
        for row in rows:
            print(redact(msgspec.json.encode(row).decode()))
        return
    columns = shutil.get_terminal_size((100, 24)).columns
    if rows:
        print(redact(process_table(rows, time.time(), columns)))
    else:
        print("Nothing runs and nothing waits.")
    bot = running_bot(home)
    if bot is not None:
        print(f"takopi serves (process {bot.pid}).", file=sys.stderr)
    elif any(row.chat != "terminal" for row in rows):
        text = "No bot runs: `takopi` takes up what is open, `takopi stop` ends what works."
        print(text, file=sys.stderr)
