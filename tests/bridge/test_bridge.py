"""The main job, played against a chat service in memory."""

import anyio
import pytest

from bridge.world import World, serving
from fakes.scripted_engine import (
    ScriptedTurn,
    gated,
    prompt_answer,
    until_cancelled,
)
from takopi.core.chat import RepliedTo
from takopi.core.commands import COMMANDS
from takopi.errors import (
    ConfigError,
    FloodLimited,
    TransportError,
    TransportUnavailable,
    Unauthorized,
)
from takopi.model import ResumeToken

pytestmark = pytest.mark.anyio


async def test_a_prompt_gets_a_progress_message_and_one_final() -> None:
    """A prompt is answered by one final that replaces the progress message."""
    async with serving() as world:
        prompt = world.chat.write("hello")
        await world.rest()
        assert world.finals() == ["✓ done · codex · 0s\n\nanswer to hello\n\ncodex resume s1"]
        assert world.chat.texts() == world.finals()
        progress, final = world.sent("send")
        assert progress.options is not None
        assert final.options is not None
        assert not progress.options.notify
        assert final.options.notify
        for call in (progress, final):
            assert call.options is not None
            assert call.options.reply_to is not None
            assert call.options.reply_to.message_id == prompt.message_id
        assert [call.verb for call in world.sent("send", "delete")] == ["send", "send", "delete"]


async def test_the_progress_message_is_the_first_thing_that_happens() -> None:
    """The progress message goes out before the engine is started, and carries Cancel."""
    seen: list[int] = []
    async with serving() as world:
        world.codex.prepare = lambda turn: seen.append(len(world.chat.calls))
        world.codex.default = until_cancelled
        world.chat.write("hello")
        await world.rest()
        assert seen == [2]  # the menu and the progress message
        shown = world.chat.find("codex")
        assert shown.message is not None
        assert shown.message.buttons[0][0].data == "cancel:t1"


async def test_the_engine_gets_the_prompt_and_the_directory() -> None:
    """A new session starts in the work directory, with the facts for the run's record."""
    async with serving() as world:
        prompt = world.chat.write("/claude  fix it\nall of it ")
        await world.rest()
        (turn,) = world.claude.turns
        assert turn.request.prompt == "fix it\nall of it"
        assert str(turn.request.cwd) == "/projects"
        assert turn.request.record["message_id"] == prompt.message_id
        assert turn.closed == 1


async def test_a_reply_continues_the_session_of_any_message_of_the_turn() -> None:
    """A reply to the prompt or to the final goes on in the same session and engine."""
    async with serving(show_resume_line=False) as world:
        first = world.chat.write("/claude one")
        await world.rest()
        final = world.chat.find("answer to one")
        assert "resume" not in final.text
        for number, target in enumerate((first.message_id, final.message_id)):
            world.chat.write(f"more {number}", reply_to=target)
            await world.clock.advance(5)
        assert [turn.request.resume for turn in world.claude.turns] == [
            None,
            ResumeToken("claude", "s1"),
            ResumeToken("claude", "s1"),
        ]


async def test_a_resume_line_of_an_unknown_message_of_this_bot_counts() -> None:
    """After a restart nothing is known by its id; then the line in the message is read."""
    async with serving() as world:
        reply = RepliedTo(7, "✓ done\n\n`claude resume old`", from_this_bot=True)
        world.chat.write("go on", reply=reply)
        await world.rest()
        assert world.claude.turns[0].request.resume == ResumeToken("claude", "old")


async def test_a_session_goes_on_in_its_own_directory(tmp_path: object) -> None:
    """A resumed session runs where it was started."""
    async with serving() as world:
        from pathlib import Path

        home = Path(str(tmp_path))
        world.host.directories[ResumeToken("codex", "old")] = home
        world.chat.write("codex resume old")
        await world.rest()
        (turn,) = world.codex.turns
        assert (turn.request.cwd, turn.request.prompt) == (home, "continue")


@pytest.mark.parametrize("found", ["there", "nothing", "a fault"])
async def test_a_session_of_the_desktop_goes_on_where_its_engine_says(tmp_path, found) -> None:
    """takopi never ran it; where the engine's store does not tell, the turn runs all the same."""
    asked = []

    async def session_directory(session: str) -> object:
        asked.append(session)
        if found == "a fault":
            raise RuntimeError("the store is strange")
        return tmp_path if found == "there" else None

    async with serving() as world:
        world.codex.session_directory = session_directory  # type: ignore[attr-defined]
        world.chat.write("first")
        await world.rest()
        world.chat.write("codex resume old")
        await world.rest()
        first, turn = world.codex.turns
        assert asked == ["old"]
        assert turn.request.cwd == (tmp_path if found == "there" else first.request.cwd)


