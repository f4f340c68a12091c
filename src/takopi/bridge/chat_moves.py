"""A group that goes on under another id: what is known of it holds there, at once and for good.

The service says so twice: as the answer to a call, and in a message, in either order and with a
crash in between. Whatever comes first moves everything. What is known in memory holds under the new
id at once; the journal takes places, sessions and schedules in one transaction, with the note of
the former id; the configuration follows after that. A start reads the note, so that neither a
journal without the configuration nor the other way round is left.
"""

from collections.abc import Callable
from dataclasses import dataclass

import anyio
from anyio.abc import TaskGroup

from takopi.bridge.border import border
from takopi.bridge.door import Door
from takopi.bridge.places import Places
from takopi.bridge.ports import Clock, Store
from takopi.bridge.records import Change, PlacePut, SchedulePut, TurnRecord
from takopi.bridge.schedule_book import ScheduleBook
from takopi.bridge.turn import moved_record
from takopi.core.chat import Scope
from takopi.errors import StoreError
from takopi.logging import get_logger

__all__ = ["ChatMoves", "MovePorts"]

_log = get_logger(__name__)

_MOVES_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class MovePorts:
    """Bind what moving needs.

    Args:
        store: Takes what moved.
        places: Know what was chosen in a chat.
        schedules: Know what is asked in it.
        door: Serves it.
        clock: Tells the time.
        group: The journal is written in it.
        turns: Moves the turns of a chat, once the journal knows the new id: a turn that a start
            finds there without that would be one of a chat that is not served.
        refused: Called at each try that the journal refuses.
    """

    store: Store
    places: Places
    schedules: ScheduleBook
    door: Door
    clock: Clock
    group: TaskGroup
    turns: Callable[[int, int], None]
    refused: Callable[[], object] = lambda: None


class ChatMoves:
    """Let what is known of groups hold under their new ids.

    Args:
        ports: What moving needs.
        transport: Names the chat service.
    """

    def __init__(self, ports: MovePorts, transport: str) -> None:
        self._ports = ports
        self._transport = transport
        self._written: dict[tuple[int, int], anyio.Event] = {}

    def earlier(self) -> list[tuple[int, int]]:
        """List the moves of earlier takopis, old and new id, in their order."""
        begin = f"{self._transport}:"
        moves = {
            place.former_chat: int(place.key.removeprefix(begin))
            for place in self._ports.places.all()
            if place.former_chat is not None and place.key.startswith(begin)
        }
        ordered = []
        for chat in moves.keys() - set(moves.values()):
            while chat in moves:
                ordered.append((chat, moves[chat]))
                chat = moves[chat]
        return ordered

    def turn_here(self, record: TurnRecord) -> TurnRecord:
        """Return a turn of the journal where its chat is now."""
        for chat, new in self.earlier():
            if record.scope.chat_id == chat:
                record = moved_record(record, new)
        return record

    def begin(self, chat: int, new: int) -> anyio.Event:
        """Let a group go on under its new id; return what is set once it is written down."""
        known = self._written.get((chat, new))
        if known is not None:
            return known
        ports = self._ports
        written = self._written[chat, new] = anyio.Event()
        ports.door.move(chat, new)
        scope = Scope(self._transport, chat)
        # Of the time before all of it was one transaction, schedules may be left.
        done = ports.places.has_moved(scope, new) and not ports.schedules.of_chat(chat)
        if done:
            self._wrote(chat, new, written)
        else:
            ports.places.move(scope, new)
            ports.schedules.move(chat, new)
            ports.group.start_soon(self._write, chat, new, written)
        return written

    async def _write(self, chat: int, new: int, written: anyio.Event) -> None:
        """Write down what is known under the new id by now; waits for a journal that refuses."""
        ports, scope = self._ports, Scope(self._transport, new)
        while True:
            changes: list[Change] = [PlacePut(place) for place in ports.places.in_chat(scope)]
            changes += [SchedulePut(one) for one in ports.schedules.of_chat(new)]
            try:
                await ports.store.commit(changes)
                break
            except StoreError as error:
                ports.refused()
                _log.error("journal.refuses_move", new=new, error=str(error))
            await ports.clock.sleep_until(ports.clock.now() + _MOVES_EVERY_S)
        self._wrote(chat, new, written)

    def _wrote(self, chat: int, new: int, written: anyio.Event) -> None:
        with border("telling of a chat's new id", chat=chat):
            self._ports.turns(chat, new)
            self._ports.door.follow()
        written.set()
