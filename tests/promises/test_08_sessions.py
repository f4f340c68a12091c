"""Promise 8: turns of one session never overlap and keep order; projects never mix.

Full: 200 sessions of 20 prompts each, at once.
"""

import asyncio
import random
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

import anyio
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from bridge.world import World
from fakes.scripted_engine import ScriptedTurn
from promises.forms import FULL, LoopClock, in_a_world, shards, share
from simulation.loop import VirtualLoop, no_threads
from takopi.core.access import access_policy
from takopi.model import ResumeToken

pytestmark = pytest.mark.timeout(300)


class Sessions:
    """Watch which turns run in which session, and where."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.running: defaultdict[str, int] = defaultdict(int)
        self.started: defaultdict[str, list[str]] = defaultdict(list)
        self.places: defaultdict[str, set[Path | None]] = defaultdict(set)
        self.overlaps: list[str] = []

    async def script(self, turn: ScriptedTurn):
        """Work for a while in the session that was asked for, or in a new one."""
        name = turn.session.value
        if self.running[name]:
            self.overlaps.append(name)
        self.running[name] += 1
        self.started[name].append(turn.request.prompt)
        self.places[name].add(turn.request.cwd)
        try:
            await asyncio.sleep(self.rng.uniform(0, 3))
            yield turn.started()
            await asyncio.sleep(self.rng.choice((0, 0.1, 20)) * self.rng.random())
            yield turn.answer("yes")
        finally:
            self.running[name] -= 1


@shards(4)
def test_many_sessions_side_by_side(shard: int, tmp_path: Path) -> None:
    """Each session sees its prompts one by one, in their order, in its own project."""
    rng = random.Random(shard)
    sessions, prompts = (50, 20) if FULL else (20, 10)
    places = [tmp_path / f"project{number}" for number in range(10)]
    for place in places:
        place.mkdir()
    watch = Sessions(rng)

    async def play(world: World) -> None:
        world.codex.default = watch.script
        order: defaultdict[str, list[str]] = defaultdict(list)
        for number in range(sessions):
            token = ResumeToken("codex", f"x{number}")
            world.host.directories[token] = places[number % len(places)]
        waiting = [number for number in range(sessions) for _ in range(prompts)]
        rng.shuffle(waiting)
        for number in waiting:
            text = f"prompt {len(order[f'x{number}'])}"
            order[f"x{number}"].append(text)
            world.chat.write(f"{text}\n`codex resume x{number}`", chat=1 + number % 20)
            await asyncio.sleep(rng.choice((0, 0, 0.2)))
        await asyncio.sleep(3600 * 4)
        assert watch.overlaps == []
        assert watch.started == order
        assert all(
            watch.places[f"x{number}"] == {places[number % len(places)]}
            for number in range(sessions)
        )
        assert world.codex.playing == 0

    chats = tuple(range(2, 21))
    access = access_policy(chat_id=1, allowed_chat_ids=chats, allowed_user_ids=(1,))
    in_a_world(play, access=access)


class Conversations(RuleBasedStateMachine):
    """Ask, reply, cancel and wait in any order; a session never has two turns at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.calm = ExitStack()
        self.calm.enter_context(no_threads())
        self.loop = asyncio.Runner(loop_factory=VirtualLoop)
        self.watch = Sessions(random.Random(1))
        self.messages: list[int] = []
        self.asked = 0
        self.world = self.loop.run(self._open())

    async def _open(self) -> World:
        world = World(clock=LoopClock())  # type: ignore[arg-type]
        world.codex.default = self.watch.script
        self.scope = anyio.CancelScope()
        self.serving = asyncio.ensure_future(self._serve(world))
        await asyncio.sleep(0.01)
        return world

    async def _serve(self, world: World) -> None:
        with self.scope:
            await world.bridge.run()

    async def _end(self) -> None:
        self.scope.cancel()
        await self.serving

    def _write(self, reply_to: int | None = None, text: str = "") -> None:
        self.asked += 1
        update = self.world.chat.write(text or f"prompt {self.asked:04}", reply_to=reply_to)
        self.messages.append(update.message_id)

    @rule()
    def ask(self) -> None:
        self._write()

    @rule(which=st.integers(0, 1000))
    def reply(self, which: int) -> None:
        if self.messages:
            self._write(self.messages[which % len(self.messages)])

    @rule(which=st.integers(0, 1000))
    def reply_to_the_bot(self, which: int) -> None:
        shown = sorted(number for _, number in self.world.chat.shown)
        if shown:
            self._write(shown[which % len(shown)])

    @rule(which=st.integers(0, 1000))
    def cancel(self, which: int) -> None:
        shown = sorted(number for _, number in self.world.chat.shown)
        if shown:
            self._write(shown[which % len(shown)], "/cancel")

    @rule(seconds=st.sampled_from((0.01, 0.5, 3, 30)))
    def wait(self, seconds: float) -> None:
        self.loop.run(asyncio.sleep(seconds))

    @invariant()
    def nothing_overlaps(self) -> None:
        assert self.watch.overlaps == []

    @invariant()
    def order_is_kept(self) -> None:
        for prompts in self.watch.started.values():
            assert prompts == sorted(prompts)

    def teardown(self) -> None:
        self.loop.run(asyncio.sleep(600))
        assert self.world.codex.playing == 0
        self.loop.run(self._end())
        self.loop.close()
        self.calm.close()


@shards(8)
def test_conversations_in_any_order(shard: int) -> None:
    """Replies to anything, at any moment, continue one conversation, one turn at a time."""
    examples = share(2000, 8, short=30)
    run_state_machine_as_test(
        Conversations, settings=settings(max_examples=examples, stateful_step_count=20)
    )
