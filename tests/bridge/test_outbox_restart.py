"""What an earlier takopi did not get out goes out in the next life."""

import pytest

from bridge.outbox_desk import Desk, at, text
from fakes.clock import settle
from takopi.bridge.records import MessageBound, TurnPut, TurnRecord
from takopi.core.chat import Document, Scope
from takopi.core.letter_forms import REPEATED
from takopi.core.outbox_plan import Priority
from takopi.errors import TargetLost, ThreadLost, TransportError, TransportUnavailable
from takopi.transport import MessageRef

pytestmark = pytest.mark.anyio

TURN = TurnRecord(turn_id="t1", scope=Scope("memory", 1), engine="codex", state="delivering")
DOWN = TransportUnavailable("down")


async def died_with(d: Desk, *parts: str, progress: bool = True, edit: bool = False) -> None:
    """Let a life end with a final that the service did not take."""
    async with d.running():
        await d.store.commit([TurnPut(TURN)])
        live = d.live() if progress else None
        await d.clock.advance(5)
        d.chat.fault = lambda call: DOWN
        await d.final(*(text(part) for part in parts), instead=live, edit=edit)
        await d.clock.advance(6)
        d.chat.fault = None


async def test_a_final_goes_on_with_its_delivery_and_its_progress_message() -> None:
    """The turn waits for it; in the end the progress message is gone."""
    d = Desk()
    await died_with(d, "a", "b")
    assert d.chat.texts() == ["progress"]
    async with d.next_life().running() as e:
        delivery = e.deliveries["t1"]
        await e.clock.advance(3)
        assert delivery.over.is_set()
        assert delivery.refs == [MessageRef(1, number) for number in e.sent[1:]]
        assert e.chat.texts() == ["a", "b"]


async def test_a_final_that_was_to_edit_still_edits() -> None:
    """No second message appears."""
    d = Desk()
    await died_with(d, "a", edit=True)
    async with d.next_life().running() as e:
        await e.clock.advance(3)
        assert e.chat.texts() == ["a"]
        assert e.tries("send") == e.tries("send")[:1]


async def test_a_final_that_is_refused_in_the_next_life_says_so_in_the_old_place() -> None:
    """What it stands instead of is known again."""
    d = Desk()
    await died_with(d, "a")
    refused = TransportError("what?")
    d.chat.fault = lambda call: refused if call.verb in {"send", "document"} else None
    async with d.next_life().running() as e:
        await e.clock.advance(9)
        assert e.chat.texts() == ["The answer could not be sent: what?"]


async def test_a_final_without_a_progress_message_comes_alone() -> None:
    """There is nothing to take back."""
    d = Desk()
    await died_with(d, "a", progress=False)
    async with d.next_life().running() as e:
        await e.clock.advance(3)
        assert e.chat.texts() == ["a"]
        assert not e.tries("delete")


async def test_a_final_that_was_begun_goes_on_before_anything_else_of_its_chat() -> None:
    """An answer that waited too does not come between its parts."""
    d = Desk()
    async with d.running():
        await d.final(text("a"), text("b"))
        await settle()
        d.chat.fault = lambda call: DOWN
        await d.clock.advance(2)
        await d.outbox.say(at(), text("answer"))
    d.fail(DOWN)
    async with d.next_life().running() as e:
        await e.clock.advance(5)
        assert [said.split()[-1] for said in e.chat.texts()] == ["a", "b", "answer"]


async def test_pieces_of_pieces_keep_their_place() -> None:
    """A part that was cut twice goes out in order after a crash in between."""
    d = Desk()
    words = " ".join(f"word{number}" for number in range(400))
    long = text(f"{words} {'x' * (4095 - len(words))}")
    hang = TransportUnavailable("hang", maybe_accepted=True)
    async with d.running():
        d.fail(None, hang, ThreadLost("gone"), DOWN, DOWN, DOWN)
        await d.final(text("start"), long, text("end"), destination=at(thread=7))
        await d.clock.advance(4)
    d.chat.fault = None
    async with d.next_life().running() as e:
        await e.clock.advance(20)
        start, *middle, end = e.chat.texts()
        assert (start, end) == ("start", "end")
        said = " ".join(middle).split()
        assert [word for word in said if word.startswith("word")] == words.split()


