"""What lies in the outbox: letters, which are sent once, and living messages, which are shown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as with_changes

import anyio
from msgspec.structs import replace

from takopi.bridge.records import LetterRecord
from takopi.core.chat import ChatKind, ChatMessage, Document, Scope
from takopi.core.letter_forms import (
    REPEATED,
    TOPIC_CLOSED,
    TOPIC_GONE,
    in_words,
    under_lines,
    with_lines,
    with_room,
    without_format,
)
from takopi.core.outbox_chat import Priority
from takopi.core.outbox_patience import Trouble
from takopi.core.replies import message
from takopi.core.richtext import utf16_len
from takopi.core.split import MAX_UNITS
from takopi.core.texts import tr, translated
from takopi.errors import (
    FormatRefused,
    ReplyTargetLost,
    TargetLost,
    ThreadClosed,
    ThreadLost,
    TransportError,
)
from takopi.transport import MessageRef, SendOptions

__all__ = ["Delivery", "Destination", "FinalPost", "Letter", "LiveMessage"]


def held_up() -> ChatMessage:
    """Say in place of a progress message that the answer cannot be sent yet."""
    return message(
        tr(
            "The turn has ended. The chat service has not taken its answer for a while; takopi "
            "goes on trying."
        )
    )


@dataclass(frozen=True, slots=True)
class Destination:
    """Say where something is sent.

    Args:
        scope: Chat and thread.
        kind: Decides the budget.
        reply_to: The message it answers.
    """

    scope: Scope
    kind: ChatKind
    reply_to: MessageRef | None = None

    @property
    def answered(self) -> int | None:
        """Give the number of the message that it answers."""
        return None if self.reply_to is None else int(self.reply_to.message_id)

    def after(self, error: TransportError) -> "Destination | None":
        """Return the next best one when the service has lost a part of this one."""
        if isinstance(error, ReplyTargetLost) and self.reply_to is not None:
            return with_changes(self, reply_to=None)
        if isinstance(error, ThreadLost) and self.scope.thread_id is not None:
            scope = Scope(self.scope.transport, self.scope.chat_id)
            return with_changes(self, scope=scope, reply_to=None)
        return None

    def moved(self, chat_id: int) -> "Destination":
        """Return the same one in the chat's new guise, where ids of messages start anew."""
        return with_changes(self, scope=replace(self.scope, chat_id=chat_id), reply_to=None)

    def options(self, *, notify: bool) -> SendOptions:
        """Say it in the words of a transport."""
        # Below zero it stands in the chat that the group was before it moved.
        reply_to = None if (self.answered or 0) < 0 else self.reply_to
        return SendOptions(reply_to=reply_to, notify=notify, thread_id=self.scope.thread_id)


@dataclass(frozen=True, slots=True)
class FinalPost:
    """Be the final of a turn as it is posted.

    Args:
        destination: Where it goes.
        parts: At least one.
        turn_id: The turn.
        notify: Whether the first part may make a sound; the others never do.
        as_edit: Put the first part in place of the progress message, when that was ever sent.
    """

    destination: Destination
    parts: tuple[ChatMessage | Document, ...]
    turn_id: str
    notify: bool = True
    as_edit: bool = False


@dataclass(slots=True, eq=False)
class Delivery:
    """Tell what became of the letters that were posted together.

    Args:
        refs: The accepted messages in their order, None for one that was given up.
        over: Set once each letter is accepted or given up.
        left: How many are neither.
        instead: The living message whose place they take.
        told: Whether the chat knows that they are held up.
        written: Whether the journal knows of them, or nobody needs that any more.
    """

    refs: list[MessageRef | None]
    over: anyio.Event = field(default_factory=anyio.Event)
    left: int = 0
    instead: "LiveMessage | None" = None
    told: bool = False
    written: bool = True

    def settle(self) -> None:
        """Note that one more letter is accepted or given up."""
        self.left -= 1
        if self.left == 0:
            self.over.set()

    def grow(self, behind: int, count: int) -> None:
        """Make room for letters behind one of them, which was cut."""
        self.refs[behind + 1 : behind + 1] = [None] * count
        self.left += count


