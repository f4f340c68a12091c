"""Making a topic is a call like any other: it counts, it waits, and it keeps the silence."""

import pytest
from msgspec.structs import replace

from bridge.test_contexts import projects, runs
from fakes.clock import settle
from takopi.core.outbox_budget import OutboxLimits
from takopi.core.outbox_plan import OutboxPlan
from takopi.core.topics import TopicRules
from takopi.errors import FloodLimited

pytestmark = pytest.mark.anyio

AUTO = TopicRules(enabled=True, auto=True, main_chat=1)


def most_within(moments: list[float], window_s: float) -> int:
    """Count the most calls of any window."""
    return max(sum(one <= at < one + window_s for at in moments) for one in moments)


async def test_many_sessions_at_once_stay_within_the_budget_of_their_group() -> None:
    limits = OutboxLimits()
    async with projects(topics=AUTO) as world:
        for number in range(12):
            world.chat.write(f"prompt {number}", chat=-7, kind="group")
        await settle()
        await world.clock.advance(600)
        assert len(world.chat.topics) == 12
        assert len(runs(world)) == 12
        counted = ("send", "edit", "document", "topic", "rename")
        moments = [call.at for call in world.chat.calls if call.verb in counted and call.chat == -7]
        assert most_within(moments, 60.0) <= limits.group_per_min


async def test_the_silence_that_a_chat_is_told_holds_for_its_topics_too() -> None:
    async with projects(topics=AUTO) as world:
        begun = world.clock.now()
        silent = FloodLimited(15)
        world.chat.fault = lambda _call: silent if world.clock.now() < begun + 15 else None
        world.chat.write("/status", thread=5)
        await settle()
        world.chat.write("one")
        await world.clock.advance(60)
        moments = [call.at - begun for call in world.chat.calls if call.verb == "topic"]
        assert len(moments) == 1
        assert moments[0] >= 15
        assert len(world.chat.topics) == 1


async def test_the_silence_that_making_a_topic_is_told_holds_for_topics_alone() -> None:
    """Finals go on; and a silence that is known costs no further call."""
    async with projects(topics=AUTO) as world:
        world.chat.fault = lambda call: FloodLimited(120) if call.verb == "topic" else None
        for words in ("one", "two"):
            world.chat.write(words)
            await world.clock.advance(20)
        assert [run[2] for run in runs(world)] == ["one", "two"]
        assert len(world.finals()) == 2
        assert [call.verb for call in world.chat.calls].count("topic") == 1
        world.chat.fault = None
        await world.clock.advance(120)
        world.chat.write("three")
        await world.clock.advance(20)
        assert len(world.chat.topics) == 1


def test_a_call_beside_counts_for_items_and_they_for_it() -> None:
    limits = replace(OutboxLimits(), group_per_min=4, group_reserved=1)
    plan = OutboxPlan(limits)
    for _ in range(3):
        assert plan.beside_at(-1, "group", 0.0) == 0.0
        plan.spend_beside(-1, "group", 0.0)
    assert plan.beside_at(-1, "group", 0.0) == 60.0
    plan.block(-1, 90.0)
    assert plan.silent_until(-1, "group", 0.0) == 90.0
    assert plan.beside_at(-1, "group", 70.0) == 90.0
