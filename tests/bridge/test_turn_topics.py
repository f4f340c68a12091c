"""New sessions get topics of their own, and no prompt is lost or asked twice on the way there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from msgspec.structs import replace

from bridge.test_contexts import projects, runs
from bridge.test_topic_command import said_in, the_topic
from bridge.world import World
from fakes.clock import settle
from fakes.scripted_engine import ScriptedTurn, gated, until_cancelled
from takopi.bridge.records import TurnPut
from takopi.core.chat import MessageEdited
from takopi.core.gathering import LONG_UNITS
from takopi.core.places import PlaceRecord
from takopi.core.topics import TopicRules
from takopi.errors import FloodLimited, TopicsUnavailable, TransportUnavailable
from takopi.model import StartedEvent

pytestmark = pytest.mark.anyio

AUTO = TopicRules(enabled=True, auto=True, main_chat=1)


async def test_a_new_session_gets_a_topic_that_is_named_after_its_prompt() -> None:
    """Everything of the turn is there; where it was asked a line points to it."""
    async with projects(topics=AUTO) as world:
        world.chat.write("/zed @dev fix the login")
        await settle()
        await world.clock.advance(10)
        thread = the_topic(world)
        assert world.chat.topics == {(1, thread): "fix the login"}
        assert said_in(world, None) == ["→ fix the login"]
        began, final = said_in(world, thread)
        assert began == "fix the login"
        assert "answer to fix the login" in final
        assert runs(world) == [("claude", "/src/zed/.worktrees/dev", "fix the login")]
        # The prompt stands elsewhere, and nothing in the topic may reply to it.
        sent = [call for call in world.sent("send") if call.scope and call.scope.thread_id]
        assert all(call.options and call.options.reply_to is None for call in sent)
        (place,) = (await world.store.load()).places
        bound = PlaceRecord(
            key=f"memory:1:{thread}",
            project="zed",
            branch="dev",
            topic="fix the login",
            topic_auto=True,
        )
        assert place == bound
        # From now on the topic stays in its context.
        world.chat.write("go on", thread=thread)
        await settle()
        assert runs(world)[-1] == ("claude", "/src/zed/.worktrees/dev", "go on")
        assert len(world.chat.topics) == 1


async def test_a_session_takes_the_topic_that_a_client_made_for_it() -> None:
    """It has no name of a person's, so it gets one; the prompt stands in it already."""
    mine = PlaceRecord(key="memory:1:5", unnamed=True)
    async with projects(mine, topics=AUTO) as world:
        world.chat.topics[1, 5] = "New Chat"
        asked = world.chat.write("/zed @dev fix it", thread=5)
        await settle()
        await world.clock.advance(10)
        assert world.chat.topics == {(1, 5): "fix it"}
        final = world.chat.find("answer to fix it")
        assert final.options.reply_to.message_id == asked.message_id
        world.chat.write("go on", thread=5)
        await settle()
        assert runs(world)[-1] == ("claude", "/src/zed/.worktrees/dev", "go on")
        assert world.chat.topics == {(1, 5): "fix it"}


async def test_what_breaks_while_a_topic_is_made_costs_no_prompt() -> None:
    async with projects(topics=AUTO) as world:
        world.chat.fault = lambda call: ValueError("oh") if call.verb == "topic" else None
        world.chat.write("one")
        await settle()
        await world.clock.advance(10)
        assert [run[2] for run in runs(world)] == ["one"]
        assert "no topic of its own: takopi failed while making a topic" in world.finals()[0]


async def test_the_line_in_a_group_has_the_address() -> None:
    async with projects(topics=AUTO) as world:
        world.chat.write("one", chat=-7, kind="group")
        await settle()
        await world.clock.advance(10)
        assert said_in(world, None, -7) == [f"→ one\nhttps://chat/{the_topic(world, -7)}"]


async def test_what_goes_on_with_a_session_stays_where_it_is() -> None:
    """A reply, a resume line, and a message in a topic begin no session."""
    async with projects(topics=AUTO) as world:
        world.chat.write("go on\ncodex resume s9")
        world.chat.write("one", thread=5)
        await settle()
        await world.clock.advance(10)
        assert len(runs(world)) == 2
        assert world.chat.topics == {}


