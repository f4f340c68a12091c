"""One turn, whatever its engine does."""

from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.world import World, serving
from fakes.clock import VirtualClock, settle
from fakes.scripted_engine import ScriptedTurn, gated, until_cancelled
from fakes.transport import MemoryTransport
from takopi.bridge.letters import Place
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.outbox import Outbox
from takopi.bridge.turn import Turn
from takopi.bridge.turn_driver import CANCEL_GRACE_S, CLOSE_GRACE_S
from takopi.bridge.turn_messages import FinalOptions, TurnMessages
from takopi.core.chat import Scope
from takopi.errors import EngineMissing
from takopi.model import CompletedEvent, ResumeToken, StartedEvent

pytestmark = pytest.mark.anyio


async def test_progress_shows_what_the_engine_does_and_keeps_moving() -> None:
    """Edits come when something changed, at least 3 s apart; else every 10 s for the age."""
    gate = anyio.Event()

    async def busy(turn: ScriptedTurn):
        yield turn.started()
        for number in range(5):
            yield turn.step(f"step-{number}", number)
        await gate.wait()
        yield turn.answer("ok")

    async with serving() as world:
        world.codex.scripts = [busy]
        world.chat.write("hello")
        await world.clock.advance(35)
        assert world.chat.has("working · codex · 33s · step 5")
        edits = [call.at - 1000.0 for call in world.sent("edit")]
        assert edits == [3.0, 13.0, 23.0, 33.0]
        gate.set()
        await world.rest()
        assert len(world.finals()) == 1


async def test_edits_are_skipped_when_a_person_would_see_no_difference() -> None:
    """An event that shows nothing new waits for the next heartbeat."""
    gate = anyio.Event()

    async def chatty(turn: ScriptedTurn):
        yield turn.started()
        yield turn.step("same")
        for _ in range(20):
            await world.clock.sleep_until(world.clock.now() + 1)
            yield turn.step("same")
        await gate.wait()
        yield turn.answer("ok")

    async with serving() as world:
        world.codex.scripts = [chatty]
        world.chat.write("hello")
        await world.clock.advance(14)
        assert [call.at - 1000.0 for call in world.sent("edit")] == [3.0, 13.0]


async def test_a_cancelled_turn_shows_that_it_is_being_cancelled() -> None:
    """Until the engine has ended, the progress message says cancelling."""
    gate = anyio.Event()

    async def slow(turn: ScriptedTurn):
        yield turn.started()
        await turn.interrupted.wait()
        await gate.wait()
        yield turn.failure("cancelled", resume=turn.session)

    async with serving() as world:
        world.codex.scripts = [slow]
        world.chat.write("hello")
        await world.clock.advance(1)
        world.chat.write("/cancel")
        await world.clock.advance(3)
        assert world.chat.has("cancelling · codex")
        gate.set()
        await world.rest()
        assert len(world.finals()) == 1


async def test_an_answer_that_came_before_the_cancellation_is_kept() -> None:
    """An engine that ends well while it is being cancelled is done, not cancelled."""

    async def in_time(turn: ScriptedTurn):
        yield turn.started()
        await turn.interrupted.wait()
        yield turn.answer("just made it")

    async with serving() as world:
        world.codex.scripts = [in_time]
        world.chat.write("hello")
        await world.rest()
        world.chat.write("/cancel")
        await world.rest()
        (final,) = world.finals()
        assert final.startswith("✓ done")
        assert "just made it" in final


async def test_an_engine_that_does_not_end_is_dropped() -> None:
    """After the grace the person is told, and the session is free once the run is let go."""

    async def deaf(turn: ScriptedTurn):
        yield turn.started()
        await anyio.sleep_forever()

    async with serving() as world:
        world.codex.scripts = [deaf]
        first = world.chat.write("hello")
        await world.rest()
        world.chat.write("/cancel")
        await world.clock.advance(CANCEL_GRACE_S - 1)
        assert world.finals() == []
        await world.clock.advance(2)
        (final,) = world.finals()
        assert "the engine did not end when it was told to" in final
        world.chat.write("again", reply_to=first.message_id)
        await world.clock.advance(5)
        assert world.codex.turns[1].request.resume == ResumeToken("codex", "s1")


async def test_an_interrupt_that_raises_or_hangs_does_not_stop_the_cancellation() -> None:
    """What a runner does wrong there is logged; the turn ends."""
    async with serving() as world:
        world.codex.default = until_cancelled

        def prepare(turn: ScriptedTurn) -> None:
            async def interrupt() -> None:
                turn.interrupted.set()
                raise RuntimeError("boom")

            turn.interrupt = interrupt  # type: ignore[method-assign]

        world.codex.prepare = prepare
        world.chat.write("hello")
        await world.rest()
        world.chat.write("/cancel")
        await world.rest()
        (final,) = world.finals()
        assert final.startswith("■ cancelled")


