"""Engines that misbehave: their turns end, each with one final."""

import asyncio
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.world import World, serving
from fakes.clock import VirtualClock, settle
from fakes.scripted_engine import ScriptedTurn, gated
from fakes.transport import MemoryTransport
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.outbox import Outbox
from takopi.bridge.records import TurnRecord
from takopi.bridge.turn import Turn
from takopi.bridge.turn_messages import FinalOptions, Surroundings, TurnMessages
from takopi.core.chat import Scope
from takopi.errors import EngineMissing, StoreFull
from takopi.model import CompletedEvent, ResumeToken, StartedEvent

pytestmark = pytest.mark.anyio


async def test_an_engine_that_is_not_installed_is_told_with_the_remedy() -> None:
    """What stops a run from starting is the final, ready to read."""

    async def missing(turn: ScriptedTurn):
        raise EngineMissing("codex", "codex", "npm i -g @openai/codex")
        yield

    async with serving() as world:
        world.codex.scripts = [missing]
        world.chat.write("hello")
        await world.rest()
        (final,) = world.finals()
        status, why = final.split("\n\n")
        assert status.startswith("✗ error · codex")
        assert why == (
            "codex is not on PATH; install it with npm i -g @openai/codex, then try again"
        )


async def test_an_engine_that_raises_fails_its_own_turn_only() -> None:
    """The error is told in one line with its session, and the bot goes on."""

    async def broken(turn: ScriptedTurn):
        yield turn.started()
        raise ValueError("secret detail")

    async with serving() as world:
        world.codex.scripts = [broken]
        world.chat.write("hello")
        await world.rest()
        (final,) = world.finals()
        assert "takopi failed while running the engine (ValueError); its log says where" in final
        assert "secret detail" not in final
        assert "codex resume s1" in final
        world.chat.write("hello")
        await world.clock.advance(3)
        assert len(world.finals()) == 2


async def says_cancelled(turn: ScriptedTurn):
    yield turn.started()
    raise asyncio.CancelledError


async def awaits_what_it_cancelled(turn: ScriptedTurn):
    yield turn.started()
    task = asyncio.create_task(asyncio.sleep(9))
    task.cancel()
    await task


async def exits(turn: ScriptedTurn):
    yield turn.started()
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("script", "name"),
    [
        (says_cancelled, "CancelledError"),
        (awaits_what_it_cancelled, "CancelledError"),
        (exits, "SystemExit"),
    ],
)
async def test_an_engine_that_cancels_or_exits_fails_its_own_turn_only(script, name) -> None:
    """Nobody cancelled anything, so nothing of the bot ends with it."""
    async with serving() as world:
        world.codex.scripts = [script]
        world.chat.write("hello")
        await world.rest()
        (final,) = world.finals()
        assert f"takopi failed while running the engine ({name}); its log says where" in final
        world.chat.write("hello")
        await world.clock.advance(3)
        assert len(world.finals()) == 2


async def test_a_resume_line_that_cannot_be_written_costs_only_itself() -> None:
    """The answer arrives without it."""
    async with serving() as world:

        def format_resume(token: ResumeToken) -> str:
            raise RuntimeError("boom")

        world.codex.format_resume = format_resume  # type: ignore[method-assign]
        world.chat.write("hello")
        await world.rest()
        assert world.finals() == ["✓ done · codex · 0s\n\nanswer to hello"]


@pytest.mark.parametrize("error", [StoreFull("disk full"), OSError("a mistake of ours")])
async def test_a_store_that_fails_costs_no_answer(error: Exception) -> None:
    """What is not written down any more is sent all the same."""
    async with serving() as world:

        async def refuse(changes: object) -> None:
            refused.append(changes)
            raise error

        refused: list[object] = []
        world.codex.default = gated(gate := anyio.Event())
        world.chat.write("hello")
        await world.rest()
        world.store.commit = refuse  # type: ignore[method-assign]
        gate.set()
        await world.clock.advance(5)
        assert world.chat.has("answer to hello")
        assert refused


class Broken(dict[str, object]):
    """Raise when somebody looks."""

    def get(self, key: object, default: object = None) -> object:
        """Raise."""
        raise RuntimeError("boom")


