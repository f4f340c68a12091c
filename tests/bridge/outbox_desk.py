"""An outbox over a chat service in memory, for the length of a test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio

from fakes.clock import VirtualClock, settle
from fakes.transport import Call, MemoryTransport
from takopi.bridge.letters import LiveMessage, Place
from takopi.bridge.outbox import Outbox
from takopi.core.chat import ChatKind, ChatMessage, Scope
from takopi.core.richtext import plain
from takopi.transport import MessageRef


@dataclass
class Desk:
    """Hold an outbox, its service, and what it told."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    sent: list[MessageRef] = field(default_factory=list)
    words: str = "progress"

    def __post_init__(self) -> None:
        self.chat = MemoryTransport(self.clock)
        self.outbox = Outbox(self.chat, self.clock)

    async def remember(self, ref: MessageRef) -> None:
        """Take note of a message's name."""
        self.sent.append(ref)

    def live(self, place: Place | None = None) -> LiveMessage:
        """Let a message live that shows `words`."""
        return self.outbox.live(
            place or at(), lambda moment: ChatMessage(plain(self.words)), self.remember
        )

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