async def test_a_session_whose_directory_is_gone_is_not_started() -> None:
    """The person is told before anything starts, with the resume line."""
    async with serving() as world:
        from pathlib import Path

        world.host.directories[ResumeToken("codex", "old")] = Path("/nowhere/at/all")
        world.chat.write("codex resume old\ngo on")
        await world.rest()
        assert world.codex.turns == []
        (final,) = world.finals()
        assert "set work_dir, or the project's path, to one that exists" in final
        assert "codex resume old" in final


async def test_strangers_cause_nothing_at_all() -> None:
    """A stranger's message, button or chat causes no call and no run."""
    async with serving() as world:
        world.codex.default = until_cancelled
        world.chat.write("mine")
        await world.rest()
        calls = len(world.chat.calls)
        world.chat.write("hello", person=2)
        world.chat.write("hello", person=None)
        world.chat.write("hello", chat=5, person=1)
        world.chat.press("cancel:t1", person=2)
        world.chat.press("cancel:t1", chat=5)
        await world.rest()
        assert len(world.chat.calls) == calls
        assert len(world.codex.turns) == 1
        assert world.codex.turns[0].interrupts == 0


async def test_an_update_that_comes_twice_runs_once() -> None:
    """A redelivered update has no second effect."""
    async with serving() as world:
        update = world.chat.message("hello")
        world.chat.feed(update, update)
        world.chat.feed(update)
        await world.rest()
        assert len(world.codex.turns) == 1


async def test_a_reply_to_a_running_turn_queues_and_continues_its_session() -> None:
    """The second prompt waits, says so, and its message becomes the progress message."""
    gate = anyio.Event()
    async with serving() as world:
        world.codex.scripts = [gated(gate)]
        world.chat.write("one")
        await world.rest()
        running = world.chat.find("codex")
        world.chat.write("two", reply_to=running.message_id)
        await world.rest()
        queued = world.chat.find("queued · codex · 1 before it in this session")
        assert queued.message is not None
        assert queued.message.buttons[0][0].data == "cancel:t2"
        assert len(world.codex.turns) == 1
        world.codex.default = until_cancelled
        gate.set()
        await world.clock.advance(4)
        assert world.codex.turns[1].request.resume == ResumeToken("codex", "s1")
        assert world.chat.shown[1, queued.message_id].text.startswith("working · codex")
        assert len(world.finals()) == 1


async def test_a_reply_before_the_session_is_known_does_not_start_a_second_session() -> None:
    """Two prompts to a conversation without an id yet stay one session."""
    gate = anyio.Event()

    async def late(turn: ScriptedTurn):
        await gate.wait()
        yield turn.started()
        yield turn.answer("first")

    async with serving() as world:
        world.codex.scripts = [late]
        first = world.chat.write("one")
        await world.rest()
        world.chat.write("two", reply_to=first.message_id)
        world.chat.write("three", reply_to=first.message_id)
        await world.rest()
        assert len(world.codex.turns) == 1
        gate.set()
        await world.clock.advance(30)
        assert [turn.request.resume for turn in world.codex.turns] == [
            None,
            ResumeToken("codex", "s1"),
            ResumeToken("codex", "s1"),
        ]
        assert world.codex.most_playing == 1


async def test_the_next_one_opens_the_conversation_when_the_first_had_no_session() -> None:
    """A turn that ends without a session is followed by one that starts it, and says so."""

    async def no_session(turn: ScriptedTurn):
        yield turn.failure("not logged in")

    async with serving() as world:
        world.codex.scripts = [no_session]
        first = world.chat.write("one")
        await world.rest()
        world.chat.write("two", reply_to=first.message_id)
        await world.rest()
        world.chat.write("three", reply_to=first.message_id)
        await world.clock.advance(9)
        assert [turn.request.resume for turn in world.codex.turns] == [
            None,
            None,
            ResumeToken("codex", "s2"),
        ]
        assert world.chat.find("answer to two").text.count("this one starts a new session") == 1


async def test_different_sessions_run_side_by_side_up_to_the_limit() -> None:
    """As many run as may; the rest wait and say why."""
    gate = anyio.Event()
    async with serving(max_runs=2) as world:
        world.codex.default = gated(gate)
        for number in range(4):
            world.chat.write(f"p{number}")
        await world.clock.advance(3)
        assert world.codex.playing == 2
        assert world.chat.has("queued · codex · waits for a free run")
        assert world.chat.has("waits for a free run, 1 before it")
        gate.set()
        await world.clock.advance(30)
        assert len(world.finals()) == 4
        assert world.codex.most_playing == 2


