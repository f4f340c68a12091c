"""What the journal was told, life by life, and what in it cannot be."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from simulation.life import Life
from takopi.bridge.ports import Store
from takopi.bridge.records import (
    AcceptedUpdate,
    Change,
    JournalState,
    LetterGone,
    LetterPut,
    MessageBound,
    OfferRecord,
    TurnPut,
    TurnRecord,
)
from takopi.core.access import AccessPolicy
from takopi.core.chat import ChatUpdate
from takopi.core.turn_state import TRANSITIONS

__all__ = ["Ledger", "SimStore"]


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
    finals: dict[str, set[int]] = field(default_factory=dict)
    commits: int = 0
    faults: list[str] = field(default_factory=list)

    def took(self, updates: Sequence[AcceptedUpdate]) -> None:
        """Note updates that were accepted."""
        for update in updates:
            if update.id in self.accepted:
                self.faults.append(f"update {update.id} was accepted twice")
            self.accepted[update.id] = update

    def wrote(self, changes: Sequence[Change]) -> None:
        """Note a commit."""
        self.commits += 1
        for change in changes:
            if isinstance(change, TurnPut):
                self._turn(change.turn)
            elif isinstance(change, MessageBound):
                self.bound[change.chat_id, change.message_id] = change
            elif isinstance(change, LetterPut | LetterGone):
                self._letter(change)

    def _turn(self, turn: TurnRecord) -> None:
        known = self.turns.setdefault(turn.turn_id, [])
        before = known[-1] if known else None
        if before is None:
            if turn.state not in {"queued", "delivering"}:
                self.faults.append(f"the turn {turn.turn_id} was born {turn.state}")
        elif turn.state != before.state and turn.state not in TRANSITIONS[before.state]:
            self.faults.append(f"{turn.turn_id} went from {before.state} to {turn.state}")
        elif before.outcome is not None and turn.outcome != before.outcome:
            self.faults.append(f"{turn.turn_id} was {before.outcome} and became {turn.outcome}")
        if before is not None and before.run_id not in {None, turn.run_id}:
            self.faults.append(f"{turn.turn_id} had the run {before.run_id}, then {turn.run_id}")
        known.append(turn)

    def _letter(self, change: LetterPut | LetterGone) -> None:
        if isinstance(change, LetterPut) and change.letter.priority == 0:
            letter = change.letter
            self.finals.setdefault(letter.turn_id or "", set()).add(letter.letter_id)


class SimStore:
    """Be the journal of one life, over one that outlives it.

    Args:
        inner: The journal.
        life: Who writes.
        ledger: Told all that was written.
    """

    def __init__(self, inner: Store, life: Life, ledger: Ledger) -> None:
        self._inner = inner
        self._life = life
        self._ledger = ledger

    async def accept(
        self, updates: Sequence[ChatUpdate], newest: int | None, arrived_at: float
    ) -> tuple[AcceptedUpdate, ...]:
        self._life.step()
        self._ledger.faults += [
            f"a stranger's update {update.update_id} came to the journal"
            for update in updates
            if not self._ledger.access.admits(update)
        ]
        fresh = await self._inner.accept(updates, newest, arrived_at)
        self._ledger.took(fresh)
        self._life.step()
        return fresh

    async def commit(self, changes: Sequence[Change]) -> None:
        self._life.step()
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
