"""The chat service of the simulation: what it keeps, what it refuses, and what it hands out."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import anyio

from simulation.budgets import BudgetWatch
from simulation.life import Life
from takopi.bridge.ports import MenuCommand
from takopi.core.chat import (
    ChatKind,
    ChatMessage,
    ChatUpdate,
    Document,
    Scope,
)
from takopi.core.letter_forms import REPEATED, TOPIC_GONE
from takopi.core.richtext import utf16_len
from takopi.errors import (
    ChatLost,
    FloodLimited,
    FormatRefused,
    ReplyTargetLost,
    TargetLost,
    ThreadLost,
    TransportUnavailable,
)
from takopi.transport import MessageRef, SendOptions

__all__ = ["CHATS", "Post", "Service", "SimTransport", "Weather", "is_head"]

CHATS: dict[int, ChatKind] = {1: "private", 2: "private", 66: "private", -10: "group", -20: "group"}
HEADS = ("✓ done", "✗ error", "■ cancelled", "✗ interrupted", "⚠ interrupted", "interrupted")
Fate = Literal["ok", "5xx", "flood", "hang", "hang after"]


@dataclass
class Post:
    """Be one message in a chat, as everybody there sees it."""

    chat: int
    message_id: int
    at: float
    text: str = ""
    thread: int | None = None
    sender: int | None = None
    reply_to: int | None = None
    message: ChatMessage | None = None
    document: Document | None = None
    life: int = 0
    gone: bool = False
    edits: int = 0
    unanswered: bool = False
    """Whether the bot never heard that it was accepted: its process died or the call hung."""
    taken_back: bool = False
    """Whether it was the bot that took it out of the chat."""
    ended_at: float | None = None
    """When it came to show the end of a turn."""

    @property
    def by_bot(self) -> bool:
        return self.sender is None

    @property
    def buttons(self) -> list[str]:
        rows = self.message.buttons if self.message else ()
        return [button.data for row in rows for button in row]

    @property
    def words(self) -> str:
        """Give all that can be read in it, a file's text included."""
        content = self.document.content.decode("utf-8", "replace") if self.document else ""
        return self.text + content


@dataclass
class Weather:
    """Say how calls fare; probabilities."""

    five_xx: float = 0.0
    flood: float = 0.0
    hang: float = 0.0
    hang_after: float = 0.0
    refuses_format: float = 0.0
    outages: list[tuple[float, float]] = field(default_factory=list)

    def heal(self) -> None:
        """Let every call be taken from now on."""
        self.five_xx = self.flood = self.hang = self.hang_after = self.refuses_format = 0.0
        self.outages.clear()

    def down(self, now: float) -> bool:
        return any(start <= now < end for start, end in self.outages)


