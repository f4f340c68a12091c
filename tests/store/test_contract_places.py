"""What every journal knows of the turns of a place, of what they cost, and of what was chosen."""

from typing import Any

import pytest
from msgspec.structs import replace

from store.drawn import DAY
from store.examples import NOW, SCOPE, session, turn
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.ports import TurnFilter, UsageRow
from takopi.bridge.records import (
    JournalState,
    MessageBound,
    PlacePut,
    ScheduleGone,
    SchedulePut,
    TurnPut,
)
from takopi.context import RunContext
from takopi.core.chat import IncomingFile, Scope
from takopi.core.places import PlaceRecord, SessionPoint, session_key
from takopi.core.preferences import Preferences, scope_key
from takopi.core.schedules import ScheduleRecord
from takopi.store.sqlite_store import SqliteStore

pytestmark = pytest.mark.anyio

AnyStore = MemoryStore | SqliteStore

OTHER_TOPIC = Scope("telegram", 7, 4)
NO_TOPIC = Scope("telegram", 7)
OTHER_CHAT = Scope("telegram", 8)
OTHER_SERVICE = Scope("memory", 7, 3)

TURNS = (
    turn("a", accepted_at=NOW),
    turn("b", scope=OTHER_TOPIC, accepted_at=NOW + 1),
    turn("c", scope=NO_TOPIC, engine="pi", accepted_at=NOW + 2),
    turn("d", scope=OTHER_CHAT, project="p", accepted_at=NOW + 3, session=session()),
    turn("e", project="p", branch="x", accepted_at=NOW + 4, state="done"),
    turn("f", scope=OTHER_SERVICE, accepted_at=NOW + 5),
)


async def names(store: AnyStore, limit: int = 9, **wanted: Any) -> str:
    """Name the turns that are found."""
    return "".join(t.turn_id for t in await store.newest_turns(TurnFilter(**wanted), limit))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, "fedcba"),
        ({"scope": SCOPE}, "ea"),
        ({"scope": OTHER_TOPIC}, "b"),
        ({"scope": NO_TOPIC}, "c"),
        ({"scope": Scope("telegram", 9)}, ""),
        ({"chat_id": 7}, "fecba"),
        ({"chat_id": 8}, "d"),
        ({"chat_id": 8, "scope": SCOPE}, ""),
        ({"chat_id": 7, "scope": SCOPE}, "ea"),
        ({"engine": "pi"}, "c"),
        ({"context": RunContext()}, "fcba"),
        ({"context": RunContext("p")}, "d"),
        ({"context": RunContext("p", "x")}, "e"),
        ({"context": RunContext(None, "x")}, ""),
        ({"accepted_since": NOW + 3}, "fed"),
        ({"accepted_since": NOW + 3.5}, "fe"),
        ({"with_session": True}, "d"),
        ({"with_session": True, "engine": "pi"}, ""),
        ({"scope": SCOPE, "engine": "codex", "context": RunContext()}, "a"),
        ({"scope": SCOPE, "context": RunContext(), "accepted_since": NOW + 1}, ""),
    ],
    ids=str,
)
async def test_turns_are_found_by_where_and_how(
    store: AnyStore, wanted: dict[str, Any], found: str
) -> None:
    """The newest first; what is not asked for does not matter, and no project is one, too."""
    await store.commit([TurnPut(each) for each in TURNS])
    assert await names(store, **wanted) == found
    assert await names(store, 2, **wanted) == found[:2]
    for none in (0, -1):
        assert await names(store, none, **wanted) == ""


async def test_a_turn_is_listed_as_it_is_now(store: AnyStore) -> None:
    """In the place and with the progress message that it was given last, by its first number."""
    await store.commit([TurnPut(each) for each in TURNS])
    await store.commit([TurnPut(replace(TURNS[0], scope=OTHER_CHAT, state="running"))])
    await store.commit([MessageBound(8, 5, "a", "progress")])
    assert await names(store, scope=OTHER_CHAT) == "da"
    assert await names(store, scope=SCOPE) == "e"
    (_, found) = await store.newest_turns(TurnFilter(scope=OTHER_CHAT), 5)
    assert (found.state, found.progress_id, found.seq) == ("running", 5, 1)


async def test_files_that_wait_for_a_reply_are_no_turns(store: AnyStore) -> None:
    """They are kept and found like turns, with what they are, and in no list of turns."""
    file = IncomingFile(kind="document", file_id="d", name="a.pdf", size=5, path="/work/a.pdf")
    kept = turn("k", origin="files", state="done", files=(file,), accepted_at=NOW + 9)
    await store.commit([TurnPut(TURNS[0]), TurnPut(kept), MessageBound(7, 5, "k", "prompt")])
    assert await names(store, 1) == "a"
    found = await store.turn_of_message(7, 5)
    assert (found.origin, found.files) == ("files", (file,))


async def test_a_listed_turn_has_the_session_of_its_conversation(store: AnyStore) -> None:
    """One that only waits counts with it, too."""
    first = turn("a", conversation="c", state="running")
    await store.commit([TurnPut(first), TurnPut(turn("b", conversation="c")), TurnPut(turn("x"))])
    assert await names(store, with_session=True) == ""
    await store.commit([TurnPut(replace(first, session=session()))])
    assert await names(store, with_session=True) == "ba"
    found = await store.newest_turns(TurnFilter(scope=SCOPE), 5)
    assert [turn.session for turn in found] == [None, session(), session()]
    assert (await store.turn("b")).session is None, "only lists and replies lend sessions"