@dataclass(slots=True, eq=False)
class LiveMessage:
    """Be one message that is shown again whenever it changed.

    Args:
        destination: Where it lives.
        compose: Makes what it shows at a moment; called when it may go out, never before.
        turn_id: The turn that it belongs to.
        slot: Its number in the plan.
        ref: Its name, once the chat has it.
        shown: What the chat shows.
        shown_at: Since when.
        formatted: Whether the chat takes its look.
        failures: Tries in a row that the service did not take.
        calling: A call is on it.
        retired: A final takes its place; what it shows now is only that this takes long.
        topic_line: What to say of the topic for which it was meant; empty for nothing.
    """

    destination: Destination
    compose: Callable[[float], ChatMessage]
    turn_id: str
    slot: int
    ref: MessageRef | None = None
    shown: ChatMessage | None = None
    shown_at: float = 0.0
    formatted: bool = True
    failures: int = 0
    calling: bool = False
    retired: bool = False
    topic_line: str = ""

    def next_look(self, now: float, *, beat: bool) -> ChatMessage | None:
        """Make what is to be shown now; None when a person would see no difference.

        Args:
            now: Present moment.
            beat: Whether growing older is difference enough.
        """
        if self.retired:
            # Said again and again while the final fails: it shows whether anything is taken.
            return held_up() if self.ref is not None else None
        # As old as it was when it was shown: whatever differs now is a change of substance.
        if self.ref is not None and not beat and self._look(self.shown_at) == self.shown:
            return None
        look = self._look(now)
        return None if self.ref is not None and look == self.shown else look

    def after(self, error: TransportError) -> bool:
        """Adapt to what the service refused; False when nothing can be done."""
        nameless = type(error) is TransportError
        if self.formatted and (nameless or isinstance(error, FormatRefused)):
            self.formatted = False
            return True
        destination = self.destination.after(error)
        if destination is None:
            return False
        self.destination = destination
        self.topic_line = _topic_line(error) or self.topic_line
        return True

    def move(self, chat_id: int) -> None:
        """Live on in the chat's new guise, as a new message."""
        self.destination, self.ref, self.shown = self.destination.moved(chat_id), None, None

    def _look(self, at: float) -> ChatMessage:
        look = self.compose(at)
        look = look if self.formatted else without_format(look)
        line = self.topic_line
        if line and utf16_len(look.body.text) + utf16_len(translated(line)) < MAX_UNITS:
            look = ChatMessage(under_lines(look.body, (line,)), look.buttons)
        return look


