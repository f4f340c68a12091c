"""In a group whose trigger is `mentions`, only what is meant for the bot counts."""

from typing import Any

import pytest

from bridge.world import World, serving
from fakes.clock import settle
from takopi.core.access import access_policy
from takopi.core.chat import IncomingFile, MessageEdited, RepliedTo
from takopi.core.chat_settings import ChatSettings
from takopi.core.gathering import LONG_UNITS

pytestmark = pytest.mark.anyio

GROUP = -7


def listening(trigger: str = "mentions") -> Any:
    """Run a bridge that serves a group."""
    access = access_policy(chat_id=1, allowed_chat_ids=(GROUP,), allowed_user_ids=(1, 2))
    return serving(access=access, chats=ChatSettings(trigger=trigger))


def in_group(world: World, text: str, **more: Any):
    """Make a message of the group."""
    return world.chat.message(text, chat=GROUP, kind="group", **more)


async def feed(world: World, *messages: Any) -> None:
    """Let messages arrive, and all of it be over."""
    world.chat.feed(*messages)
    await settle()
    await world.clock.advance(5)


def prompts(world: World) -> list[str]:
    """List what the engines were asked."""
    turns = [*world.codex.turns, *world.claude.turns]
    return [turn.request.prompt for turn in turns]


async def nothing_came_of_it(world: World) -> bool:
    """Tell whether messages left no trace but their marks."""
    calls = [call for call in world.chat.calls if call.verb != "menu"]
    return not (calls or prompts(world) or (await world.store.load()).updates)


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("lunch?", {}),
        ("//compact", {}),
        ("/etc/hosts looks odd", {}),
        ("/kick", {}),
        ("I agree", {"reply": RepliedTo(7, "words of somebody else")}),
        ("see codex resume s1", {}),
        ("codex resume s1", {}),
        ("/help", {"forwarded": True}),
        ("look", {"files": (IncomingFile(kind="document", file_id="f", name=".env"),)}),
    ],
)
async def test_what_people_say_to_each_other_is_let_rest(text, more) -> None:
    """In the group and in its topics: no call, no turn, and nothing is left unhandled."""
    async with listening() as world:
        for thread in (None, 4):
            await feed(world, in_group(world, text, thread=thread, **more))
        assert await nothing_came_of_it(world)


@pytest.mark.parametrize(
    ("text", "more", "expected"),
    [
        ("fix it", {"mentioned": True}, "fix it"),
        ("fix it", {"reply": RepliedTo(7, "words", from_this_bot=True)}, "fix it"),
        ("/codex fix it", {}, "fix it"),
    ],
)
@pytest.mark.parametrize("thread", [None, 4])
async def test_what_is_meant_for_the_bot_counts(text, more, expected, thread) -> None:
    async with listening() as world:
        await feed(world, in_group(world, text, thread=thread, **more))
        assert prompts(world) == [expected]


async def test_commands_count_and_so_does_a_mention_without_words() -> None:
    async with listening() as world:
        await feed(world, in_group(world, "/help"))
        assert world.chat.has("Write what you want done", GROUP)
        await feed(world, in_group(world, "", mentioned=True))
        assert world.chat.has("There is no text in this message", GROUP)
        await feed(world, in_group(world, "/codex"))
        assert world.chat.has("/codex at the start of a message", GROUP)


async def test_in_a_private_chat_everything_counts() -> None:
    async with listening() as world:
        world.chat.write("fix it")
        await settle()
        assert prompts(world) == ["fix it"]


async def test_the_rest_of_a_long_paste_counts() -> None:
    """That of somebody else does not."""
    async with listening() as world:
        paste = in_group(world, "a" * LONG_UNITS, mentioned=True)
        rest, other = in_group(world, "b"), in_group(world, "c", person=2)
        await feed(world, paste, rest, other)
        assert prompts(world) == ["a" * LONG_UNITS + "\nb"]


@pytest.mark.parametrize("place", [0, 1])
async def test_an_album_counts_as_a_whole(place) -> None:
    """Whichever part has the words; one whose words are for others leaves no trace."""
    async with listening() as world:
        for mentioned in (False, True):
            words = ["", ""]
            words[place] = "look"
            album = [
                in_group(world, text, mentioned=mentioned and bool(text), album=str(mentioned))
                for text in words
            ]
            await feed(world, *album)
            assert prompts(world) == (["look"] if mentioned else [])
        assert not (await world.store.load()).updates


async def test_the_trigger_is_chosen_in_the_group() -> None:
    """A topic may have another one."""
    async with listening("all") as world:
        await feed(world, in_group(world, "/trigger mentions"))
        assert world.chat.has("mentions is chosen for this chat", GROUP)
        await feed(world, in_group(world, "lunch?"))
        await feed(world, in_group(world, "/trigger all", thread=4))
        await feed(world, in_group(world, "lunch?", thread=5))
        assert prompts(world) == []
        await feed(world, in_group(world, "fix it", thread=4))
        assert prompts(world) == ["fix it"]


async def test_an_edit_of_a_prompt_that_waits_counts_without_a_mention() -> None:
    """The message was meant for the bot, whatever its words are now."""
    async with listening() as world:
        first = in_group(world, "a" * LONG_UNITS, mentioned=True)
        world.chat.feed(first)
        await settle()
        await feed(world, edit_of(world, first, "fix it"))
        assert prompts(world) == ["fix it"]


def edit_of(world: World, message: Any, text: str) -> Any:
    """Make the update of an edit."""
    return MessageEdited(
        update_id=world.chat.number(),
        scope=message.scope,
        chat_kind=message.chat_kind,
        message_id=message.message_id,
        sender_id=message.sender_id,
        text=text,
        edited_at=5.0,
    )
