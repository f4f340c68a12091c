"""What every journal does, whether it is a file or forgets everything with the process."""

import pytest
from msgspec.structs import replace

from store.examples import (
    NOW,
    SCOPE,
    a_day,
    document,
    edited,
    letter,
    offer,
    pressed,
    received,
    renamed,
    session,
    turn,
)
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.ports import TurnFilter
from takopi.bridge.records import (
    AcceptedUpdate,
    JournalState,
    LetterGone,
    LetterPut,
    MessageBound,
    OfferPut,
    OfferTaken,
    TurnPut,
    UpdateHandled,
)
from takopi.core.chat import ChatMessage, RepliedTo, Scope
from takopi.core.gathering import PromptPiece
from takopi.core.preferences import RunChoices
from takopi.core.richtext import RichText
from takopi.core.turn_state import ENDS, TRANSITIONS
from takopi.errors import OfferClosed
from takopi.store.sqlite_store import SqliteStore

pytestmark = pytest.mark.anyio

AnyStore = MemoryStore | SqliteStore

HOUR = 3600.0
DAY = 24 * HOUR


# Updates.


async def test_a_new_journal_has_nothing(store: AnyStore) -> None:
    """What was never written down is not found."""
    assert await store.load() == JournalState()
    assert await store.turn("t1") is None
    assert await store.turn_of_message(7, 1) is None
    assert await store.offer("o1") is None


async def test_updates_are_kept_until_they_are_handled(store: AnyStore) -> None:
    """In the order in which they came, with the moment and the answer that brought them."""
    first = await store.accept([received(10), pressed(11, "p")], 12, NOW)
    assert [item.update for item in first] == [received(10), pressed(11, "p")]
    assert {item.arrived_at for item in first} == {NOW}
    second = await store.accept([edited(13, 10, 5.0), renamed(14, 12)], 14, NOW + 1)
    assert (await store.load()).updates == first + second
    assert await store.accept([renamed(99, 12)], 99, NOW + 2) == ()
    await store.commit([UpdateHandled(first[0].id)])
    assert (await store.load()).updates == (first[1], *second)


async def test_updates_of_one_answer_share_a_batch(store: AnyStore) -> None:
    """Another answer has another one."""
    first = await store.accept([received(1), received(2)], 2, NOW)
    second = await store.accept([received(3)], 3, NOW)
    assert first[0].batch == first[1].batch != second[0].batch
    assert all(item.batch for item in first + second)


@pytest.mark.parametrize(
    ("again", "fresh"),
    [
        (received(1, 10), 0),
        (received(1, 99), 0),
        (received(99, 10), 0),
        (received(99, 99), 1),
        (pressed(2, "p"), 0),
        (pressed(99, "p"), 0),
        (pressed(99, "q"), 1),
        (edited(3, 10, 5.0), 0),
        (edited(99, 10, 5.0), 0),
        (edited(99, 10, 6.0), 1),
    ],
)
async def test_what_comes_again_is_not_taken_again(
    store: AnyStore, again: AcceptedUpdate, fresh: int
) -> None:
    """By the number of the update, or by what it is about under another number."""
    await store.accept([received(1, 10), pressed(2, "p"), edited(3, 10, 5.0)], 3, NOW)
    assert len(await store.accept([again], 99, NOW)) == fresh


async def test_what_comes_twice_in_one_answer_is_taken_once(store: AnyStore) -> None:
    """A repeat need not wait for another answer."""
    assert len(await store.accept([received(1, 10), received(2, 10)], 2, NOW)) == 1


async def test_both_names_of_a_repeat_are_remembered(store: AnyStore) -> None:
    """A message that came again under another number makes that number known, too."""
    await store.accept([received(1, 10)], 1, NOW)
    await store.accept([received(2, 10)], 2, NOW)
    assert await store.accept([received(2, 99)], 2, NOW) == ()


async def test_an_answer_without_served_people_brings_nothing(store: AnyStore) -> None:
    """Strangers' updates leave only their number."""
    assert await store.accept([], 5, NOW) == ()
    assert await store.accept([], None, NOW) == ()
    assert await store.load() == JournalState()


# Turns.