async def test_quiet_finals_edit_the_progress_message() -> None:
    """With `final_notify = false` the final takes the progress message's place."""
    gate = anyio.Event()
    async with serving(final_notify=False) as world:
        world.codex.scripts = [gated(gate)]
        world.chat.write("hello")
        await world.rest()
        (progress,) = world.chat.shown.values()
        gate.set()
        await world.rest()
        (only,) = world.chat.shown.values()
        assert only.message_id == progress.message_id
        assert only.text.startswith("✓ done")
        world.chat.write("more", reply_to=only.message_id)
        await world.rest()
        assert world.codex.turns[1].request.resume == ResumeToken("codex", "s1")


async def test_long_answers_come_in_parts_that_all_belong_to_the_turn() -> None:
    """Parts are contiguous, only the first makes a sound, each continues the session."""

    async def long(turn: ScriptedTurn):
        yield turn.started()
        yield turn.answer("word " * 1600)

    async with serving() as world:
        world.codex.scripts = [long]
        world.chat.write("hello")
        await world.clock.advance(5)
        parts = world.sent("send")[1:]
        assert len(parts) == 2
        assert [call.options.notify for call in parts if call.options] == [True, False]
        world.chat.write("more", reply_to=parts[1].message_id)
        await world.clock.advance(5)
        assert world.codex.turns[1].request.resume == ResumeToken("codex", "s1")


async def test_very_long_answers_come_as_a_document() -> None:
    """What five messages cannot hold comes whole as a file."""
    answer = "line of the answer\n" * 3000

    async def endless(turn: ScriptedTurn):
        yield turn.started()
        yield turn.answer(answer)

    async with serving() as world:
        world.codex.scripts = [endless]
        world.chat.write("hello")
        await world.clock.advance(5)
        (document,) = world.sent("document")
        assert document.document is not None
        assert document.document.content.decode() == answer


async def test_what_a_bad_update_breaks_stays_in_that_update() -> None:
    """An error in one update is told in one line, and the next update is served."""
    async with serving() as world:
        good = world.store.turn_of_message
        world.store.turn_of_message = None  # type: ignore[assignment,method-assign]
        world.chat.write("hello", reply_to=3)
        await world.rest()
        world.store.turn_of_message = good  # type: ignore[method-assign]
        assert world.chat.has("takopi failed while handling a message (TypeError)")
        world.chat.write("hello")
        await world.rest()
        assert len(world.finals()) == 1


async def test_a_broken_engine_is_told_and_reads_no_resume_lines() -> None:
    """An engine that cannot be used fails its own turns with the reason."""
    async with serving() as world:
        world.engines.broken["pi"] = ConfigError("takopi.toml: pi.model must be a text")
        world.chat.write("/pi hello")
        await world.rest()
        (final,) = world.finals()
        assert final.startswith("✗ error · pi")
        assert "pi.model must be a text" in final


async def test_the_menu_lists_commands_and_engines() -> None:
    """The menu is published once, with one line an engine."""
    async with serving() as world:
        own = [spec.name for spec in COMMANDS]
        assert [command.name for command in world.chat.menu] == [*own, "codex", "claude"]


@pytest.mark.parametrize(
    ("errors", "published"),
    [
        ([TransportUnavailable("down"), FloodLimited(7), None], True),
        ([TransportError("no"), None], False),
        ([TransportUnavailable("down")] * 9, False),
    ],
)
async def test_a_menu_that_cannot_be_published_stops_nothing(
    errors: list[Exception | None], published: bool
) -> None:
    """An outage at the start is waited out for a while; a refusal is left at that."""
    left = list(errors)
    world = World()
    world.chat.fault = lambda call: left.pop(0) if call.verb == "menu" else None
    async with anyio.create_task_group() as group:
        group.start_soon(world.bridge.run)
        await world.clock.advance(300)
        world.chat.write("hello")
        await world.rest()
        assert len(world.finals()) == 1
        assert bool(world.chat.menu) == published
        group.cancel_scope.cancel()


async def test_a_revoked_token_ends_the_bot_whoever_meets_it() -> None:
    """`Unauthorized` leaves `run` as it is."""
    world = World()
    world.chat.fault = lambda call: Unauthorized("revoked") if call.verb == "send" else None
    world.chat.write("hello")
    with pytest.raises(Unauthorized, match="revoked"):
        await world.bridge.run()


async def test_when_the_updates_end_the_last_answers_are_waited_for() -> None:
    """A pipe of prompts is answered to the end, then the bridge is done."""
    world = World(options={"max_runs": 1})
    world.codex.default = prompt_answer
    done = anyio.Event()

    async def run() -> None:
        await world.bridge.run()
        done.set()

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        for number in range(5):
            world.chat.write(f"p{number}")
        world.chat.end()
        await world.clock.until(done.is_set)
    assert len(world.finals()) == 5
    assert world.chat.texts() == world.finals()
