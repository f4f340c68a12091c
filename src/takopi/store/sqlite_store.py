"""The journal as a SQLite file, behind the port that the bridge knows."""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from takopi.bridge.ports import TurnFilter, UsageRow
from takopi.bridge.records import (
    AcceptedUpdate,
    Change,
    JournalState,
    OfferRecord,
    TurnRecord,
)
from takopi.core.chat import ChatUpdate
from takopi.core.texts import tr
from takopi.errors import StoreFull
from takopi.store.faults import explained
from takopi.store.pruning import forget_a_piece, forget_numbers, shrink_a_piece
from takopi.store.reserve import Reserve
from takopi.store.rows import (
    fetch_newest_turns,
    fetch_offer,
    fetch_state,
    fetch_turn,
    fetch_turn_of_message,
    fetch_usage,
    note,
    noted,
)
from takopi.store.schema import transaction
from takopi.store.worker import Offload, OneWorker
from takopi.store.writing import may_use_reserve, starts_something, write_changes, write_updates

__all__ = ["OpenedJournal", "SqliteStore"]

_T = TypeVar("_T")


class OpenedJournal(msgspec.Struct, frozen=True):
    """Be a file that was found sound, or was made.

    Args:
        path: The file.
        db: A connection that no thread owns; every statement commits by itself.
        reserve: The room that is kept back for finals.
        fresh: Whether it was made just now.
    """

    path: Path
    db: sqlite3.Connection
    reserve: Reserve
    fresh: bool


class SqliteStore:
    """Keep the journal in a SQLite file; `open_journal` makes one.

    Each call is one trip to the worker, in the order of the calls. A caller that is cancelled
    learns of it after its change was made: there is no half a transaction, and no gap.

    Args:
        opened: The file.
        offload: Does the work; a thread of its own without one.
    """

    def __init__(self, opened: OpenedJournal, offload: Offload | None = None) -> None:
        self._path = opened.path
        self._db = opened.db
        self._reserve = opened.reserve
        self._fresh = opened.fresh
        self._offload: Offload = offload or OneWorker()
        # The worker is alone, but for one case: a task that asyncio itself cancels, past every
        # shield, leaves its work behind in the thread and lets the next begin.
        self._lock = threading.Lock()

    @property
    def fresh(self) -> bool:
        """Tell whether the journal is new or rebuilt, so that it knows of no earlier run."""
        return self._fresh

    @property
    def short_of_space(self) -> bool:
        """Tell whether the reserve is used up; no turn is queued or started until it is back."""
        return not self._reserve.held

    async def accept(
        self, updates: Sequence[ChatUpdate], newest: int | None, arrived_at: float
    ) -> tuple[AcceptedUpdate, ...]:
        """Take one answer of the service in one transaction; return what was never taken before."""
        if not updates and newest is None:
            return ()
        return await self._do(partial(_accept, updates, newest, arrived_at))

    async def commit(self, changes: Sequence[Change]) -> None:
        """Make all changes in one transaction, in their order.

        Raises:
            OfferClosed: An `OfferTaken` came too late; nothing was changed.
            StoreFull: The disk is full; `short_of_space` tells whether the reserve is used up.
            StoreDamaged: The file cannot be relied on any more; start takopi again.
            StoreError: Another program holds it.
        """
        if changes:
            await self._offload(partial(self._commit, tuple(changes)))

    async def load(self) -> JournalState:
        """Return what is not over."""
        return await self._do(fetch_state)

    async def turn(self, turn_id: str) -> TurnRecord | None:
        """Return a turn as it was written down last."""
        return await self._do(lambda db: fetch_turn(db, turn_id))

    async def turn_of_message(self, chat_id: int, message_id: int) -> TurnRecord | None:
        """Find the turn of a message; None for messages nobody knows."""
        return await self._do(lambda db: fetch_turn_of_message(db, chat_id, message_id))

    async def offer(self, offer_id: str) -> OfferRecord | None:
        """Return an offer, open or taken."""
        return await self._do(lambda db: fetch_offer(db, offer_id))

    async def newest_turns(self, wanted: TurnFilter, limit: int) -> tuple[TurnRecord, ...]:
        """List turns, the newest first, as they were written down last."""
        return await self._do(lambda db: fetch_newest_turns(db, wanted, limit))

    async def usage_since(self, since: float) -> tuple[UsageRow, ...]:
        """List what the engines of turns that ended since a moment said they cost."""
        return await self._do(lambda db: fetch_usage(db, since))

    async def newest(self) -> int | None:
        """Return the greatest number among the updates of the latest answer.

        It is no offset to begin to poll with: after a quiet week Telegram draws the next number
        anew, and an offset above it would throw away what waits.
        """
        found: int | None = await self._do(lambda db: noted(db, "newest"))
        return found

    async def damage_told(self) -> None:
        """Note that the chat knows of the damage; until then each start tells it."""
        await self._do(_forget_damage)

    async def belong_to(self, account: str) -> None:
        """Note whose messages are written down here.

        Another bot numbers its updates, and the messages of all chats but supergroups, anew: what
        was seen under those numbers is forgotten, or its messages would pass for repeats.

        Args:
            account: Names it.
        """
        await self._do(partial(_belong_to, account))

    async def prune(self, now: float) -> None:
        """Forget what is too old, and make the reserve again where the disk has room for it.

        Commits that wait go in between.

        Args:
            now: Present moment, unix seconds.
        """
        while await self._do(lambda db: forget_a_piece(db, now)):
            pass
        while await self._do(shrink_a_piece):
            pass
        await self._do(lambda _: self._reserve.restore())

    async def close(self) -> None:
        """Close the file; what was asked for before is done first."""
        await self._do(sqlite3.Connection.close)

    async def _do(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        return await self._offload(partial(self._explained, work))

    def _explained(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        with self._lock, explained(self._path):
            return work(self._db)

    def _commit(self, changes: tuple[Change, ...]) -> None:
        starts = starts_something(changes)
        if starts and not self._reserve.held and not self._reserve.restore():
            raise StoreFull(
                tr("the disk that holds {path} is nearly full, and what is left is for finals; "
                   "free some space there, then try again", path=self._path)
            )  # fmt: skip
        work = partial(_write, changes)
        try:
            self._explained(work)
        except StoreFull:
            if starts or not may_use_reserve(changes) or not self._reserve.release():
                raise
            self._explained(work)


def _accept(
    updates: Sequence[ChatUpdate], newest: int | None, arrived_at: float, db: sqlite3.Connection
) -> tuple[AcceptedUpdate, ...]:
    with transaction(db):
        return write_updates(db, updates, newest, arrived_at)


def _write(changes: tuple[Change, ...], db: sqlite3.Connection) -> None:
    with transaction(db):
        write_changes(db, changes)


def _belong_to(account: str, db: sqlite3.Connection) -> None:
    before = noted(db, "account")
    if before == account:
        return
    with transaction(db):
        note(db, "account", account)
        if before is not None:
            forget_numbers(db)


def _forget_damage(db: sqlite3.Connection) -> None:
    with transaction(db):
        note(db, "damage", None)
