"""A death at every commit of a plug-in's command: it runs once at most, and never ends unsaid."""

import anyio
import pytest

from bridge.plugin_world import Plugins, commands, living
from fakes.dying_store import DyingStore
from takopi.bridge.memory_store import MemoryStore
from takopi.commands import CommandContext, CommandResult, RunRequest
from takopi.errors import TransportUnavailable

pytestmark = pytest.mark.anyio

COMMITS = 16
"""More than a life of this command makes."""


def report_of(starts: list[str]) -> Plugins:
    """Make a command that says something, asks an engine silently, and answers."""

    async def report(ctx: CommandContext) -> CommandResult:
        starts.append(ctx.text)
        await ctx.executor.send("it begins")
        done = await ctx.executor.run_one(RunRequest("count"), mode="capture")
        return CommandResult(done.message.text if done.message else "")

    return commands(report=report)


@pytest.mark.parametrize("behind", [False, True])
async def test_a_command_runs_once_and_is_told(behind: bool) -> None:
    """Whatever was written down last."""
    ends: set[tuple[bool, bool]] = set()
    for commits in range(COMMITS):
        starts: list[str] = []
        store = DyingStore()
        store.behind = behind
        async with living(report_of(starts), store) as world:
            store.left = commits
            gone = TransportUnavailable("the world is gone")
            world.chat.fault = lambda _call, store=store, gone=gone: gone if store.dead else None
            world.chat.write("/report")
            await world.clock.advance(5)
            before = world.chat.texts()
        store.left = 10_000
        async with living(report_of(starts), store) as world:
            await world.clock.advance(30)
            after = world.chat.texts()
            state = await store.load()
        shown = [*before, *after]
        answered = any("answer to count" in text for text in shown)
        told = any(text.startswith("takopi was interrupted while /report") for text in shown)
        assert len(starts) <= 1
        assert answered or told or not starts
        assert not any("✓ done" in text or "■ cancelled" in text for text in shown)
        assert (state.letters, state.updates, state.turns) == ((), (), ())
        ends.add((answered, told))
    assert {(True, False), (False, True)} <= ends


def stuck(starts: list[str]) -> Plugins:
    """Make a command that never ends, the first time."""

    async def slow(ctx: CommandContext) -> CommandResult:
        starts.append(ctx.text)
        if len(starts) == 1:
            await anyio.sleep_forever()
        return CommandResult(f"done with {ctx.args_text}")

    return commands(slow=slow)


async def test_an_interrupted_command_is_run_once_more_by_its_button() -> None:
    """However often that is pressed, and with all that was said to it."""
    starts: list[str] = []
    store = MemoryStore()
    async with living(stuck(starts), store) as world:
        world.chat.write("/slow it: a now")
        await world.clock.advance(5)
    async with living(stuck(starts), store) as world:
        await world.clock.advance(5)
        told = world.chat.find("takopi was interrupted while /slow")
        assert starts == ["/slow it: a now"]
        assert told.message is not None
        data = told.message.buttons[0][0].data
        for _ in range(3):
            world.chat.press(data, on=told.message_id)
        await world.clock.advance(10)
        assert starts == ["/slow it: a now"] * 2
        assert world.chat.has("done with it: a now")
        assert world.chat.shown[1, told.message_id].text == (
            "/slow was interrupted, and runs once more."
        )
        answers = [call.text for call in world.chat.calls if call.verb == "answer"]
        assert [text.partition(": ")[2] for text in answers] == [
            "Run again",
            "This button does nothing any more",
            "This button does nothing any more",
        ]
        state = await store.load()
        assert (state.letters, state.updates) == ((), ())


@pytest.mark.parametrize("how", ["reply", "long"])
async def test_what_a_button_cannot_carry_has_to_be_sent_again(how: str) -> None:
    starts: list[str] = []
    store = MemoryStore()
    async with living(stuck(starts), store) as world:
        more = {"reply_to": 5} if how == "reply" else {}
        world.chat.write("/slow " + ("x" * 80 if how == "long" else "x"), **more)
        await world.clock.advance(5)
    async with living(stuck(starts), store) as world:
        await world.clock.advance(5)
        told = world.chat.find("takopi was interrupted while /slow")
        assert told.message is not None
        assert told.message.buttons == ()
        assert "Send the command again" in told.text
