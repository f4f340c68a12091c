"""What the journal knows of letters, and when."""

from collections.abc import Sequence

import anyio
import pytest

from bridge.outbox_desk import Desk, at, desk, text
from fakes.clock import settle
from takopi.bridge.letters import FinalPost
from takopi.bridge.records import (
    Change,
    LetterGone,
    LetterPut,
    MessageBound,
    OfferTaken,
    TurnPut,
    TurnRecord,
    UpdateHandled,
)
from takopi.core.chat import Scope
from takopi.core.outbox_plan import Priority
from takopi.errors import FloodLimited, OfferClosed, StoreFull, TransportUnavailable, Unauthorized

pytestmark = pytest.mark.anyio

TURN = TurnRecord(turn_id="t1", scope=Scope("memory", 1), engine="codex", state="delivering")


async def test_a_letter_is_written_down_with_its_reason_before_it_goes_anywhere() -> None:
    """One transaction has the caller's changes and the letter; the call comes after it."""
    async with desk() as d:
        gate = anyio.Event()
        d.store.wait = lambda changes: gate.wait()
        async with anyio.create_task_group() as group:
            group.start_soon(
                lambda: d.outbox.say(at(), text("a"), turn_id="t1", changes=[UpdateHandled(7)])
            )
            await settle()
            assert d.tries() == []
            assert not await d.outbox.drain(d.clock.now())
            gate.set()
        await settle()
        assert d.chat.texts() == ["a"]
        posted, begun, gone = d.store.commits
        assert [type(change) for change in posted] == [UpdateHandled, LetterPut]
        assert [change.letter.tries for change in (posted[1], *begun)] == [0, 1]  # type: ignore[union-attr]
        number = posted[1].letter.letter_id  # type: ignore[union-attr]
        assert gone == [LetterGone(number), MessageBound(1, d.sent[0], "t1", "answer")]


async def test_letters_go_out_in_the_order_of_the_calls_however_commits_overtake() -> None:
    """The second is written down first and waits for the first; another chat does not."""
    async with desk() as d:
        gate = anyio.Event()

        async def wait(changes: Sequence[Change]) -> None:
            if any(isinstance(c, LetterPut) and c.letter.body == text("a") for c in changes):
                await gate.wait()

        d.store.wait = wait
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: d.outbox.say(at(), text("a")))
            await settle()
            await d.outbox.say(at(), text("b"))
            await d.outbox.say(at(2), text("c"))
            await settle()
            assert (d.chat.texts(1), d.chat.texts(2)) == ([], ["c"])
            gate.set()
        await settle()
        assert d.chat.texts() == ["a", "b"]


async def test_who_is_cancelled_while_a_letter_is_written_down_has_posted_it() -> None:
    """It is in the journal then, so it goes out."""
    async with desk() as d:
        gate = anyio.Event()
        d.store.wait = lambda changes: gate.wait()
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: d.outbox.say(at(), text("a")))
            await settle()
            group.cancel_scope.cancel()
            gate.set()
        await settle()
        assert d.chat.texts() == ["a"]


async def test_nothing_is_sent_for_a_decision_that_came_too_late() -> None:
    """The caller learns of it, and later letters do not wait for it."""
    async with desk() as d:
        with pytest.raises(OfferClosed):
            await d.outbox.say(at(), text("a"), changes=[OfferTaken("o1", "continue")])
        await d.outbox.ask(at(), text("b"))
        await settle()
        assert d.chat.texts() == ["b"]
        assert await d.outbox.drain(d.clock.now())


async def test_a_journal_that_refuses_stops_no_letter_and_learns_of_it_later() -> None:
    """What stays true is made up for; the state of a turn is another once its final is out."""
    async with desk() as d:
        d.store.fault = lambda changes: StoreFull("disk full")
        live = d.live()
        await settle()
        post = FinalPost(at(), (text("a"),), "t1")
        delivery = await d.outbox.final(
            post, instead=live, changes=[TurnPut(TURN), UpdateHandled(3)]
        )
        assert not delivery.written
        await settle()
        assert d.chat.texts() == ["a"]
        assert delivery.written, "nobody needs it any more"
        assert d.store.made == []
        await d.clock.advance(300)
        d.store.fault = None
        await d.clock.advance(61)
        assert not [change for change in d.store.made if isinstance(change, TurnPut)]
        assert UpdateHandled(3) in d.store.made
        roles = [change.role for change in d.store.made if isinstance(change, MessageBound)]
        assert sorted(roles) == ["final", "progress"]
        assert await d.store.waiting() == []


async def test_a_decision_and_its_letters_are_written_together_or_not_at_all() -> None:
    """Either without the other would be a final that is lost, or told twice."""
    async with desk() as d:
        d.chat.fault = lambda call: TransportUnavailable("down")
        refusals = [StoreFull("disk full")] * 3
        d.store.fault = lambda changes: refusals.pop() if refusals else None
        post = FinalPost(at(), (text("a"), text("b")), "t1")
        delivery = await d.outbox.final(post, instead=None, changes=[TurnPut(TURN)])
        assert not delivery.written
        await settle()
        assert d.store.made == [], "the try of the first part alone is not written"
        await d.clock.advance(9)
        assert delivery.written
        kinds = {type(change) for change in d.store.commits[0]}
        assert kinds == {TurnPut, LetterPut}
        assert {letter.index for letter in await d.store.waiting()} == {0, 1}


