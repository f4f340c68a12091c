"""A world in which the power fails: a journal that survives it, a chat service, and a witness.

Every word that is posted is unique, so that the witness can tell from the screen alone what
arrived, how often and in which order.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TypeVar

import anyio
from hypothesis import strategies as st
from msgspec.structs import replace

from bridge.draws import one_of_each, row
from bridge.outbox_desk import RecordingStore
from fakes.clock import VirtualClock
from fakes.transport import Call, MemoryTransport
from takopi.bridge.letters import Destination, FinalPost, LiveMessage
from takopi.bridge.outbox import Outbox
from takopi.bridge.records import Change, JournalState, LetterPut, MessageBound, TurnPut, TurnRecord
from takopi.core.chat import ChatKind, ChatMessage, Document, Scope
from takopi.core.richtext import Entity, RichText, plain, utf16_len
from takopi.errors import (
    FloodLimited,
    FormatRefused,
    ReplyTargetLost,
    StoreError,
    StoreFull,
    TargetLost,
    ThreadLost,
    TransportError,
    TransportUnavailable,
)
from takopi.transport import MessageRef, SendOptions

KINDS: dict[int, ChatKind] = {1: "private", -2: "group"}
Word = tuple[int, int, int]
"""Post, part, place."""
WORD = re.compile(r"p(\d+)\.(\d+)\.(\d+)")
_T = TypeVar("_T")
FATES = ("ok", "ok", "ok", "5xx", "hang", "unheard", "flood", "format", "reply", "topic", "target")


class PowerCut(BaseException):
    """End the life of a bot, wherever it is."""


@dataclass(frozen=True)
class Post:
    """Say what is posted."""

    verb: str
    chat: int
    parts: tuple[str, ...]
    pause_s: float
    thread: int | None = None
    lives: bool = False
    as_edit: bool = False


@dataclass(frozen=True)
class Story:
    """Say what happens: posts, what becomes of each call and commit, when the power fails."""

    posts: tuple[Post, ...]
    fates: tuple[str, ...]
    cuts: tuple[int, ...]
    coins: tuple[bool, ...]
    latency_s: float
    refusals: tuple[bool, ...] = ()


@dataclass
class Send:
    """Be a message that the service accepted."""

    life: int
    call: Call
    fate: str

    @property
    def is_new(self) -> bool:
        """Tell whether it makes a message."""
        return self.call.verb in {"send", "document"}

    @property
    def words(self) -> tuple[Word, ...]:
        """List the words in it."""
        document = self.call.document
        text = document.content.decode() if document else self.call.text
        return words_in(text)

    @property
    def head(self) -> str:
        """Give what a person reads first."""
        document = self.call.document
        return document.caption.text if document else self.call.text

    @property
    def key(self) -> tuple[int, int]:
        """Name the message."""
        return self.call.chat, self.call.message_id or 0


_PARTS = tuple(
    kinds[:count] for count in (1, 2, 3) for kinds in product(("short", "long", "file"), repeat=3)
)
POSTS = one_of_each(
    ("final", "final", "final", "say", "ask"),
    sorted(KINDS),
    _PARTS,
    (0.0, 0.0, 2.0, 30.0),
    (None, None, 7),
    (False, True),
    (False, True),
).map(lambda chosen: Post(*chosen))


def stories(
    *, cuts: int = 3, fates: Sequence[str] = FATES, refusals: int = 0
) -> st.SearchStrategy[Story]:
    """Draw stories.

    Args:
        cuts: At most so many power cuts.
        fates: What may become of a call.
        refusals: Of at most so many commits it is drawn whether the journal refuses them.
    """
    return st.builds(
        Story,
        posts=st.lists(POSTS, min_size=1, max_size=4).map(tuple),
        fates=row(fates, 25),
        cuts=st.lists(st.integers(0, 50), max_size=cuts).map(tuple),
        coins=row((False, True), 6),
        latency_s=st.sampled_from([0.0, 0.4]),
        refusals=row((False, True), refusals),
    )


class World:
    """Play a story; the journal, the service and the clock outlive the bot."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.clock = VirtualClock()
        self.chat = MemoryTransport(self.clock, fault=self._fault, unheard=self._unheard)
        self.store = RecordingStore()
        self.store.fault = self._refusal
        self.tries: list[Send] = []
        self.heard: set[tuple[int, int]] = set()
        self.life = 0
        self.dead = self.finished = False
        self._left: int | None = None
        self._fates = list(story.fates)
        self._coins = list(story.coins)
        self._refusals = list(story.refusals)

    async def play(self) -> None:
        """Let the bot live, die and live again until all is said."""
        for cut in (*self.story.cuts, None):
            self.life += 1
            self.dead, self._left = False, cut
            async with anyio.create_task_group() as group:
                group.start_soon(self._live)
                await self.clock.until(lambda: self.dead or self.finished, within_s=40_000)
                group.cancel_scope.cancel()
            if self.finished:
                return
            await self.clock.advance(1.0)

    # The bot.

    async def _live(self) -> None:
        try:
            outbox = Outbox(MortalTransport(self), MortalStore(self), self.clock)
            state = await self.store.load()
            outbox.restore(state)
            async with anyio.create_task_group() as group:
                group.start_soon(outbox.run)
                for number, post in enumerate(self.story.posts):
                    await self._post(outbox, number, post, state)
                assert await outbox.drain(self.clock.now() + 30_000), "not all of it arrived"
                # What the journal refused is tried again after a pause.
                await self.clock.sleep_until(self.clock.now() + 3000)
                self.finished = True
                group.cancel_scope.cancel()
        except* PowerCut:
            self.dead = True

    async def _post(self, outbox: Outbox, number: int, post: Post, state: JournalState) -> None:
        """Post what an earlier life has not written down."""
        turn_id = f"t{number}"
        if self.posted(number):
            return
        store, destination = MortalStore(self), destination_of(post)
        turn = TurnRecord(turn_id=turn_id, scope=destination.scope, engine="codex", state="running")
        known = {record.turn_id: record.progress_id for record in state.turns}
        with suppress(StoreError):
            await store.commit([TurnPut(turn)])
        parts = said(number, post)
        live: LiveMessage | None = None
        if post.lives:
            before = known.get(turn_id)
            ref = None if before is None else MessageRef(post.chat, before)
            live = outbox.live(
                destination, lambda moment: ChatMessage(plain(f"progress {turn_id}")), turn_id, ref
            )
        await self.clock.sleep_until(self.clock.now() + post.pause_s)
        if post.verb == "final":
            final = FinalPost(destination, parts, turn_id, as_edit=post.as_edit and len(parts) == 1)
            decided = replace(turn, state="delivering", outcome="done")
            await outbox.final(final, instead=live, changes=[TurnPut(decided)])
            return
        if live is not None:
            outbox.close(live)
        (words,) = parts
        assert isinstance(words, ChatMessage)
        if post.verb == "say":
            await outbox.say(destination, words, turn_id=turn_id)
            return
        while not self.posted(number):
            with suppress(StoreError):
                await outbox.ask(destination, words, turn_id=turn_id)
            await self.clock.sleep_until(self.clock.now() + 1.0)

    def posted(self, number: int) -> bool:
        """Tell whether the journal has had a post; a final's decision is written with it."""
        name, made = f"t{number}", self.store.made
        if self.story.posts[number].verb == "final":
            turns = [change.turn for change in made if isinstance(change, TurnPut)]
            return any(turn.turn_id == name and turn.state == "delivering" for turn in turns)
        letters = [change.letter for change in made if isinstance(change, LetterPut)]
        return any(letter.turn_id == name for letter in letters)

    # What the witness sees.

    def sends(self) -> list[Send]:
        """List the messages that the service accepted, but for those that only live."""
        return [one for one in self.tries if one.call.accepted and one.is_new and one.words]

    def settled(self) -> set[tuple[int, int]]:
        """List the messages that the journal knows for finals and answers."""
        return {
            (made.chat_id, made.message_id)
            for made in self.store.made
            if isinstance(made, MessageBound) and made.role != "progress"
        }

    # The power and the weather.

    def step(self) -> None:
        """Take a step that the power may not last for."""
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise PowerCut

    def coin(self) -> bool:
        """Decide something."""
        return bool(self._coins and self._coins.pop(0))

    def _refusal(self, changes: Sequence[Change]) -> Exception | None:
        return StoreFull("disk full") if self._refusals and self._refusals.pop(0) else None

    def _fault(self, call: Call) -> Exception | None:
        fate = self._fates.pop(0) if self._fates else "ok"
        self.tries.append(Send(self.life, call, fate))
        options = call.options
        thread = call.scope.thread_id if call.scope else None
        errors: dict[str, tuple[bool, Exception]] = {
            "5xx": (True, TransportUnavailable("5xx")),
            "hang": (True, TransportUnavailable("hang", maybe_accepted=True)),
            "flood": (True, FloodLimited(5)),
            "format": (bool(call.message and call.message.body.entities), FormatRefused("no")),
            "reply": (bool(options and options.reply_to), ReplyTargetLost("gone")),
            "topic": (thread is not None, ThreadLost("gone")),
            "target": (call.verb == "edit", TargetLost("gone")),
        }
        applies, error = errors.get(fate, (False, TransportError()))
        return error if applies else None

    def _unheard(self, call: Call) -> Exception | None:
        if not any(one.call is call and one.fate == "unheard" for one in self.tries):
            return None
        return TransportUnavailable("no answer", maybe_accepted=True)