async def test_a_turn_comes_back_as_it_was_written_down(store: AnyStore) -> None:
    """Every field, but those that the journal gives."""
    full = turn(
        "t1",
        session=session(),
        conversation="c",
        chat_kind="group",
        prompt="fix it 🐙\n\x00",
        messages=(4, 5),
        person=5,
        asked=session("s0"),
        origin="peer",
        state="delivering",
        outcome="failed",
        cancelled=True,
        cancel_reason="stall",
        held_until=NOW + 0.123456789,
        held_by_person=True,
        pieces=(PromptPiece(message_id=4, text="fix", album="a", reply=RepliedTo(1, "x")),),
        after=3,
        accepted_at=NOW,
        started_at=NOW + 1,
        ended_at=NOW + 2,
        run_id="r",
        project="p",
        branch="b/1",
        choices=RunChoices(model="m", reasoning="high", mode="plan"),
        verbosity="full",
        usage={"cost_usd": 0.25, "model": "m", "its own": {"parts": [1, None]}},
        before="abc",
        silent=True,
        cwd="/x",
        note="n",
        progress_id=99,
        seq=99,
    )
    await store.commit([TurnPut(full)])
    assert await store.turn("t1") == replace(full, progress_id=None, seq=1)


async def test_turns_keep_the_number_of_their_acceptance(store: AnyStore) -> None:
    """A change of a turn gives it no new place and uses up none."""
    await store.commit([TurnPut(turn("a"))])
    await store.commit([TurnPut(turn("b")), TurnPut(turn("a", state="starting"))])
    await store.commit([TurnPut(turn("c", seq=1))])
    found = (await store.load()).turns
    assert [(t.turn_id, t.seq, t.state) for t in found] == [
        ("a", 1, "starting"),
        ("b", 2, "queued"),
        ("c", 3, "queued"),
    ]


@pytest.mark.parametrize("state", TRANSITIONS)
async def test_a_start_finds_the_turns_that_are_not_over(store: AnyStore, state: str) -> None:
    """Those that are over are found by their id alone."""
    await store.commit([TurnPut(turn("a", state=state))])
    assert len((await store.load()).turns) == (state not in ENDS)
    found = await store.turn("a")
    assert found is not None
    assert found.state == state


async def test_a_message_leads_to_what_is_known_of_its_turn_now(store: AnyStore) -> None:
    """The newest record counts, and only in its own chat."""
    await store.commit([TurnPut(turn("a")), MessageBound(7, 10, "a", "prompt")])
    await store.commit([TurnPut(turn("a", state="starting"))])
    found = await store.turn_of_message(7, 10)
    assert found is not None
    assert found.state == "starting"
    assert await store.turn_of_message(8, 10) is None
    assert await store.turn_of_message(7, 11) is None


async def test_a_message_may_be_bound_before_its_turn(store: AnyStore) -> None:
    """The order inside a transaction, or between two, does not matter."""
    await store.commit([MessageBound(7, 10, "a", "progress")])
    assert await store.turn_of_message(7, 10) is None
    await store.commit([TurnPut(turn("a"))])
    assert await store.turn_of_message(7, 10) == turn("a", seq=1, progress_id=10)


async def test_a_message_that_is_bound_again_belongs_to_the_new_turn(store: AnyStore) -> None:
    """It leaves the old one, as a progress message, too."""
    await store.commit([TurnPut(turn("a")), TurnPut(turn("b"))])
    await store.commit([MessageBound(7, 10, "a", "progress")])
    await store.commit([MessageBound(7, 10, "b", "progress")])
    assert await store.turn_of_message(7, 10) == turn("b", seq=2, progress_id=10)
    assert await store.turn("a") == turn("a", seq=1)


async def test_the_newest_progress_message_counts(store: AnyStore) -> None:
    """One that was edited into the final is none any more: nobody may take it back."""
    await store.commit([TurnPut(turn("a"))])
    for number in (20, 10):
        await store.commit([MessageBound(7, number, "a", "progress")])
    assert await store.turn("a") == turn("a", seq=1, progress_id=10)
    assert (await store.load()).turns[0].progress_id == 10
    await store.commit([MessageBound(7, 20, "a", "progress")])
    assert await store.turn("a") == turn("a", seq=1, progress_id=20)
    await store.commit([MessageBound(7, 20, "a", "final"), MessageBound(7, 10, "a", "final")])
    assert await store.turn("a") == turn("a", seq=1)


