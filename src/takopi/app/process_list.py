"""`takopi ps`: what runs and waits, from the journal and the run directories alone."""

from datetime import datetime
from typing import Any

from takopi.app.home import Home
from takopi.app.owned_home import open_journal_to_read
from takopi.bridge.records import TurnRecord
from takopi.core.process_rows import ProcessRow, is_open, shown_state
from takopi.process.run_views import RunView, list_runs

__all__ = ["list_processes"]

MOST_ROWS = 100


def list_processes(home: Home, *, every: bool) -> list[ProcessRow]:
    """List turns, and runs that belong to none, the oldest first.

    Args:
        home: Whose.
        every: Those that are over, too; of these the newest.
    """
    with open_journal_to_read(home) as journal:
        turns = [] if journal is None else journal.turns(MOST_ROWS, only_open=not every)
    runs = {run.run_id: run for run in list_runs(home.runs)}
    rows = [_turn_row(turn, runs.pop(turn.run_id or "", None)) for turn in turns]
    others = (_run_row(run) for run in runs.values())
    rows += [row for row in others if every or is_open(row.state)][:MOST_ROWS]
    return sorted(rows, key=lambda row: row.since or 0.0)[-MOST_ROWS:]


def _turn_row(turn: TurnRecord, run: RunView | None) -> ProcessRow:
    session = turn.session or turn.asked
    return ProcessRow(
        turn=turn.turn_id,
        run=turn.run_id,
        engine=turn.engine,
        state=shown_state(turn.state, None if run is None else run.state),
        since=turn.started_at or turn.accepted_at,
        chat=str(turn.scope.chat_id),
        thread=turn.scope.thread_id,
        cwd=turn.cwd or "",
        prompt=turn.prompt,
        session=session.value if session is not None else None,
        pid=None if run is None else run.pid,
    )


def _run_row(run: RunView) -> ProcessRow:
    """Make the row of a run whose turn the journal does not list, from its own record."""
    record = run.record
    in_chat = record.get("transport") not in (None, "terminal")
    return ProcessRow(
        turn=_text(record.get("turn")),
        run=run.run_id,
        engine=run.engine,
        state=shown_state(None, run.state),
        since=_moment(run.created),
        chat=str(record.get("chat_id")) if in_chat else "terminal",
        thread=record.get("thread_id") if in_chat else None,
        cwd=run.cwd,
        prompt=_text(record.get("prompt")) or "",
        session=run.session.value if run.session is not None else None,
        pid=run.pid,
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _moment(created: str) -> float | None:
    try:
        return datetime.fromisoformat(created).timestamp()
    except ValueError:
        return None
