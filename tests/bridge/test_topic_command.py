"""/topic makes topics, binds them, and leads to those that there are."""

from collections.abc import Sequence

import anyio
import pytest

from bridge.test_contexts import projects, runs
from bridge.world import World
from fakes.clock import settle
from fakes.scripted_engine import gated
from fakes.transport import Call
from takopi.bridge.memory_store import MemoryStore
from takopi.bridge.records import Change
from takopi.core.chat import ChatMigrated, Scope, TopicChanged
from takopi.core.places import PlaceRecord
from takopi.core.preferences import Preferences
from takopi.core.topics import TopicRules
from takopi.errors import StoreFull, ThreadClosed, TopicsUnavailable, TransportUnavailable

pytestmark = pytest.mark.anyio

ON = TopicRules(enabled=True, main_chat=1)
WORKS = "This topic works on "


def the_topic(world: World, chat: int = 1) -> int:
    """Return the thread of the only topic."""
    ((found, thread),) = world.chat.topics
    assert found == chat
    return thread


def said_in(world: World, thread: int | None, chat: int = 1) -> list[str]:
    """List what the bot says in one place."""
    shown = sorted(world.chat.shown.items())
    return [s.text for (c, _), s in shown if c == chat and s.scope.thread_id == thread]


async def made(world: World, text: str = "/topic zed @dev", *, chat: int = 1) -> int:
    """Have a topic made, and return its thread."""
    world.chat.write(text, chat=chat)
    await settle()
    await world.clock.advance(5)
    return the_topic(world, chat)


def change(world: World, thread: int, what: str, name: str = "", *, person: int | None = 1) -> None:
    """Let somebody change a topic."""
    world.chat.feed(
        TopicChanged(
            update_id=world.chat.number(),
            scope=Scope("memory", 1, thread),
            chat_kind="private",
            message_id=world.chat.number(),
            sender_id=person,
            what=what,
            name=name,
        )
    )


async def test_a_topic_is_made_bound_greeted_in_and_told() -> None:
    async with projects(topics=ON) as world:
        thread = await made(world)
        assert world.chat.topics == {(1, thread): "zed @dev"}
        assert said_in(world, thread)[0].startswith(WORKS + "zed @dev.")
        assert said_in(world, None) == ["zed @dev has a topic now; write there."]
        world.chat.write("fix it", thread=thread)
        await settle()
        assert runs(world) == [("claude", "/src/zed/.worktrees/dev", "fix it")]


async def test_a_topic_of_a_group_is_told_with_its_address() -> None:
    """And `/topic @branch` is about the project of the chat."""
    async with projects(topics=ON) as world:
        thread = await made(world, "/topic @dev", chat=-7)
        assert f"api @dev has a topic now: https://chat/{thread}" in said_in(world, None, -7)


async def test_the_same_project_and_branch_leads_to_the_same_topic() -> None:
    """Also when it is asked for twice at once, and from another topic."""
    async with projects(topics=ON) as world:
        world.chat.feed(
            world.chat.message("/topic zed @dev"), world.chat.message("/topic zed @dev")
        )
        await settle()
        await world.clock.advance(10)
        thread = the_topic(world)
        assert "zed @dev has a topic already; write there." in said_in(world, None)
        world.chat.write("/topic zed @dev", thread=999)
        await settle()
        await world.clock.advance(10)
        assert len(world.chat.topics) == 1
        assert "zed @dev has a topic already; write there." in said_in(world, 999)
        assert said_in(world, thread).count("You asked for zed @dev: here it is.") == 2


async def test_a_topic_that_was_deleted_is_made_anew_and_inherits_nothing() -> None:
    """Neither what was chosen there nor its session, though it is called the same."""
    async with projects(topics=ON, session_mode="chat") as world:
        thread = await made(world)
        world.chat.write("/codex one", thread=thread)
        await settle()
        world.chat.deleted.add((1, thread))
        world.chat.write("/topic zed @dev")
        await settle()
        await world.clock.advance(10)
        new = max(number for _, number in world.chat.topics)
        assert new != thread
        state = await world.store.load()
        gone = {place.key: place.gone for place in state.places}
        assert (gone[f"memory:1:{thread}"], gone[f"memory:1:{new}"]) == (True, False)
        world.chat.write("/codex two", thread=new)
        await settle()
        assert [turn.request.resume for turn in world.codex.turns] == [None, None]


