"""/new: the session of a place is left behind."""

import anyio
import pytest
from msgspec.structs import replace

from bridge.session_world import asked, chatting, say, token
from fakes.scripted_engine import gated
from takopi.bridge.places import Places
from takopi.bridge.ports import TurnFilter
from takopi.bridge.records import TurnPut, TurnRecord
from takopi.core.chat import IncomingFile
from takopi.core.gathering import LONG_UNITS

pytestmark = pytest.mark.anyio

_ANY = TurnFilter()


def _by_schedule(turn: TurnRecord, number: int) -> TurnPut:
    """Make a turn that a schedule asked for in the same place."""
    name = f"every-{number}"
    other = token(f"of-{name}")
    return TurnPut(replace(turn, turn_id=name, conversation=name, origin="schedule", session=other))


async def test_the_next_prompt_begins_anew_and_later_ones_go_on_with_that() -> None:
    """A reply still goes on with the old one."""
    async with chatting() as world:
        first = await say(world, "one")
        await say(world, "/new")
        assert world.chat.has("The next prompt for codex in no project begins a new session")
        await say(world, "two")
        await say(world, "three")
        await say(world, "four", reply_to=first)
        assert asked(world) == [("one", None), ("two", None), ("three", "s2"), ("four", "s1")]


async def test_messages_of_one_answer_of_the_service_count_by_their_order() -> None:
    """All of them were accepted at one moment."""
    async with chatting() as world:
        await say(world, "zero")
        make = world.chat.message
        words = ["one", "/new", "two", "three", "/new four", "five", "/new", "six"]
        world.chat.feed(*(make(text) for text in words))
        await world.clock.advance(5)
        resumed = dict(asked(world))
        assert resumed["one"] == "s1"
        assert resumed["two"] is resumed["four"] is resumed["six"] is None
        numbers = {t.request.prompt: t.session.value for t in world.codex.turns}
        assert resumed["three"] == numbers["two"]
        assert resumed["five"] == numbers["four"]
        await say(world, "seven")
        assert asked(world)[-1] == ("seven", numbers["six"])


async def test_what_stands_behind_it_is_asked_at_once() -> None:
    """Its directives work, and what follows goes on with it."""
    async with chatting() as world:
        await say(world, "/zed one")
        await say(world, "/zed two")
        await say(world, "/new /zed @dev /claude fix it")
        await say(world, "/new /zed three")
        await say(world, "/zed four")
        assert asked(world) == [("one", None), ("two", "s1"), ("three", None), ("four", "s3")]
        [turn] = world.claude.turns
        assert turn.request.prompt == "fix it"
        assert str(turn.request.cwd) == "/src/zed/.worktrees/dev"


@pytest.mark.parametrize("mode", ["stateless", "chat"])
async def test_a_reply_says_where_and_by_whom_and_not_in_which_session(mode) -> None:
    async with chatting(mode) as world:
        number = await say(world, "/zed @dev /claude one")
        await say(world, "/new two", reply_to=number)
        one, two = world.claude.turns
        assert two.request.resume is None
        assert two.request.cwd == one.request.cwd
        await say(world, "/new /codex three", reply_to=number)
        assert world.codex.turns[0].request.cwd == one.request.cwd


async def test_only_the_session_of_this_place_context_and_engine_is_left() -> None:
    async with chatting() as world:
        for words in ("/zed one", "/zed /claude one", "/api one", "/new /zed"):
            await say(world, words)
        assert world.chat.has("The next prompt for codex in zed begins a new session")
        for words in ("/zed two", "/zed /claude two", "/api two"):
            await say(world, words)
        assert asked(world) == [("one", None), ("one", None), ("two", None), ("two", "s2")]
        assert asked(world, "claude") == [("one", None), ("two", "s1")]


