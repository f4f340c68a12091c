"""What the journal forgets, in pieces so small that no commit waits long behind one."""

import sqlite3

from takopi.core.journal_keeping import (
    KEEP_GONE_S,
    KEEP_KEYS_S,
    KEEP_TURNS_S,
    KEEP_UPDATES_S,
    KEEP_USAGE_S,
)
from takopi.store.schema import transaction

__all__ = ["forget_a_piece", "forget_numbers", "shrink_a_piece"]

_ROWS = 200
_TURNS = 20
_PAGES = 128
# Free pages are used again, so a file is made smaller only when much of it is empty.
_LEAST_FREE_PAGES = 1024

_UPDATES = """DELETE FROM updates WHERE id IN
    (SELECT id FROM updates WHERE handled = 1 AND arrived_at < ? LIMIT ?)"""
_KEYS = "DELETE FROM seen WHERE key IN (SELECT key FROM seen WHERE at < ? LIMIT ?)"
_USAGE = """DELETE FROM usage WHERE turn_id IN
    (SELECT turn_id FROM usage WHERE ended_at < ? LIMIT ?)"""
# No record says when a topic was deleted: it counts from the first pruning that finds it gone.
_MARK_GONE = "UPDATE places SET gone_since = ? WHERE gone AND gone_since IS NULL"
_GONE = "DELETE FROM places WHERE gone AND gone_since < ?"
# The ids of supergroups have 13 digits; their messages have one number for everybody.
_ALIEN_KEYS = "DELETE FROM seen WHERE key NOT GLOB '*:[me]:-100??????????*'"
_ALIEN_MESSAGES = "DELETE FROM messages WHERE chat_id > -1000000000000"
_OLD_TURNS = "SELECT seq, turn_id FROM turns WHERE over_at < ? LIMIT ?"


def forget_a_piece(db: sqlite3.Connection, now: float) -> bool:
    """Forget some of what is too old; return whether there may be more.

    Args:
        db: The journal.
        now: Present moment, unix seconds.
    """
    with transaction(db):
        updates = db.execute(_UPDATES, (now - KEEP_UPDATES_S, _ROWS)).rowcount
        keys = db.execute(_KEYS, (now - KEEP_KEYS_S, _ROWS)).rowcount
        turns = db.execute(_OLD_TURNS, (now - KEEP_TURNS_S, _TURNS)).fetchall()
        for seq, turn_id in turns:
            db.execute("DELETE FROM messages WHERE turn_id = ?", (turn_id,))
            db.execute("DELETE FROM offers WHERE turn_id = ?", (turn_id,))
            db.execute("DELETE FROM turns WHERE seq = ?", (seq,))
        usage = db.execute(_USAGE, (now - KEEP_USAGE_S, _ROWS)).rowcount
        db.execute(_MARK_GONE, (now,))
        db.execute(_GONE, (now - KEEP_GONE_S,))
    return _ROWS in (updates, keys, usage) or len(turns) == _TURNS


def forget_numbers(db: sqlite3.Connection) -> None:
    """Forget all numbers that only one bot knows; whoever calls holds the transaction."""
    db.execute(_ALIEN_KEYS)
    db.execute(_ALIEN_MESSAGES)


def shrink_a_piece(db: sqlite3.Connection) -> bool:
    """Give some free pages back to the disk; return whether there are more to give."""
    free = _free_pages(db)
    if free < _LEAST_FREE_PAGES or free < db.execute("PRAGMA page_count").fetchone()[0] // 4:
        return False
    # Not `execute`: each step frees one page, and it takes only one, as the rows have no columns.
    db.executescript(f"PRAGMA incremental_vacuum({_PAGES})")
    return _free_pages(db) < free


def _free_pages(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA freelist_count").fetchone()[0])