async def test_nobody_looks_for_a_topic_that_is_known_to_be_gone() -> None:
    gone = PlaceRecord(key="memory:1:5", project="zed", branch="dev", gone=True)
    async with projects(gone, topics=ON) as world:
        await made(world)
        assert not world.chat.has("You asked for")


async def test_what_waits_for_a_deleted_topic_goes_on_in_the_chat() -> None:
    async with projects(topics=ON, session_mode="chat") as world:
        thread, gate = await made(world), anyio.Event()
        world.codex.default = gated(gate)
        for words in ("/codex one", "/codex two"):
            world.chat.write(words, thread=thread)
            await settle()
        world.chat.deleted.add((1, thread))
        gate.set()
        await settle()
        await world.clock.advance(20)
        finals = [text for text in said_in(world, None) if "answer" in text]
        assert len(finals) == 2
        assert all(text.startswith("(its topic is gone)") for text in finals)
        (place,) = [p for p in (await world.store.load()).places if p.key == f"memory:1:{thread}"]
        assert place.gone


async def test_a_closed_topic_is_no_lost_one() -> None:
    """Messages that it does not take go to the chat; it stays what it was bound to."""
    async with projects(topics=ON) as world:
        thread = await made(world)
        world.chat.fault = lambda call: (
            ThreadClosed("closed") if call.scope and call.scope.thread_id else None
        )
        world.chat.write("one", thread=thread)
        await settle()
        await world.clock.advance(10)
        final = next(text for text in said_in(world, None) if "answer to one" in text)
        assert final.startswith("(its topic is closed)")
        world.chat.fault = None
        change(world, thread, "closed")
        change(world, thread, "reopened")
        world.chat.write("two", thread=thread)
        await settle()
        await world.clock.advance(10)
        assert any("answer to two" in text for text in said_in(world, thread))


async def test_a_message_from_a_topic_that_was_taken_for_gone_brings_it_back() -> None:
    place = PlaceRecord(key="memory:1:5", project="zed", gone=True)
    async with projects(place, topics=ON) as world:
        world.chat.write("one", thread=5)
        await settle()
        (place,) = (await world.store.load()).places
        assert (place.gone, place.project) == (False, "zed")


async def test_a_topic_of_takopi_is_bound_and_renamed() -> None:
    """Prompts that came with the command are read after it; what was chosen there stays."""
    mine = PlaceRecord(
        key="memory:1:5", project="zed", topic="zed", preferences=Preferences(engine="codex")
    )
    async with projects(mine, topics=ON) as world:
        world.chat.topics[1, 5] = "zed"
        world.chat.feed(
            world.chat.message("/topic api @dev", thread=5), world.chat.message("one", thread=5)
        )
        await settle()
        await world.clock.advance(5)
        assert world.chat.topics == {(1, 5): "api @dev"}
        assert WORKS + "api @dev from now on." in said_in(world, 5)
        assert runs(world) == [("codex", "/src/api/.worktrees/dev", "one")]


@pytest.mark.parametrize(
    ("told", "renamed"),
    [
        (("created", "New topic"), True),
        (("created", "Chat about cats"), False),
        (("renamed", "Topic 2"), True),
        (("renamed", "Cats"), False),
    ],
)
async def test_a_name_that_somebody_chose_stays(told, renamed) -> None:
    mine = PlaceRecord(key="memory:1:5", topic="zed", project="zed")
    async with projects(mine if told[0] == "renamed" else PlaceRecord(key="x"), topics=ON) as world:
        world.chat.topics[1, 5] = told[1]
        change(world, 5, *told)
        world.chat.write("/topic api", thread=5)
        await settle()
        await world.clock.advance(5)
        assert world.chat.topics[1, 5] == ("api" if renamed else told[1])
        assert WORKS + "api from now on." in said_in(world, 5)


