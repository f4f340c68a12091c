"""What a turn of each real engine gives: answers, tools, changes, errors, memory."""

import pytest

from real_engines.world import Outcome, World
from takopi.model import ResumeToken

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

UNKNOWN = {
    "codex": "01a1fc46-187a-739a-a569-000000000000",
    "claude": "580d8b64-8330-4779-b13b-000000000000",
    "opencode": "ses_0000000000000000000000000",
    "pi": "01a1fc46-187a-739a-a569-000000000000",
}


async def test_a_plain_answer(world: World) -> None:
    """Prompt in, answer out, with the session and what it used."""
    outcome = await world.run("[[say: The answer is **42**.]]")
    assert outcome.end.ok, outcome.end.error
    assert outcome.end.answer == "The answer is **42**."
    assert outcome.end.resume == outcome.token
    assert outcome.end.usage is not None
    assert outcome.end.usage["output_tokens"] > 0
    assert outcome.ended_background == ()


async def test_a_shell_tool(world: World) -> None:
    """Commands are shown with their exit status; the answer knows their output."""
    outcome = await world.run("[[bash: echo from-$((40+2))]][[bash: sh -c 'exit 3']]")
    assert outcome.end.ok, outcome.end.error
    assert "from-42" in outcome.end.answer
    good, bad = outcome.actions("command")
    assert good.ok is True
    assert "echo from-" in good.action.title
    assert bad.ok is False
    assert bad.action.detail.get("exit_code", 3) == 3


async def test_a_file_edit(world: World) -> None:
    """Files are changed in the working directory, and the changes are named."""
    outcome = await world.run("[[write: new.txt | one\\ntwo]][[read: new.txt]][[say: written]]")
    assert outcome.end.ok, outcome.end.error
    assert (world.work_dir / "new.txt").read_text("utf-8").strip() == "one\ntwo"
    edited = await world.run("[[read: new.txt]][[edit: new.txt | two | 2]]", outcome.token)
    assert edited.end.ok, edited.end.error
    assert (world.work_dir / "new.txt").read_text("utf-8").strip() == "one\n2"
    for change in (outcome.actions("file_change")[0], edited.actions("file_change")[0]):
        assert change.ok is True
        paths = [str(one["path"]) for one in change.action.detail["changes"]]
        assert all(path.endswith("new.txt") for path in paths)


async def test_a_long_answer_is_whole(world: World) -> None:
    """An engine that exits without waiting for its reader loses nothing in a file."""
    outcome = await world.run("[[big: 300]]")
    assert outcome.end.ok, outcome.end.error
    assert len(outcome.end.answer.strip()) >= 300 * 1024 - 1
    assert outcome.end.answer.startswith("0123456789abcdef")


async def test_a_model_api_error(world: World) -> None:
    """The provider's words reach the person, and the session goes on afterwards."""
    outcome = await world.run("[[error: 400]] remember the newt")
    assert outcome.end.ok is False
    assert "fake model error 400" in str(outcome.end.error)
    again = await world.run("[[say: {first}]]", outcome.end.resume)
    assert again.end.ok, again.end.error


async def test_a_session_remembers(world: World) -> None:
    """A second turn, by a runner that knows nothing, continues the engine's session."""
    first = await world.run("remember the walrus")
    second = await world.run("what was it?", first.token)
    assert second.end.ok, second.end.error
    assert "walrus" in second.end.answer
    assert "turn 2" in second.end.answer
    assert "what was it?" in world.model.main_requests[-1].user_texts
    assert second.token == first.token


async def test_a_session_resumes_where_it_was_started(world: World) -> None:
    """A turn that names no directory, or another one, goes on in the session's own."""
    first = await world.run("hello")
    started_in, elsewhere = world.work_dir, world.work_dir.with_name("elsewhere")
    elsewhere.mkdir()
    world.work_dir = elsewhere
    second = await world.run("[[bash: pwd]]", first.token)
    assert second.end.ok, second.end.error
    assert str(started_in) in second.end.answer


async def test_an_unknown_session(world: World) -> None:
    """The person is told, no answer is made up, and the model is not asked."""
    before = len(world.model.main_requests)
    resume = ResumeToken(world.engine, UNKNOWN[world.engine])
    async with world.turn("hello?", resume) as live:
        outcome = Outcome([event async for event in live])
    assert outcome.end.ok is False
    assert outcome.end.answer == ""
    assert "session" in str(outcome.end.error)
    assert live.session_unknown
    assert world.asked_since(before) == []