async def test_a_file_in_words_goes_on_where_it_was() -> None:
    """No page comes twice, and none is missing."""
    d = Desk()
    words = [f"word{number}" for number in range(3000)]
    async with d.running():
        d.chat.fault = lambda c: TransportError("no files") if c.verb == "document" else None
        await d.final(text("start"), Document("answer.md", " ".join(words).encode()))
        await d.clock.advance(3)
        d.chat.fault = lambda call: DOWN
    d.chat.fault = None
    async with d.next_life().running() as e:
        await e.clock.advance(20)
        said = " ".join(e.chat.texts()).split()
        assert [word for word in said if word.startswith("word")] == words


async def test_letters_of_every_kind_come_back() -> None:
    """Asks, answers, corrections and takings back."""
    d = Desk()
    async with d.running():
        said = await d.outbox.say(at(), text("old"))
        live = d.live()
        await d.clock.advance(5)
        await d.final(text("final"), instead=live)
        d.chat.fault = lambda call: DOWN if call.verb != "send" else None
        await d.clock.advance(1)
        d.chat.fault = lambda call: DOWN
        assert said.refs[0] is not None
        await d.outbox.correct(at(), said.refs[0], text("new"))
        await d.outbox.ask(at(), text("ask"), offered=["o1"])
        await d.outbox.say(at(), text("answer"), notify=False)
    waiting = {letter.priority: letter for letter in await d.store.waiting()}
    assert waiting[Priority.ASK].offered == ("o1",)
    d.chat.fault = None
    async with d.next_life().running() as e:
        await e.clock.advance(9)
        assert e.chat.texts() == ["new", "final", "ask", "answer"]
        assert await e.store.waiting() == []


async def test_a_taking_back_whose_message_is_gone_is_over() -> None:
    """Somebody else deleted it while takopi was away."""
    d = Desk()
    async with d.running():
        live = d.live()
        await d.clock.advance(5)
        d.chat.fault = lambda call: DOWN if call.verb == "delete" else None
        await d.final(text("a"), instead=live)
        await d.clock.advance(1)
    d.fail(TargetLost("gone"))
    async with d.next_life().running() as e:
        await e.clock.advance(9)
        assert await e.store.waiting() == []


async def test_a_progress_message_goes_on_living() -> None:
    """It is edited, not sent again, and shows at once what holds now."""
    d = Desk()
    async with d.running():
        d.live()
        await settle()
    d.words = "more"
    async with d.next_life().running() as e:
        e.outbox.live(at(), lambda moment: text("more"), "t1", MessageRef(1, d.sent[0]))
        await settle()
        assert e.chat.texts() == ["more"]
        assert len(e.tries("send")) == 1


async def test_only_what_may_be_there_is_marked() -> None:
    """A letter that was never begun, or was refused, is not."""
    d = Desk()
    async with d.running():
        d.fail(DOWN)
        await d.outbox.say(at(), text("refused"))
        await d.clock.advance(0.5)
        await d.outbox.say(at(2), text("hangs"))
        d.chat.latency_s = 60
        await d.outbox.say(at(3), text("in flight"))
        await d.outbox.say(at(3), text("waits"))
        await settle()
        assert await d.outbox.drain(d.clock.now()) is False
    d.chat.latency_s = 0
    async with d.next_life().running() as e:
        await e.clock.advance(9)
        assert e.chat.texts(1) == ["refused"]
        assert e.chat.texts(3) == [f"{REPEATED}\nin flight", "waits"]


async def test_two_finals_that_were_begun_go_on_one_after_the_other() -> None:
    """Whatever a journal says, nothing waits for ever."""
    d = Desk()
    async with d.running():
        d.chat.fault = lambda call: DOWN
        await d.final(text("a"), text("b"))
        await d.final(text("c"), text("d"), turn_id="t2")
    letters = await d.store.waiting()
    for letter in letters:
        if letter.index == 0:
            await d.store.commit([MessageBound(1, letter.letter_id, "t1", "final")])
            d.store._letters.pop(letter.letter_id)
    d.chat.fault = None
    async with d.next_life().running() as e:
        await e.clock.advance(9)
        assert e.chat.texts() == ["b", "d"]
