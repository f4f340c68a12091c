"""The terminal as a chat: one person, one conversation, a prompt a line.

Every prompt is sent as a reply to the last message of the conversation, so that the bridge goes on
in its session exactly as it does for a reply in any other chat. `/new` forgets that message. Until
anything was shown of a prompt, the next one is a reply to the prompt itself.
Buttons have numbers here: `/1` presses the first one of the newest message that has any.
"""

from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import BinaryIO

import anyio

from takopi.bridge.ports import MenuCommand
from takopi.core.chat import (
    ButtonPressed,
    ChatMessage,
    ChatUpdate,
    Document,
    IncomingFile,
    MessageReceived,
    RepliedTo,
    Scope,
)
from takopi.core.richtext import RichText, plain
from takopi.core.turn_lists import is_queued
from takopi.errors import TopicsUnavailable, TransportError
from takopi.terminal.conversation import (
    ABSENT,
    FORGOTTEN,
    HELP,
    HELPING,
    NO_BEGINNINGS,
    PLANNING,
    TAKEN_UP,
    Beginnings,
    Conversation,
    Shown,
    asks,
    begins_anew,
    cancel_data,
    choices_of,
    ends_in_resume_line,
    offer_words,
    read_choice,
)
from takopi.terminal.screen import Screen
from takopi.transport import MessageRef, SendOptions

__all__ = ["CHAT_ID", "TRANSPORT_ID", "TerminalTransport"]

TRANSPORT_ID = "terminal"
CHAT_ID = 1  # the one chat, and the id of the one person in it
SCOPE = Scope(TRANSPORT_ID, CHAT_ID)
WAITING_LINES = 64


