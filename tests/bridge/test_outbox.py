"""What goes out arrives, whatever the service answers."""

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import anyio
import pytest

from fakes.clock import VirtualClock, settle
from fakes.transport import Call, MemoryTransport
from takopi.bridge.letters import LiveMessage, Place
from takopi.bridge.outbox import Outbox
from takopi.core.chat import Button, ChatKind, ChatMessage, Document, Scope
from takopi.core.richtext import Entity, RichText, plain
from takopi.errors import (
    ChatLost,
    FloodLimited,
    FormatRefused,
    ReplyTargetLost,
    TargetLost,
    ThreadLost,
    TransportError,
    TransportUnavailable,
)
from takopi.transport import MessageRef

pytestmark = pytest.mark.anyio

RICH = ChatMessage(RichText("words", (Entity("bold", 0, 5),)), ((Button("B", "b"),),))


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


def counting() -> Callable[[float], ChatMessage]:
    """Compose a message that looks different each time."""
    count = itertools.count()
    return lambda moment: text(f"step {next(count)}")


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    """Run an outbox for the length of a test."""
    found = Desk()
    async with anyio.create_task_group() as group:
        group.start_soon(found.outbox.run)
        await settle()
        yield found
        group.cancel_scope.cancel()


async def test_what_was_posted_before_the_pump_runs_goes_out_when_it_does() -> None:
    """Nothing is lost before the start."""
    found = Desk()
    delivery = found.outbox.say(at(), text("early"))
    async with anyio.create_task_group() as group:
        group.start_soon(found.outbox.run)
        await settle()
        assert delivery.over.is_set()
        assert found.chat.texts() == ["early"]
        group.cancel_scope.cancel()


async def test_a_flooded_chat_waits_all_of_its_time_and_others_do_not() -> None:
    """The block is one chat's, and nothing of it is lost."""
    async with desk() as d:
        d.fail(FloodLimited(30))
        d.outbox.say(at(1), text("a"))
        d.outbox.say(at(2), text("b"))
        d.outbox.say(at(1), text("c"))
        await d.clock.advance(29.9)
        assert (d.chat.texts(1), d.chat.texts(2)) == ([], ["b"])
        await d.clock.advance(0.2)
        assert d.chat.texts(1) == ["a", "c"]


async def test_an_outage_is_waited_out_with_growing_pauses() -> None:
    """A final goes out in the end, in order, and the service is not hammered."""
    async with desk() as d:
        live = d.live()
        await settle()
        d.fail(*[TransportUnavailable("down")] * 10, on="send document")
        d.outbox.final(at(), [text("one"), text("two")], d.remember, notify=True, instead=live)
        await d.clock.advance(240)
        tries = [call.at for call in d.chat.calls if call.verb == "send" and not call.accepted]
        pauses = [later - earlier for earlier, later in pairwise(tries)]
        assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
        await d.clock.advance(200)
        assert d.chat.texts() == ["one", "two"]


async def test_finals_are_given_up_after_a_day_and_answers_after_an_hour() -> None:
    """Whoever waits for a delivery is told."""
    async with desk() as d:
        d.chat.fault = lambda call: TransportUnavailable("down")
        live = d.live()
        final = d.outbox.final(at(), [text("one")], d.remember, notify=True, instead=live)
        answer = d.outbox.say(at(), text("two"))
        await d.clock.advance(3600 + 60)
        assert answer.over.is_set()
        assert answer.refs == [None]
        assert not final.over.is_set()
        await d.clock.advance(24 * 3600)
        assert final.refs == [None]


async def test_a_deleted_reply_target_costs_the_reply_only() -> None:
    """The message comes without it."""
    async with desk() as d:
        d.fail(ReplyTargetLost("gone"))
        d.outbox.say(at(), text("a"))
        await settle()
        (call,) = [call for call in d.chat.calls if call.accepted]
        assert call.options is not None
        assert call.options.reply_to is None
        d.fail(ReplyTargetLost("gone"), ReplyTargetLost("again"))
        lost = d.outbox.say(at(), text("b"))
        await settle()
        assert lost.refs == [None]


async def test_a_deleted_topic_falls_back_to_the_chat() -> None:
    """For letters and for living messages."""
    async with desk() as d:
        d.fail(ThreadLost("gone"))
        d.outbox.say(at(thread=7), text("a"))
        await settle()
        d.fail(ThreadLost("gone"))
        d.live(at(thread=7))
        await d.clock.advance(2)
        assert [shown.scope.thread_id for shown in d.chat.shown.values()] == [None, None]


async def test_refused_formatting_falls_back_to_plain_text() -> None:
    """The words arrive; a second refusal gives them up."""
    async with desk() as d:
        d.fail(FormatRefused("bad entity"))
        d.outbox.say(at(), RICH)
        await settle()
        (shown,) = d.chat.shown.values()
        assert shown.message == text("words")
        d.fail(FormatRefused("a"), FormatRefused("b"))
        lost = d.outbox.say(at(), RICH)
        await settle()
        assert lost.refs == [None]