class Service:
    """Keep the chats, hand out updates, take or refuse calls.

    Args:
        rng: Decides what happens.
        weather: How calls fare.
    """

    def __init__(self, rng: random.Random, weather: Weather) -> None:
        self.rng = rng
        self.weather = weather
        self.posts: dict[tuple[int, int], Post] = {}
        self.queue: list[ChatUpdate] = []
        self.faults: list[str] = []
        self.lost_threads: set[tuple[int, int]] = set()
        self.lost_chats: set[int] = set()
        self.blocked: dict[int, tuple[float, float]] = {}
        self.calls = 0
        self._next: dict[int, int] = {}
        self._updates = 500
        self._arrived = asyncio.Event()

    @staticmethod
    def now() -> float:
        return asyncio.get_running_loop().time()

    # People.

    def number(self, chat: int) -> int:
        """Take the next message id of a chat."""
        self._next[chat] = self._next.get(chat, 100) + 1
        return self._next[chat]

    def update_id(self) -> int:
        """Take the next number of an update."""
        self._updates += 1
        return self._updates

    def post(self, post: Post) -> None:
        """Put a person's message into its chat."""
        self.posts[post.chat, post.message_id] = post

    def feed(self, *updates: ChatUpdate) -> None:
        """Let updates wait for the bot."""
        self.queue.extend(updates)
        self._arrived.set()

    async def poll(self) -> list[ChatUpdate]:
        """Wait for updates and hand them out; they stay until they are confirmed."""
        while True:
            if self.queue and not self.weather.down(self.now()):
                await asyncio.sleep(self.rng.uniform(0.02, 0.2))
                batch = self.queue[: self.rng.choice((1, 3, 100))]
                return self._muddle(batch)
            self._arrived.clear()
            with anyio.move_on_after(50):
                await self._arrived.wait()

    def confirm(self, batch: Sequence[ChatUpdate]) -> None:
        """Forget updates that the bot has taken."""
        taken = {update.update_id for update in batch}
        self.queue = [update for update in self.queue if update.update_id not in taken]

    def _muddle(self, batch: list[ChatUpdate]) -> list[ChatUpdate]:
        """Repeat and reorder, as a service may."""
        rng = self.rng
        if rng.random() < 0.1:
            batch = batch + rng.sample(batch, 1)
        if rng.random() < 0.05:
            rng.shuffle(batch)
        return batch

    # The bot.

    def fate(self, chat: int) -> Fate:
        """Decide what becomes of a call."""
        weather, draw = self.weather, self.rng.random()
        if chat == 0:
            return "ok" if draw > weather.five_xx else "5xx"
        if self.blocked.get(chat, (0.0, 0.0))[1] > self.now():
            return "flood"
        if weather.down(self.now()):
            return "5xx" if draw < 0.5 else "hang"
        fates: list[tuple[Fate, float]] = [
            ("5xx", weather.five_xx), ("flood", weather.flood), ("hang", weather.hang),
            ("hang after", weather.hang_after),
        ]  # fmt: skip
        for name, chance in fates:
            if draw < chance:
                return name
            draw -= chance
        return "ok"

    def check(self, message: ChatMessage) -> None:
        """Note what a chat service would refuse."""
        text = message.body.text
        if not text.strip() or utf16_len(text) > 4096:
            self.faults.append(f"a message of a wrong length: {text[:80]!r}")
        for row in message.buttons:
            for button in row:
                if not (1 <= len(button.data.encode()) <= 64 and button.label):
                    self.faults.append(f"a wrong button: {button}")

    def write(self, scope: Scope, options: SendOptions, life: Life, **what: Any) -> Post:
        """Take a new message of the bot."""
        chat, thread = scope.chat_id, scope.thread_id
        self._know(chat)
        if thread is not None and (chat, thread) in self.lost_threads:
            raise ThreadLost("message thread not found")
        reply_to = int(options.reply_to.message_id) if options.reply_to else None
        if reply_to is not None:
            target = self.posts.get((chat, reply_to))
            if target is None or target.gone:
                raise ReplyTargetLost("message to be replied not found")
        post = Post(
            chat, self.number(chat), self.now(), thread=thread, reply_to=reply_to,
            life=life.number, **what,
        )  # fmt: skip
        self.posts[chat, post.message_id] = post
        post.ended_at = post.at if is_head(post.text) else None
        return post

    def change(self, ref: MessageRef, message: ChatMessage) -> None:
        """Put another text into a message of the bot."""
        self._know(int(ref.channel_id))
        post = self.posts.get((int(ref.channel_id), int(ref.message_id)))
        if post is None or post.gone or not post.by_bot:
            raise TargetLost("message to edit not found")
        post.message, post.text = message, message.body.text
        post.edits += 1
        if post.ended_at is None and is_head(post.text):
            post.ended_at = self.now()

    def remove(self, ref: MessageRef) -> None:
        """Take a message out of its chat."""
        self._know(int(ref.channel_id))
        post = self.posts.get((int(ref.channel_id), int(ref.message_id)))
        if post is not None:
            post.taken_back |= not post.gone
            post.gone = True

    def _know(self, chat: int) -> None:
        if chat in self.lost_chats:
            raise ChatLost("Forbidden: bot was kicked from the group chat")


