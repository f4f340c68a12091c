"""What goes out arrives, whatever the service answers."""

import itertools
from collections.abc import Callable
from itertools import pairwise

import anyio
import pytest

from bridge.outbox_desk import Desk, at, desk, text
from fakes.clock import settle
from takopi.core.chat import Button, ChatKind, ChatMessage, Document
from takopi.core.richtext import Entity, RichText, plain
from takopi.errors import (
    ChatLost,
    FloodLimited,
    FormatRefused,
    ReplyTargetLost,
    StoreFull,
    ThreadLost,
    TransportUnavailable,
)

pytestmark = pytest.mark.anyio

RICH = ChatMessage(RichText("words", (Entity("bold", 0, 5),)), ((Button("B", "b"),),))


def counting() -> Callable[[float], ChatMessage]:
    """Compose a message that looks different each time."""
    count = itertools.count()
    return lambda moment: text(f"step {next(count)}")


async def test_what_was_posted_before_the_pump_runs_goes_out_when_it_does() -> None:
    """Nothing is lost before the start."""
    found = Desk()
    delivery = await found.outbox.say(at(), text("early"))
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
        await d.outbox.say(at(1), text("a"))
        await d.outbox.say(at(2), text("b"))
        await d.outbox.say(at(1), text("c"))
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
        await d.final(text("one"), text("two"), instead=live)
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
        final = await d.final(text("one"), instead=live)
        answer = await d.outbox.say(at(), text("two"))
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
        await d.outbox.say(at(), text("a"))
        await settle()
        (call,) = [call for call in d.chat.calls if call.accepted]
        assert call.options is not None
        assert call.options.reply_to is None
        d.fail(ReplyTargetLost("gone"), ReplyTargetLost("again"))
        lost = await d.outbox.say(at(), text("b"))
        await settle()
        assert lost.refs == [None]


async def test_a_deleted_topic_falls_back_to_the_chat() -> None:
    """For letters and for living messages."""
    async with desk() as d:
        d.fail(ThreadLost("gone"))
        await d.outbox.say(at(thread=7), text("a"))
        await settle()
        d.fail(ThreadLost("gone"))
        d.live(at(thread=7))
        await d.clock.advance(2)
        assert [shown.scope.thread_id for shown in d.chat.shown.values()] == [None, None]


async def test_refused_formatting_falls_back_to_plain_text() -> None:
    """The words arrive; a second refusal gives them up."""
    async with desk() as d:
        d.fail(FormatRefused("bad entity"))
        await d.outbox.say(at(), RICH)
        await settle()
        (shown,) = d.chat.shown.values()
        assert shown.message == text("words")
        d.fail(FormatRefused("a"), FormatRefused("b"))
        lost = await d.outbox.say(at(), RICH)
        await settle()
        assert lost.refs == [None]


async def test_a_document_whose_caption_is_refused_comes_with_a_plain_one() -> None:
    """The file is what matters."""
    async with desk() as d:
        live = d.live()
        d.fail(FormatRefused("bad entity"), on="document")
        document = Document("a.md", b"x", RichText("cap", (Entity("bold", 0, 3),)))
        await d.final(document, instead=live)
        await settle()
        (shown,) = d.chat.shown.values()
        assert shown.document == Document("a.md", b"x", plain("cap"))


async def test_a_chat_that_is_lost_gets_nothing_more_and_stops_nothing() -> None:
    """Each thing that is meant for it is given up; other chats go on."""
    async with desk() as d:
        d.chat.fault = lambda call: ChatLost("blocked") if call.chat == 1 else None
        live = d.live()
        await settle()
        final = await d.final(text("a"), text("b"), instead=live)
        await d.outbox.say(at(2), text("c"))
        await d.clock.advance(5)
        assert final.refs == [None, None]
        assert d.chat.texts(2) == ["c"]
        assert await d.outbox.drain(d.clock.now())


async def test_a_mistake_of_the_transport_costs_one_message() -> None:
    """An error that nobody foresaw is logged and the pump goes on."""
    async with desk() as d:
        d.fail(KeyError("bug"))
        lost = await d.outbox.say(at(), text("a"))
        await d.outbox.say(at(), text("b"))
        await settle()
        assert lost.refs == [None]
        assert d.chat.texts() == ["b"]
        d.fail(KeyError("bug"))
        d.live()
        await settle()
        assert d.chat.texts() == ["b"]


async def test_a_journal_that_fails_does_not_undo_a_message() -> None:
    """A message that was accepted is not sent again."""
    async with desk() as d:
        d.store.fault = lambda changes: StoreFull("disk full")
        said = await d.outbox.say(at(), text("a"), turn_id="t1")
        await settle()
        assert said.refs != [None]
        assert d.chat.texts() == ["a"]


async def test_draining_waits_for_what_was_posted_and_not_beyond_its_moment() -> None:
    """True when all of it is out, False when time is up."""
    async with desk() as d:
        assert await d.outbox.drain(d.clock.now())
        d.chat.latency_s = 1.0
        results: list[bool] = []

        async def drain(seconds: float) -> None:
            results.append(await d.outbox.drain(d.clock.now() + seconds))

        async with anyio.create_task_group() as group:
            await d.outbox.say(at(), text("a"))
            await d.outbox.say(at(), text("b"))
            group.start_soon(drain, 0.5)
            group.start_soon(drain, 5.0)
            await d.clock.advance(1)
            assert results == [False]
            await d.clock.advance(2)
        assert results == [False, True]


async def test_a_correction_edits_what_was_sent() -> None:
    """It is an answer that takes a message's place."""
    async with desk() as d:
        said = await d.outbox.say(at(), text("a"))
        await settle()
        assert said.refs[0] is not None
        await d.outbox.correct(at(), said.refs[0], text("b"))
        await settle()
        assert d.chat.texts() == ["b"]


async def test_budgets_hold_with_many_busy_chats() -> None:
    """A hundred chats, longer than any window: limits hold, finals are quick, nothing overlaps."""
    async with desk() as d:
        d.chat.latency_s = 0.05
        lives = []
        for chat in range(1, 101):
            kind: ChatKind = "group" if chat % 2 else "private"
            lives.append((chat, d.outbox.live(at(chat, kind), counting(), "t1")))
        posted: dict[int, float] = {}
        for second in range(80):
            for chat, live in lives:
                d.outbox.touch(live)
                if second == 15 + chat // 2:
                    kind = "group" if chat % 2 else "private"
                    posted[chat] = d.clock.now()
                    await d.final(text("final"), destination=at(chat, kind), instead=live)
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