class TerminalTransport:
    """Be a chat service whose only chat is this terminal.

    Args:
        screen: Where messages are shown.
        beginnings: What begins a conversation of its own.
        one_by_one: Hand on a prompt only when the one before is answered, as a pipe needs it.
        own: Whether this is a chat of its own, begun in some directory, and not a bot's.
    """

    def __init__(
        self,
        screen: Screen,
        beginnings: Beginnings = NO_BEGINNINGS,
        *,
        one_by_one: bool = False,
        own: bool = False,
    ) -> None:
        self._screen = screen
        self._beginnings = beginnings
        self._one_by_one = one_by_one
        self._own = own
        self._conversation = Conversation()
        self._lines: deque[str] = deque()
        self._presses: deque[ButtonPressed] = deque()
        self._told: set[str] = set()  # presses whose answer the person need not read
        self._ended = False
        self._wake = anyio.Event()
        self._room = anyio.Event()
        self._next_id = 0

    @property
    def id(self) -> str:
        """Give the transport's id."""
        return TRANSPORT_ID

    @property
    def newest_update(self) -> None:
        """Give nothing: who types is not asked to type it again."""
        return None

    @property
    def busy(self) -> bool:
        """Tell whether a prompt waits for its answer."""
        return bool(self._conversation.open)

    async def feed(self, line: str | None) -> None:
        """Take a line that the person typed; None when there will be no more."""
        while line is not None and len(self._lines) >= WAITING_LINES:
            self._room = anyio.Event()
            await self._room.wait()
        self.take(line)

    def take(self, line: str | None) -> None:
        """Take a line at once, as `feed` does when there is room."""
        if line is None:
            self._ended = True
        else:
            self._lines.append(line)
        self._wake.set()

    def interrupt(self) -> bool:
        """Cancel what goes on, as Ctrl-C asks; False when there is nothing new to cancel.

        Whoever calls this tells the person; the answers to these presses are not shown.
        """
        return self._cancel(self._conversation.interrupted())

    def _cancel(self, message_ids: Sequence[int]) -> bool:
        """Press Cancel where that was not done before; False when there is nothing new."""
        found = False
        for message_id in message_ids:
            item = self._conversation.shown[message_id]
            if item.cancel is None or item.pressed:
                continue
            found = item.pressed = True
            press = self._press(message_id, item.cancel)
            self._presses.append(press)
            self._told.add(press.press_id)
        self._wake.set()
        return found

    async def updates(self) -> AsyncIterator[Sequence[ChatUpdate]]:
        """Yield what the person typed until the end of the input and the last answer."""
        while True:
            update = self._next_update()
            if update is not None:
                yield [update]
                continue
            if self._ended and not self._lines and not self.busy:
                return
            self._wake = anyio.Event()
            await self._wake.wait()

    def _next_update(self) -> ChatUpdate | None:
        if self._presses:
            return self._presses.popleft()
        while self._lines and not (self._one_by_one and self.busy):
            line = self._lines.popleft()
            self._room.set()
            update = self._translate(line.strip())
            if update is not None:
                return update
        return None

    def _translate(self, text: str) -> ChatUpdate | None:
        """Make an update of a line; None for one that concerns the terminal alone."""
        if not text:
            return None
        if text == "/new":
            self._conversation.forget(self._next_id + 1)
            self._screen.note("new conversation")
            return None
        working = self.busy or bool(self._conversation.going_on())
        if text == "/cancel" and not working:
            self._screen.note("nothing runs")
            return None
        number = read_choice(text)
        if number is not None:
            return self._choose(number)
        command, _, rest = text.partition(" ")
        if command in ABSENT:
            self._screen.note(ABSENT[command])
            return None
        if text in HELPING:
            self._screen.note(HELP)
        elif command in PLANNING and rest and self._own:
            self._screen.note(FORGOTTEN)
        cancels = command == "/cancel"  # what runs, whatever the conversation goes on from
        message_id, reply = self._new_id(), None if cancels else self._reply_for(text)
        if not (cancels and working):  # the end of the turn is the answer
            self._conversation.open.add(message_id)
        self._conversation.chosen = False
        if asks(text, self._beginnings):
            self._conversation.asked = message_id
        if command == "/resume":
            self._conversation.taking_up = message_id
        return MessageReceived(
            update_id=message_id,
            scope=SCOPE,
            chat_kind="private",
            message_id=message_id,
            sender_id=CHAT_ID,
            text=text,
            reply=reply,
        )

    def _reply_for(self, text: str) -> RepliedTo | None:
        target = self._conversation.target()
        if target is None or begins_anew(text, self._beginnings):
            return None
        shown = self._conversation.shown.get(target)
        if shown is None:  # what the person typed: nothing was shown of its turn so far
            return RepliedTo(target)
        return RepliedTo(target, shown.text, from_this_bot=True)

    def _choose(self, number: int) -> ChatUpdate | None:
        """Press a button by its number."""
        message_id = self._conversation.offering
        choices = () if message_id is None else self._conversation.shown[message_id].choices
        if message_id is None or number > len(choices):
            self._screen.note(f"nothing here is chosen by /{number}")
            return None
        self._conversation.chosen = True
        return self._press(message_id, choices[number - 1].data)

    def _press(self, message_id: int, data: str) -> ButtonPressed:
        number = self._new_id()
        return ButtonPressed(
            update_id=number,
            scope=SCOPE,
            chat_kind="private",
            press_id=str(number),
            message_id=message_id,
            sender_id=CHAT_ID,
            data=data,
        )

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id

    async def send(self, scope: Scope, message: ChatMessage, options: SendOptions) -> MessageRef:
        """Show a message: one with buttons goes on, any other is an answer."""
        del scope
        try:
            return self._show(message, options)
        except OSError:
            self._end_chat()
            return MessageRef(CHAT_ID, self._new_id())

    def _show(self, message: ChatMessage, options: SendOptions) -> MessageRef:
        message_id = self._new_id()
        prompt = int(options.reply_to.message_id) if options.reply_to else None
        replaced = int(options.replace.message_id) if options.replace else None
        before = self._conversation.shown.get(replaced) if replaced is not None else None
        if before is not None and replaced is not None:
            prompt = before.prompt if prompt is None else prompt
            self._end(replaced)
        cancel, choices = cancel_data(message), choices_of(message)
        shown = Shown(message.body.text, prompt, cancel, is_queued(message), choices)
        self._conversation.shown[message_id] = shown
        if shown.cancel is not None:
            if prompt is not None:  # not what nobody asked for here and now, as schedules do
                self._conversation.goes_on_from(message_id)
            self._screen.progress(message_id, message.body)
        else:
            of_turn = prompt is not None and (before is not None or self._belongs_to_turn(prompt))
            taken_up = not of_turn and self._takes_up(prompt) and ends_in_resume_line(message.body)
            if of_turn or taken_up:
                self._conversation.goes_on_from(message_id)
            self._settle(prompt)
            self._screen.say(message.body)
            if taken_up:
                self._screen.note(TAKEN_UP)
            self._offer(message_id)
        return MessageRef(CHAT_ID, message_id)

    def _takes_up(self, prompt: int | None) -> bool:
        """Tell whether an answer may name the session in which the next line goes on."""
        here = self._conversation
        return here.chosen or (prompt is not None and prompt == here.taking_up)

    def _offer(self, message_id: int) -> None:
        """Show the buttons of a message as what presses them."""
        choices = self._conversation.shown[message_id].choices
        if not choices:
            if self._conversation.offering == message_id:
                self._conversation.offering = None
            return
        self._conversation.offering = message_id
        if self._one_by_one:
            return  # nobody is there to choose
        self._screen.note(offer_words(choices))

    async def send_document(
        self, scope: Scope, document: Document, options: SendOptions
    ) -> MessageRef:
        """Show a file's text: a terminal scrolls, so nothing needs to go into a file."""
        if document.path:
            return await self.send(scope, ChatMessage(plain(document.filename)), options)
        text = document.content.decode("utf-8", "replace")
        caption = document.caption.text
        body = RichText(f"{caption}\n{text}" if caption else text)
        return await self.send(scope, ChatMessage(body), options)

    async def fetch(self, file: IncomingFile, into: BinaryIO, max_bytes: int) -> None:
        """Refuse: nobody sends a file through a terminal."""
        del file, into, max_bytes
        raise TransportError("a terminal sends no files; name the file in the prompt")

    async def react(self, ref: MessageRef, emoji: str | None) -> None:
        """Do nothing: a terminal shows at once what a reaction would say."""
        del ref, emoji

    async def create_topic(self, scope: Scope, name: str) -> int:
        """Refuse: a terminal is one place."""
        del scope, name
        raise TopicsUnavailable("a terminal has no topics")

    async def rename_topic(self, scope: Scope, name: str) -> None:
        """Refuse: a terminal is one place."""
        await self.create_topic(scope, name)

    def topic_link(self, scope: Scope) -> str | None:
        """Return nothing: a terminal has no topics."""
        del scope
        return None

    async def edit(self, ref: MessageRef, message: ChatMessage) -> None:
        """Show the new state of a message; what was already said is not said again."""
        try:
            self._show_again(ref, message)
        except OSError:
            self._end_chat()

    def _show_again(self, ref: MessageRef, message: ChatMessage) -> None:
        message_id = int(ref.message_id)
        shown = self._conversation.shown.get(message_id)
        if shown is None:
            return
        was_open, before, offered = shown.cancel is not None, shown.text, shown.choices
        shown.text, shown.cancel = message.body.text, cancel_data(message)
        shown.choices, shown.waits = choices_of(message), is_queued(message)
        if shown.cancel is not None:
            self._screen.progress(message_id, message.body)
        elif was_open:
            self._end(message_id)
            self._settle(shown.prompt)
            self._screen.say(message.body)
        elif shown.text.startswith(before) and shown.text != before:
            self._screen.say(plain(shown.text[len(before) :].strip("\n")))
        elif shown.text != before:
            self._screen.say(message.body)
        if shown.cancel is None and (was_open or shown.choices != offered):
            self._offer(message_id)

    async def delete(self, ref: MessageRef) -> None:
        """Take the state of something that has ended away."""
        self._end(int(ref.message_id))

    async def answer_press(self, press_id: str, text: str = "") -> None:
        """Show what a press led to."""
        if text and press_id not in self._told:
            self._screen.note(text)

    async def set_menu(self, commands: Sequence[MenuCommand]) -> None:
        """Do nothing: a terminal has no menu."""

    def _end_chat(self) -> None:
        """Leave when nobody will read an answer: the reader has gone, or the disk is full."""
        self._ended = True
        self._lines.clear()
        self._conversation.open.clear()
        self._cancel(self._conversation.going_on())

    def _belongs_to_turn(self, prompt: int | None) -> bool:
        last = self._conversation.shown.get(self._conversation.last or 0)
        return prompt is not None and last is not None and last.prompt == prompt

    def _end(self, message_id: int) -> None:
        shown = self._conversation.shown.get(message_id)
        if shown is not None:
            shown.cancel = None
        self._screen.clear(message_id)

    def _settle(self, prompt: int | None) -> None:
        """Note that a prompt is answered; its progress goes before the answer comes."""
        if prompt is None:
            return
        self._conversation.open.discard(prompt)
        for message_id, item in self._conversation.shown.items():
            if item.prompt == prompt and item.cancel is not None:
                self._end(message_id)
        self._wake.set()