@dataclass(slots=True, eq=False)
class Letter:
    """Be one call that is sent once.

    Args:
        record: What the journal knows of it, as it is now.
        delivery: Told its fate, at `position`.
        position: Its place in the delivery.
        target: The living message that it edits or takes back.
        worded: Whether its words were tried without a file.
        pages: What is to be sent in place of its body.
        topic_line: What to say of the topic for which it was meant; empty for nothing.
        trouble: How it has fared.
    """

    record: LetterRecord
    delivery: Delivery
    position: int = 0
    target: LiveMessage | None = None
    worded: bool = False
    pages: tuple[ChatMessage, ...] = ()
    topic_line: str = ""
    trouble: Trouble | None = None

    @property
    def id(self) -> int:
        """Name it in the plan and in the journal."""
        return self.record.letter_id

    @property
    def chat(self) -> int:
        """Name the chat that it goes to."""
        return self.record.scope.chat_id

    @property
    def destination(self) -> Destination:
        """Say where it goes."""
        scope, reply = self.record.scope, self.record.reply_to
        answered = None
        if reply is not None:
            answered = MessageRef(scope.chat_id, reply, thread_id=scope.thread_id)
        return Destination(scope, self.record.chat_kind, answered)

    @property
    def target_ref(self) -> MessageRef | None:
        """Name the message to edit or take back, when it exists."""
        if self.target is not None:
            return self.target.ref
        number = self.record.target
        # Below zero it stands in the chat that the group was before it moved.
        return None if number is None or number < 0 else MessageRef(self.chat, number)

    @property
    def takes_back(self) -> bool:
        """Tell whether it takes a message back."""
        return self.record.body is None

    @property
    def edits(self) -> bool:
        """Tell whether it puts its body in place of another message; a file never does."""
        return isinstance(self.record.body, ChatMessage) and self.target_ref is not None

    @property
    def is_new(self) -> bool:
        """Tell whether it makes a new message: only that can be there twice."""
        return not (self.takes_back or self.edits)

    def written(self) -> LetterRecord | None:
        """Return what the journal is to know; None while there is nothing to know."""
        ref = self.target_ref
        if self.takes_back and ref is None:
            return None
        return replace(self.record, target=None if ref is None else int(ref.message_id))

    def lines(self) -> tuple[str, ...]:
        """Say what stands above its text when it is sent now."""
        if not self.is_new:
            return ()
        lines = (REPEATED,) if self.record.tries else ()
        return (*lines, self.topic_line) if self.topic_line else lines

    def pieces(self) -> tuple[ChatMessage | Document, ...]:
        """Cut what is sent so that each piece has room for the lines above it."""
        body = self.record.body
        return () if body is None else with_room(body, self.lines())

    def outgoing(self) -> ChatMessage | Document | None:
        """Make what is sent now."""
        body = self.record.body
        return None if body is None else with_lines(body, self.lines())

    def tried(self, by: int) -> None:
        """Count a call that was begun, or one less that was never answered."""
        self.record = replace(self.record, tries=max(0, self.record.tries + by))

    def after(self, error: TransportError) -> bool:
        """Adapt to what the service refused; False when nothing can be done."""
        if isinstance(error, TargetLost) and self.edits:
            self._stand_alone()
            return True
        # A refusal without a name may be about the look, the edit or the text itself.
        if isinstance(error, FormatRefused) or type(error) is TransportError:
            return self.simpler()
        destination = self.destination.after(error)
        if destination is None:
            return False
        self.record = replace(self.record, scope=destination.scope, reply_to=None)
        self.topic_line = _topic_line(error) or self.topic_line
        return True

    def simpler(self) -> bool:
        """Give up the look, then the edit, then the form: the words of a final arrive."""
        body = self.record.body
        bare = without_format(body)
        if bare != body:
            self._say(bare)
        elif self.edits:
            self._stand_alone()
        elif self.record.priority is not Priority.FINAL or self.worded:
            return False
        elif isinstance(body, Document):
            self.worded, self.pages = True, in_words(body)
        elif isinstance(body, ChatMessage):
            # The words alone were refused before they became a file.
            self.worded = True
            self._say(Document("answer.txt", body.body.text.encode("utf-8", "replace")))
        return True

    def cut(self, pieces: Sequence[ChatMessage | Document], ids: list[int]) -> list["Letter"]:
        """Become the first of several pieces, and return the letters of the others.

        Args:
            pieces: What is sent in place of the body, at least one.
            ids: A new number for each piece but the first.
        """
        whole = replace(self.record, group=self.record.group or self.id)
        # What ends a letter ends its last piece.
        inner = replace(whole, last=False, instead=False, offered=())
        records = [
            replace(
                whole if number == len(ids) else inner,
                letter_id=letter_id,
                index=self.record.index + number,
                body=piece,
                notify=self.record.notify and number == 0,
            )
            for number, (letter_id, piece) in enumerate(zip([self.id, *ids], pieces, strict=True))
        ]
        self.record, self.pages = records[0], ()
        self.delivery.grow(self.position, len(ids))
        return [
            Letter(record, self.delivery, self.position + number, worded=self.worded)
            for number, record in enumerate(records[1:], start=1)
        ]

    def step_back(self, count: int) -> None:
        """Stand so many places further behind: a letter before it was cut."""
        self.position += count
        self.record = replace(self.record, index=self.record.index + count)

    def move(self, chat_id: int) -> None:
        """Go to the chat's new guise, where nothing that it names is known."""
        destination = self.destination.moved(chat_id)
        self.record = replace(self.record, scope=destination.scope, reply_to=None, target=None)

    def _stand_alone(self) -> None:
        self.target = None
        self.record = replace(self.record, target=None)

    def _say(self, body: ChatMessage | Document | None) -> None:
        self.record = replace(self.record, body=body)


def _topic_line(error: TransportError) -> str:
    """Say what became of the topic, when that is what the service refused."""
    if isinstance(error, ThreadClosed):
        return TOPIC_CLOSED
    return TOPIC_GONE if isinstance(error, ThreadLost) else ""
