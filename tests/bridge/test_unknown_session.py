"""A session that its engine does not know any more: it is said, and nobody runs into it twice."""

from collections.abc import AsyncIterator

import anyio
import pytest

from bridge.session_world import asked, button, chatting, gone, say, tap
from fakes.scripted_engine import ScriptedTurn
from takopi.bridge.ports import TurnFilter
from takopi.model import TakopiEvent

pytestmark = pytest.mark.anyio

SAYS = "does not know the session"


async def test_the_final_says_it_and_starts_the_same_prompt_anew() -> None:
    """In the same project and branch, once; a reply to the prompt then goes on there."""
    async with chatting("stateless") as world:
        world.codex.scripts = [gone]
        number = await say(world, "/zed @dev fix it\ncodex resume gone")
        [final] = world.finals()
        assert final.startswith("✗ error · codex")
        assert "codex does not know the session gone any more" in final
        assert "no conversation found" in final
        assert "codex resume gone" not in final, "nobody can go on with it"
        assert "ctx: zed @dev" in final
        data = button(world, SAYS, "Start anew").data
        await tap(world, SAYS, "Start anew")
        world.chat.press(data, on=0)
        await world.clock.advance(5)
        assert world.chat.has("→ Start anew")
        await say(world, "and more", reply_to=number)
        assert asked(world) == [("fix it", "gone"), ("fix it", None), ("and more", "s2")]
        assert str(world.codex.turns[1].request.cwd) == "/src/zed/.worktrees/dev"


async def test_only_who_asked_may_start_it_anew() -> None:
    async with chatting("stateless") as world:
        world.codex.scripts = [gone]
        await say(world, "fix it\ncodex resume gone")
        data = button(world, SAYS, "Start anew").data
        world.chat.press(data, person=2)
        world.chat.press(data, chat=-7)
        await world.clock.advance(5)
        assert len(world.codex.turns) == 1


async def test_another_failure_is_no_unknown_session() -> None:
    """Nor is one of a turn that asked for no session, whatever its runner says."""

    async def odd(turn: ScriptedTurn) -> AsyncIterator[TakopiEvent]:
        turn.session_unknown = True
        yield turn.failure("boom")

    async with chatting() as world:
        world.codex.scripts = [odd]
        await say(world, "fix it")
        [final] = world.finals()
        assert "boom" in final
        assert SAYS not in final
        [turn] = await world.store.newest_turns(TurnFilter(), 9)
        assert not turn.session_unknown


async def test_in_chat_mode_the_next_prompt_does_not_run_into_it_again() -> None:
    """The session of the place is gone: the next prompt begins a new one by itself."""
    async with chatting() as world:
        await say(world, "one")
        world.codex.scripts = [gone]
        for words in ("two", "three", "four"):
            await say(world, words)
        assert asked(world) == [("one", None), ("two", "s1"), ("three", None), ("four", "s3")]


async def test_prompts_that_wait_behind_it_do_not_run_into_it_either() -> None:
    """They go on together in a new one; what was said as a reply keeps to what it named."""
    gate = anyio.Event()

    async def gone_later(turn: ScriptedTurn) -> AsyncIterator[TakopiEvent]:
        turn.session_unknown = True
        await gate.wait()
        yield turn.failure("no conversation found", resume=turn.request.resume)

    async with chatting() as world:
        number = await say(world, "one")
        world.codex.scripts = [gone_later]
        for words in ("two", "three", "four"):
            await say(world, words)
        await say(world, "five", reply_to=number)
        gate.set()
        await world.clock.advance(60)
        assert asked(world)[1:] == [("two", "s1"), ("three", None), ("four", "s3"), ("five", "s1")]


async def test_in_chat_mode_what_was_started_anew_goes_on() -> None:
    async with chatting() as world:
        await say(world, "one")
        world.codex.scripts = [gone]
        await say(world, "two")
        await tap(world, SAYS, "Start anew")
        await say(world, "three")
        assert asked(world)[2:] == [("two", None), ("three", "s3")]


async def test_a_mistyped_session_does_not_cost_the_one_of_the_place() -> None:
    """It was another one that the engine did not know."""
    async with chatting() as world:
        await say(world, "one")
        world.codex.scripts = [gone]
        await say(world, "two\ncodex resume gone")
        await say(world, "three")
        assert asked(world) == [("one", None), ("two", "gone"), ("three", "s1")]