class SimTransport:
    """Be the way of one life to the service.

    Args:
        service: The service.
        life: Whose calls these are.
        allowed: Chats in which somebody is served.
    """

    id = "sim"

    def __init__(self, service: Service, life: Life, allowed: frozenset[int]) -> None:
        self._service = service
        self._life = life
        self._allowed = allowed
        self._budgets = BudgetWatch(CHATS, service.faults)
        self._newest: int | None = None

    @property
    def newest_update(self) -> int | None:
        return self._newest

    async def updates(self) -> AsyncIterator[Sequence[ChatUpdate]]:
        while True:
            self._life.step()
            batch = await self._service.poll()
            self._life.step()
            self._newest = max(update.update_id for update in batch)
            yield batch
            self._life.step()
            self._service.confirm(batch)

    async def send(self, scope: Scope, message: ChatMessage, options: SendOptions) -> MessageRef:
        self._service.check(message)
        what = {"text": message.body.text, "message": message}
        formatted = bool(message.body.entities)
        return await self._new(scope, options, formatted, **what)

    async def send_document(
        self, scope: Scope, document: Document, options: SendOptions
    ) -> MessageRef:
        what = {"text": document.caption.text, "document": document}
        return await self._new(scope, options, False, **what)

    async def _new(
        self, scope: Scope, options: SendOptions, formatted: bool, **what: Any
    ) -> MessageRef:
        def effect() -> Post:
            self._refuse_format(formatted)
            return self._service.write(scope, options, self._life, **what)

        post = await self._call("send", scope.chat_id, effect)
        return MessageRef(post.chat, post.message_id)

    async def edit(self, ref: MessageRef, message: ChatMessage) -> None:
        self._service.check(message)

        def effect() -> None:
            self._refuse_format(bool(message.body.entities))
            self._service.change(ref, message)

        await self._call("edit", int(ref.channel_id), effect)

    async def delete(self, ref: MessageRef) -> None:
        await self._call("delete", int(ref.channel_id), lambda: self._service.remove(ref))

    async def answer_press(self, press_id: str, text: str = "") -> None:
        if press_id.startswith("stranger"):
            self._service.faults.append(f"the press {press_id} was answered")
        await self._call("answer", 0, lambda: None)

    async def set_menu(self, commands: Sequence[MenuCommand]) -> None:
        await self._call("menu", 0, lambda: None)

    def _refuse_format(self, formatted: bool) -> None:
        if formatted and self._service.rng.random() < self._service.weather.refuses_format:
            raise FormatRefused("can't parse entities")

    async def _call(self, verb: str, chat: int, effect: Callable[[], Any]) -> Any:
        service, life = self._service, self._life
        life.step()
        service.calls += 1
        now = service.now()
        if chat and chat not in self._allowed:
            service.faults.append(f"{verb} in the chat {chat}, where nobody is served")
        self._budgets.called(verb, chat, now)
        fate = service.fate(chat)
        if fate == "flood":
            await self._refuse_flood(chat, now)
        if fate in {"5xx", "hang"}:
            await life.wait(30.0 if fate == "hang" else service.rng.uniform(0.02, 1.0))
            raise TransportUnavailable(fate, maybe_accepted=fate == "hang")
        result = await self._accepted(effect)
        if fate == "hang after":
            _unanswered(result)
            await life.wait(30.0)
            raise TransportUnavailable(fate, maybe_accepted=True)
        return result

    async def _accepted(self, effect: Callable[[], Any]) -> Any:
        """Let the call take effect, maybe after the one who made it has died."""
        service, life = self._service, self._life
        call = life.begin(lambda: _unanswered(_quietly(effect)))
        try:
            await life.wait(service.rng.uniform(0.02, 0.3))
            result = effect()
        finally:
            life.end(call)
        try:
            life.step()
        except BaseException:
            _unanswered(result)
            raise
        return result

    async def _refuse_flood(self, chat: int, began: float) -> None:
        service = self._service
        told, until = service.blocked.get(chat, (0.0, 0.0))
        if until <= began:
            until = began + service.rng.choice((1, 3, 10, 35))
            service.blocked[chat] = began + 0.1, until
        elif told < began and self._budgets.was_told(chat, until):
            service.faults.append(f"a call to {chat} at {began:.1f}, before {until:.1f}")
        await self._life.wait(0.1)
        self._budgets.tell(chat, until)
        raise FloodLimited(until - service.now())


def is_head(text: str) -> bool:
    """Tell whether a text is the first part of a final, under whatever lines stand above it."""
    while text.startswith((REPEATED, TOPIC_GONE)):
        text = text.partition("\n")[2]
    return text.startswith(HEADS)


def _unanswered(result: object) -> None:
    if isinstance(result, Post):
        result.unanswered = True


def _quietly(effect: Callable[[], Any]) -> Any:
    try:
        return effect()
    except (ChatLost, ReplyTargetLost, TargetLost, ThreadLost, FormatRefused):
        return None
