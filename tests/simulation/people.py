"""People who write to the bot, served ones and strangers, each in his own way."""

import asyncio
import functools
import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from simulation.engines import ENGINES, words_of
from simulation.telegram import CHATS, Post, Service
from takopi.core.access import AccessPolicy, access_policy
from takopi.core.chat import (
    ButtonPressed,
    ChatUpdate,
    MessageEdited,
    MessageReceived,
    RepliedTo,
    Scope,
)

__all__ = ["ACCESS", "PLACES", "People", "Said"]

ACCESS: AccessPolicy = access_policy(
    chat_id=1, allowed_chat_ids=(2, -10, -20), allowed_user_ids=(1, 2)
)
_RESUME_LINE = re.compile(r"\w+ resume s\d+")
Spot = tuple[int, int | None, int | None]
"""A person (None for an anonymous one), a chat and a topic."""

PLACES: tuple[Spot, ...] = ((1, 1, None), (2, 2, None), (1, -10, None), (2, -10, None),
                            (1, -20, None), (2, -20, 5), (1, -20, 5))  # fmt: skip
STRANGE_PLACES: tuple[Spot, ...] = ((66, 66, None), (66, -10, None), (None, -10, None),
                                    (66, -20, 5), (None, -20, None), (1, 66, None))  # fmt: skip


@dataclass
class Said:
    """Remember one text that a person wants done.

    Args:
        word: By which it is known everywhere.
        together: The messages of what was sent at once, its own among them.
    """

    word: str
    chat: int
    message_id: int
    thread: int | None
    person: int | None
    at: float
    together: list[int]


@dataclass(frozen=True)
class Wish:
    """Remember a /cancel, or a press on a button."""

    chat: int
    message_id: int
    data: str
    at: float