async def test_turns_that_share_no_conversation_lend_no_session(store: AnyStore) -> None:
    """No name is no conversation."""
    await store.commit([TurnPut(turn("a", session=session())), TurnPut(turn("b"))])
    assert await names(store, with_session=True) == "a"
    found = await store.newest_turns(TurnFilter(), 5)
    assert [turn.session for turn in found] == [None, session()]


# What turns cost.


async def test_costs_count_from_the_end_of_their_turn(store: AnyStore) -> None:
    """In the order of the ends; a turn counts once, as it was written down last."""
    cost = {"cost_usd": 0.5, "model": "m"}
    running = turn("a", state="running", usage=cost, project="p")
    await store.commit([TurnPut(running), TurnPut(turn("b", state="done", ended_at=NOW))])
    assert await store.usage_since(0) == ()
    ended = replace(running, state="delivering", ended_at=NOW + 5)
    await store.commit([TurnPut(ended)])
    row = UsageRow(NOW + 5, "codex", "p", 7, cost)
    assert await store.usage_since(0) == (row,)
    await store.commit([TurnPut(replace(ended, state="done"))])
    fields = {"state": "failed", "engine": "pi", "scope": OTHER_CHAT}
    await store.commit([TurnPut(turn("c", accepted_at=NOW + 1, usage={}, **fields))])
    other = UsageRow(NOW + 1, "pi", None, 8, {})
    assert await store.usage_since(0) == (other, row)
    assert await store.usage_since(NOW + 5) == (row,)
    assert await store.usage_since(NOW + 6) == ()


async def test_costs_outlive_their_turns_by_a_year(store: AnyStore) -> None:
    """Turns are forgotten, and what they cost can still be counted."""
    end = {"state": "done", "usage": {"cost_usd": 1}}
    await store.commit([TurnPut(turn("a", ended_at=NOW, **end))])
    await store.prune(NOW + 400 * DAY)
    assert await store.turn("a") is None
    assert await store.newest_turns(TurnFilter(), 5) == ()
    assert await store.usage_since(NOW) == (UsageRow(NOW, "codex", None, 7, {"cost_usd": 1}),)
    await store.prune(NOW + 400 * DAY + 1)
    assert await store.usage_since(0) == ()


# Places and schedules.

PLACE = PlaceRecord(
    key=scope_key(SCOPE),
    project="p",
    branch="x",
    preferences=Preferences(engine="pi", models={"pi": "m"}, trigger="mentions"),
    sessions={
        session_key("p", "x", "pi"): SessionPoint(NOW, session()),
        session_key(None, None, "codex"): SessionPoint(NOW),
    },
    topic="p @x",
    topic_auto=True,
)


def schedule(name: str, **fields: Any) -> ScheduleRecord:
    """Make a schedule."""
    fields = {"scope": SCOPE, "person": 5, "when": "0 9 * * 1", "prompt": "/pi look 🐙", **fields}
    return ScheduleRecord(schedule_id=name, chat_kind="group", **fields)


async def test_a_place_is_as_it_was_written_down_last(store: AnyStore) -> None:
    """Places come back in the order of their names."""
    other = PlaceRecord(key="project:p")
    await store.commit([PlacePut(other), PlacePut(PLACE)])
    assert await store.load() == JournalState(places=(other, PLACE))
    await store.commit([PlacePut(replace(PLACE, project=None, sessions={}))])
    assert (await store.load()).places == (other, replace(PLACE, project=None, sessions={}))


async def test_a_schedule_is_as_it_was_written_down_last(store: AnyStore) -> None:
    """Schedules come back in the order in which they were made, until they are taken away."""
    first = schedule("b", next_at=NOW, engine="pi", project="p", branch="x", made_at=NOW - 1)
    await store.commit([SchedulePut(first), SchedulePut(schedule("a"))])
    assert await store.load() == JournalState(schedules=(first, schedule("a")))
    later = replace(first, next_at=None, last_at=NOW, paused=True)
    await store.commit([SchedulePut(later)])
    assert (await store.load()).schedules == (later, schedule("a"))
    await store.commit([ScheduleGone("b"), ScheduleGone("never was")])
    assert (await store.load()).schedules == (schedule("a"),)
    await store.commit([SchedulePut(first)])
    assert (await store.load()).schedules == (schedule("a"), first)


async def test_time_takes_no_place_and_no_schedule(store: AnyStore) -> None:
    """What a person chose holds until they choose anew."""
    await store.commit([PlacePut(PLACE), SchedulePut(schedule("a"))])
    before = await store.load()
    for years in (1, 5, 9):
        await store.prune(NOW + years * 365 * DAY)
    assert await store.load() == before


async def test_a_deleted_topic_is_forgotten_after_90_days(store: AnyStore) -> None:
    """Counted from the first pruning that finds it gone, and anew when it was there again."""
    gone = PlacePut(replace(PLACE, gone=True))
    await store.commit([gone])
    await store.prune(NOW)
    await store.commit([gone])
    await store.prune(NOW + 90 * DAY)
    assert (await store.load()).places == (gone.place,)
    await store.commit([PlacePut(PLACE), gone])
    await store.prune(NOW + 91 * DAY)
    await store.prune(NOW + 181 * DAY)
    assert (await store.load()).places == (gone.place,)
    await store.prune(NOW + 181 * DAY + 1)
    assert (await store.load()).places == ()
    await store.commit([gone])
    await store.prune(NOW + 200 * DAY)
    assert (await store.load()).places == (gone.place,)
