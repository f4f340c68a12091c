"""An outbox over a chat service in memory, for the length of a test."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio

from fakes.clock import VirtualClock, settle
from fakes.transport import Call, MemoryTransport
from takopi.bridge.letters import Delivery, FinalPost, LiveMessage, Place
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.outbox import Outbox
from takopi.bridge.records import Change, MessageBound
from takopi.core.chat import ChatKind, ChatMessage, Document, Scope
from takopi.core.richtext import plain
from takopi.transport import MessageRef


class RecordingStore(MemoryStore):
    """Be a journal that shows what was committed."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[Change] = []
        self.fault: Callable[[Sequence[Change]], Exception | None] | None = None

    async def commit(self, changes: Sequence[Change]) -> None:
        error = self.fault(changes) if self.fault else None
        if error is not None:
            raise error
        await super().commit(changes)
        self.made += changes


@dataclass
class Desk:
    """Hold an outbox, its service, and what it told."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    words: str = "progress"

    def __post_init__(self) -> None:
        self.chat = MemoryTransport(self.clock)
        self.store = RecordingStore()
        self.outbox = Outbox(self.chat, self.store, self.clock)

    @property
    def sent(self) -> list[int]:
        """List the messages that the journal binds to a turn, in their order."""
        return [change.message_id for change in self.store.made if isinstance(change, MessageBound)]

    async def final(
        self,
        *parts: ChatMessage | Document,
        place: Place | None = None,
        instead: LiveMessage | None = None,
        turn_id: str = "t1",
        edit: bool = False,
    ) -> Delivery:
        """Post a final; one that edits makes no sound."""
        post = FinalPost(place or at(), parts, turn_id, notify=not edit, as_edit=edit)
        return await self.outbox.final(post, instead=instead)

    def live(self, place: Place | None = None) -> LiveMessage:
        """Let a message live that shows `words`."""
        return self.outbox.live(place or at(), lambda moment: ChatMessage(plain(self.words)), "t1")

    def fail(self, *errors: Exception | None, on: str = "send edit document delete") -> None:
        """Let the next calls of some kinds fail, None for one that does not."""
        left = list(errors)

        def fault(call: Call) -> Exception | None:
            return left.pop(0) if left and call.verb in on.split() else None

        self.chat.fault = fault


def at(chat: int = 1, kind: ChatKind = "private", **more: object) -> Place:
    """Make a place."""
    reply = MessageRef(chat, 50)
    thread = more.get("thread")
    return Place(Scope("memory", chat, thread), kind, reply)  # type: ignore[arg-type]


def text(words: str) -> ChatMessage:
    """Make a message."""
    return ChatMessage(plain(words))


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    """Run an outbox for the length of a test."""
    found = Desk()
    async with anyio.create_task_group() as group:
        group.start_soon(found.outbox.run)
        await settle()
        yield found
        group.cancel_scope.cancel()
