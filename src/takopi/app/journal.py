"""The bot's journal: opened, or rebuilt from the run directories when the file is lost."""

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec.structs import replace

from takopi.app.home import Home
from takopi.bridge.records import TurnRecord
from takopi.core.texts import tr
from takopi.logging import get_logger
from takopi.process.run_views import RunView, list_runs
from takopi.store.opening import open_journal
from takopi.store.sqlite_store import SqliteStore

__all__ = ["open_bot_journal", "rebuilt_turns"]

_log = get_logger(__name__)

_PARTS = ("", "-wal")
# A run that ended shortly before the last write may have ended without its final being written.
_SLACK_S = 60.0
_NO_FILE_S = 600.0


def open_bot_journal(home: Home) -> SqliteStore:
    """Open the journal of takopi's folder; waits for the disk.

    Raises:
        AccessError: The file is open to other users.
        StoreError: A newer takopi wrote it, or it cannot be opened now.
    """
    now = time.time()
    return open_journal(home.journal, rebuild=lambda: list(rebuilt_turns(home, now)), now=now)


def rebuilt_turns(home: Home, now: float) -> Iterator[TurnRecord]:
    """Yield the turns that the run directories tell of, the oldest first.

    A run that still works, or that ended when nobody could write that down, is an open turn: it is
    followed, and its final goes out. All others are over; replies to them go on in their session.

    Args:
        home: takopi's folder.
        now: Present moment, unix seconds.
    """
    last_write = max((_mtime(home.journal, part) for part in _PARTS), default=0.0)
    unwatched_since = (last_write or now - _NO_FILE_S + _SLACK_S) - _SLACK_S
    for view in reversed(list(list_runs(home.runs))):
        written = view.record.get("turn_record")
        if written is None:
            continue  # a terminal's
        try:
            turn = msgspec.convert(written, TurnRecord)
        except msgspec.ValidationError as error:
            _log.warning("journal.run_not_read", run=view.run_id, error=str(error))
            continue
        yield _as_found(turn, view, unwatched_since)


def _as_found(turn: TurnRecord, view: RunView, unwatched_since: float) -> TurnRecord:
    unwatched = view.state != "ended" or (view.ended_at or 0.0) >= unwatched_since
    told = ""
    if unwatched and view.state == "ended":
        told = tr("the journal was lost, so this answer may have come before")
    return replace(
        turn,
        state="running" if unwatched else "done",
        outcome=None if unwatched else "done",
        run_id=view.run_id,
        session=turn.session or view.session,
        cwd=turn.cwd or view.cwd or None,
        note="; ".join(note for note in (turn.note, told) if note),
    )


def _mtime(path: Path, part: str) -> float:
    try:
        return path.with_name(path.name + part).stat().st_mtime
    except OSError:
        return 0.0