async def test_a_reply_continues_the_session_of_its_conversation(store: AnyStore) -> None:
    """Once another turn of it has one; the newest turn's counts."""
    await store.commit([TurnPut(turn("a", conversation="c")), MessageBound(7, 1, "a", "prompt")])
    assert await store.turn_of_message(7, 1) == turn("a", conversation="c", seq=1)
    await store.commit([TurnPut(turn("b", conversation="c", session=session("old")))])
    await store.commit([TurnPut(turn("d", conversation="c", session=session("new")))])
    await store.commit([TurnPut(turn("b", conversation="c", session=session("older")))])
    expected = turn("a", conversation="c", seq=1, session=session("new"))
    assert await store.turn_of_message(7, 1) == expected
    assert await store.turn("a") == turn("a", conversation="c", seq=1)


async def test_a_turn_that_began_anew_has_no_session_from_before_it(store: AnyStore) -> None:
    """What comes later in its conversation may have begun one for it."""
    old = turn("a", conversation="c", session=session("old"))
    anew = turn("b", conversation="c", started_at=NOW)
    await store.commit([TurnPut(old), TurnPut(anew), MessageBound(7, 1, "b", "prompt")])
    assert (await store.turn_of_message(7, 1)).session is None
    known = TurnFilter(scope=anew.scope, with_session=True)
    assert [one.turn_id for one in await store.newest_turns(known, 9)] == ["a"]
    await store.commit([TurnPut(turn("d", conversation="c", session=session("new")))])
    assert (await store.turn_of_message(7, 1)).session == session("new")


async def test_a_turn_that_asked_for_a_session_keeps_to_it(store: AnyStore) -> None:
    """Also when its conversation has gone on in another one since."""
    failed = turn("b", conversation="c", started_at=NOW, asked=session("old"))
    await store.commit(
        [
            TurnPut(turn("a", conversation="c", session=session("old"))),
            TurnPut(failed),
            MessageBound(7, 1, "b", "prompt"),
            TurnPut(turn("d", conversation="c", session=session("new"))),
        ]
    )
    assert (await store.turn_of_message(7, 1)).session == session("old")


async def test_turns_without_a_conversation_share_none(store: AnyStore) -> None:
    """An empty name is not a name."""
    await store.commit([TurnPut(turn("x")), MessageBound(7, 1, "x", "prompt")])
    await store.commit([TurnPut(turn("y", session=session()))])
    assert await store.turn_of_message(7, 1) == turn("x", seq=1)


async def test_a_turn_that_changes_its_conversation_leaves_the_old_one(store: AnyStore) -> None:
    """Its session is no longer that of those it left."""
    await store.commit([TurnPut(turn("a", conversation="c")), MessageBound(7, 1, "a", "prompt")])
    await store.commit([TurnPut(turn("b", conversation="c", session=session()))])
    await store.commit([TurnPut(turn("b", conversation="d", session=session()))])
    assert await store.turn_of_message(7, 1) == turn("a", conversation="c", seq=1)


# Letters and offers.


async def test_letters_wait_in_the_order_of_their_numbers(store: AnyStore) -> None:
    """Until they are gone; what they carry comes back byte for byte."""
    await store.commit([LetterPut(document(9)), LetterPut(letter(4)), LetterPut(letter(6))])
    await store.commit([LetterPut(letter(4, "again", tries=1)), LetterGone(6), LetterGone(77)])
    state = await store.load()
    assert state.letters == (letter(4, "again", tries=1), document(9))
    assert state.next_letter_id == 10


async def test_a_letter_that_takes_a_message_back_has_no_body(store: AnyStore) -> None:
    """Nothing else of it is lost."""
    back = letter(1, body=None, target=5, turn_id=None, scope=Scope("telegram", 1), instead=True)
    await store.commit([LetterPut(back)])
    assert (await store.load()).letters == (back,)


async def test_the_number_of_a_letter_is_never_given_twice(store: AnyStore) -> None:
    """Not even when no letter is left."""
    await store.commit([LetterPut(letter(41))])
    await store.commit([LetterGone(41)])
    assert await store.load() == JournalState(next_letter_id=42)