async def test_a_reply_to_the_pointer_goes_on_with_the_session_in_its_topic() -> None:
    async with projects(topics=AUTO) as world:
        world.chat.write("one")
        await settle()
        await world.clock.advance(10)
        thread, pointer = the_topic(world), world.chat.find("→ one").message_id
        world.chat.write("two", reply_to=pointer)
        await settle()
        await world.clock.advance(10)
        first, second = world.codex.turns
        assert second.request.resume == first.session
        assert len(world.chat.topics) == 1
        assert any("answer to two" in text for text in said_in(world, thread))


async def test_a_long_paste_is_one_prompt_in_one_topic() -> None:
    """The topic is made once everything is together."""
    async with projects(topics=AUTO) as world:
        world.chat.write("a" * LONG_UNITS)
        await settle()
        assert world.chat.topics == {}
        world.chat.write("and the rest")
        await settle()
        await world.clock.advance(10)
        ((_, _, prompt),) = runs(world)
        assert prompt.startswith("aaa")
        assert prompt.endswith("and the rest")
        assert len(world.chat.topics) == 1


@pytest.mark.parametrize("refused", [TopicsUnavailable("no rights"), FloodLimited(300)])
async def test_without_a_topic_a_prompt_runs_where_it_was_asked(refused) -> None:
    """The person hears why, and of what only they can change once."""
    async with projects(topics=AUTO) as world:
        world.chat.fault = lambda call: refused if call.verb == "topic" else None
        for words in ("one", "two"):
            world.chat.write(words)
            await settle()
            await world.clock.advance(20)
        finals = [text for text in said_in(world, None) if "answer" in text]
        assert [run[2] for run in runs(world)] == ["one", "two"]
        why = "asks to wait" if isinstance(refused, FloodLimited) else str(refused)
        told = ["no topic of its own:" in text and why in text for text in finals]
        asked = [call for call in world.chat.calls if call.verb == "topic"]
        if isinstance(refused, TopicsUnavailable):
            assert (told, len(asked)) == ([True, False], 1)
        else:
            assert (told, len(asked)) == ([True, True], 1)


@pytest.mark.parametrize("refused", [False, True])
async def test_in_chat_mode_a_session_goes_on_where_it_is(refused) -> None:
    """Outside of topics none stays, so each prompt begins one; without topics all stay."""
    async with projects(topics=AUTO, session_mode="chat") as world:
        if refused:
            error = TopicsUnavailable("no rights")
            world.chat.fault = lambda call: error if call.verb == "topic" else None
        world.chat.feed(world.chat.message("one"))
        world.chat.feed(world.chat.message("two"))
        await settle()
        await world.clock.advance(10)
        world.chat.write("three")
        await settle()
        await world.clock.advance(10)
        asked = [turn.request.resume for turn in world.codex.turns]
        assert len(world.chat.topics) == (0 if refused else 3)
        newest = world.codex.turns[1].session
        assert asked == [None, None, newest if refused else None]


async def test_a_service_that_is_away_for_a_moment_is_waited_for() -> None:
    """A reply that comes meanwhile keeps its place behind the prompt."""
    async with projects(topics=AUTO) as world:
        away = [TransportUnavailable("away")]
        world.chat.fault = lambda call: away.pop() if call.verb == "topic" and away else None
        asked = world.chat.write("one")
        world.chat.write("two", reply_to=asked.message_id)
        await settle()
        assert runs(world) == []
        await world.clock.advance(10)
        assert [run[2] for run in runs(world)] == ["one", "two"]
        assert len(world.chat.topics) == 1


async def test_a_prompt_that_is_cancelled_while_its_topic_is_made_never_starts() -> None:
    async with projects(topics=AUTO) as world:
        away = [TransportUnavailable("away")]
        world.chat.fault = lambda call: away.pop() if call.verb == "topic" and away else None
        world.chat.write("one")
        await settle()
        world.chat.write("/cancel")
        await settle()
        await world.clock.advance(10)
        assert runs(world) == []
        assert any(text.startswith("■ cancelled") for text in world.chat.texts())