async def test_closing_that_hangs_frees_the_session_in_the_end() -> None:
    """The final is out at once, the next turn waits for the release but not for ever."""
    async with serving() as world:

        def prepare(turn: ScriptedTurn) -> None:
            turn.close_gate = anyio.Event() if turn.number == 1 else None

        world.codex.prepare = prepare
        first = world.chat.write("one")
        await world.rest()
        assert world.finals()
        world.chat.write("two", reply_to=first.message_id)
        await world.clock.advance(CLOSE_GRACE_S - 1)
        assert len(world.codex.turns) == 1
        await world.clock.advance(2)
        assert len(world.codex.turns) == 2


async def test_ended_background_processes_are_added_to_the_final() -> None:
    """What outlived the turn is named in its final by an edit."""
    async with serving() as world:

        def prepare(turn: ScriptedTurn) -> None:
            turn.background_at_close = ("npm run dev",)

        world.codex.prepare = prepare
        world.chat.write("hello")
        await world.clock.advance(3)
        (final,) = world.finals()
        assert "ended 1 background process: npm run dev" in final
        assert "answer to hello" in final
        assert len(world.sent("send")) == 2


async def test_ended_background_processes_are_told_apart_when_the_final_cannot_take_them() -> None:
    """A final that came as a file is followed by a line of its own."""

    async def endless(turn: ScriptedTurn):
        yield turn.started()
        yield turn.answer("line of the answer\n" * 3000)

    async with serving() as world:

        def prepare(turn: ScriptedTurn) -> None:
            turn.background_at_close = ("npm run dev", "sleep 9")

        world.codex.prepare = prepare
        world.codex.scripts = [endless]
        world.chat.write("hello")
        await world.clock.advance(9)
        note = world.chat.find("ended 2 background processes: npm run dev, sleep 9")
        world.chat.write("more", reply_to=note.message_id)
        await world.clock.advance(3)
        assert world.codex.turns[1].request.resume == ResumeToken("codex", "s1")


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
        assert final.startswith("✗ error · codex")
        assert "install it with npm i -g @openai/codex" in final


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


async def test_a_resume_line_that_cannot_be_written_costs_only_itself() -> None:
    """The answer arrives without it."""
    async with serving() as world:

        def format_resume(token: ResumeToken) -> str:
            raise RuntimeError("boom")

        world.codex.format_resume = format_resume  # type: ignore[method-assign]
        world.chat.write("hello")
        await world.rest()
        assert world.finals() == ["✓ done · codex · 0s\n\nanswer to hello"]


async def test_a_store_that_fails_costs_no_answer() -> None:
    """Remembering is beside the turn; the final comes all the same."""
    async with serving() as world:

        async def refuse(*args: object) -> None:
            raise OSError("disk full")

        world.chat.write("first")
        await world.rest()
        world.store.bind_message = refuse  # type: ignore[method-assign]
        world.codex.default = gated(gate := anyio.Event())
        world.chat.write("hello")
        await world.rest()
        world.store.put_turn = refuse  # type: ignore[method-assign]
        gate.set()
        await world.clock.advance(5)
        assert world.chat.has("answer to hello")


async def test_finals_keep_the_order_in_which_their_turns_ended() -> None:
    """A long answer, which takes longer to lay out, is not overtaken by a short one."""

    async def long(turn: ScriptedTurn):
        yield turn.started()
        yield turn.answer("the long one\n\n" + "word " * 4500)

    async with serving() as world:
        world.codex.scripts = [long]
        world.chat.feed(world.chat.message("one"), world.chat.message("two"))
        await world.clock.advance(60)
        texts = [call.text for call in world.sent("send") if "✓ done" in call.text]
        assert ["the long one" in text for text in texts] == [True, False]


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
        assert world.chat.texts()[0] == "done · codex\n`codex resume s1`"
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
    outbox = Outbox(chat, clock)
    messages = TurnMessages(outbox, MemoryStore(), clock, FinalOptions())
    place = Place(Scope("memory", 1), "private")
    broken: Any = None
    turn = Turn("t1", place, "codex", "prompt", "t1", broken, started_at=0.0)
    messages.touch(turn)
    async with anyio.create_task_group() as group:
        group.start_soon(outbox.run)
        messages.open(turn, lambda: None)
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
