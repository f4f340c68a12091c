"""What lies in the outbox: letters, which are sent once, and living messages, which are shown."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

import anyio

from takopi.core.chat import ChatKind, ChatMessage, Document, Scope
from takopi.core.outbox_plan import Priority
from takopi.core.richtext import plain
from takopi.core.split import split_rich
from takopi.errors import (
    FormatRefused,
    ReplyTargetLost,
    TargetLost,
    ThreadLost,
    TransportError,
)
from takopi.transport import MessageRef, SendOptions

__all__ = ["Delivery", "FinalPost", "Letter", "LiveMessage", "Place", "without_format"]

MAX_PAGES = 24
_PAGE_UNITS = 4096


@dataclass(frozen=True, slots=True)
class Place:
    """Say where something is sent.

    Args:
        scope: Chat and thread.
        kind: Decides the budget.
        reply_to: The message it answers.
    """

    scope: Scope
    kind: ChatKind
    reply_to: MessageRef | None = None

    def after(self, error: TransportError) -> "Place | None":
        """Return the next best place when the service has lost a part of this one."""
        if isinstance(error, ReplyTargetLost) and self.reply_to is not None:
            return replace(self, reply_to=None)
        if isinstance(error, ThreadLost) and self.scope.thread_id is not None:
            scope = Scope(self.scope.transport, self.scope.chat_id)
            return replace(self, scope=scope, reply_to=None)
        return None

    def options(self, *, notify: bool) -> SendOptions:
        """Say it in the words of a transport."""
        return SendOptions(reply_to=self.reply_to, notify=notify, thread_id=self.scope.thread_id)


@dataclass(frozen=True, slots=True)
class FinalPost:
    """Be the final of a turn as it is posted.

    Args:
        place: Where it goes.
        parts: At least one.
        turn_id: The turn.
        notify: Whether the first part may make a sound; the others never do.
        as_edit: Put the first part in place of the progress message, when that was ever sent.
    """

    place: Place
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
    """

    refs: list[MessageRef | None]
    over: anyio.Event = field(default_factory=anyio.Event)
    left: int = 0

    def settle(self, index: int, ref: MessageRef | None) -> None:
        """Note the fate of one letter."""
        self.refs[index] = ref
        self.left -= 1
        if self.left == 0:
            self.over.set()


@dataclass(slots=True, eq=False)
class LiveMessage:
    """Be one message that is shown again whenever it changed.

    Args:
        place: Where it lives.
        compose: Makes what it shows at a moment; called when it may go out, never before.
        turn_id: The turn that it belongs to.
        slot: Its number in the plan.
    """

    place: Place
    compose: Callable[[float], ChatMessage]
    turn_id: str
    slot: int
    ref: MessageRef | None = None
    shown: ChatMessage | None = None
    shown_at: float = 0.0
    formatted: bool = True
    failures: int = 0

    def next_look(self, now: float, *, beat: bool) -> ChatMessage | None:
        """Make what is to be shown now; None when a person would see no difference.

        Args:
            now: Present moment.
            beat: Whether growing older is difference enough.
        """
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
        place = self.place.after(error)
        if place is not None:
            self.place = place
        return place is not None

    def _look(self, at: float) -> ChatMessage:
        message = self.compose(at)
        return message if self.formatted else without_format(message)


@dataclass(slots=True, eq=False)
class Letter:
    """Be one call that is sent once.

    Args:
        place: Where it goes.
        body: A message, a file, or None to take `target` back.
        priority: When it goes.
        notify: Whether the person's device may make a sound.
        target: The message to edit or take back: its name, or a living one.
        turn_id: The turn that the accepted message belongs to.
        delivery: Told its fate, under `index`.
        instead: The living message that it takes the place of, together with its delivery.
        pages: What is sent after `body`, one message after the other.
        worded: Whether it was a file and is sent as text.
    """

    place: Place
    body: ChatMessage | Document | None
    priority: Priority
    delivery: Delivery
    index: int = 0
    notify: bool = True
    target: MessageRef | LiveMessage | None = None
    turn_id: str | None = None
    instead: LiveMessage | None = None
    pages: tuple[ChatMessage, ...] = ()
    worded: bool = False
    failures: int = 0
    first_failed_at: float | None = None

    @property
    def verb(self) -> Literal["send", "edit", "delete"]:
        """Name the call that it is at the moment."""
        if self.body is None:
            return "delete"
        return "edit" if self.target_ref is not None else "send"

    @property
    def target_ref(self) -> MessageRef | None:
        """Name the message to edit or take back, when it exists."""
        target = self.target
        return target.ref if isinstance(target, LiveMessage) else target

    def after(self, error: TransportError) -> bool:
        """Adapt to what the service refused; False when nothing can be done."""
        if isinstance(error, TargetLost) and self.verb == "edit":
            self.target = None
            return True
        # A refusal without a name may be about the look, the edit or the text itself.
        if isinstance(error, FormatRefused) or type(error) is TransportError:
            return self._simpler()
        place = self.place.after(error)
        if place is not None:
            self.place = place
        return place is not None

    def turn_page(self) -> bool:
        """Take what is sent after what was just accepted; False when that was all."""
        if not self.pages:
            return False
        self.body, *left = self.pages
        self.pages = tuple(left)
        self.notify, self.failures, self.first_failed_at = False, 0, None
        return True

    def _simpler(self) -> bool:
        """Give up the look, then the edit, then the form: the words of a final arrive."""
        bare = without_format(self.body)
        if bare != self.body:
            self.body = bare
        elif self.verb == "edit":
            self.target = None
        elif self.priority is not Priority.FINAL or self.worded:
            return False
        elif isinstance(self.body, Document):
            self.body, *pages = in_words(self.body)
            self.pages, self.worded = tuple(pages), True
        elif isinstance(self.body, ChatMessage):
            self.body = Document("answer.txt", self.body.body.text.encode("utf-8", "replace"))
        return True


_Body = TypeVar("_Body", ChatMessage, ChatMessage | Document | None)


def in_words(document: Document) -> tuple[ChatMessage, ...]:
    """Write a file's text as messages, for a chat that takes no files; at most `MAX_PAGES`."""
    whole = document.content.decode("utf-8", "replace")
    kept = whole[: MAX_PAGES * _PAGE_UNITS // 2]
    text = f"This chat did not take the file {document.filename}; this is its text:\n\n{kept}"
    pages = [*split_rich(plain(text), max_units=_PAGE_UNITS)]
    if len(whole) > len(kept):
        pages.append(plain(f"✂ {len(whole) - len(kept):,} more characters could not be sent"))
    return tuple(ChatMessage(page) for page in pages)


def without_format(body: _Body) -> _Body:
    """Keep the text and nothing of its look; buttons go too, they may be what was refused."""
    if isinstance(body, ChatMessage):
        return ChatMessage(plain(body.body.text))
    if isinstance(body, Document):
        return Document(body.filename, body.content, plain(body.caption.text))
    return body
