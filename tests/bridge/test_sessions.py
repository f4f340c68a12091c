"""Turns of one session never overlap and keep their order; sessions never mix."""

from collections import defaultdict
from collections.abc import AsyncIterator

import anyio
from hypothesis import given
from hypothesis import strategies as st

from bridge.world import World
from fakes.clock import settle
from fakes.scripted_engine import ScriptedTurn
from takopi.model import TakopiEvent

PROMPTS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 8), st.booleans()), min_size=1, max_size=14
)


@given(
    prompts=PROMPTS, durations=st.lists(st.integers(0, 20), max_size=14), limit=st.integers(1, 3)
)
def test_sessions_are_kept_apart_and_in_order(
    prompts: list[tuple[int, int, bool]], durations: list[int], limit: int
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