async def test_what_the_journal_did_not_take_goes_along_with_the_next_commit() -> None:
    """A letter that the chat has is not sent again after a disk that was full for a moment."""
    async with desk() as d:
        full = [StoreFull("disk full")]
        d.store.fault = lambda changes: (
            full.pop() if full and isinstance(changes[0], LetterGone) else None
        )
        await d.outbox.say(at(), text("a"))
        await settle()
        assert len(await d.store.waiting()) == 1
        await d.outbox.say(at(2), text("b"))
        await settle()
        assert await d.store.waiting() == []


async def test_what_the_journal_never_takes_holds_nothing_else_up() -> None:
    """It is left out when it is what the journal refuses."""
    async with desk() as d:
        odd = UpdateHandled(13)
        d.store.fault = lambda changes: StoreFull("no") if odd in changes else None
        await d.outbox.say(at(), text("a"), changes=[odd])
        await d.outbox.say(at(), text("b"))
        await settle()
        assert d.chat.texts() == ["a", "b"]
        assert await d.store.waiting() == []


async def test_a_mistake_of_the_store_stops_no_letter() -> None:
    """Whatever it raises, a final goes out."""
    async with desk() as d:
        d.store.fault = lambda changes: KeyError("bug")
        await d.final(text("a"))
        await settle()
        assert d.chat.texts() == ["a"]


async def test_a_try_that_was_answered_is_no_try() -> None:
    """The journal learns of a "no" with the next commit, or a little later."""
    async with desk() as d:
        d.fail(FloodLimited(60))
        await d.final(text("a"))
        await settle()
        assert [letter.tries for letter in await d.store.waiting()] == [1]
        await d.clock.advance(6)
        assert [letter.tries for letter in await d.store.waiting()] == [0]


async def test_a_bot_that_is_not_known_any_more_leaves_no_doubt() -> None:
    """The call that told so was not taken."""
    d = Desk()
    d.fail(Unauthorized("revoked"))
    await d.final(text("a"))
    with pytest.raises(BaseExceptionGroup):
        await d.outbox.run()
    assert [letter.tries for letter in await d.store.waiting()] == [0]


async def test_the_last_part_and_the_taking_back_are_one_transaction() -> None:
    """No crash leaves a progress message beside its final."""
    async with desk() as d:
        live = d.live()
        await settle()
        await d.final(text("a"), text("b"), instead=live)
        await d.clock.advance(3)
        (last,) = [
            changes
            for changes in d.store.commits
            if any(isinstance(c, LetterPut) and c.letter.priority is Priority.TIDY for c in changes)
        ]
        kinds = [type(change) for change in last]
        assert kinds == [LetterGone, MessageBound, LetterPut]
        assert last[2].letter.target == d.sent[0]  # type: ignore[union-attr]
        await d.clock.advance(6)
        assert d.chat.texts() == ["a", "b"]
        assert await d.store.waiting() == []


async def test_a_progress_message_that_arrives_late_is_bound_and_taken_back_at_once() -> None:
    """Its name and the taking back are one transaction."""
    async with desk() as d:
        d.chat.latency_s = 2.0
        live = d.live()
        await d.clock.advance(0.5)
        d.chat.latency_s = 0.0
        await d.final(text("a"), instead=live)
        await d.clock.advance(1)
        assert [letter.priority for letter in await d.store.waiting()] == []
        await d.clock.advance(0.6)
        last = next(c for c in d.store.commits if isinstance(c[0], MessageBound))
        assert [type(change) for change in last] == [MessageBound, LetterPut]
        assert d.chat.texts() == ["a"]


async def test_numbers_of_letters_grow_for_ever() -> None:
    """A new life begins where the last one ended."""
    async with desk() as d:
        await d.outbox.say(at(), text("a"))
        await d.final(text("b"), text("c"))
        await d.clock.advance(9)
    async with d.next_life().running() as e:
        await e.outbox.say(at(), text("d"))
    numbers = [
        change.letter.letter_id
        for change in d.store.made
        if isinstance(change, LetterPut) and change.letter.tries == 0
    ]
    assert numbers == [1, 2, 3, 4]


async def test_a_hanging_disk_holds_up_one_chat_only() -> None:
    """What was accepted is settled when its commit is; other chats do not wait for it."""
    async with desk() as d:
        gate = anyio.Event()

        async def wait(changes: Sequence[Change]) -> None:
            if any(isinstance(c, LetterGone) and c.letter_id == 1 for c in changes):
                await gate.wait()

        d.store.wait = wait
        first = await d.outbox.say(at(), text("a"))
        await d.outbox.say(at(2), text("b"))
        await settle()
        assert d.chat.texts(2) == ["b"]
        assert not first.over.is_set()
        gate.set()
        await settle()
        assert first.over.is_set()


async def test_edits_are_not_counted_as_tries() -> None:
    """Made twice they are the same."""
    async with desk() as d:
        said = await d.outbox.say(at(), text("a"))
        await settle()
        d.fail(TransportUnavailable("hang", maybe_accepted=True))
        assert said.refs[0] is not None
        await d.outbox.correct(at(), said.refs[0], text("b"))
        await settle()
        assert [letter.tries for letter in await d.store.waiting()] == [0]
        await d.clock.advance(9)
        assert d.chat.texts() == ["b"]
        assert await d.store.waiting() == []
