"""A command whose text a client cuts is done once, with all of its text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.dispatch_stage import Stage, staged
from bridge.plugin_world import commands, living
from simulation.loop import run_virtually
from takopi.bridge.records import SchedulePut, UpdateHandled
from takopi.commands import CommandContext, CommandResult

pytestmark = pytest.mark.anyio

# As a client cuts it: a first part that is full.
FIRST = f"/at in 1h {'y' * 4086}"
ASKED = "y" * 4086


async def scheduled(stage: Stage) -> list[str]:
    """List what was scheduled, in the order in which it was made."""
    return [record.prompt for record in (await stage.store.load()).schedules]


@pytest.mark.parametrize("gap_s", [None, 0.0, 0.9], ids=["one answer", "at once", "later"])
async def test_the_rest_belongs_to_the_command_and_asks_nothing_now(gap_s) -> None:
    """Its update is marked together with the schedule: a crash leaves both or none."""
    async with staged() as stage:
        first, rest = stage.chat.message(FIRST), stage.chat.message("the end")
        if gap_s is None:
            await stage.arrive(first, rest)
        else:
            await stage.arrive(first)
            await stage.clock.advance(gap_s)
            assert await scheduled(stage) == []
            await stage.arrive(rest)
        await stage.clock.advance(2)
        assert await scheduled(stage) == [ASKED + "the end"]
        assert stage.prompts() == []
        assert await stage.unhandled() == []
        made = next(c for c in stage.store.commits if any(isinstance(x, SchedulePut) for x in c))
        assert sum(isinstance(change, UpdateHandled) for change in made) == 2


async def test_several_parts_are_one_text() -> None:
    async with staged() as stage:
        for text in (FIRST, "z" * 4096, "the end"):
            await stage.arrive(stage.chat.message(text))
            await stage.clock.advance(0.8)
        await stage.clock.advance(2)
        assert await scheduled(stage) == [ASKED + "z" * 4096 + "the end"]
        assert stage.prompts() == []


async def test_what_comes_later_or_from_elsewhere_is_a_prompt() -> None:
    """Another person, another chat, more than a second, a reply or a forward: none is the rest."""
    async with staged() as stage:
        before = stage.chat.message("before")
        await stage.arrive(before)
        await stage.clock.advance(5)
        await stage.arrive(stage.chat.message(FIRST))
        await stage.arrive(stage.chat.message("answer", reply_to=before.message_id))
        await stage.arrive(stage.chat.message("theirs", forwarded=True))
        await stage.clock.advance(1.1)
        await stage.arrive(stage.chat.message("late"))
        await stage.clock.advance(5)
        assert await scheduled(stage) == [ASKED]
        assert stage.prompts() == ["before", "answer", "theirs", "late"]


async def test_a_short_command_is_done_at_once() -> None:
    async with staged() as stage:
        await stage.arrive(stage.chat.message("/at in 1h look"), stage.chat.message("prompt"))
        assert await scheduled(stage) == ["look"]
        assert stage.prompts() == ["prompt"]


async def test_a_long_command_that_takes_no_text_is_answered_at_once() -> None:
    async with staged() as stage:
        await stage.arrive(stage.chat.message(f"/schedules {ASKED}"))
        assert stage.answers()


async def test_a_cancel_comes_between_a_command_and_what_follows() -> None:
    """It takes the command along, which had not begun, and what follows is a prompt."""
    async with staged() as stage:
        await stage.arrive(
            stage.chat.message(FIRST), stage.chat.message("/cancel"), stage.chat.message("look")
        )
        await stage.clock.advance(5)
        assert await scheduled(stage) == []
        assert stage.prompts() == ["look"]
        assert await stage.unhandled() == []


async def test_a_crash_between_the_parts_loses_none() -> None:
    """Both stand unhandled in the journal, and are read together after the start."""
    stage = Stage()
    async with stage.on():
        await stage.arrive(stage.chat.message(FIRST))
        await stage.clock.advance(0.5)
        await stage.accept(stage.chat.message("the end", date=1.0))
        assert await scheduled(stage) == []
    await stage.clock.advance(60)
    async with stage.on():
        assert await scheduled(stage) == [ASKED + "the end"]
        assert stage.prompts() == []
        assert await stage.unhandled() == []


async def test_a_journal_that_refuses_asks_nothing_and_loses_nothing() -> None:
    """The person is told that no schedule was made; the rest never becomes a prompt."""
    async with staged() as stage:
        stage.store.refuses = lambda changes: any(isinstance(c, SchedulePut) for c in changes)
        await stage.arrive(stage.chat.message(FIRST), stage.chat.message("the end"))
        await stage.clock.advance(5)
        assert stage.chat.has("No schedule was made")
        assert stage.prompts() == []
        assert await stage.unhandled() == []


async def test_a_plug_in_gets_the_whole_text() -> None:
    seen: list[str] = []

    async def note(ctx: CommandContext) -> CommandResult:
        seen.append(ctx.args_text)
        return CommandResult("noted")

    async with living(commands(note=note)) as world:
        world.chat.write(f"/note {'y' * 4090}")
        world.chat.write("the end")
        await world.clock.advance(5)
        assert seen == ["y" * 4090 + "the end"]
        assert world.codex.turns == []


@given(st.lists(st.sampled_from([0.0, 0.3, 0.9, 1.5]), min_size=1, max_size=5))
def test_each_part_is_scheduled_or_asked_once(pauses: list[float]) -> None:
    """Whatever the pauses are, no words are lost or doubled, and they keep their order."""

    async def live() -> None:
        async with staged() as stage:
            parts = [FIRST, *(f"{n}" * 4096 for n in range(1, len(pauses))), "the end"]
            for pause_s, text in zip([*pauses, 0.0], parts, strict=True):
                await stage.arrive(stage.chat.message(text))
                await stage.clock.advance(pause_s)
            together = next((n for n, pause_s in enumerate(pauses) if pause_s > 1), len(pauses))
            await stage.clock.advance(10)
            whole = "".join(parts[: together + 1]).removeprefix("/at in 1h ")
            assert await scheduled(stage) == [whole]
            assert "".join(stage.prompts()) == "".join(parts[together + 1 :])
            assert await stage.unhandled() == []

    run_virtually(live)