@dataclass
class MortalStore:
    """Be the journal as long as the power lasts."""

    world: World

    async def commit(self, changes: Sequence[Change]) -> None:
        self.world.step()
        await self.world.store.commit(changes)
        self.world.step()

    def __getattr__(self, name: str) -> object:
        return getattr(self.world.store, name)


@dataclass
class MortalTransport:
    """Be the way to the service as long as the power lasts; what is under way may still arrive."""

    world: World
    id: str = "memory"

    async def send(self, scope: Scope, message: ChatMessage, options: SendOptions) -> MessageRef:
        return await self._new(lambda: self.world.chat.send(scope, message, options))

    async def send_document(
        self, scope: Scope, document: Document, options: SendOptions
    ) -> MessageRef:
        return await self._new(lambda: self.world.chat.send_document(scope, document, options))

    async def edit(self, ref: MessageRef, message: ChatMessage) -> None:
        await self._call(lambda: self.world.chat.edit(ref, message))

    async def delete(self, ref: MessageRef) -> None:
        await self._call(lambda: self.world.chat.delete(ref))

    async def _new(self, effect: Callable[[], Awaitable[MessageRef]]) -> MessageRef:
        ref = await self._call(effect)
        self.world.heard.add((int(ref.channel_id), int(ref.message_id)))
        return ref

    async def _call(self, effect: Callable[[], Awaitable[_T]]) -> _T:
        world = self.world
        world.step()
        try:
            await world.clock.sleep_until(world.clock.now() + world.story.latency_s)
        except BaseException:
            if world.coin():
                with anyio.CancelScope(shield=True), suppress(TransportError):
                    await effect()
            raise
        result = await effect()
        world.step()
        return result