async def test_a_final_that_is_refused_for_no_known_reason_arrives_in_another_form() -> None:
    """First plain, then as a new message, then as a file: its words are not lost."""
    async with desk() as d:
        live = d.live()
        await settle()
        d.fail(*[TransportError("what?")] * 3)
        d.outbox.final(at(), [RICH], d.remember, notify=True, instead=live, as_edit=True)
        await d.clock.advance(5)
        tried = [call.verb for call in d.chat.calls]
        assert tried == ["send", "edit", "edit", "send", "document"]
        (document,) = [shown.document for shown in d.chat.shown.values() if shown.document]
        assert document.content == b"words"


async def test_refused_formatting_of_progress_stays_plain() -> None:
    """What was refused once is not tried again."""
    async with desk() as d:
        d.fail(FormatRefused("bad entity"))
        live = d.outbox.live(at(), lambda moment: RICH, d.remember)
        await settle()
        (shown,) = d.chat.shown.values()
        assert shown.message == text("words")
        d.outbox.touch(live)
        await d.clock.advance(30)
        assert len(d.chat.calls) == 2


async def test_a_document_whose_caption_is_refused_comes_with_a_plain_one() -> None:
    """The file is what matters."""
    async with desk() as d:
        live = d.live()
        d.fail(FormatRefused("bad entity"), on="document")
        document = Document("a.md", b"x", RichText("cap", (Entity("bold", 0, 3),)))
        d.outbox.final(at(), [document], d.remember, notify=True, instead=live)
        await settle()
        (shown,) = d.chat.shown.values()
        assert shown.document == Document("a.md", b"x", plain("cap"))


async def test_a_lost_edit_target_becomes_a_new_message() -> None:
    """A person who deletes the progress message gets another; a final is sent anew."""
    async with desk() as d:
        live = d.live()
        await settle()
        d.chat.shown.clear()
        d.words = "more"
        d.outbox.touch(live)
        await d.clock.advance(5)
        assert d.chat.texts() == ["more"]
        assert len(d.sent) == 2
        d.chat.shown.clear()
        final = d.outbox.final(
            at(), [text("end")], d.remember, notify=False, instead=live, as_edit=True
        )
        await d.clock.advance(5)
        assert d.chat.texts() == ["end"]
        assert final.refs == [d.sent[-1]]


async def test_progress_is_dropped_in_an_outage_and_comes_back_with_what_holds_then() -> None:
    """No look is kept for later."""
    async with desk() as d:
        live = d.live()
        await settle()
        d.fail(TransportUnavailable("down"), TransportUnavailable("down"))
        d.words = "first"
        d.outbox.touch(live)
        await d.clock.advance(3.5)
        d.words = "second"
        await d.clock.advance(30)
        accepted = [call.text for call in d.chat.calls if call.accepted]
        assert accepted == ["progress", "second"]


async def test_a_flooded_progress_message_waits_like_everything_in_its_chat() -> None:
    """All of the time counts, then the newest look goes out."""
    async with desk() as d:
        d.fail(FloodLimited(40))
        d.live()
        await d.clock.advance(39)
        d.words = "newest"
        await d.clock.advance(2)
        assert d.chat.texts() == ["newest"]


async def test_a_chat_that_is_lost_gets_nothing_more_and_stops_nothing() -> None:
    """Each thing that is meant for it is given up; other chats go on."""
    async with desk() as d:
        d.chat.fault = lambda call: ChatLost("blocked") if call.chat == 1 else None
        live = d.live()
        await settle()
        final = d.outbox.final(at(), [text("a"), text("b")], d.remember, notify=True, instead=live)
        d.outbox.say(at(2), text("c"))
        await d.clock.advance(5)
        assert final.refs == [None, None]
        assert d.chat.texts(2) == ["c"]
        assert await d.outbox.drain(d.clock.now())


async def test_a_mistake_of_the_transport_costs_one_message() -> None:
    """An error that nobody foresaw is logged and the pump goes on."""
    async with desk() as d:
        d.fail(KeyError("bug"))
        lost = d.outbox.say(at(), text("a"))
        d.outbox.say(at(), text("b"))
        await settle()
        assert lost.refs == [None]
        assert d.chat.texts() == ["b"]
        d.fail(KeyError("bug"))
        d.live()
        await settle()
        assert d.chat.texts() == ["b"]


async def test_who_fails_to_remember_a_message_does_not_undo_it() -> None:
    """A message that was accepted is not sent again."""
    async with desk() as d:

        async def fails(ref: MessageRef) -> None:
            raise OSError("disk full")

        said = d.outbox.say(at(), text("a"), on_sent=fails)
        await settle()
        assert said.refs != [None]
        assert d.chat.texts() == ["a"]


