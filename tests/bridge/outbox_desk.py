"""An outbox over a chat service in memory, for the length of a test."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio

from fakes.clock import VirtualClock, settle
from fakes.transport import Call, MemoryTransport
from takopi.bridge.letters import Delivery, Destination, FinalPost, LiveMessage
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.outbox import Outbox
from takopi.bridge.records import Change, LetterRecord, MessageBound
from takopi.core.chat import ChatKind, ChatMessage, Document, Scope
from takopi.core.richtext import plain
from takopi.transport import MessageRef


class RecordingStore(MemoryStore):
    """Be a journal that shows what was committed, and that can be slow or refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[Change] = []
        self.commits: list[list[Change]] = []
        self.fault: Callable[[Sequence[Change]], Exception | None] | None = None
        self.wait: Callable[[Sequence[Change]], Awaitable[None]] | None = None

    async def commit(self, changes: Sequence[Change]) -> None:
        if self.wait is not None:
            await self.wait(changes)
        error = self.fault(changes) if self.fault else None
        if error is not None:
            raise error
        await super().commit(changes)
        self.made += changes
        self.commits.append(list(changes))

    async def waiting(self) -> list[LetterRecord]:
        """List the letters that no chat has, as far as the journal knows."""
        return list((await self.load()).letters)


@dataclass
class Desk:
    """Hold an outbox, its service and its journal."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    store: RecordingStore = field(default_factory=RecordingStore)
    chat: MemoryTransport = None  # type: ignore[assignment]
    words: str = "progress"

    def __post_init__(self) -> None:
        self.chat = self.chat or MemoryTransport(self.clock)
        self.moved: list[tuple[int, int]] = []
        self.deliveries: dict[str, Delivery] = {}
        self.outbox = Outbox(
            self.chat,
            self.store,
            self.clock,
            on_moved=lambda old, new: self.moved.append((old, new)),
        )

    def next_life(self) -> "Desk":
        """Put a new outbox in front of the same chats and the same journal."""
        return Desk(self.clock, self.store, self.chat)

    @property
    def sent(self) -> list[int]:
        """List the messages that the journal binds to a turn, in their order."""
        return [change.message_id for change in self.store.made if isinstance(change, MessageBound)]

    def tries(self, *verbs: str) -> list[Call]:
        """List the calls of some kinds, taken or not; of all kinds when none is named."""
        return [call for call in self.chat.calls if not verbs or call.verb in verbs]

    async def final(
        self,
        *parts: ChatMessage | Document,
        destination: Destination | None = None,
        instead: LiveMessage | None = None,
        turn_id: str = "t1",
        edit: bool = False,
    ) -> Delivery:
        """Post a final; one that edits makes no sound."""
        post = FinalPost(destination or at(), parts, turn_id, notify=not edit, as_edit=edit)
        return await self.outbox.final(post, instead=instead)

    def live(self, destination: Destination | None = None, turn_id: str = "t1") -> LiveMessage:
        """Let a message live that shows `words`."""
        return self.outbox.live(
            destination or at(), lambda moment: ChatMessage(plain(self.words)), turn_id
        )

    def fail(self, *errors: Exception | None, on: str = "send edit document delete") -> None:
        """Let the next calls of some kinds fail, None for one that does not."""
        left = list(errors)

        def fault(call: Call) -> Exception | None:
            return left.pop(0) if left and call.verb in on.split() else None

        self.chat.fault = fault

    def refuse(self, words: str, error: Exception) -> None:
        """Let every call fail that brings some words, in whatever form."""

        def fault(call: Call) -> Exception | None:
            content = call.document.content.decode() if call.document else call.text
            return error if words in content else None

        self.chat.fault = fault

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Desk"]:
        """Restore what the journal has and run; leaving is like a power cut."""
        self.deliveries = self.outbox.restore(await self.store.load())
        async with anyio.create_task_group() as group:
            group.start_soon(self.outbox.run)
            await settle()
            yield self
            group.cancel_scope.cancel()


def at(chat: int = 1, kind: ChatKind = "private", **more: object) -> Destination:
    """Make a destination."""
    reply = MessageRef(chat, 50)
    thread = more.get("thread")
    return Destination(Scope("memory", chat, thread), kind, reply)  # type: ignore[arg-type]


def text(words: str) -> ChatMessage:
    """Make a message."""
    return ChatMessage(plain(words))


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    """Run an outbox for the length of a test."""
    async with Desk().running() as found:
        yield found
