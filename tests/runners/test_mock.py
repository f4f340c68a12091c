"""mock: a believable turn that keeps the rules of every runner."""

import anyio
import pytest

from takopi.errors import UsageError
from takopi.model import ActionEvent, CompletedEvent, ResumeToken, StartedEvent, TakopiEvent
from takopi.runner import open_turn
from takopi.runners.mock import MockRunner
from takopi.turn import TurnRequest

pytestmark = pytest.mark.anyio


def quick() -> MockRunner:
    """Make a runner that waits for nothing and numbers its sessions."""
    ids = iter(range(1, 100))

    async def pause(seconds: float) -> None:
        assert 0 <= seconds < 5
        await anyio.lowlevel.checkpoint()

    return MockRunner(pause, lambda: f"mock-{next(ids)}")


async def turn(
    runner: MockRunner, prompt: str, resume: ResumeToken | None = None
) -> list[TakopiEvent]:
    """Run a turn to its end."""
    live = open_turn(runner, TurnRequest(prompt=prompt, resume=resume))
    events = [event async for event in live]
    await live.aclose()
    return events


async def test_a_turn_shows_everything_a_real_one_does() -> None:
    """Reading, commands that fail and succeed, a plan, changes, thinking, an answer."""
    events = await turn(quick(), "fix the greeting")
    assert isinstance(events[0], StartedEvent)
    actions = [e for e in events if isinstance(e, ActionEvent)]
    kinds = {a.action.kind for a in actions}
    assert kinds == {"thinking", "plan", "tool", "command", "file_change", "message"}
    codes = [a.action.detail["exit_code"] for a in actions if "exit_code" in a.action.detail]
    assert codes == [0, 1, 0]
    end = events[-1]
    assert isinstance(end, CompletedEvent)
    assert end.ok is True
    assert "> fix the greeting" in end.answer
    assert "scripted engine" in end.answer
    assert end.resume == events[0].resume


async def test_every_action_that_begins_ends_under_its_id() -> None:
    """Ids are unique and stable."""
    events = [e for e in await turn(quick(), "x") if isinstance(e, ActionEvent)]
    begun = [e.action.id for e in events if e.phase == "started"]
    assert len(set(begun)) == len(begun)
    assert sorted(begun) == sorted(e.action.id for e in events if e.phase == "completed")


async def test_the_text_that_is_written_becomes_the_answer() -> None:
    """The pieces, put together, are the answer."""
    events = await turn(quick(), "long " * 300)
    pieces = [
        e.action.detail["text"]
        for e in events
        if isinstance(e, ActionEvent) and e.action.kind == "message" and e.phase != "completed"
    ]
    end = events[-1]
    assert isinstance(end, CompletedEvent)
    assert "".join(pieces) == end.answer
    assert "…" in end.answer, "a long prompt is quoted in part"


async def test_the_same_prompt_gives_the_same_turn() -> None:
    """Nothing is left to chance but the id."""
    assert await turn(quick(), "same") == await turn(quick(), "same")


async def test_a_session_remembers_its_prompts() -> None:
    """A resumed turn names what was asked before; another session does not."""
    runner = quick()
    first = await turn(runner, "remember the walrus")
    line = runner.format_resume(first[-1].resume)  # type: ignore[arg-type,union-attr]
    token = runner.extract_resume(f"and now?\n{line}")
    second = await turn(runner, "and now?", token)
    assert second[-1].resume == token  # type: ignore[union-attr]
    assert "1. remember the walrus" in second[-1].answer  # type: ignore[union-attr]
    other = await turn(runner, "and now?")
    assert "walrus" not in other[-1].answer  # type: ignore[union-attr]


async def test_an_unknown_session_is_told() -> None:
    """Sessions end with the process, and the text says so."""
    events = await turn(quick(), "x", ResumeToken("mock", "mock-gone"))
    (end,) = events
    assert isinstance(end, CompletedEvent)
    assert "remembers only while takopi runs" in str(end.error)


async def test_turns_of_one_session_do_not_overlap() -> None:
    """The second one begins when the first has ended."""
    runner = quick()
    token = (await turn(runner, "zero"))[-1].resume  # type: ignore[union-attr]
    order: list[str] = []

    async def follow(prompt: str) -> None:
        live = open_turn(runner, TurnRequest(prompt=prompt, resume=token))
        async for event in live:
            if not isinstance(event, ActionEvent):
                order.append(f"{prompt} {event.type}")
        await live.aclose()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follow, "one")
        tasks.start_soon(follow, "two")
    assert order in (
        ["one started", "one completed", "two started", "two completed"],
        ["two started", "two completed", "one started", "one completed"],
    )


async def test_a_turn_can_be_interrupted_while_it_waits() -> None:
    """Cancel ends a turn at once, and the session goes on afterwards."""
    waiting = anyio.Event()
    slow = True

    async def pause(seconds: float) -> None:
        if slow:
            waiting.set()
            await anyio.sleep_forever()

    runner = MockRunner(pause, lambda: "mock-1")
    live = open_turn(runner, TurnRequest(prompt="wait"))
    events: list[TakopiEvent] = []

    async def follow() -> None:
        events.extend([event async for event in live])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follow)
        await waiting.wait()
        await live.interrupt()
    await live.aclose()
    assert isinstance(events[-1], CompletedEvent)
    assert events[-1].ok is False
    slow = False
    again = await turn(runner, "go on", ResumeToken("mock", "mock-1"))
    assert "1. wait" in again[-1].answer  # type: ignore[union-attr]


async def test_ids_are_made_up_by_default() -> None:
    """Two new sessions have two ids that are resume lines."""

    async def pause(seconds: float) -> None:
        await anyio.lowlevel.checkpoint()

    runner = MockRunner(pause)
    tokens = [(await turn(runner, "x"))[-1].resume for _ in range(2)]  # type: ignore[union-attr]
    assert tokens[0] != tokens[1]
    for token in tokens:
        assert token is not None
        assert runner.extract_resume(runner.format_resume(token)) == token


def test_a_token_of_another_engine_is_refused() -> None:
    """A resume line never names a session that mock does not have."""
    with pytest.raises(UsageError, match="belongs to pi"):
        quick().format_resume(ResumeToken("pi", "mock-1"))
