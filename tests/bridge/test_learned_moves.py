"""A group that moved, learned from the answer to a call, without a word of the service itself."""

import pytest
from msgspec.structs import replace

from bridge.schedule_stage import FullStore, living, prompts
from bridge.test_budget import costing
from bridge.world import World
from fakes.dying_store import DyingStore
from fakes.transport import Call
from takopi.bridge.memory_store import MemoryStore
from takopi.core.access import access_policy
from takopi.core.budget import Budget
from takopi.core.chat import ChatMigrated, Scope
from takopi.core.chat_settings import ChatSettings
from takopi.errors import ChatMoved, TransportUnavailable

pytestmark = pytest.mark.anyio

OLD, NEW = -7, -1007


def moved(call: Call) -> Exception | None:
    """Refuse what goes to the group's old id."""
    return ChatMoved(OLD, NEW) if call.verb == "send" and call.chat == OLD else None


async def say(world: World, text: str) -> None:
    """Write into the group as it was."""
    world.chat.write(text, chat=OLD, kind="group")
    await world.clock.advance(10)


async def say_there(world: World, text: str, number: int) -> None:
    """Write into the group as it is, where messages are counted anew."""
    said = world.chat.message(text, chat=NEW, kind="group")
    world.chat.feed(replace(said, message_id=number))
    await world.clock.advance(10)


async def lives_before(world: World) -> None:
    """Choose an engine, begin a session, and plan something in the group; then it moves."""
    await say(world, "/agent claude")
    await say(world, "one")
    await say(world, "/every 30m look")


async def goes_on(world: World, store: MemoryStore) -> None:
    """Check that engine, session and schedule are those of the group."""
    assert any(text.startswith("✓") for text in world.chat.texts(NEW)), world.chat.texts(NEW)
    await say_there(world, "two", 31)
    assert [words for _, _, words in prompts(world)][-1] == "two"
    assert prompts(world)[-1][0] == "claude"
    await world.clock.advance(1900)
    assert [words for _, _, words in prompts(world)][-1] == "look"
    assert not world.sent("send") or all(call.chat == NEW for call in world.sent("send")[-2:])
    state = await store.load()
    assert [one.scope.chat_id for one in state.schedules] == [NEW]


async def test_what_the_answer_to_a_call_tells_moves_everything_at_once() -> None:
    """Also for the next takopi, and for one whose configuration did not follow."""
    followed: list[tuple[int, int]] = []

    def follow(chat: int, new: int) -> None:
        followed.append((chat, new))

    store = FullStore()
    async with living(store, on_chat_moved=follow) as world:
        await lives_before(world)
        world.chat.fault = moved
        await say(world, "and now")
        await goes_on(world, store)
        assert followed == [(OLD, NEW)]
        told = ChatMigrated(
            update_id=world.chat.number(), scope=Scope("memory", OLD), message_id=2, new_chat_id=NEW
        )
        world.chat.feed(told)
        await say_there(world, "/agent codex", 41)
        await say_there(world, "three", 43)
        assert world.codex.turns[-1].request.prompt == "three"
    served = access_policy(chat_id=1, allowed_chat_ids=(NEW,), allowed_user_ids=(1,))
    async with living(before=world, access=served) as later:
        await say_there(later, "four", 51)
        assert later.codex.turns[-1].request.prompt == "four"
    followed.clear()
    async with living(before=world, on_chat_moved=follow) as later:
        await say_there(later, "five", 53)
        assert later.codex.turns[-1].request.prompt == "five"
        assert followed == [(OLD, NEW)]


@pytest.mark.parametrize("behind", [False, True])
async def test_a_death_while_a_group_moves_loses_nothing_of_it(behind: bool) -> None:
    """Whether or not the configuration came to follow."""
    for commits in range(9):
        store = DyingStore()
        store.behind = behind
        followed: list[int] = []
        async with living(store, on_chat_moved=lambda _, new, to=followed: to.append(new)) as world:
            await lives_before(world)
            store.left = commits
            gone = TransportUnavailable("the world is gone")
            world.chat.fault = lambda call, store=store, gone=gone: (
                gone if store.dead else moved(call)
            )
            await say(world, "and now")
            spoken = [words for _, _, words in prompts(world)]
        store.left = 10_000
        chats = tuple(followed[:1]) or (OLD,)
        access = access_policy(chat_id=1, allowed_chat_ids=chats, allowed_user_ids=(1,))
        async with living(store, world, access=access) as later:
            later.chat.fault = moved
            await later.clock.advance(30)
            if OLD in chats and not later.chat.texts(NEW):
                later.chat.write("knock", chat=OLD, kind="group")
                await later.clock.advance(10)
            again = [words for _, _, words in prompts(later)]
            assert not any("not served" in text for text in later.chat.texts(NEW)), (
                later.chat.texts(NEW)
            )
            assert [*spoken, *again].count("and now") <= 1
            later.chat.fault = None
            await say_there(later, "two", 31)
            assert prompts(later)[-1][::2] == ("claude", "two"), commits
            assert [one.scope.chat_id for one in (await store.load()).schedules] == [NEW]


async def test_a_question_that_moved_with_its_group_can_be_answered_there() -> None:
    chats = ChatSettings(budget=Budget(daily_usd=1.0))
    async with living(chats=chats) as world:
        world.codex.scripts = costing(2.0)
        world.chat.write("dear")
        await world.clock.advance(10)
        world.chat.fault = moved
        await say(world, "deploy")
        question = world.chat.find("Not started", NEW)
        assert question.message is not None
        button = question.message.buttons[0][0].data
        world.chat.press(button, chat=NEW, on=question.message_id)
        await world.clock.advance(10)
        assert prompts(world)[-1][2] == "deploy"
        elsewhere = world.chat.press(button, chat=1)
        await world.clock.advance(10)
        answers = [call.text for call in world.chat.calls if call.verb == "answer"]
        assert f"{elsewhere}: This button does nothing any more" in answers


async def test_what_was_written_before_the_move_is_taken_with_the_same_answer() -> None:
    async with living() as world:
        before = world.chat.message("last words", chat=OLD, kind="group")
        told = ChatMigrated(
            update_id=world.chat.number(), scope=Scope("memory", OLD), message_id=9, new_chat_id=NEW
        )
        after = replace(world.chat.message("hello", chat=NEW, kind="group"), message_id=3)
        world.chat.feed(before, told, after)
        await world.clock.advance(10)
        assert sorted(words for _, _, words in prompts(world)) == ["hello", "last words"]


async def test_a_configuration_that_cannot_follow_ends_nothing() -> None:
    def fail(chat: int, new: int) -> None:
        raise OSError("no such file")

    async with living(on_chat_moved=fail) as world:
        await lives_before(world)
        world.chat.fault = moved
        await say(world, "and now")
        await goes_on(world, world.store)
