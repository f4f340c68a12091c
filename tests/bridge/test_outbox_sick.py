"""Letters that the service never takes: an outage is waited out, a sick letter is passed."""

import pytest

from bridge.outbox_desk import Desk, at, desk, text
from fakes.clock import settle
from fakes.transport import Call
from takopi.bridge.records import TurnPut, TurnRecord
from takopi.core.chat import ChatMessage, Document, Scope
from takopi.core.letter_forms import REPEATED
from takopi.core.richtext import Entity, RichText
from takopi.errors import FloodLimited, TransportUnavailable

pytestmark = pytest.mark.anyio

DOWN = TransportUnavailable("Telegram refused sendMessage: Internal Server Error")
HELD = "The answer is held up: "
WAITS = "The turn has ended. "
BOLD = ChatMessage(RichText("poison", (Entity("bold", 0, 6),)))


def formatted(call: Call) -> Exception | None:
    """Be a service that trips over bold text."""
    return DOWN if call.message and call.message.body.entities else None


def as_text(call: Call) -> Exception | None:
    """Be a service that trips over a word, unless it is in a file."""
    return DOWN if "poison" in call.text else None


async def test_an_outage_of_an_hour_changes_nothing_but_the_time() -> None:
    """As long as nothing is taken nothing is made simpler, and the order stays."""
    async with desk() as d:
        live = d.live()
        await settle()
        d.chat.fault = lambda call: DOWN
        await d.final(BOLD, text("b"), instead=live)
        await d.final(text("c"), turn_id="t2")
        await d.outbox.say(at(2), text("d"))
        await d.clock.advance(3590)
        assert d.chat.texts() == ["progress"]
        d.chat.fault = None
        await d.clock.advance(130)
        first, *more = [s.message for (chat, _), s in d.chat.shown.items() if chat == 1]
        assert (first, more) == (BOLD, [text("b"), text("c")])
        assert d.chat.texts(2) == ["d"]


async def test_a_final_that_trips_over_its_look_comes_plain() -> None:
    """After a quarter of an hour in which the service took other calls."""
    async with desk() as d:
        d.chat.fault = formatted
        live = d.live()
        await settle()
        await d.final(BOLD, instead=live)
        await d.clock.advance(700)
        assert d.chat.texts() == [str(d.chat.texts()[0])]
        assert d.chat.texts()[0].startswith(WAITS), "the person is told meanwhile"
        await d.clock.advance(300)
        assert d.chat.texts() == ["poison"]


async def test_a_final_that_trips_over_its_words_comes_as_a_file() -> None:
    """Its words arrive, whatever form they need."""
    async with desk() as d:
        d.chat.fault = as_text
        live = d.live()
        await settle()
        await d.final(BOLD, text("b"), instead=live)
        await d.clock.advance(1200)
        document, other = d.chat.shown.values()
        assert document.document == Document("answer.txt", b"poison")
        assert other.text == "b"


async def test_a_final_that_is_never_taken_steps_aside_and_says_so_once() -> None:
    """Later finals pass it, in their order; it is tried for the rest of the day, then told."""
    async with desk() as d:
        d.refuse("poison", DOWN)
        live = d.live()
        await settle()
        sick = await d.final(BOLD, text("behind it"), instead=live)
        well = await d.final(text("c"), turn_id="t2")
        await d.final(text("d"), turn_id="t3")
        await d.clock.advance(600)
        assert not well.over.is_set()
        await d.clock.advance(1200)
        first, *more = d.chat.texts()
        assert first.startswith(WAITS)
        assert sorted(more) == sorted(["c", "d", *[t for t in more if t.startswith(HELD)]])
        assert len(more) == 3
        assert more.index("c") < more.index("d")
        await d.final(text("e"), turn_id="t4")
        await settle()
        assert d.chat.texts()[-1] == "e"
        tried = len(d.tries("send", "document"))
        await d.clock.advance(3600)
        assert len(d.tries("send", "document")) - tried <= 3
        await d.clock.advance(24 * 3600)
        assert sick.over.is_set()
        assert sick.refs[0] is None
        assert d.chat.texts()[0].startswith("A part of the answer could not be sent: ")
        assert d.chat.texts()[-1] == "behind it"
        assert await d.store.waiting() == []


async def test_what_stepped_aside_comes_whole_once_it_is_taken() -> None:
    """Its parts together, and its progress message goes."""
    async with desk() as d:
        d.refuse("poison", DOWN)
        live = d.live()
        await settle()
        await d.final(text("poison"), text("behind it"), instead=live)
        await d.clock.advance(2000)
        d.chat.fault = None
        await d.clock.advance(1800)
        held, document, behind = d.chat.shown.values()
        assert held.text.startswith(HELD)
        assert document.document == Document("answer.txt", b"poison")
        assert behind.text == "behind it"