async def test_an_edit_that_comes_while_a_topic_is_made_comes_too_late() -> None:
    """It is offered as a prompt of its own, as for a turn that has started."""
    async with projects(topics=AUTO) as world:
        world.chat.latency_s = 2
        asked = world.chat.write("one")
        await settle()
        world.chat.feed(
            MessageEdited(
                update_id=world.chat.number(),
                scope=asked.scope,
                chat_kind="private",
                message_id=asked.message_id,
                sender_id=1,
                text="two",
                edited_at=1.0,
            )
        )
        await settle()
        await world.clock.advance(30)
        assert [run[2] for run in runs(world)] == ["one"]
        assert len(world.chat.topics) == 1
        offered = next(s for s in world.chat.shown.values() if s.message and s.message.buttons)
        assert offered.message.buttons[0][0].label == "Send as new"


async def test_a_prompt_is_cancelled_where_it_was_asked() -> None:
    async with projects(topics=AUTO) as world:
        world.codex.default = until_cancelled
        world.chat.write("one")
        await settle()
        world.chat.write("/cancel")
        await settle()
        await world.clock.advance(10)
        final = said_in(world, the_topic(world))[-1]
        assert final.startswith("■ cancelled")


@asynccontextmanager
async def again(before: World) -> AsyncIterator[World]:
    """Start another takopi with the journal and the chat of one that died."""
    after = World(options={**before.options}, store=before.store, workspaces=before.workspaces)
    after.chat.topics = before.chat.topics
    async with anyio.create_task_group() as group:
        group.start_soon(after.bridge.run)
        await settle()
        yield after
        group.cancel_scope.cancel()


async def test_a_crash_while_a_topic_is_made_costs_at_most_an_empty_topic() -> None:
    """The prompt is neither lost nor asked twice."""
    async with projects(topics=AUTO) as world:
        world.chat.latency_s = 5
        world.chat.write("one")
        await settle()
        assert [call.verb for call in world.chat.calls if call.verb == "topic"] == ["topic"]
        assert runs(world) == []
    world.chat.topics[1, 7] = "one"  # the service took it, and nobody heard
    async with again(world) as after:
        await after.clock.advance(10)
        assert [run[2] for run in runs(after)] == ["one"]
        assert len(after.chat.topics) == 2
        new = max(thread for _, thread in after.chat.topics)
        assert any("answer to one" in text for text in said_in(after, new))


async def test_a_crash_after_the_topic_was_written_down_makes_no_other() -> None:
    async with projects(topics=AUTO) as world:
        gate = anyio.Event()
        world.codex.default = gated(gate)
        world.chat.write("one")
        await settle()
        (turn,) = (await world.store.load()).turns
        assert (turn.wants_topic, turn.scope.thread_id) == (False, the_topic(world))
        waiting = replace(turn, state="queued", run_id=None, started_at=None, session=None)
    await world.store.commit([TurnPut(waiting)])
    async with again(world) as after:
        await after.clock.advance(10)
        assert [run[2] for run in runs(after)] == ["one"]
        assert len(after.chat.topics) == 1
        assert any("answer to one" in text for text in said_in(after, the_topic(after)))


def entitled(title: str):
    """Report a session by a title."""

    async def script(turn: ScriptedTurn):
        yield StartedEvent(turn.runner.engine, turn.session, title=title)
        yield turn.answer("done")

    return script


async def test_a_topic_is_named_once_more_when_the_session_has_a_title() -> None:
    async with projects(topics=AUTO) as world:
        world.codex.scripts = [entitled("New session"), entitled("Mend it"), entitled("Other")]
        world.chat.write("one")
        await settle()
        await world.clock.advance(5)
        thread = the_topic(world)
        for words, name in (("two", "Mend it"), ("three", "Mend it")):
            assert world.chat.topics[1, thread] == ("one" if words == "two" else "Mend it")
            world.chat.write(words, thread=thread)
            await settle()
            await world.clock.advance(5)
            assert world.chat.topics[1, thread] == name


async def test_a_topic_that_is_gone_is_not_named() -> None:
    place = PlaceRecord(key="memory:1:5", topic="one", topic_auto=True)
    async with projects(place, topics=AUTO) as world:
        world.codex.scripts = [entitled("Mend it")]
        world.chat.write("one", thread=5)
        await settle()
        (place,) = (await world.store.load()).places
        assert (place.topic, place.topic_auto, place.gone) == ("Mend it", False, True)