@pytest.mark.parametrize(
    ("rules", "text", "chat", "words"),
    [
        (TopicRules(), "/topic zed", 1, "Topics are switched off here."),
        (TopicRules(enabled=True, scope="main", main_chat=1), "/topic zed", -7, "main chat alone"),
        (TopicRules(enabled=True, scope="projects", main_chat=1), "/topic zed", 1, "of projects"),
        (ON, "/topic nix", 1, "nix is no project here; there is zed, api."),
        (ON, "/topic zed @../x", 1, "@../x is no branch that takopi opens: "),
        (ON, "/topic @dev", 1, "No project holds here that @dev could belong to."),
        (ON, "/topic", 1, "A topic for a project or a branch of it:\n/topic zed\n"),
        (ON, "/topic zed api", 1, "A topic is for one project, not for two."),
    ],
)
async def test_misuse_is_answered_with_what_to_do(rules, text, chat, words) -> None:
    async with projects(topics=rules) as world:
        world.chat.write(text, chat=chat)
        await settle()
        assert words in world.chat.texts(chat)[-1]
        assert world.chat.topics == {}


async def test_alone_it_says_what_a_topic_is_bound_to() -> None:
    bound = PlaceRecord(key="memory:1:5", project="zed", branch="dev")
    async with projects(bound, topics=ON) as world:
        world.chat.write("/topic", thread=5)
        world.chat.write("/topic", thread=6)
        await settle()
        await world.clock.advance(5)
        assert said_in(world, 5)[0].startswith(WORKS + "zed @dev.\n\nA topic for")
        assert said_in(world, 6)[0].startswith("This topic is bound to no project.\n\nA topic for")


async def test_a_chat_without_topics_says_what_would_let_it_have_some() -> None:
    async with projects(topics=ON) as world:
        refused = TopicsUnavailable("turn Threaded Mode on")
        world.chat.fault = lambda call: refused if call.verb == "topic" else None
        world.chat.write("/topic zed")
        await settle()
        assert world.chat.texts() == ["turn Threaded Mode on"]
        assert (await world.store.load()).updates == ()


async def test_a_service_that_fails_is_asked_again_unless_the_topic_may_be_there() -> None:
    async with projects(topics=ON) as world:
        tries: list[float] = []

        def fault(call: Call) -> Exception | None:
            if call.verb != "topic":
                return None
            tries.append(call.at)
            return TransportUnavailable("away", maybe_accepted=len(tries) > 2)

        world.chat.fault = fault
        world.chat.write("/topic zed")
        await settle()
        for _ in range(3):
            await world.clock.advance(2)
        assert len(tries) == 3
        assert world.chat.texts() == ["away"]


async def test_a_button_that_nobody_made_does_nothing() -> None:
    async with projects(topics=ON) as world:
        world.chat.press("x:topic:1")
        await settle()
        assert world.chat.texts() == []
        assert (await world.store.load()).updates == ()


@pytest.mark.parametrize("person", [None, 9])
async def test_what_strangers_do_to_topics_is_not_noted(person) -> None:
    """Anonymous admins are strangers, too."""
    mine = PlaceRecord(key="memory:1:5", project="zed", topic="zed")
    async with projects(mine, topics=ON) as world:
        change(world, 5, "renamed", "cats", person=person)
        await settle()
        assert (await world.store.load()).places == (mine,)


class FullStore(MemoryStore):
    """Be a journal without room for a while."""

    refusals = 0

    async def commit(self, changes: Sequence[Change]) -> None:
        if self.refusals:
            self.refusals -= 1
            raise StoreFull("the disk is full")
        await super().commit(changes)


async def test_a_journal_that_refuses_hears_of_a_topic_later() -> None:
    store = FullStore()
    async with projects(store=store, topics=ON) as world:
        store.refusals = 1
        change(world, 5, "created", "New topic")
        await settle()
        assert (await store.load()).places == ()
        await world.clock.advance(2)
        state = await store.load()
        assert [place.unnamed for place in state.places] == [True]
        assert state.updates == ()


async def test_topics_of_a_group_that_moved_stay_bound() -> None:
    bound = PlaceRecord(key="memory:-7:5", project="zed", branch="dev", topic="zed @dev")
    async with projects(bound, topics=ON) as world:
        world.chat.feed(
            ChatMigrated(
                update_id=world.chat.number(),
                scope=Scope("memory", -7),
                message_id=world.chat.number(),
                new_chat_id=-1007,
            )
        )
        world.chat.write("one", chat=-1007, kind="group", thread=5)
        world.chat.write("/topic zed @dev", chat=-1007, kind="group")
        await settle()
        await world.clock.advance(10)
        assert runs(world) == [("claude", "/src/zed/.worktrees/dev", "one")]
        there = said_in(world, None, -1007)
        assert there == ["zed @dev has a topic already: https://chat/5"]