async def test_a_part_that_is_never_taken_frees_its_chat() -> None:
    """The first part is there; the rest steps aside, and commands are answered again."""
    async with desk() as d:
        live = d.live()
        await settle()
        d.refuse("poison", DOWN)
        await d.final(text("a"), text("poison"), text("c"), instead=live)
        await d.clock.advance(5)
        answer = await d.outbox.say(at(), text("answer"))
        await d.clock.advance(60)
        assert not answer.over.is_set(), "nothing comes between parts"
        await d.clock.advance(1800)
        assert answer.over.is_set()
        assert "c" not in d.chat.texts()


async def test_without_a_progress_message_others_have_to_find_out() -> None:
    """A chat is not silent for a day because a part is sick."""
    async with desk() as d:
        d.refuse("poison", DOWN)
        await d.final(text("a"), text("poison"))
        await d.clock.advance(5)
        early = await d.outbox.say(at(), text("early"))
        await d.clock.advance(590)
        assert not early.over.is_set()
        await d.clock.advance(120)
        assert early.over.is_set()
        live = d.live(turn_id="t2")
        await d.final(text("late"), turn_id="t2", instead=live)
        for _ in range(200):
            await d.outbox.say(at(), text("question"))
            await d.clock.advance(10)
        assert "late" in d.chat.texts()
        assert any(words.startswith(HELD) for words in d.chat.texts())


async def test_an_answer_that_is_never_taken_steps_aside_without_a_word() -> None:
    """Later answers pass it; it is given up after an hour."""
    async with desk() as d:
        d.refuse("poison", DOWN)
        sick = await d.outbox.say(at(), text("poison"))
        ask = await d.outbox.ask(at(), text("poison too"))
        await settle()
        for number in range(100):
            await d.outbox.say(at(2), text(f"other {number}"))
            await d.clock.advance(10)
        well = await d.outbox.say(at(), text("b"))
        await settle()
        assert well.over.is_set()
        await d.clock.advance(3 * 3600)
        assert sick.over.is_set()
        assert not ask.over.is_set()
        await d.clock.advance(24 * 3600)
        assert ask.refs == [None]
        assert d.chat.texts() == ["b"]


async def test_a_final_is_given_up_a_day_after_it_was_posted_in_whatever_life() -> None:
    """A restart gives it two more hours, not another day."""
    d = Desk()
    d.chat.fault = lambda call: DOWN
    async with d.running():
        await d.final(text("a"))
        await d.clock.advance(20 * 3600)
    await d.clock.advance(5 * 3600)
    async with d.next_life().running() as e:
        await e.clock.advance(7100)
        assert not e.deliveries["t1"].over.is_set()
        await e.clock.advance(200)
        assert e.deliveries["t1"].refs == [None]


async def test_a_wall_clock_that_jumps_gives_nothing_up() -> None:
    """A machine that wakes with a wrong date does not lose what it wanted to say."""
    async with desk() as d:
        d.fail(DOWN, DOWN, DOWN)
        said = await d.final(text("a"))
        d.clock.epoch += 10 * 365 * 24 * 3600
        await d.clock.advance(30)
        assert said.refs != [None]


async def test_a_chat_that_wants_silence_for_ever_is_given_up_too() -> None:
    """All of each wait counts, and so does the day."""
    async with desk() as d:
        d.chat.fault = lambda call: FloodLimited(3600)
        final = await d.final(text("a"))
        await d.clock.advance(25 * 3600)
        assert final.refs == [None]
        pauses = {round(call.at % 3600) for call in d.tries("send")}
        assert len(pauses) == 1


async def test_a_silent_accepter_is_marked_each_time_and_passed_in_the_end() -> None:
    """A service that takes a letter and never says so is not asked for ever."""
    async with desk() as d:
        gone = TransportUnavailable("no answer", maybe_accepted=True)
        d.chat.unheard = lambda call: gone if "poison" in call.text else None
        live = d.live()
        await settle()
        await d.final(text("poison"), instead=live)
        await d.clock.advance(3600)
        copies = [words for words in d.chat.texts() if "poison" in words]
        assert copies[0] == "poison"
        assert all(words == f"{REPEATED}\npoison" for words in copies[1:])
        assert len(copies) < 40


async def test_a_restored_final_and_its_notice_are_never_two_calls_for_one_message() -> None:
    """The message that it edits tells that it is held up."""
    d = Desk()
    turn = TurnRecord(turn_id="t1", scope=Scope("memory", 1), engine="codex", state="delivering")
    async with d.running():
        await d.store.commit([TurnPut(turn)])
        live = d.live()
        await settle()
        d.refuse("poison", DOWN)
        await d.final(text("poison"), instead=live, edit=True)
        await settle()
    d.chat.latency_s = 2.0
    async with d.next_life().running() as e:
        await e.clock.advance(3600)
        assert e.chat.texts()[0].startswith(WAITS)
        assert e.chat.overlaps == 0
