"""/ctx shows, sets and clears the project and branch of a place."""

import pytest

from bridge.test_contexts import projects, runs
from fakes.clock import settle
from takopi.core.chat_settings import ChatSettings
from takopi.core.commands import press_data
from takopi.core.places import PlaceRecord

from bridge.world import serving  # isort: skip

pytestmark = pytest.mark.anyio


async def says(world, text: str, **more) -> str:
    world.chat.write(text, **more)
    await world.clock.advance(3)
    return world.chat.texts(more.get("chat", 1))[-1]


def buttons(world, chat: int = 1) -> dict[str, str]:
    """Give the data of the last message's buttons by their labels."""
    last = max(number for at, number in world.chat.shown if at == chat)
    message = world.chat.shown[chat, last].message
    return {button.label: button.data for row in message.buttons for button in row}


@pytest.mark.parametrize(
    ("chat", "place", "settings", "words"),
    [
        (1, None, {}, "No project holds here.\nPrompts run in work_dir"),
        (1, None, {"default_project": "zed"}, "ctx: zed\nIt is default_project"),
        (1, None, {"begun_here": True}, "No project holds here.\nPrompts run where this chat was"),
        (
            1,
            None,
            {"begun_here": True, "default_project": "zed"},
            "ctx: zed\nPrompts run where this chat was started.",
        ),
        (-7, None, {}, "ctx: api\nThis chat is the project's own"),
        (1, {"project": "zed", "branch": "dev"}, {}, "ctx: zed @dev\nThis chat is bound to it."),
    ],
)
async def test_it_shows_what_holds_and_why(chat, place, settings, words) -> None:
    """Nothing changes, and a place can be bound by a button."""
    places = [PlaceRecord(key="memory:1", **place)] if place else []
    async with projects(*places, **settings) as world:
        assert (await says(world, "/ctx", chat=chat)).startswith(words)
        assert "/zed" in buttons(world, chat) or "zed" in words
        assert ("Clear" in buttons(world, chat)) == (place is not None)


async def test_a_reply_to_a_turn_shows_where_that_turn_belongs() -> None:
    async with projects() as world:
        prompt = world.chat.write("/zed @dev one")
        await settle()
        words = await says(world, "/ctx", reply_to=prompt.message_id)
        assert words.startswith("ctx: zed @dev\nThat is where the message belongs")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("/ctx set /zed @feat/x", "/src/zed/.worktrees/feat/x"),
        ("/ctx set ZED", "/src/zed"),
        ("/ctx zed", "/src/zed"),
        ("/ctx /zed @dev", "/src/zed/.worktrees/dev"),
        ("/CTX set @dev /zed", "/src/zed/.worktrees/dev"),
    ],
)
async def test_what_is_set_holds_for_what_comes_after_it(text, where) -> None:
    """Also for prompts of the same answer of the service, and after a restart."""
    async with projects() as world:
        world.chat.feed(world.chat.message(text), world.chat.message("/codex one"))
        await settle()
        assert runs(world) == [("codex", where, "one")]
        (place,) = (await world.store.load()).places
        assert (place.key, place.project) == ("memory:1", "zed")


async def test_a_branch_alone_goes_with_the_project_that_holds() -> None:
    async with projects() as world:
        assert "No project holds here that @dev" in await says(world, "/ctx set @dev")
        await says(world, "/ctx set @dev", chat=-7)
        await says(world, "one", chat=-7)
        assert runs(world) == [("codex", "/src/api/.worktrees/dev", "one")]


async def test_a_topic_is_bound_for_itself() -> None:
    async with projects() as world:
        await says(world, "/ctx set zed", thread=5)
        await says(world, "/codex in the topic", thread=5)
        await says(world, "beside it")
        assert runs(world) == [
            ("codex", "/src/zed", "in the topic"),
            ("codex", "/work", "beside it"),
        ]


async def test_clearing_lets_hold_what_holds_around_it() -> None:
    async with projects() as world:
        await says(world, "/ctx set zed", chat=-7)
        words = await says(world, "/ctx clear", chat=-7)
        assert "ctx: api" in words
        assert "This chat is the project's own" in words
        assert "run in no project" in await says(world, "/ctx clear")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/ctx set nobody", "No project is called nobody. Known: zed, api."),
        ("/ctx set zeb", "Did you mean zed?"),
        ("/ctx set zed @../x", "@../x is no branch that takopi opens"),
        ("/ctx set zed @--force", "@--force is no branch that takopi opens"),
        ("/ctx set", "/ctx set /project @branch"),
        ("/ctx set a b", "/ctx set /project @branch"),
        ("/ctx set zed @a @b", "/ctx set /project @branch"),
        ("/ctx zeb", "Did you mean zed?"),
        ("/ctx sett zed", "/ctx set /project @branch"),
        ("/ctx show zed", "/ctx set /project @branch"),
        ("/ctx clear all", "/ctx set /project @branch"),
    ],
)
async def test_misuse_is_answered_once_and_binds_nothing(text, words) -> None:
    async with projects() as world:
        assert words in await says(world, text)
        assert len(world.chat.texts()) == 1
        assert (await world.store.load()).places == ()


async def test_where_there_are_no_projects_it_says_how_to_register_one() -> None:
    async with serving(chats=ChatSettings()) as world:
        assert "takopi init" in await says(world, "/ctx")
        assert "takopi init" in await says(world, "/ctx set shop")


async def test_buttons_bind_and_clear_and_may_be_pressed_again() -> None:
    """The message shows what holds; a forged one does nothing."""
    async with projects() as world:
        await says(world, "/ctx")
        data, shown = buttons(world)["/zed"], max(number for _, number in world.chat.shown)

        async def press(data: str) -> str:
            world.chat.press(data, on=shown)
            await world.clock.advance(3)
            return world.chat.texts()[-1]

        for _ in range(2):
            assert (await press(data)).startswith("Prompts that are written here run in ctx: zed")
        assert "run in no project" in await press(buttons(world)["Clear"])
        for forged in (press_data("ctx", "set", "nobody"), press_data("ctx"), "x:ctx:::"):
            await press(forged)
        assert (await world.store.load()).places[0].project is None
        assert (await world.store.load()).updates == ()
