"""What the journal was told, life by life, and what in it cannot be."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from simulation.life import Life
from takopi.bridge.ports import Store
from takopi.bridge.records import (
    AcceptedUpdate,
    Change,
    JournalState,
    LetterPut,
    MessageBound,
    OfferRecord,
    TurnPut,
    TurnRecord,
)
from takopi.core.access import AccessPolicy
from takopi.core.chat import ChatUpdate
from takopi.core.turn_state import ENDS, TRANSITIONS
from takopi.errors import StoreError, StoreFull
from takopi.store.writing import starts_something

__all__ = ["Disk", "Ledger", "SimStore"]

Span = tuple[float, float]


@dataclass
class Ledger:
    """Remember all that any life wrote down.

    Args:
        access: Whose updates may be written down.
    """

    access: AccessPolicy
    turns: dict[str, list[TurnRecord]] = field(default_factory=dict)
    bound: dict[tuple[int, int], MessageBound] = field(default_factory=dict)
    accepted: dict[int, AcceptedUpdate] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    """Turns of which the journal did not take something; the next record may skip a state."""
    unbound: set[tuple[int, int]] = field(default_factory=set)
    """Messages that the journal did not bind when it was asked to."""
    born: dict[str, float] = field(default_factory=dict)
    """When a turn was written down first."""
    decided: dict[str, int] = field(default_factory=dict)
    """At which commit the final of a turn was written down."""
    wished: dict[str, float] = field(default_factory=dict)
    """When the wish to cancel a turn was written down."""
    lives: dict[int, int] = field(default_factory=dict)
    """In which life an update was accepted."""
    commits: int = 0
    faults: list[str] = field(default_factory=list)

    def took(self, updates: Sequence[AcceptedUpdate], life: int) -> None:
        """Note updates that were accepted."""
        for update in updates:
            if update.id in self.accepted:
                self.faults.append(f"update {update.id} was accepted twice")
            self.accepted[update.id] = update
            self.lives[update.id] = life

    def wrote(self, changes: Sequence[Change]) -> None:
        """Note a commit."""
        self.commits += 1
        for change in changes:
            if isinstance(change, TurnPut):
                self._turn(change.turn)
            elif isinstance(change, MessageBound):
                self.bound[change.chat_id, change.message_id] = change

    def missed(self, changes: Sequence[Change]) -> None:
        """Note what the journal refused."""
        for change in changes:
            if isinstance(change, TurnPut):
                self.refused.add(change.turn.turn_id)
            elif isinstance(change, LetterPut) and change.letter.turn_id:
                self.refused.add(change.letter.turn_id)
            elif isinstance(change, MessageBound):
                self.unbound.add((change.chat_id, change.message_id))

    def _follows(self, before: TurnRecord, turn: TurnRecord) -> bool:
        skipped = turn.turn_id in self.refused and before.state not in ENDS
        return turn.state in TRANSITIONS[before.state] or (skipped and turn.state in ENDS)

    def _turn(self, turn: TurnRecord) -> None:
        known = self.turns.setdefault(turn.turn_id, [])
        before = known[-1] if known else None
        now = asyncio.get_running_loop().time()
        if before is None:
            self.born[turn.turn_id] = now
            if turn.state not in {"queued", "delivering"}:
                self.faults.append(f"the turn {turn.turn_id} was born {turn.state}")
        elif turn.state != before.state and not self._follows(before, turn):
            self.faults.append(f"{turn.turn_id} went from {before.state} to {turn.state}")
        elif before.outcome is not None and turn.outcome != before.outcome:
            self.faults.append(f"{turn.turn_id} was {before.outcome} and became {turn.outcome}")
        if before is not None and before.run_id not in {None, turn.run_id}:
            self.faults.append(f"{turn.turn_id} had the run {before.run_id}, then {turn.run_id}")
        if turn.outcome is not None:
            self.decided.setdefault(turn.turn_id, self.commits)
        if turn.cancelled:
            self.wished.setdefault(turn.turn_id, now)
        known.append(turn)


@dataclass
class Disk:
    """Say when the disk is full, and when another program holds the journal.

    Args:
        full: Spans in which nothing may be started, as what is left of the disk is for finals.
        held: Spans in which nothing can be written.
    """

    full: list[Span] = field(default_factory=list)
    held: list[Span] = field(default_factory=list)

    def refuse(self, *, starts: bool) -> None:
        """Raise what a journal raises at this moment, if anything."""
        now = asyncio.get_running_loop().time()
        if any(begin <= now < end for begin, end in self.held):
            raise StoreError("another program holds the journal")
        if starts and any(begin <= now < end for begin, end in self.full):
            raise StoreFull("the disk is nearly full")

    def heal(self) -> None:
        """Take everything from now on."""
        self.full.clear()
        self.held.clear()


class SimStore:
    """Be the journal of one life, over one that outlives it.

    Args:
        inner: The journal.
        life: Who writes.
        ledger: Told all that was written.
        disk: Says when it refuses.
    """

    def __init__(self, inner: Store, life: Life, ledger: Ledger, disk: Disk) -> None:
        self._inner = inner
        self._life = life
        self._ledger = ledger
        self._disk = disk

    async def accept(
        self, updates: Sequence[ChatUpdate], newest: int | None, arrived_at: float
    ) -> tuple[AcceptedUpdate, ...]:
        self._life.step()
        self._ledger.faults += [
            f"a stranger's update {update.update_id} came to the journal"
            for update in updates
            if not self._ledger.access.admits(update)
        ]
        self._disk.refuse(starts=False)
        fresh = await self._inner.accept(updates, newest, arrived_at)
        self._ledger.took(fresh, self._life.number)
        self._life.step()
        return fresh

    async def commit(self, changes: Sequence[Change]) -> None:
        self._life.step()
        try:
            self._disk.refuse(starts=starts_something(changes))
        except StoreError:
            self._ledger.missed(changes)
            raise
        await self._inner.commit(changes)
        self._ledger.wrote(changes)
        self._life.step()

    async def load(self) -> JournalState:
        self._life.step()
        return await self._inner.load()

    async def turn(self, turn_id: str) -> TurnRecord | None:
        self._life.step()
        return await self._inner.turn(turn_id)

    async def turn_of_message(self, chat_id: int, message_id: int) -> TurnRecord | None:
        self._life.step()
        return await self._inner.turn_of_message(chat_id, message_id)

    async def offer(self, offer_id: str) -> OfferRecord | None:
        self._life.step()
        return await self._inner.offer(offer_id)

    async def damage_told(self) -> None:
        self._life.step()
