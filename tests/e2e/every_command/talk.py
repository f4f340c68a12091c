"""One person's talk with the bot in one place, and what holds of every answer there."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from e2e.every_command.kinds import Kind
from fakes.bot_process import appears
from fakes.telegram_api import Message, Person, TelegramApi

__all__ = ["DONE", "Talk"]

DONE = "✓ done"
WAIT_S = 60.0


@dataclass
class Talk:
    """Be a talk in one place.

    Args:
        api: The stand-in.
        kind: Of the chat.
        person: Who talks.
        chat: Where.
        thread: The topic, if any.
        project: Alias of the project that nobody else talks about.
        root: Where that lies.
        folder: For files of the talk, by which it and the engine know of each other.
        expected: How many messages reply to what was said, where that is known.
    """

    api: TelegramApi
    kind: Kind
    person: Person
    chat: int
    thread: int | None
    project: str
    root: Path
    folder: Path
    expected: list[tuple[Message, int]] = field(default_factory=list)
    made: set[int] = field(default_factory=set)
    _begun: int = 0

    @property
    def bot_name(self) -> str:
        """Give the bot's name, as people mention it."""
        return f"@{self.api.world.bot.username}"

    def say(self, text: str, **extra: Any) -> Message:
        """Write a message; `{project}` in it is the project's alias."""
        words, more = self._addressed(text, caption="photo" in extra)
        replied = extra.get("reply_to")
        if replied is not None and replied.chat.type == "supergroup" and self.thread is None:
            more["message_thread_id"] = replied.id  # of a thread of replies, which is no topic
        return self.person.say(words, self.chat, thread_id=self.thread, **more, **extra)

    async def edit(self, message: Message, text: str) -> None:
        """Put other words into a message, and wait until the bot has taken them."""
        words, more = self._addressed(text)
        self.person.edit(message, words, **more)
        updates = self.api.updates
        number = max(updates.pending)
        await self.api.wait_for(lambda: updates.confirmed_below > number, WAIT_S)

    def album(self, *captions: str) -> list[Message]:
        """Show pictures together, the first of them with the name of the bot where that counts."""
        first, more = self._addressed(captions[0], caption=True)
        return self.person.album([first, *captions[1:]], self.chat, thread_id=self.thread, **more)

    async def ask(self, text: str, words: str, **extra: Any) -> Message:
        """Give a command that is answered with one message, and return that."""
        asked = self.say(text, **extra)
        self.expected.append((asked, 1))
        answer = await self.hear(asked)
        assert self._named(words) in answer.text, f"{asked.text!r} got {answer.text!r}"
        return answer

    def order(self, text: str, **extra: Any) -> Message:
        """Give a command that shows what it does elsewhere, and is not answered itself."""
        asked = self.say(text, **extra)
        self.expected.append((asked, 0))
        return asked

    async def prompt(self, text: str, words: str = "", **extra: Any) -> Message:
        """Ask the engine, and return its final."""
        return await self.final(self.say(text, **extra), words)

    async def final(self, asked: Message, words: str = "") -> Message:
        """Wait for the final of a prompt."""
        return await self.hear(asked, DONE, words)

    async def begin(self, words: str = "work", **extra: Any) -> tuple[Message, Path]:
        """Ask for what goes on until the returned file is there."""
        self._begun += 1
        at_work, gate = (self.folder / f"{name}-{self._begun}" for name in ("on", "gate"))
        asked = self.say(f"run: touch {at_work}\nwait: {gate}\n{words}", **extra)
        await appears(at_work, WAIT_S)
        return asked, gate

    async def hear(self, asked: Message, *words: str, button: str = "") -> Message:
        """Wait for a reply to a message that has all of some words, and a button."""
        named = [self._named(one) for one in words]

        def fits(message: Message) -> bool:
            labels = [known["text"] for known in message.buttons]
            told = all(one in message.text for one in named)
            return message.reply_to is asked and told and (not button or button in labels)

        return await self.api.wait_message(fits, chat_id=self.chat, timeout_s=WAIT_S)

    async def press(self, message: Message, label: str, words: str) -> Message:
        """Press a button, and return the message that it changed or brought, with some words."""
        before, edits, named = self._newest(), message.edits, self._named(words)
        press = self.person.press(message, self._named(label))

        def fits(found: Message) -> bool:
            changed = found is message and found.edits > edits
            return named in found.text and (changed or found.order > before)

        found = await self.api.wait_message(fits, chat_id=self.chat, timeout_s=WAIT_S)
        await self.api.wait_for(lambda: self.api.world.presses[press], WAIT_S)
        assert found.thread_id == self.thread, f"{label} brought {found.text!r} to another place"
        return found

    def look_back(self) -> None:
        """Check what holds once nothing more comes: each in one message, each in its place."""
        chats = [asked.chat for asked, _ in self.expected]
        everything = {id(one): one for chat in chats for one in chat.messages.values()}.values()
        said = [message for message in everything if message.sender is self.api.world.bot]
        replies = Counter(id(message.reply_to) for message in said)
        for asked, times in self.expected:
            assert replies[id(asked)] == times, f"{asked.text!r}: {replies[id(asked)]} replies"
        for message in said:
            place = message.thread_id
            assert place == self.thread or place in self.made, f"{message.text!r} stands in {place}"

    def transcript(self) -> str:
        """Tell the talk as the chat shows it."""
        lines = []
        for message in self.api.world.chats[self.chat].messages.values():
            who = "bot" if message.sender is self.api.world.bot else "Ada"
            reply = f" -> {message.reply_to.id}" if message.reply_to else ""
            state = " (deleted)" if message.deleted else ""
            labels = " ".join(f"[{button['text']}]" for button in message.buttons)
            head = f"--- {message.id}{reply} #{message.thread_id} {who}{state}"
            lines += [head, message.text or str(message.document or message.extra), labels]
        return "\n".join(lines)

    def _newest(self) -> int:
        return max((message.order for message in self.api.bot_messages()), default=0)

    def _named(self, words: str) -> str:
        return words.replace("{project}", self.project)

    def _addressed(self, text: str, *, caption: bool = False) -> tuple[str, dict[str, Any]]:
        """Name the bot in front of a message, where only that counts."""
        words = self._named(text)
        if not self.kind.mentions:
            return words, {}
        if words.startswith("/") and not words.startswith("//"):
            first, space, rest = words.partition(" ")
            return f"{first}{self.bot_name}{space}{rest}", {}
        entity = {"type": "mention", "offset": 0, "length": len(self.bot_name)}
        field_name = "caption_entities" if caption else "entities"
        return f"{self.bot_name} {words}", {field_name: [entity]}
