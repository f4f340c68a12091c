"""Places that are lost, and chats that get a new id."""

import pytest

from bridge.outbox_desk import Desk, at, desk, text
from fakes.clock import settle
from fakes.transport import Call
from takopi.core.letter_forms import TOPIC_GONE
from takopi.core.richtext import utf16_len
from takopi.errors import ChatMoved, ReplyTargetLost, ThreadLost, TransportUnavailable

pytestmark = pytest.mark.anyio


def without_topics(call: Call) -> Exception | None:
    """Be a chat whose topics are all gone."""
    lost = call.scope is not None and call.scope.thread_id is not None
    return ThreadLost("message thread not found") if lost else None


def moved(call: Call) -> Exception | None:
    """Be a service in which the group -1 became the supergroup -100."""
    return ChatMoved(-1, -100) if call.chat == -1 else None


async def test_what_was_meant_for_a_topic_that_is_gone_says_so() -> None:
    """It comes to the chat with a line on top: once for a final of several parts."""
    async with desk() as d:
        d.chat.fault = without_topics
        delivery = await d.final(text("a"), text("b"), destination=at(thread=7))
        await d.clock.advance(3)
        assert d.chat.texts() == [f"{TOPIC_GONE}\na", "b"]
        assert len(d.tries()) == 3
        assert None not in delivery.refs


async def test_a_full_message_makes_room_for_that_line() -> None:
    """Nothing is cut away."""
    async with desk() as d:
        d.chat.fault = without_topics
        words = " ".join(f"word{number:03}" for number in range(512))
        assert utf16_len(words) == 4095
        await d.final(text(words), destination=at(thread=7))
        await d.clock.advance(3)
        one, two = d.chat.texts()
        assert one.startswith(TOPIC_GONE)
        assert f"{one.removeprefix(TOPIC_GONE)[1:]} {two}" == words


async def test_a_progress_message_says_it_too() -> None:
    """As long as it has room."""
    async with desk() as d:
        d.chat.fault = without_topics
        live = d.live(at(thread=7))
        await settle()
        assert d.chat.texts() == [f"{TOPIC_GONE}\nprogress"]
        d.words = "x" * 4090
        d.outbox.touch(live)
        await d.clock.advance(5)
        assert d.chat.texts() == ["x" * 4090]


async def test_everything_that_waits_for_a_chat_goes_to_its_new_id() -> None:
    """In its order; progress is sent anew there, and the rest of the program is told."""
    async with desk() as d:
        live = d.live(at(-1, "group"))
        await settle()
        d.chat.fault = moved
        d.chat.latency_s = 0.2
        said = await d.outbox.say(at(-1, "group"), text("answer"))
        old = d.sent[0]
        await d.final(text("a"), text("b"), destination=at(-1, "group"), turn_id="t2")
        d.words = "more"
        d.outbox.touch(live)
        await d.clock.advance(0.5)
        records = await d.store.waiting()
        assert {record.scope.chat_id for record in records} <= {-100}
        assert {record.reply_to for record in records} <= {None}
        await d.clock.advance(9)
        assert d.chat.texts(-100) == ["a", "b", "answer", "more"]
        assert d.moved == [(-1, -100)]
        assert said.refs[0] is not None
        assert said.refs[0].channel_id == -100
        assert live.ref is not None
        assert live.ref.message_id != old


async def test_a_progress_message_may_be_the_first_to_learn_of_it() -> None:
    """Nothing else has to be under way."""
    async with desk() as d:
        live = d.live(at(-1, "group"))
        await settle()
        d.chat.fault = moved
        d.words = "more"
        d.outbox.touch(live)
        await d.clock.advance(5)
        assert d.chat.texts(-100) == ["more"]
        assert d.moved == [(-1, -100)]


async def test_what_comes_later_for_the_old_id_goes_to_the_new_one_at_once() -> None:
    """Nobody has to be refused to learn of it a second time."""
    async with desk() as d:
        d.chat.fault = moved
        await d.outbox.move(-1, -100)
        await d.outbox.move(-1, -100)
        said = await d.outbox.say(at(-1, "group"), text("a"))
        d.live(at(-1, "group"))
        await d.clock.advance(5)
        assert said.refs[0] is not None
        await d.outbox.correct(at(-1, "group"), said.refs[0], text("not in its place"))
        await d.clock.advance(5)
        assert d.chat.texts(-100) == ["a", "progress", "not in its place"]
        assert d.moved == [(-1, -100)]


async def test_a_chat_that_moves_twice_is_followed() -> None:
    """From wherever something is sent to it."""
    async with desk() as d:
        await d.outbox.move(-1, -2)
        await d.outbox.move(-2, -3)
        await d.outbox.say(at(-1, "group"), text("a"))
        await d.outbox.say(at(-2, "group"), text("b"))
        await settle()
        assert d.chat.texts(-3) == ["a", "b"]


async def test_a_correction_in_a_chat_that_moves_becomes_a_message() -> None:
    """Ids of messages mean nothing there; a taking back has nothing to do."""
    async with desk() as d:
        said = await d.outbox.say(at(-1, "group"), text("a"))
        live = d.live(at(-1, "group"))
        await d.clock.advance(5)
        d.chat.fault = moved
        assert said.refs[0] is not None
        await d.outbox.correct(at(-1, "group"), said.refs[0], text("b"))
        await d.final(text("c"), destination=at(-1, "group"), instead=live)
        await d.clock.advance(9)
        assert sorted(d.chat.texts(-100)) == ["b", "c"]
        assert await d.outbox.drain(d.clock.now())
        assert await d.store.waiting() == []


async def test_a_letter_that_is_being_written_down_while_its_chat_moves_follows() -> None:
    """It learns of it from its own call."""
    d = Desk()
    d.chat.fault = moved
    async with d.running():

        async def wait(changes: object) -> None:
            d.store.wait = None
            await d.outbox.move(-1, -100)

        d.store.wait = wait
        await d.outbox.say(at(-1, "group"), text("a"))
        await d.clock.advance(3)
        assert d.chat.texts(-100) == ["a"]


async def test_a_chat_that_is_said_to_have_moved_to_where_it_is_is_lost() -> None:
    """There is nowhere to go."""
    async with desk() as d:
        d.chat.fault = lambda call: ChatMoved(-1, -1)
        said = await d.outbox.say(at(-1, "group"), text("a"))
        d.live(at(-1, "group"))
        await d.clock.advance(9)
        assert said.refs == [None]
        assert len(d.tries()) == 2


async def test_a_callback_that_fails_moves_the_chat_all_the_same() -> None:
    """It is not the letters' business."""

    class Failing(list[tuple[int, int]]):
        def append(self, move: tuple[int, int]) -> None:
            raise KeyError("bug")

    async with desk() as d:
        d.moved = Failing()
        d.chat.fault = moved
        await d.outbox.say(at(-1, "group"), text("a"))
        await settle()
        assert d.chat.texts(-100) == ["a"]


async def test_a_lost_reply_and_a_lost_topic_are_both_survived() -> None:
    """One after the other."""
    async with desk() as d:
        d.fail(TransportUnavailable("5xx"), ReplyTargetLost("gone"), ThreadLost("gone"))
        await d.outbox.say(at(thread=7), text("a"))
        await d.clock.advance(5)
        assert d.chat.texts() == [f"{TOPIC_GONE}\na"]