async def test_in_stateless_mode_it_says_that_there_is_nothing_to_leave() -> None:
    """And asks what stands behind it."""
    async with chatting("stateless") as world:
        await say(world, "/new")
        assert world.chat.has("Every prompt here begins a new session, unless it replies")
        await say(world, "/new one")
        assert asked(world) == [("one", None)]
        assert (await world.store.load()).places == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/new /status", "/new takes nothing, or the prompt"),
        ("/new codex resume s1", "/new begins a session, and this names one"),
        ("/new /nobody fix it", "/nobody"),
        ("/new /zed /api fix it", "A prompt runs in one place"),
        ("/new @../x fix it", "is no branch that takopi opens"),
    ],
)
async def test_what_makes_no_sense_is_answered_once_and_starts_nothing(text, words) -> None:
    async with chatting() as world:
        await say(world, text)
        assert words in world.chat.texts()[-1]
        assert len(world.chat.texts()) == 1
        assert world.codex.turns == []


async def test_a_prompt_behind_it_that_is_cancelled_leaves_the_session_left() -> None:
    async with chatting(max_runs=1) as world:
        gate = anyio.Event()
        world.claude.default = gated(gate)
        await say(world, "one")
        await say(world, "/claude blocks")
        number = await say(world, "/new two")
        await say(world, "/cancel", reply_to=number)
        gate.set()
        await say(world, "three")
        assert asked(world) == [("one", None), ("three", None)]


async def test_a_prompt_that_was_taken_back_before_it_started_moves_nothing() -> None:
    """It named another session, and that is taken back with it."""
    async with chatting(max_runs=1) as world:
        gate = anyio.Event()
        first = await say(world, "one")
        await say(world, "/new two")
        world.claude.default = gated(gate)
        await say(world, "/claude blocks")
        number = await say(world, "three", reply_to=first)
        await say(world, "/cancel", reply_to=number)
        gate.set()
        await say(world, "four")
        assert asked(world)[-1] == ("four", "s2")


async def test_the_rest_of_a_long_paste_behind_it_belongs_to_its_prompt() -> None:
    """And what comes behind a bare one belongs to nothing before it."""
    async with chatting() as world:
        paste = "a" * LONG_UNITS
        world.chat.feed(world.chat.message(f"/new {paste}"), world.chat.message("the rest"))
        await world.clock.advance(5)
        assert asked(world) == [(f"{paste}\nthe rest", None)]
        make = world.chat.message
        world.chat.feed(make(paste), make("/new"), make("another"))
        await world.clock.advance(5)
        assert sorted(asked(world)[1:], key=lambda one: len(one[0])) == [
            ("another", None),
            (paste, "s1"),
        ]


async def test_it_holds_after_a_restart() -> None:
    async with chatting() as world:
        await say(world, "one")
        await say(world, "/new")
        places = Places(world.store)
        places.restore((await world.store.load()).places)
        [place] = places.all()
        [point] = place.sessions.values()
        assert point.session is None
        assert point.since > 0


async def test_a_schedule_that_ran_a_hundred_times_does_not_hide_the_session() -> None:
    """Only what a person asked goes on by itself."""
    async with chatting() as world:
        await say(world, "one")
        [turn] = await world.store.newest_turns(_ANY, 9)
        for number in range(300):
            await world.store.commit([_by_schedule(turn, number)])
        await say(world, "two")
        assert asked(world)[-1] == ("two", "s1")


async def test_a_file_without_a_prompt_begins_nothing() -> None:
    async with chatting() as world:
        file = IncomingFile(kind="document", file_id="f", name="a.txt")
        await say(world, "/new", files=(file,))
        assert "/new takes nothing, or the prompt" in world.chat.texts()[-1]


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("words", ["/new", "/new two"])
async def test_new_holds_though_the_clock_was_set_back(before: bool, words: str) -> None:
    """What was asked before it is left behind, and what is asked after it goes on."""
    async with chatting() as world:
        await say(world, "one")
        if before:
            world.clock.epoch -= 3600
        await say(world, words)
        if not before:
            world.clock.epoch -= 3600
        if words == "/new":
            await say(world, "two")
        await say(world, "three")
        await say(world, "four")
        assert asked(world) == [("one", None), ("two", None), ("three", "s2"), ("four", "s2")]
