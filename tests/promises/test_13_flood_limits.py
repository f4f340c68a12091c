"""Promise 13: flood limits are respected, and finals never wait behind progress.

Full: 100 chats for one simulated hour, every one of them busy all the time.
"""

import asyncio
import random
from collections import defaultdict

import pytest

from bridge.world import World
from fakes.scripted_engine import ScriptedTurn
from fakes.transport import Call
from promises.forms import FULL, in_a_world
from simulation.budgets import BudgetWatch
from takopi.core.access import access_policy
from takopi.core.chat import ChatKind

pytestmark = pytest.mark.timeout(400)

CHATS: dict[int, ChatKind] = {
    (number if number % 2 else -number): ("private" if number % 2 else "group")
    for number in range(1, 101 if FULL else 21)
}
SPAN_S = 3600.0 if FULL else 300.0


@pytest.mark.parametrize("seed", range(2 if FULL else 1))
def test_budgets_hold_and_finals_go_first(seed: int) -> None:
    """No window of a chat or of all chats is overdrawn, and no edit goes before a final."""
    rng = random.Random(seed)
    answered: dict[str, float] = {}

    async def work(turn: ScriptedTurn):
        yield turn.started()
        for number in range(rng.randrange(5, 40)):
            await asyncio.sleep(rng.choice((0.01, 0.5, 5.0)))
            yield turn.step(f"step {number}", number)
        answered[turn.request.prompt] = asyncio.get_running_loop().time()
        yield turn.answer(f"answer to {turn.request.prompt};")

    async def play(world: World) -> None:
        world.chat.latency_s = 0.05
        world.codex.default = work
        end = world.clock.now() + SPAN_S
        asked = 0
        while world.clock.now() < end:
            chat = rng.choice(list(CHATS))
            asked += 1
            world.chat.write(f"prompt {asked}", chat=chat, kind=CHATS[chat])
            await asyncio.sleep(rng.expovariate(len(CHATS) / 240))
        await asyncio.sleep(1200)
        assert budgets_broken(world.chat.calls) == []
        assert len(answered) == asked
        assert overtaken(world.chat.calls, answered) == []

    access = access_policy(chat_id=1, allowed_chat_ids=tuple(CHATS), allowed_user_ids=(1,))
    in_a_world(play, access=access, max_runs=1000)


def budgets_broken(calls: list[Call]) -> list[str]:
    """Count every call again, as the service would."""
    found: list[str] = []
    watch = BudgetWatch(CHATS, found)
    for call in sorted(calls, key=lambda call: call.at):
        watch.called(call.verb, call.chat, call.at)
    return found


def overtaken(calls: list[Call], answered: dict[str, float]) -> list[str]:
    """Find calls for progress that were made in a chat while a final waited there."""
    found = []
    by_chat: defaultdict[int, list[Call]] = defaultdict(list)
    finals: defaultdict[str, list[Call]] = defaultdict(list)
    for call in calls:
        by_chat[call.chat].append(call)
        _, answer, prompt = call.text.partition("answer to ")
        if answer:
            finals[prompt.partition(";")[0]].append(call)
    for prompt, at in answered.items():
        assert len(finals[prompt]) == 1, prompt
        (final,) = finals[prompt]
        found += [
            f"{call.verb} at {call.at:.2f} before {prompt}, decided at {at:.2f}"
            for call in by_chat[final.chat]
            if at < call.at < final.at and call.text.startswith(("working", "starting"))
        ]
    return found
