"""Opening the journal: sound, new, or rebuilt beside a damaged one that is put aside."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import msgspec

from takopi.bridge.records import Change, MessageBound, TurnPut, TurnRecord
from takopi.core.texts import tr, tr_n
from takopi.errors import StoreDamaged, StoreError, StoreFull
from takopi.settings import check_private
from takopi.store.connecting import connect, make_file, roll_back, sync_folder
from takopi.store.examining import is_sound
from takopi.store.faults import explained
from takopi.store.reserve import Reserve
from takopi.store.rows import note
from takopi.store.schema import create, migrate, transaction
from takopi.store.sqlite_store import OpenedJournal, SqliteStore
from takopi.store.worker import Offload
from takopi.store.writing import write_changes

__all__ = ["JournalOptions", "open_journal"]

# The file first: a log of changes without its file is known to be one half, and a file without its
# log would pass for the whole.
_PARTS = ("", "-wal", "-shm", "-journal")


class JournalOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Say how a journal is opened where the usual way does not do.

    Args:
        offload: Does the work; None for a thread.
        busy_s: How long to wait for another program that holds the file.
        reserve_bytes: How much room is kept back for finals.
    """

    offload: Offload | None = None
    busy_s: float = 10.0
    reserve_bytes: int = 8 * 1024 * 1024


_USUAL = JournalOptions()


def open_journal(
    path: Path,
    *,
    rebuild: Callable[[], Iterable[TurnRecord]],
    now: float,
    options: JournalOptions = _USUAL,
) -> SqliteStore:
    """Open the journal, or begin one.

    A file that cannot be relied on is put aside, never removed, and so is one that is empty though
    there were runs. The new one then has the turns that `rebuild` gives, with the messages and the
    progress message that they name, and `JournalState.damage` tells the chat.

    Blocks: a disk is waited for.

    Args:
        path: `takopi.db` in takopi's folder, which exists.
        rebuild: Reads turns from the run directories; called only where there is no sound file.
        now: Present moment, unix seconds.
        options: What differs from the usual.

    Raises:
        AccessError: The file is open to other users.
        StoreError: A newer takopi wrote the file, or it cannot be opened now.
    """
    reserve = Reserve(path.with_suffix(".reserve"), options.reserve_bytes)
    reserve.restore()
    opening = _Opening(path, rebuild, now, options.busy_s)
    try:
        opened = opening.open(reserve)
    except StoreFull:
        # Letters that wait in the journal are finals: they are worth the last room.
        if not reserve.release():
            raise
        opened = opening.open(reserve)
    return SqliteStore(opened, options.offload)


class _Opening(msgspec.Struct, frozen=True):
    path: Path
    rebuild: Callable[[], Iterable[TurnRecord]]
    now: float
    busy_s: float

    def open(self, reserve: Reserve) -> OpenedJournal:
        """Look at what is there, and open it or begin anew."""
        damage = ""
        try:
            if self.path.exists():
                check_private(self.path, self.path.stat())
            with explained(self.path):
                roll_back(self.path, self.busy_s)
            if is_sound(self.path, self.busy_s):
                with explained(self.path):
                    return OpenedJournal(self.path, self._open_sound(), reserve, fresh=False)
        except StoreDamaged as error:
            damage = str(error.__cause__)
        except OSError as error:
            raise self._refused(error) from error
        turns = tuple(self.rebuild())  # what goes wrong there is not the journal's fault
        with explained(self.path):
            return OpenedJournal(self.path, self._begin(damage, turns), reserve, fresh=True)

    def _open_sound(self) -> sqlite3.Connection:
        db = connect(self.path, self.busy_s)
        try:
            migrate(db)
        except BaseException:
            db.close()
            raise
        return db

    def _begin(self, damage: str, turns: tuple[TurnRecord, ...]) -> sqlite3.Connection:
        if not damage and turns:
            damage = "it was empty" if self.path.exists() else "it was gone"
        try:
            aside = _put_aside(self.path, self.now) if damage else None
            make_file(self.path)
        except OSError as error:
            raise self._refused(error) from error
        db = connect(self.path, self.busy_s)
        try:
            with transaction(db):
                create(db)
                write_changes(db, _rebuilt(turns))
                note(db, "damage", _told(damage, aside, len(turns)) if damage else None)
        except BaseException:
            db.close()
            raise
        return db

    def _refused(self, error: OSError) -> StoreError:
        return StoreError(
            f"the journal {self.path} cannot be made or moved: {error.strerror}; make its folder "
            f"yours with `chown -R $(id -u) {self.path.parent}`, and see that it is writable"
        )


def _rebuilt(turns: Sequence[TurnRecord]) -> list[Change]:
    changes: list[Change] = []
    for turn in turns:
        chat = turn.scope.chat_id
        changes.append(TurnPut(turn))
        changes += [MessageBound(chat, number, turn.turn_id, "prompt") for number in turn.messages]
        if turn.progress_id is not None:
            changes.append(MessageBound(chat, turn.progress_id, turn.turn_id, "progress"))
    return changes


def _put_aside(path: Path, now: float) -> Path | None:
    """Give the file and what belongs to it a new name, and return it; None when nothing is there.

    Its log keeps its place beside it, so that SQLite's own tools can still mend both.
    """
    here = [part for part in _PARTS if path.with_name(path.name + part).exists()]
    if not here:
        return None
    stamp = f"{path.name}.damaged-{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}"
    names = (stamp if number == 1 else f"{stamp}.{number}" for number in count(1))
    name = next(
        name for name in names if not any(path.with_name(name + part).exists() for part in _PARTS)
    )
    for part in here:
        path.with_name(path.name + part).rename(path.with_name(name + part))
    sync_folder(path.parent)
    return path.with_name(name)


def _told(damage: str, aside: Path | None, turns: int) -> str:
    kept = tr("no old file was found")
    if aside is not None:
        kept = tr("the old file is kept as {path}", path=aside)
    rebuilt = tr_n(
        "{count} turn could be rebuilt from run directories",
        "{count} turns could be rebuilt from run directories",
        turns,
    )
    return tr(
        "The journal could not be used ({damage}), so a new one was begun: {kept}; {rebuilt}. "
        "Schedules are gone, and so is what was chosen or bound in chats and topics: make them "
        "again. Which messages were answered is not known any more: send again what gets no "
        "answer.",
        damage=damage,
        kept=kept,
        rebuilt=rebuilt,
    )
