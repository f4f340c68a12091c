"""What `takopi ps` shows: turns of the journal and runs of the disk, put together."""

import math
from collections.abc import Sequence

import msgspec

from takopi.core.durations import format_elapsed
from takopi.core.shorten import one_line, shorten_path
from takopi.core.turn_state import ENDS, TurnState

__all__ = ["ProcessRow", "is_open", "process_table", "shown_state"]

_HEADER = ("TURN", "ENGINE", "STATE", "FOR", "CHAT", "DIRECTORY", "PROMPT")
_PATH_UNITS = 32
_MIN_PROMPT_UNITS = 20
_GAP = 2


class ProcessRow(msgspec.Struct, frozen=True, kw_only=True):
    """Be one turn, or a run that belongs to none.

    Args:
        turn: Id of the turn; None for a run in a terminal.
        run: Name of the run directory, once there is one.
        engine: Who does it.
        state: What a person is told of it.
        since: When it was started or, before that, accepted; unix seconds, None when unknown.
        chat: Where it was asked for: a chat's id, or `terminal`.
        thread: The topic in that chat.
        cwd: Where it works.
        prompt: The person's words.
        session: The engine's session, once that is known.
        pid: The engine's process while it lives.
    """

    turn: str | None
    run: str | None
    engine: str
    state: str
    since: float | None
    chat: str
    thread: int | None = None
    cwd: str = ""
    prompt: str = ""
    session: str | None = None
    pid: int | None = None


def shown_state(turn: TurnState | None, run: str | None) -> str:
    """Put what the journal says and what the run directory says into one word or two.

    Args:
        turn: The turn's state; None when no turn is known.
        run: The run's state as `process.run_views` has it; None when there is no run directory.
    """
    if turn in ("starting", "running"):
        # Until takopi has taken it up again, the journal knows less than the directory.
        after = {"running": "running", "ended": "to deliver", "lost": "lost"}
        return after.get(run or "", "starting")
    if turn == "delivering":
        return "to deliver"
    if turn is not None:
        return turn
    return {"starting": "not started"}.get(run or "", run or "unknown")


def is_open(state: str) -> bool:
    """Tell whether something is still to come of a row."""
    return state not in {*ENDS, "ended", "lost", "not started", "unknown"}


def process_table(rows: Sequence[ProcessRow], now: float, columns: int) -> str:
    """Lay rows out in columns.

    Args:
        rows: What is shown, in this order.
        now: Present moment, unix seconds.
        columns: How wide a line may be; words of the prompt fill what is left.
    """
    lines = [_HEADER, *(_cells(row, now) for row in rows)]
    widths = [max(len(line[number]) for line in lines) for number in range(len(_HEADER) - 1)]
    room = max(columns - sum(widths) - _GAP * len(widths), _MIN_PROMPT_UNITS)
    shown = []
    for line in lines:
        padded = (f"{cell:<{width + _GAP}}" for cell, width in zip(line, widths, strict=False))
        shown.append(("".join(padded) + one_line(line[-1], room)).rstrip())
    return "\n".join(shown)


def _cells(row: ProcessRow, now: float) -> tuple[str, ...]:
    chat = row.chat if row.thread is None else f"{row.chat}/{row.thread}"
    since = math.nan if row.since is None else now - row.since
    return (
        row.turn or row.run or "",
        one_line(row.engine, 20),
        row.state,
        "?" if row.since is None else format_elapsed(since),
        chat,
        shorten_path(row.cwd, _PATH_UNITS),
        row.prompt,
    )