async def test_an_offer_is_taken_once(store: AnyStore) -> None:
    """Whoever comes second changes nothing, not even beside the offer."""
    made = offer(payload="p", person=5, shown=ChatMessage(RichText("lost")))
    await store.commit([OfferPut(made)])
    await store.commit([OfferTaken("o1", "again")])
    taken = replace(made, taken="again")
    assert await store.offer("o1") == taken
    with pytest.raises(OfferClosed, match="decided before"):
        await store.commit([TurnPut(turn("a")), OfferTaken("o1", "continue"), LetterGone(1)])
    assert await store.turn("a") is None
    assert await store.offer("o1") == taken


async def test_an_offer_nobody_knows_cannot_be_taken(store: AnyStore) -> None:
    """It may be from before a damage."""
    with pytest.raises(OfferClosed):
        await store.commit([OfferTaken("o1", "again")])


async def test_an_offer_may_be_taken_where_it_is_made(store: AnyStore) -> None:
    """Changes are made in their order, so the second taking of one transaction is too late."""
    await store.commit([OfferPut(offer("o1")), OfferTaken("o1", "again")])
    with pytest.raises(OfferClosed):
        await store.commit([OfferPut(offer("o2")), OfferTaken("o2", "a"), OfferTaken("o2", "b")])
    assert await store.offer("o2") is None


async def test_an_offer_that_was_taken_stays_taken(store: AnyStore) -> None:
    """Writing it down again opens it for nobody."""
    await store.commit([OfferPut(offer()), OfferTaken("o1", "again")])
    await store.commit([OfferPut(offer(payload="new"))])
    assert await store.offer("o1") == offer(payload="new", taken="again")
    with pytest.raises(OfferClosed):
        await store.commit([OfferPut(offer()), OfferTaken("o1", "continue")])


# Forgetting.


async def test_nothing_is_forgotten_that_is_not_over(store: AnyStore) -> None:
    """However long ago it was."""
    for changes in a_day():
        await store.commit(changes)
    taken = await store.accept([received(1)], 1, NOW)
    before = await store.load()
    await store.prune(NOW + 1000 * DAY)
    assert await store.load() == before
    assert before.updates == taken
    assert await store.turn_of_message(7, 2) is not None


async def test_an_update_is_a_repeat_for_a_day_and_a_little(store: AnyStore) -> None:
    """A service that hands it out for a day finds it known for longer than that."""
    (first,) = await store.accept([received(1)], 1, NOW)
    await store.commit([UpdateHandled(first.id)])
    await store.prune(NOW + DAY + HOUR)
    assert await store.accept([received(1)], 1, NOW + DAY + HOUR) == ()
    await store.prune(NOW + 2 * DAY)
    assert await store.accept([received(1)], 1, NOW + 2 * DAY) == (), "it was seen once more"
    await store.prune(NOW + 4 * DAY)
    (again,) = await store.accept([received(1)], 1, NOW + 4 * DAY)
    assert again.id > first.id


async def test_a_finished_turn_is_forgotten_after_90_days(store: AnyStore) -> None:
    """With its messages and offers; its number is not given again."""
    end = {"state": "done", "accepted_at": NOW - DAY}
    await store.commit([TurnPut(turn("a", ended_at=NOW, **end)), TurnPut(turn("b", **end))])
    for number, name in enumerate("ab"):
        await store.commit([MessageBound(7, number, name, "final")])
        await store.commit([OfferPut(offer(name, turn_id=name))])
    await store.prune(NOW + 90 * DAY)
    assert await store.turn("b") is None, "it has no end, so its acceptance counts"
    assert await store.turn_of_message(7, 0) is not None
    await store.prune(NOW + 90 * DAY + 1)
    assert await store.turn("a") is None
    assert await store.turn_of_message(7, 0) is None
    assert await store.offer("a") is None
    await store.commit([TurnPut(turn("c")), TurnPut(turn("a"))])
    assert [t.seq for t in (await store.load()).turns] == [3, 4]
    assert await store.turn_of_message(7, 0) is None


async def test_the_scope_of_an_update_comes_back(store: AnyStore) -> None:
    """With its topic."""
    await store.accept([received(1, text="\u2028 'quoted\"")], 1, NOW)
    (found,) = (await store.load()).updates
    assert found.update == received(1, text="\u2028 'quoted\"")
    assert found.update.scope == SCOPE