async def test_the_progress_message_goes_only_after_the_whole_final_was_accepted() -> None:
    """Until then a person sees at least one of the two."""
    async with desk() as d:
        d.chat.latency_s = 0.5
        live = d.live()
        await d.clock.advance(1)
        d.outbox.final(at(), [text("a"), text("b")], d.remember, notify=True, instead=live)
        await d.clock.advance(5)
        assert [(call.verb, call.text) for call in d.chat.calls] == [
            ("send", "progress"),
            ("send", "a"),
            ("send", "b"),
            ("delete", ""),
        ]
        assert d.chat.texts() == ["a", "b"]


async def test_taking_back_what_is_gone_is_no_error() -> None:
    """A person may have deleted it; a refusal leaves it."""
    async with desk() as d:
        for error in (TargetLost("gone"), TransportError("too old")):
            live = d.live()
            await d.clock.advance(3)
            d.fail(error, on="delete")
            d.outbox.final(at(), [text("a")], d.remember, notify=True, instead=live)
            await d.clock.advance(3)
            assert await d.outbox.drain(d.clock.now())


async def test_a_final_that_overtakes_its_progress_message_leaves_nothing_behind() -> None:
    """The progress message that is still on its way is taken back when it arrives."""
    async with desk() as d:
        d.chat.latency_s = 2.0
        live = d.live()
        await d.clock.advance(0.5)
        d.outbox.final(at(), [text("a")], d.remember, notify=True, instead=live)
        await d.clock.advance(10)
        assert d.chat.texts() == ["a"]


async def test_a_progress_message_that_never_went_out_needs_no_taking_back() -> None:
    """A final of a turn that ended at once stands alone."""
    found = Desk()
    live = found.live()
    found.outbox.final(at(), [text("a")], found.remember, notify=True, instead=live)
    edited = found.live()
    found.outbox.final(
        at(), [text("b")], found.remember, notify=False, instead=edited, as_edit=True
    )
    async with anyio.create_task_group() as group:
        group.start_soon(found.outbox.run)
        await settle()
        assert [call.verb for call in found.chat.calls] == ["send", "send"]
        group.cancel_scope.cancel()


async def test_draining_waits_for_what_was_posted_and_not_beyond_its_moment() -> None:
    """True when all of it is out, False when time is up."""
    async with desk() as d:
        assert await d.outbox.drain(d.clock.now())
        d.chat.latency_s = 1.0
        results: list[bool] = []

        async def drain(seconds: float) -> None:
            results.append(await d.outbox.drain(d.clock.now() + seconds))

        async with anyio.create_task_group() as group:
            d.outbox.say(at(), text("a"))
            d.outbox.say(at(), text("b"))
            group.start_soon(drain, 0.5)
            group.start_soon(drain, 5.0)
            await d.clock.advance(1)
            assert results == [False]
            await d.clock.advance(2)
        assert results == [False, True]


async def test_a_correction_edits_what_was_sent() -> None:
    """It is an answer that takes a message's place."""
    async with desk() as d:
        said = d.outbox.say(at(), text("a"))
        await settle()
        assert said.refs[0] is not None
        d.outbox.correct(at(), said.refs[0], text("b"))
        await settle()
        assert d.chat.texts() == ["b"]


async def test_budgets_hold_with_many_busy_chats() -> None:
    """A hundred chats for two minutes: limits hold, finals are quick, messages never overlap."""
    async with desk() as d:
        d.chat.latency_s = 0.05
        lives: list[tuple[int, LiveMessage]] = []
        for chat in range(1, 101):
            kind: ChatKind = "group" if chat % 2 else "private"
            lives.append((chat, d.outbox.live(at(chat, kind), counting(), d.remember)))
        posted: dict[int, float] = {}
        for second in range(125):
            for chat, live in lives:
                d.outbox.touch(live)
                if second == 15 + chat:
                    kind = "group" if chat % 2 else "private"
                    posted[chat] = d.clock.now()
                    d.outbox.final(
                        at(chat, kind), [text("final")], d.remember, notify=True, instead=live
                    )
            await d.clock.advance(1)
        finals = {call.chat: call.at for call in d.chat.calls if call.text == "final"}
        assert max(finals[chat] - at_ for chat, at_ in posted.items()) <= 1.0
        assert d.chat.overlaps == 0
        moments = sorted(call.at for call in d.chat.calls)
        assert all(b - a >= 1 - 1e-6 for a, b in zip(moments, moments[25:], strict=False))
        for chat, _ in lives:
            mine = [call.at for call in d.chat.calls if call.chat == chat and call.verb != "delete"]
            limit = 18 if chat % 2 else 60 + 3
            assert all(b - a >= 60 - 1e-6 for a, b in zip(mine, mine[limit:], strict=False))