def destination_of(post: Post) -> Destination:
    """Say where a post goes."""
    scope = Scope("memory", post.chat, post.thread)
    return Destination(scope, KINDS[post.chat], MessageRef(post.chat, 50))


def said(number: int, post: Post) -> tuple[ChatMessage | Document, ...]:
    """Make what a post says: a final has parts, everything else is one message."""
    kinds = post.parts if post.verb == "final" else (post.parts[0].replace("file", "short"),)
    return tuple(body(number, part, kind) for part, kind in enumerate(kinds))


@lru_cache(maxsize=1024)
def words_in(text: str) -> tuple[Word, ...]:
    """List the words in a text."""
    return tuple((int(post), int(part), int(n)) for post, part, n in WORD.findall(text))


def content_of(message: ChatMessage | Document) -> str:
    """Give what a person can read in a message."""
    if isinstance(message, Document):
        return message.content.decode()
    return message.body.text


@lru_cache(maxsize=1024)
def body(post: int, part: int, kind: str) -> ChatMessage | Document:
    """Make a part of unique words: a short one, one that fills a message, or a file."""
    # The faces are two units each: a cut that counts characters would go wrong.
    count = 300 if kind == "long" else 3
    words = [f"p{post}.{part}.{place} \U0001f600" for place in range(count)]
    text = " ".join(words)
    if kind == "file":
        return Document("answer.md", text.encode(), plain("caption"))
    if kind == "long":
        faces = (4096 - utf16_len(text)) // (2 * count)
        text = " ".join(word + "\U0001f600" * faces for word in words)
        text += "x" * (4096 - utf16_len(text))
    return ChatMessage(RichText(text, (Entity("bold", 0, utf16_len(text)),)))