@pytest.mark.parametrize("answer", ["the answer", ""])
async def test_a_final_that_cannot_be_written_nicely_comes_plainly_and_whole(answer: str) -> None:
    """What breaks the layout costs the layout: status, session and answer arrive."""

    async def odd(turn: ScriptedTurn):
        yield turn.started()
        yield CompletedEvent(
            "codex", ok=True, answer=answer, resume=turn.session, usage=Broken(a=1)
        )

    async with serving() as world:
        world.codex.scripts = [odd]
        world.chat.write("hello")
        await world.clock.advance(4)
        assert world.chat.texts()[0] == "done · codex\ncodex resume s1"
        documents = [call.document.content for call in world.sent("document") if call.document]
        assert documents == ([b"the answer"] if answer else [])


async def test_an_answer_that_is_no_text_is_taken_as_one() -> None:
    """A plug-in's mistake costs no final."""

    async def odd(turn: ScriptedTurn):
        yield turn.started()
        answer: str = None  # type: ignore[assignment]
        yield CompletedEvent("codex", ok=True, answer=answer, resume=turn.session)

    async with serving() as world:
        world.codex.scripts = [odd]
        world.chat.write("hello")
        await world.rest()
        assert len(world.finals()) == 1


async def test_progress_that_cannot_be_written_costs_only_itself() -> None:
    """A plain line stands in its place."""
    clock = VirtualClock()
    chat = MemoryTransport(clock)
    store = MemoryStore()
    outbox = Outbox(chat, store, clock)
    messages = TurnMessages(outbox, clock, FinalOptions())
    record = TurnRecord(turn_id="t1", scope=Scope("memory", 1), engine="codex", started_at=0.0)
    turn = Turn.of(record, clock)
    broken: Any = None
    turn.progress = broken
    messages.touch(turn)
    around = Surroundings(lambda: None, lambda: None)
    async with anyio.create_task_group() as group:
        group.start_soon(outbox.run)
        messages.open(turn, around)
        await settle()
        assert chat.texts() == ["starting · codex"]
        group.cancel_scope.cancel()


GARBAGE = st.sampled_from(
    [
        "started",
        "started other session",
        "started other engine",
        "action",
        "completed",
        "completed twice",
        "failed",
        "raise",
        "garbage",
        "wait",
    ]
)


async def misbehave(turn: ScriptedTurn, plan: list[str]):
    """Play a random order of events, some of which no engine should send."""
    for number, what in enumerate(plan):
        if what == "started":
            yield turn.started()
        elif what == "started other session":
            yield StartedEvent("codex", ResumeToken("codex", f"other-{number}"))
        elif what == "started other engine":
            yield StartedEvent("claude", ResumeToken("claude", "x"))
        elif what == "action":
            yield turn.step(f"step {number}", number)
        elif what.startswith("completed"):
            yield turn.answer("yes")
        elif what == "failed":
            yield turn.failure("no")
        elif what == "raise":
            raise LookupError("boom")
        elif what == "garbage":
            yield "not an event"  # type: ignore[misc]
        else:
            await turn.interrupted.wait()


@pytest.mark.timeout(900)
@given(
    plans=st.lists(st.lists(GARBAGE, max_size=6), min_size=1, max_size=4),
    cancels=st.lists(st.integers(0, 20), max_size=3),
)
def test_every_turn_has_exactly_one_final(plans: list[list[str]], cancels: list[int]) -> None:
    """Whatever engines send and whenever somebody cancels, each prompt gets one final."""

    async def play() -> None:
        world = World()
        async with anyio.create_task_group() as group:
            group.start_soon(world.bridge.run)
            await settle()
            for plan in plans:
                world.codex.scripts.append(lambda turn, plan=plan: misbehave(turn, plan))
                world.chat.write("hello")
            await settle()
            for seconds in cancels:
                await world.clock.advance(seconds)
                world.chat.write("/cancel all")
            await world.clock.advance(1)
            world.chat.write("/cancel all")
            await world.clock.advance(120)
            assert len(world.finals()) == len(plans)
            assert world.codex.playing == 0
            assert all(turn.closed == 1 for turn in world.codex.turns)
            assert world.chat.overlaps == 0
            group.cancel_scope.cancel()

    anyio.run(play)
