"""A chat service in memory: it keeps messages, a record of every call, and fails on demand."""

from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

import anyio

from fakes.clock import VirtualClock
from takopi.bridge.ports import MenuCommand
from takopi.core.chat import (
    ButtonPressed,
    ChatKind,
    ChatMessage,
    ChatUpdate,
    Document,
    IncomingFile,
    MessageReceived,
    RepliedTo,
    Scope,
)
from takopi.core.richtext import utf16_len
from takopi.errors import TargetLost, ThreadLost
from takopi.transport import MessageRef, SendOptions

Verb = Literal["send", "document", "edit", "delete", "answer", "menu", "topic", "rename", "react"]
Fault = Callable[["Call"], Exception | None]


@dataclass(slots=True)
class Call:
    """Be one call that the bot made."""

    verb: Verb
    at: float
    chat: int = 0
    message_id: int | None = None
    text: str = ""
    scope: Scope | None = None
    options: SendOptions | None = None
    message: ChatMessage | None = None
    document: Document | None = None
    accepted: bool = False


@dataclass(slots=True)
class Shown:
    """Be a message as a person sees it."""

    message_id: int
    scope: Scope
    text: str
    message: ChatMessage | None
    document: Document | None = None
    options: SendOptions | None = None
    edits: int = 0


@dataclass
class MemoryTransport:
    """Be the chat service.

    Args:
        clock: Tells the time and makes calls slow.
        latency_s: Seconds each call takes.
        fault: Asked before each call; what it returns is raised.
        unheard: Asked once a call took effect; what it returns is raised in place of the answer.
    """

    clock: VirtualClock
    latency_s: float = 0.0
    fault: Fault | None = None
    unheard: Fault | None = None
    id: str = "memory"
    calls: list[Call] = field(default_factory=list)
    shown: dict[tuple[int, int], Shown] = field(default_factory=dict)
    menu: tuple[MenuCommand, ...] = ()
    batches: list[list[ChatUpdate]] = field(default_factory=list)
    topics: dict[tuple[int, int], str] = field(default_factory=dict)
    deleted: set[tuple[int, int]] = field(default_factory=set)
    accepted: int = 0
    overlaps: int = 0
    contents: dict[str, bytes] = field(default_factory=dict)
    unreachable: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._waiting: deque[list[ChatUpdate]] = deque()
        self._arrived = anyio.Event()
        self._ended = False
        self._numbers = 100
        self._in_flight: set[tuple[int, int]] = set()

    # The side of the person.

    def number(self) -> int:
        """Take the next number, for a message or an update."""
        self._numbers += 1
        return self._numbers

    def feed(self, *updates: ChatUpdate) -> None:
        """Let updates arrive in one batch."""
        self._waiting.append(list(updates))
        self._arrived.set()

    def end(self) -> None:
        """Let the updates end."""
        self._ended = True
        self._arrived.set()

    def write(
        self,
        text: str,
        *,
        chat: int = 1,
        person: int | None = 1,
        reply_to: int | None = None,
        kind: ChatKind = "private",
        thread: int | None = None,
        **more: object,
    ) -> MessageReceived:
        """Let a person write; returns the update."""
        update = self.message(
            text, chat=chat, person=person, reply_to=reply_to, kind=kind, thread=thread, **more
        )
        self.feed(update)
        return update

    def message(
        self,
        text: str,
        *,
        chat: int = 1,
        person: int | None = 1,
        reply_to: int | None = None,
        kind: ChatKind = "private",
        thread: int | None = None,
        **more: object,
    ) -> MessageReceived:
        """Make the update of a message."""
        reply = None
        if reply_to is not None:
            ours = self.shown.get((chat, reply_to))
            reply = RepliedTo(reply_to, ours.text if ours else "", ours is not None)
        return MessageReceived(
            update_id=self.number(),
            scope=Scope(self.id, chat, thread),
            chat_kind=kind,
            message_id=self.number(),
            sender_id=person,
            text=text,
            **{"reply": reply, **more},  # type: ignore[arg-type]
        )

    def press(self, data: str, *, chat: int = 1, person: int | None = 1, on: int = 0) -> str:
        """Let a person press a button; returns the press's id."""
        number = self.number()
        self.feed(
            ButtonPressed(
                update_id=number,
                scope=Scope(self.id, chat),
                chat_kind="private",
                press_id=f"press-{number}",
                message_id=on,
                sender_id=person,
                data=data,
            )
        )
        return f"press-{number}"

    def texts(self, chat: int = 1) -> list[str]:
        """List what a chat shows now, in order."""
        return [s.text for (c, _), s in sorted(self.shown.items()) if c == chat]

    def find(self, words: str, chat: int = 1) -> Shown:
        """Return the last message of the bot that contains some words."""
        found = [s for (c, _), s in sorted(self.shown.items()) if c == chat and words in s.text]
        assert found, f"{words!r} is nowhere in {self.texts(chat)}"
        return found[-1]

    def has(self, words: str, chat: int = 1) -> bool:
        """Tell whether a chat shows some words."""
        return any(words in text for text in self.texts(chat))

    # The side of the bot.

    @property
    def newest_update(self) -> int | None:
        return max((update.update_id for update in self.batches[-1]), default=None)

    async def updates(self) -> AsyncIterator[Sequence[ChatUpdate]]:
        while self._waiting or not self._ended:
            if not self._waiting:
                self._arrived = anyio.Event()
                await self._arrived.wait()
                continue
            batch = self._waiting.popleft()
            self.batches.append(batch)
            yield batch
            self.accepted += 1

    async def send(self, scope: Scope, message: ChatMessage, options: SendOptions) -> MessageRef:
        _check(message)
        call = Call("send", self.clock.now(), scope.chat_id, scope=scope, options=options)
        call.message, call.text = message, message.body.text
        return await self._write(call)

    async def send_document(
        self, scope: Scope, document: Document, options: SendOptions
    ) -> MessageRef:
        call = Call("document", self.clock.now(), scope.chat_id, scope=scope, options=options)
        call.document, call.text = document, document.filename
        assert utf16_len(document.caption.text) <= 1024, "a caption that is too long"
        return await self._write(call)

    async def edit(self, ref: MessageRef, message: ChatMessage) -> None:
        _check(message)
        chat, number = int(ref.channel_id), int(ref.message_id)
        call = Call("edit", self.clock.now(), chat, number, message.body.text, message=message)
        await self._touch(call)
        shown = self.shown[chat, number]
        shown.text, shown.message = message.body.text, message
        shown.edits += 1
        self._answer(call)

    async def delete(self, ref: MessageRef) -> None:
        chat, number = int(ref.channel_id), int(ref.message_id)
        call = Call("delete", self.clock.now(), chat, number)
        await self._touch(call)
        self.shown.pop((chat, number), None)
        self._answer(call)

    async def fetch(self, file: IncomingFile, into: BinaryIO, max_bytes: int) -> None:
        """Write what `contents` has; raise what `unreachable` has first."""
        if self.unreachable:
            raise self.unreachable.pop(0)
        content = self.contents[file.file_id]
        assert len(content) <= max_bytes
        into.write(content)

    async def react(self, ref: MessageRef, emoji: str | None) -> None:
        chat, number = int(ref.channel_id), int(ref.message_id)
        await self._perform(Call("react", self.clock.now(), chat, number, emoji or ""))

    async def answer_press(self, press_id: str, text: str = "") -> None:
        call = Call("answer", self.clock.now(), text=f"{press_id}: {text}")
        await self._perform(call)

    async def set_menu(self, commands: Sequence[MenuCommand]) -> None:
        await self._perform(Call("menu", self.clock.now()))
        self.menu = tuple(commands)

    async def create_topic(self, scope: Scope, name: str) -> int:
        call = Call("topic", self.clock.now(), scope.chat_id, scope=scope, text=name)
        await self._perform(call)
        call.message_id = self.number()
        self.topics[call.chat, call.message_id] = name
        self._answer(call)
        return call.message_id

    async def rename_topic(self, scope: Scope, name: str) -> None:
        call = Call("rename", self.clock.now(), scope.chat_id, scope=scope, text=name)
        await self._perform(call)
        if (scope.chat_id, scope.thread_id) not in self.topics:
            raise ThreadLost("the topic is gone")
        self.topics[scope.chat_id, scope.thread_id or 0] = name

    def topic_link(self, scope: Scope) -> str | None:
        return f"https://chat/{scope.thread_id}" if scope.chat_id < 0 else None

    async def _write(self, call: Call) -> MessageRef:
        await self._perform(call)
        if call.scope is not None and (call.chat, call.scope.thread_id) in self.deleted:
            call.accepted = False
            raise ThreadLost("message thread not found")
        number = call.message_id = self.number()
        assert call.scope is not None
        self.shown[call.chat, number] = Shown(
            number, call.scope, call.text, call.message, call.document, call.options
        )
        self._answer(call)
        return MessageRef(call.chat, number)

    def _answer(self, call: Call) -> None:
        error = self.unheard(call) if self.unheard else None
        if error is not None:
            raise error

    async def _touch(self, call: Call) -> None:
        key = (call.chat, call.message_id or 0)
        self.overlaps += key in self._in_flight
        self._in_flight.add(key)
        try:
            await self._perform(call)
        finally:
            self._in_flight.discard(key)
        if call.verb == "edit" and key not in self.shown:
            raise TargetLost("message to edit not found")

    async def _perform(self, call: Call) -> None:
        self.calls.append(call)
        error = self.fault(call) if self.fault else None
        await self.clock.sleep_until(self.clock.now() + self.latency_s)
        if error is not None:
            raise error
        call.accepted = True


def _check(message: ChatMessage) -> None:
    """Refuse what a chat service would refuse."""
    assert message.body.text.strip(), "an empty message"
    units = utf16_len(message.body.text)
    assert units <= 4096, "a message that is too long"
    ends = [entity.offset + entity.length for entity in message.body.entities]
    assert max(ends, default=0) <= units, "an entity that reaches beyond its text"
    for row in message.buttons:
        for button in row:
            assert 1 <= len(button.data.encode()) <= 64, "button data of a wrong length"
            assert button.label, "a button without a label"