class People:
    """Write, edit, press; every served prompt is remembered.

    Args:
        service: The chat service.
        rng: Decides what they do.
        wall: Tells unix seconds.
    """

    def __init__(self, service: Service, rng: random.Random, wall: Callable[[], float]) -> None:
        self._service = service
        self._rng = rng
        self._wall = wall
        self._words = 0
        self._presses = 0
        self.said: list[Said] = []
        self.wishes: list[Wish] = []
        self.pastes: list[list[int]] = []
        self.strange_words: set[str] = set()

    # What they do.

    def act(self) -> None:
        """Do one of the things that people do."""
        acts: list[tuple[Callable[[], None], int]] = [
            (self.prompt, 40), (self.reply, 22), (self.burst, 8), (self.paste, 4), (self.album, 3),
            (self.forward, 4), (self.named, 4), (self.edit, 8), (self.press, 16),
            (self.command, 14), (self.stranger, 14), (self.empty, 2), (self.vanish, 3),
        ]  # fmt: skip
        doers, weights = zip(*acts, strict=True)
        self._rng.choices(doers, weights)[0]()

    def prompt(self) -> None:
        """Ask for something new."""
        engine = self._rng.choice(("", "", "", *(f"/{name} " for name in ENGINES)))
        self.say(self._spot(), engine + self.new_word())

    def reply(self) -> None:
        """Go on where something was said."""
        seen = [post for post in self._seen() if post.chat in ACCESS.chat_ids]
        if not seen:
            return self.prompt()
        post = self._rng.choice(seen[-25:])
        self.say(self._spot_of(post), self.new_word(), reply_to=post)
        return None

    def burst(self) -> None:
        """Say two or three things within a second."""
        spot, loop = self._spot(), asyncio.get_running_loop()
        for _ in range(self._rng.randrange(2, 4)):
            word = self.new_word()
            loop.call_later(self._rng.uniform(0, 0.9), self.say, spot, word)

    def paste(self) -> None:
        """Paste what does not fit into one message."""
        spot, loop, together = self._spot(), asyncio.get_running_loop(), list[int]()
        self.say(spot, f"{self.new_word()} " + "x" * 3600, together=together)
        rest = functools.partial(self.say, spot, f"{self.new_word()} rest", together=together)
        loop.call_later(self._rng.uniform(0.05, 1.4), rest)
        self.pastes.append(together)

    def album(self) -> None:
        """Send pictures, some with words below them."""
        spot, album, together = self._spot(), f"album{self._words}", list[int]()
        for number in range(self._rng.randrange(2, 5)):
            text = self.new_word() if number == 0 else ""
            self.say(spot, text, album=album, together=together)

    def forward(self) -> None:
        """Ask, and forward what it is about."""
        spot, together = self._spot(), list[int]()
        if self._rng.random() < 0.7:
            self.say(spot, self.new_word(), together=together)
        for _ in range(self._rng.randrange(1, 3)):
            text = f"{self.new_word()} /cancel all"
            self.say(spot, text, forwarded=True, together=together)

    def named(self) -> None:
        """Name a session by its resume line."""
        shown = [post.text for post in self._service.posts.values() if post.by_bot]
        lines = sorted({line for text in shown for line in _RESUME_LINE.findall(text)})
        line = self._rng.choice([*lines, "alpha resume s9999"])
        self.say(self._spot(), f"{self.new_word()}\n`{line}`")

    def edit(self) -> None:
        """Change what was said a while ago."""
        mine = [said for said in self.said if self._service.posts[said.chat, said.message_id].text]
        if not mine:
            return
        said = self._rng.choice(mine[-8:])
        word = self.new_word()
        self._service.posts[said.chat, said.message_id].text = word
        self._service.feed(
            MessageEdited(
                update_id=self._service.update_id(),
                scope=Scope("sim", said.chat, said.thread),
                chat_kind=CHATS[said.chat],
                message_id=said.message_id,
                sender_id=said.person,
                text=word,
                edited_at=self._wall(),
            )
        )

    def press(self) -> None:
        """Press a button, maybe of a message that is long gone, maybe one that was forged."""
        seen = [post for post in self._service.posts.values() if post.buttons]
        post = self._rng.choice(seen[-30:]) if seen else None
        if post is None or self._rng.random() < 0.1:
            data = self._rng.choice(("cancel:t1", "o:x:again", "o:1:drop", "?", "cancel:"))
            self._press(self._spot(), 100, data)
        else:
            self._press(self._spot_of(post), post.message_id, self._rng.choice(post.buttons))

    def command(self) -> None:
        """Ask takopi itself."""
        text = self._rng.choices(
            ("/cancel", "/cancel all", "/status", "/help", "/cancle", "/alpha", "/cancel now"),
            (5, 2, 5, 1, 1, 1, 1),
        )[0]
        seen = [post for post in self._seen() if post.by_bot]
        if text == "/cancel" and seen and self._rng.random() < 0.7:
            post = self._rng.choice(seen[-10:])
            self.say(self._spot_of(post), text, reply_to=post)
        else:
            self.say(self._spot(), text)

    def stranger(self) -> None:
        """Be somebody who is not served, and try the same."""
        spot = self._rng.choice(STRANGE_PLACES)
        _, chat, thread = spot
        word = self.new_word()
        self.strange_words.add(word)
        seen = [post for post in self._service.posts.values() if post.chat == chat]
        match self._rng.randrange(4):
            case 0:
                self.say(spot, f"/cancel all {word}")
            case 1 if any(post.buttons for post in seen):
                post = self._rng.choice([post for post in seen if post.buttons])
                self._press(spot, post.message_id, self._rng.choice(post.buttons))
            case 2 if seen:
                post = self._rng.choice(seen)
                self._service.feed(
                    MessageEdited(
                        update_id=self._service.update_id(), scope=Scope("sim", chat, thread),
                        chat_kind=CHATS[chat], message_id=post.message_id, sender_id=spot[0],
                        text=word, edited_at=self._wall(),
                    )
                )  # fmt: skip
            case _:
                self.say(spot, word, forwarded=self._rng.random() < 0.3)

    def empty(self) -> None:
        """Send a voice message."""
        self.say(self._spot(), "")

    def vanish(self) -> None:
        """Delete a message, one's own or one of the bot, or a whole topic."""
        if self._rng.random() < 0.1:
            self._service.lost_threads.add((-20, 5))
            return
        seen = self._seen()
        if seen:
            self._rng.choice(seen[-15:]).gone = True

    def cancel_all(self) -> None:
        """Ask everywhere that everything ends."""
        for spot in PLACES:
            self.say(spot, "/cancel all")

    # How they do it.

    def _now(self) -> float:
        return self._service.now()

    def _spot(self) -> Spot:
        return self._rng.choice(PLACES)

    def _spot_of(self, post: Post) -> Spot:
        here = [spot for spot in PLACES if spot[1] == post.chat and spot[2] == post.thread]
        return self._rng.choice(here or PLACES)

    def _seen(self) -> list[Post]:
        return [post for post in self._service.posts.values() if not post.gone and post.chat != 66]

    def new_word(self) -> str:
        """Make up a word by which a text is known."""
        self._words += 1
        return f"p{self._words}"

    def say(
        self,
        spot: Spot,
        text: str,
        reply_to: Post | None = None,
        forwarded: bool = False,
        album: str | None = None,
        together: list[int] | None = None,
    ) -> Post:
        """Write a message; return it as it stands in the chat."""
        person, chat, thread = spot
        message_id = self._service.number(chat)
        assert chat is not None
        reply = None
        if reply_to is not None and reply_to.chat == chat:
            reply = RepliedTo(reply_to.message_id, reply_to.text, reply_to.by_bot)
        sender = -1 if person is None else person
        post = Post(chat, message_id, self._now(), text, thread, sender)
        self._service.post(post)
        update = MessageReceived(
            update_id=self._service.update_id(), scope=Scope("sim", chat, thread),
            chat_kind=CHATS[chat], message_id=message_id, sender_id=person, text=text, reply=reply,
            forwarded=forwarded, date=float(int(self._wall())), album=album,
        )  # fmt: skip
        words, together = words_of(text), [] if together is None else together
        together.append(message_id)
        if chat in self._service.lost_chats:
            return post  # whoever was thrown out of a chat does not hear what is said there
        if words and ACCESS.admits(update):
            now = self._now()
            self.said.append(Said(words[0], chat, message_id, thread, person, now, together))
        elif text.startswith("/cancel") and ACCESS.admits(update):
            self.wishes.append(Wish(chat, message_id, "", self._now()))
        self._feed(update)
        return post

    def _press(self, spot: Spot, message_id: int, data: str) -> None:
        person, chat, thread = spot
        assert chat is not None
        self._presses += 1
        update = ButtonPressed(
            update_id=self._service.update_id(), scope=Scope("sim", chat, thread),
            chat_kind=CHATS[chat], press_id=f"press-{self._presses}", message_id=message_id,
            sender_id=person, data=data,
        )  # fmt: skip
        if not ACCESS.admits(update):
            # As good as any other, but for the name, by which a call for it is noticed.
            update = replace(update, press_id=f"stranger-{self._presses}")
        else:
            self.wishes.append(Wish(chat, message_id, data, self._now()))
        if chat not in self._service.lost_chats:
            self._feed(update)

    def _feed(self, update: ChatUpdate) -> None:
        self._service.feed(update)
