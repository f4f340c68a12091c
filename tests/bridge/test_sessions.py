"""Turns of one session never overlap and keep their order; sessions never mix."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.draws import most, one_of_each, row
from bridge.turn_stage import staged
from bridge.world import World
from fakes.clock import settle
from fakes.scripted_engine import ScriptedTurn
from takopi.model import ResumeToken, TakopiEvent

# Of few conversations more go on than begin: that is what makes turns wait.
MOST, CONVERSATIONS = most(7, 14), most(4, 6)
PROMPTS = st.lists(
    one_of_each(range(CONVERSATIONS), range(9), (False, True)), min_size=1, max_size=MOST
)
DURATIONS = row(range(21), MOST)


@given(prompts=PROMPTS, durations=DURATIONS, limit=st.integers(1, 3))
def test_sessions_are_kept_apart_and_in_order(
    prompts: list[tuple[int, int, bool]], durations: Sequence[int], limit: int
) -> None:
    """Replies, resume lines and new prompts at any times, engines of any speed."""

    async def play() -> None:
        world = World(options={"max_runs": limit})
        working: set[str] = set()
        order: defaultdict[str, list[int]] = defaultdict(list)

        async def work(turn: ScriptedTurn) -> AsyncIterator[TakopiEvent]:
            number = turn.number
            takes = durations[number % len(durations)] if durations else 0
            name = turn.session.value
            assert name not in working, "two turns of one session at once"
            working.add(name)
            assert len(working) <= limit
            await world.clock.sleep_until(world.clock.now() + takes / 2)
            yield turn.started()
            await world.clock.sleep_until(world.clock.now() + takes / 2)
            order[name].append(int(turn.request.prompt.split()[1]))
            working.remove(name)
            yield turn.answer("ok")

        world.codex.default = work
        asked: dict[int, int] = {}
        async with anyio.create_task_group() as group:
            group.start_soon(world.bridge.run)
            await settle()
            for number, (conversation, pause, by_line) in enumerate(prompts):
                await world.clock.advance(pause)
                text, reply = f"prompt {number}", asked.get(conversation)
                if by_line:
                    text, reply = f"{text}\ncodex resume known{conversation}", None
                update = world.chat.write(text, reply_to=reply)
                asked[conversation] = update.message_id
            await world.clock.until(lambda: len(world.finals()) == len(prompts))
            group.cancel_scope.cancel()
        assert sorted(n for numbers in order.values() for n in numbers) == list(range(len(prompts)))
        for numbers in order.values():
            assert numbers == sorted(numbers)
        assert len(world.finals()) == len(prompts)

    anyio.run(play)


@pytest.mark.anyio
async def test_a_busy_session_queues_at_once_and_says_so() -> None:
    """The message that says it waits has Cancel, and becomes the progress message."""
    async with staged() as stage:
        session = ResumeToken("codex", "old")
        await stage.submit("one", asked=session)
        await stage.submit("two", asked=session)
        waiting = stage.chat.find("queued · codex · 1 before it in this session")
        assert waiting.message is not None
        assert waiting.message.buttons[0][0].data == "cancel:t2"
        stage.processes.last.answer()
        await stage.clock.advance(4)
        assert stage.processes.last.request.resume == session
        assert stage.chat.find("starting · codex").message_id == waiting.message_id


@pytest.mark.anyio
async def test_a_new_conversation_has_one_session() -> None:
    """A prompt to it waits until the first has reported, and continues that; others do not wait."""
    async with staged() as stage:
        first = await stage.submit("one")
        await stage.submit("two", conversation=first)
        await stage.submit("other")
        assert [process.request.prompt for process in stage.processes.all()] == ["one", "other"]
        stage.processes.all()[0].answer()
        await settle()
        assert stage.processes.last.request.resume == ResumeToken("codex", "s1")


@pytest.mark.anyio
async def test_the_second_turn_in_a_directory_says_that_it_is_not_alone() -> None:
    """They run side by side; the one that came first says nothing, nor does one elsewhere."""
    async with staged() as stage:
        await stage.submit("one")
        await stage.clock.advance(300)
        elsewhere = stage.work_dir.parent
        stage.processes.directories[ResumeToken("codex", "old")] = elsewhere
        await stage.submit("two", engine="claude")
        await stage.submit("three", asked=ResumeToken("codex", "old"))
        await stage.clock.advance(12)
        first, second, third = stage.chat.texts()
        assert "another turn" not in first
        head, _, _ = second.partition("\n\n")
        assert head.endswith("\nanother turn works in this directory: codex, 5 min")
        assert "another turn" not in third
        stage.processes.all()[0].answer()
        await stage.clock.advance(12)
        assert not stage.chat.has("another turn")


@pytest.mark.anyio
async def test_of_two_that_begin_together_the_later_one_says_so() -> None:
    """One of the two does, not both."""
    async with staged() as stage:
        await stage.submit("one")
        await stage.submit("two")
        await stage.clock.advance(12)
        assert ["another turn" in text for text in stage.chat.texts()] == [False, True]
